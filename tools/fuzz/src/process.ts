// One target, one process: `node process.js JOB`, started by cli.ts.
import { readFileSync, writeFileSync } from 'node:fs';
import { startCounting } from './counting/start.js';
import { distill } from './engine/distill.js';
import { Engine, type Crash } from './engine/engine.js';
import { Watchdog } from './engine/watchdog.js';
import { FAULTS } from './faults.js';
import { crashFile, keepCorpus, readSeeds } from './seeds.js';
import type { Target } from './target.js';
import { TARGETS } from './targets/index.js';

export interface Job {
  readonly target: string;
  readonly seconds: number;
  readonly seed: number;
  readonly replay: string | undefined;
  readonly keep: boolean;
  readonly missed: boolean;
  readonly fault: string | undefined;
}

const job = JSON.parse(process.argv[2] ?? '{}') as Job;
const counters = startCounting(FAULTS.find(({ name }) => name === job.fault));
const load = TARGETS[job.target];
if (load === undefined) throw new RangeError(`there is no target ${job.target}`);
const target = (await load()).makeTarget({ counters });
counters.reached(target.covers); // throws, before anything runs, where files have other names now
process.exitCode = job.replay === undefined ? await fuzz() : await replay(readFileSync(job.replay));

async function fuzz(): Promise<number> {
  const file = crashFile(target.name, job.seed);
  const watchdog = new Watchdog(target.maxLength, file, howToReplay(file));
  const engine = new Engine(target, counters, watchdog);
  const { executions, seconds, crash } = await engine.fuzz(readSeeds(target.name), job.seconds, job.seed);
  const { hit, total } = counters.reached(target.covers);
  console.log(
    `${target.name.padEnd(12)}${executions} executions in ${seconds.toFixed(1)} s, ${Math.round(executions / seconds)}/s; ` +
      `coverage ${hit} of ${total} branches (${((100 * hit) / total).toFixed(1)} %), ${engine.corpus.features} features; ` +
      `corpus ${engine.corpus.size} inputs; seed ${job.seed}; ${crash ? 'BROKEN' : 'the invariant holds'}`,
  );
  if (job.missed) for (const place of counters.missed(target.covers)) console.log(`  missed ${place}`);
  if (job.keep) {
    const kept = await distill(engine.corpus.inputs, counters, (input) => engine.execute(input));
    console.log(`  ${kept.length} inputs kept in ${keepCorpus(target.name, kept)}`);
  }
  if (crash) report(target, crash, file);
  await watchdog.stop();
  return crash ? 1 : 0;
}

async function replay(input: Uint8Array): Promise<number> {
  console.log(described(target, input));
  const error = await new Engine(target, counters).replay(input);
  console.log(error ?? 'the invariant holds');
  return error === undefined ? 0 : 1;
}

function report(broken: Target, { input, error }: Crash, file: string): void {
  writeFileSync(file, input);
  console.log(error);
  console.log(described(broken, input));
  console.log(howToReplay(file));
}

function howToReplay(file: string): string {
  return `npm run fuzz -- ${job.target} --replay ${file}`;
}

function described(one: Target, input: Uint8Array): string {
  return `input, ${input.length} bytes: ${Buffer.from(input).toString('hex')}${one.describe ? `\n${one.describe(input)}` : ''}`;
}
