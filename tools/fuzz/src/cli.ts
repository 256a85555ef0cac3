import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAULTS } from './faults.js';
import type { Job } from './process.js';
import { TARGETS } from './targets/index.js';

const USAGE = `npm run fuzz -- [TARGET …] [--seconds N] [--seed N] [--replay FILE] [--keep] [--missed] [--plant FAULT]
targets: ${Object.keys(TARGETS).join(', ')}; all of them if none is named
--seconds N    for each target (20)
--seed N       the same inputs again; another one each time if left out
--replay FILE  runs one input and prints how it is read; one target
--keep         writes the inputs that reached something to seeds/TARGET/corpus.txt
--missed       prints the places that were not reached
--plant FAULT  with a bug put in: ${FAULTS.map(({ name }) => name).join(', ')}`;

/** Each target in a process of its own, one behind the other. @returns the exit status */
export function main(args: readonly string[]): number {
  const given = read(args);
  if (given === undefined) {
    console.log(USAGE);
    return 2;
  }
  const { values, positionals } = given;
  const fault = FAULTS.find(({ name }) => name === values.plant);
  const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);
  const [seconds, seed] = [Number(values.seconds), Number(values.seed)];
  const isWrong =
    names.some((name) => !Object.hasOwn(TARGETS, name)) ||
    (values.plant !== undefined && fault === undefined) ||
    (values.replay !== undefined && names.length !== 1) ||
    !(seconds >= 0 && Number.isSafeInteger(seed));
  if (values.help || isWrong) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const { replay, keep, missed } = values;
  const failed = names.filter(
    (name) => !runs({ target: name, seconds, seed, replay, keep, missed, fault: fault?.name }),
  );
  if (failed.length > 0) console.log(`FAILED: ${failed.join(', ')}`);
  return failed.length === 0 ? 0 : 1;
}

function runs(job: Job): boolean {
  const file = fileURLToPath(new URL('process.js', import.meta.url));
  const { status, signal } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--enable-source-maps', file, JSON.stringify(job)],
    { stdio: 'inherit' },
  );
  if (signal) console.log(`${job.target}: ended by ${signal}`);
  return status === 0;
}

function read(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        seconds: { type: 'string', default: '20' },
        seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
        replay: { type: 'string' },
        keep: { type: 'boolean', default: false },
        missed: { type: 'boolean', default: false },
        plant: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch {
    return undefined; // an option that there is none, or one without its value
  }
}
