// Broadcasts to many recipients of which a few have stopped reading, under each policy. README.md says what is checked, and what the figures mean.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chooseCores, describeMachine } from './lib/machine.mjs';
import { possibleConnections } from './lib/measures.mjs';
import { median } from './lib/statistics.mjs';
import { measureSlowConsumers } from './lib/slow-consumers.mjs';
import { markdown } from './lib/stream-table.mjs';

const MIB = 1024 * 1024;
const KIB = 1024;
const USAGE = `usage: node tools/bench/slow-consumers.mjs [options]
  --policy NAME     nobody, close, drop-newest, drop-oldest or conflate; may be repeated (all)
  --recipients N    (1000)
  --stalled N       of them (10)
  --broadcasts N    (10000)
  --size N          bytes of a message (64)
  --burst N         broadcasts in one turn of the event loop (10)
  --limit N         of slowConsumer, in KiB (256)
  --rounds N        (3)
  --profile DIR     a V8 CPU profile of every process
  --json FILE       every sample`;

/** What is run: everybody keeps up, or a few have stopped reading. */
const CASES = /** @type {const} */ ([
  { name: 'nobody', title: 'nobody stalled', policy: 'close' },
  { name: 'close', title: 'close', policy: 'close' },
  { name: 'drop-newest', title: 'drop-newest', policy: 'drop-newest' },
  { name: 'drop-oldest', title: 'drop-oldest', policy: 'drop-oldest' },
  { name: 'conflate', title: 'conflate, 64 keys', policy: 'conflate', keys: 64 },
]);

function readOptions() {
  const { values } = parseArgs({
    options: {
      policy: { type: 'string', multiple: true, default: CASES.map(({ name }) => name) },
      recipients: { type: 'string', default: '1000' },
      stalled: { type: 'string', default: '10' },
      broadcasts: { type: 'string', default: '10000' },
      size: { type: 'string', default: '64' },
      burst: { type: 'string', default: '10' },
      limit: { type: 'string', default: '256' },
      rounds: { type: 'string', default: '3' },
      profile: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { policy, profile, json, help } = values;
  const names = CASES.map(({ name }) => name);
  const unknown = policy.find((wanted) => !names.some((name) => name === wanted));
  if (unknown !== undefined) throw new RangeError(`--policy is ${unknown}, expected one of ${names.join(', ')}`);
  /** @param {'recipients' | 'stalled' | 'broadcasts' | 'size' | 'burst' | 'limit' | 'rounds'} name @param {number} least */
  const number = (name, least) => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < least)
      throw new RangeError(`--${name} is ${values[name]}, expected an integer from ${least}`);
    return value;
  };
  return {
    policy,
    profile,
    json,
    help,
    recipients: number('recipients', 2),
    stalled: number('stalled', 1),
    broadcasts: number('broadcasts', 1),
    size: number('size', 4),
    burst: number('burst', 1),
    limit: number('limit', 1) * KIB,
    rounds: number('rounds', 1),
  };
}

/** @typedef {import('./lib/slow-consumers.mjs').SlowSample} SlowSample */

/** @param {ReturnType<typeof readOptions>} options */
async function bench(options) {
  const machine = describeMachine();
  const { profile } = options;
  const setup = { load: '', cores: chooseCores(), malloc: false, profile };
  const recipients = possibleConnections(options.recipients);
  if (recipients < options.recipients) console.log(`${recipients} recipients only, by the limit of open files`);
  const { broadcasts, size, burst, limit, rounds } = options;
  console.log(`node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, load average ${machine.load}`);
  console.log(
    `${broadcasts} broadcasts of ${size} B, ${burst} a turn, to ${recipients}, of which ${options.stalled} have stopped reading; limit ${limit / KIB} KiB; ${rounds} rounds, medians\n`,
  );
  const cases = CASES.filter(({ name }) => options.policy.includes(name)).map((each) => ({
    ...each,
    samples: /** @type {SlowSample[]} */ ([]),
  }));
  for (let round = 0; round < rounds; round++) {
    for (const { name, title: _, samples, ...policy } of cases) {
      const stalled = name === 'nobody' ? 0 : options.stalled;
      samples.push(
        await measureSlowConsumers({ recipients, stalled, broadcasts, size, burst, limit, ...policy }, setup),
      );
    }
  }
  const titles = [
    '',
    'CPU us a broadcast',
    'a message delivered',
    'broadcasts/s',
    'waits',
    'RSS growth MiB',
    'held MiB',
    'buffered for a stalled one KiB',
    'which got',
    'and missed',
  ];
  /** @param {readonly SlowSample[]} samples @param {(sample: SlowSample) => number} figure */
  const middle = (samples, figure) => median(samples.map(figure));
  /** @param {readonly number[]} values */
  const mean = (values) => (values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length);
  console.log(
    markdown(
      titles,
      cases.map(({ title, samples, name }) => {
        const cpu = middle(samples, (sample) => sample.cpu) / broadcasts;
        const keepingUp = recipients - (name === 'nobody' ? 0 : options.stalled);
        const got = mean(samples.flatMap(({ received }) => received.map(({ count }) => count)));
        return [
          title,
          cpu.toFixed(0),
          (cpu / keepingUp).toFixed(2),
          middle(samples, ({ seconds }) => broadcasts / seconds).toFixed(0),
          middle(samples, ({ waits }) => waits).toFixed(0),
          (Math.max(...samples.map(({ rssGrowth }) => rssGrowth)) / MIB).toFixed(1),
          (Math.max(...samples.map(({ heldGrowth }) => heldGrowth)) / MIB).toFixed(1),
          name === 'nobody' ? '' : (Math.max(...samples.flatMap(({ held }) => held)) / KIB).toFixed(0),
          name === 'nobody' ? '' : got.toFixed(0),
          name === 'nobody' ? '' : (broadcasts - got).toFixed(0),
        ];
      }),
    ),
  );
  const faults = cases.flatMap(({ title, samples }) =>
    samples.flatMap((sample) => sample.faults.map((fault) => `fault: ${title}: ${fault}`)),
  );
  console.log(
    faults.length === 0
      ? '\nEverybody else got everything in order, the stalled what the policy says.'
      : `\n${faults.join('\n')}`,
  );
  if (faults.length > 0) process.exitCode = 1;
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ machine, cases }, undefined, 2)}\n`);
}

try {
  const options = readOptions();
  if (options.help) console.log(USAGE);
  else await bench(options);
} catch (error) {
  console.error(`slow-consumers: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
