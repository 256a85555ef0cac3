// `npm run bench:micro`: what single parts cost, in ns, to find a regression where it is. README.md says how to read it.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { measure } from 'mitata';
import { chooseCores } from './lib/machine.mjs';
import { compareMicro, formatMicro, gather } from './lib/micro-table.mjs';
import { FILES } from './micro/cases.mjs';
import { writeNowhere } from './micro/echo-socket.mjs';

const USAGE = `usage: npm run bench:micro -- [options]
  --only LIST      of ${FILES.join(',')}
  --rounds N       processes for each file, in turns (3)
  --json FILE      keep the figures
  --compare FILE   beside figures that were kept on the same machine; status 1 if something is slower than there`;
/** Of each case in each process; short ones are called thousands of times in it. */
const CPU_NS = 60e6;
/** Before any of them is measured, all cases of a file: then V8 has optimised what they share for all of them. */
const WARM_UP_MS = 150;
/** The faster of two counts: the first case of a file would else be the slowest of its kind. */
const PASSES = 2;
/** Calls that take less are timed 4096 at once. */
const BATCHED_NS = 10_000;

/** In a process of its own, so that no file optimises code for another. @param {string} name */
async function measureFile(name) {
  /** @type {{ cases: import('./micro/cases.mjs').Cases }} */
  const { cases } = await import(`./micro/${name}.mjs`);
  const restore = writeNowhere();
  for (const { run } of cases) {
    const until = performance.now() + WARM_UP_MS;
    while (performance.now() < until) await run();
  }
  /** @type {{ name: string, ns: number }[]} */
  const figures = cases.map(({ name: title }) => ({ name: `${name}: ${title}`, ns: Infinity }));
  for (let pass = 0; pass < PASSES; pass++) {
    for (const [index, { per = 1, run }] of cases.entries()) {
      const { p50 } = await measure(run, { min_cpu_time: CPU_NS, min_samples: 12, batch_threshold: BATCHED_NS });
      const figure = figures[index];
      if (figure !== undefined) figure.ns = Math.min(figure.ns, p50 / per);
    }
  }
  restore();
  console.log(JSON.stringify(figures));
}

/** @param {string} name @returns {{ name: string, ns: number }[]} */
function measureApart(name) {
  const core = chooseCores()?.server;
  const own = [process.execPath, '--expose-gc', fileURLToPath(import.meta.url), '--file', name];
  const [command = '', ...args] = core === undefined ? own : ['taskset', '-c', String(core), ...own];
  return JSON.parse(execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }));
}

function main() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: FILES.join(',') },
      rounds: { type: 'string', default: '3' },
      json: { type: 'string' },
      compare: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const wanted = values.only.split(',');
  const unknown = wanted.find((name) => !FILES.includes(name));
  if (unknown !== undefined) throw new RangeError(`--only is ${unknown}, expected some of ${FILES.join(', ')}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new RangeError(`--rounds is ${values.rounds}, expected 1 or more`);
  const stored = values.compare === undefined ? undefined : JSON.parse(readFileSync(values.compare, 'utf8'));

  const measured = [];
  for (let round = 1; round <= rounds; round++) {
    if (!process.stderr.isTTY) process.stderr.write(`round ${round} of ${rounds}: ${wanted.join(', ')}\n`);
    for (const name of wanted) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[Kround ${round} of ${rounds}: ${name}`);
      measured.push(...measureApart(name));
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  const figures = gather(measured);
  const compared = compareMicro(figures, stored?.figures);
  console.log(`node ${process.version}, ns, medians of ${rounds} processes\n\n${formatMicro(compared)}`);
  if (values.json !== undefined)
    writeFileSync(path.resolve(values.json), `${JSON.stringify({ node: process.version, figures }, undefined, 2)}\n`);
  if (compared.some(({ verdict }) => verdict === 'slower')) process.exitCode = 1;
}

try {
  if (process.argv[2] === '--file') await measureFile(process.argv[3] ?? '');
  else main();
} catch (error) {
  console.error(`bench:micro: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
