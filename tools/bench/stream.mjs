// Many bytes through one connection and back: as one message through `incoming.pipe(createOutgoing())`, and as messages of 64 KiB. README.md says what the figures mean.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chooseCores, describeMachine } from './lib/machine.mjs';
import { formatMarkdown, formatPauses, formatVerdicts } from './lib/stream-table.mjs';
import { measureStream } from './lib/streams.mjs';

/** @typedef {import('./lib/stream-table.mjs').StreamRow} StreamRow */

const MIB = 1024 * 1024;
const CHUNK = 64 * 1024;
const USAGE = `usage: node tools/bench/stream.mjs [options]
  --bytes N          plain, in MiB (2048)
  --deflate-bytes N  through permessage-deflate, in MiB (512)
  --pause-bytes N    with a reader that stops for three seconds half-way, in MiB (256)
  --part NAME        plain, deflate or pause; may be repeated (all)
  --rounds N         (3)
  --profile DIR      a V8 CPU profile of every process
  --json FILE        every sample`;

const COMPETITORS = /** @type {const} */ ([
  { name: '@ws, one message', library: 'ours', mode: 'stream' },
  { name: '@ws, 64 KiB messages', library: 'ours', mode: 'messages' },
  { name: '@ws, createWebSocketStream', library: 'ours', mode: 'duplex' },
  { name: 'npm ws, createWebSocketStream', library: 'ws', mode: 'duplex' },
]);

const PARTS = /** @type {const} */ ([
  { part: 'plain', size: 'bytes', content: 'noise', perMessageDeflate: false, pauses: false },
  { part: 'deflate', size: 'deflate-bytes', content: 'log', perMessageDeflate: { threshold: 0 }, pauses: false },
  { part: 'pause', size: 'pause-bytes', content: 'noise', perMessageDeflate: false, pauses: true },
]);

function readOptions() {
  const { values } = parseArgs({
    options: {
      bytes: { type: 'string', default: '2048' },
      'deflate-bytes': { type: 'string', default: '512' },
      'pause-bytes': { type: 'string', default: '256' },
      part: { type: 'string', multiple: true, default: PARTS.map(({ part }) => part) },
      rounds: { type: 'string', default: '3' },
      profile: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = values.part.find((name) => !PARTS.some(({ part }) => part === name));
  if (unknown !== undefined)
    throw new RangeError(`--part is ${unknown}, expected one of ${PARTS.map(({ part }) => part).join(', ')}`);
  for (const name of /** @type {const} */ (['bytes', 'deflate-bytes', 'pause-bytes', 'rounds'])) {
    if (!(Number(values[name]) >= 1)) throw new RangeError(`--${name} is ${values[name]}, expected a number from 1`);
  }
  return { ...values, rounds: Math.round(Number(values.rounds)) };
}

/** @param {ReturnType<typeof readOptions>} options */
async function bench(options) {
  const machine = describeMachine();
  const setup = { load: '', cores: chooseCores(), malloc: false, profile: options.profile };
  console.log(`node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, load average ${machine.load}`);
  console.log(
    setup.cores
      ? `server on core ${setup.cores.server}, client on core ${setup.cores.load}`
      : 'not pinned: no taskset, or one core only',
  );
  /** @type {StreamRow[]} */
  const rows = [];
  for (const { part, size, content, perMessageDeflate, pauses } of PARTS.filter((each) =>
    options.part.includes(each.part),
  )) {
    const bytes = Math.round(Number(options[size]) * MIB);
    const rounds = pauses ? 1 : options.rounds;
    console.log(`\n${part}: ${bytes / MIB} MiB there and back, ${rounds} rounds, medians\n`);
    const ofPart = COMPETITORS.map((competitor) => ({
      part,
      bytes,
      ...competitor,
      samples: /** @type {StreamRow['samples']} */ ([]),
    }));
    for (let round = 0; round < rounds; round++) {
      for (const { library, mode, samples } of ofPart) {
        const task = {
          library,
          mode,
          bytes,
          chunk: CHUNK,
          content,
          perMessageDeflate,
          ...(pauses && { pauseAt: Math.floor(bytes / 2) }),
        };
        samples.push(await measureStream(task, setup));
      }
    }
    console.log(pauses ? formatPauses(ofPart) : formatMarkdown(ofPart));
    rows.push(...ofPart);
  }
  console.log(`\n${formatVerdicts(rows)}`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify({ machine, rows }, undefined, 2)}\n`);
}

try {
  const options = readOptions();
  if (options.help) console.log(USAGE);
  else await bench(options);
} catch (error) {
  console.error(`stream: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
