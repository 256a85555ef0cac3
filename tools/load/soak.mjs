// node soak.mjs: see README.md
import { parseArgs } from 'node:util';
import { describeMachine, fileLimit } from '../bench/lib/machine.mjs';
import { missingForLoad } from '../bench/lib/compile.mjs';
import { soak } from './lib/soak.mjs';

const MIB = 2 ** 20;
/** Of each 1500: small ones, some of them compressed, and a few large ones; in fragments too. */
const MIX = /** @type {const} */ ([
  [700, '64,1,binary'],
  [300, '1024,1,deflate'],
  [300, '1024,1,text'],
  [150, '16384,2,binary,4096'],
  [50, '131072,5,deflate'],
]);
const MIX_TOTAL = 1500;
const SLOPE_MOST = MIB;

const { values } = parseArgs({
  options: {
    idle: { type: 'string', default: '16000' },
    active: { type: 'string', default: '1500' },
    minutes: { type: 'string', default: '10' },
    'warm-up': { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log('usage: node soak.mjs [--idle 16000] [--active 1500] [--minutes 10] [--warm-up 2]');
} else {
  process.exitCode = await main(Number(values.idle), Number(values.active));
}

/** @param {number} idle @param {number} active */
async function main(idle, active) {
  const missing = missingForLoad();
  if (missing !== undefined) throw new Error(`the load cannot be built, it needs ${missing}`);
  if (idle + active + 100 > fileLimit())
    throw new Error(`${idle + active} connections, but only ${fileLimit()} file descriptors`);
  const groups = MIX.map(([share, rest]) => `${Math.max(1, Math.round((share * active) / MIX_TOTAL))},${rest}`);
  console.error(JSON.stringify(describeMachine()));
  const outcome = await soak({
    idle,
    active: groups,
    warmUpSeconds: 60 * Number(values['warm-up']),
    seconds: 60 * Number(values.minutes),
    onProgress: (text) => console.error(text),
  });
  print(outcome);
  const { slope } = outcome;
  const lost = outcome.idle.connections + outcome.active.connections - outcome.idle.alive - outcome.active.alive;
  if (lost > 0) console.log(`FAILED: ${lost} connections were lost`);
  if (slope.rss > SLOPE_MOST) console.log('FAILED: RSS grows by more than 1 MiB a minute');
  return lost > 0 || slope.rss > SLOPE_MOST ? 1 : 0;
}

/** @param {import('./lib/soak.mjs').SoakOutcome} outcome */
function print({ idle, active, server, samples, slope, openSeconds }) {
  const rss = samples.map((sample) => sample.rss);
  const ms = (/** @type {number} */ us) => (us / 1000).toFixed(2);
  console.log(
    `opened in ${openSeconds.toFixed(1)} s; alive at the end: ${idle.alive} of ${idle.connections} idle, ${active.alive} of ${active.connections} active`,
  );
  console.log(`pings answered by the idle ones: ${idle.pings}`);
  console.log(
    `RSS ${mib(rss[0])} MiB at first, ${mib(rss.at(-1))} at last, ${mib(Math.min(...rss))} to ${mib(Math.max(...rss))}; slope ${(slope.rss / MIB).toFixed(3)} MiB a minute, of the heap ${(slope.heap / MIB).toFixed(3)} (${samples.length} samples)`,
  );
  console.log(
    `active: ${active.messages} messages, ${active.verified} compared; latency ms: p50 ${ms(active.p50)}, p99 ${ms(active.p99)}, p99.9 ${ms(active.p999)}, max ${ms(active.max)}`,
  );
  for (const { connections, size, deflate, messages, p50, p99, max } of active.classes)
    console.log(
      `  ${connections} x ${size} B${deflate ? ' deflate' : ''}: ${messages} messages, p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)}`,
    );
  console.log(
    `server: event-loop delay p99 ${server.delayP99.toFixed(1)} ms, max ${server.delayMax.toFixed(1)} ms; ${server.cpuSeconds.toFixed(0)} s of CPU in all; ends ${JSON.stringify(server.ends)}`,
  );
}

/** @param {number | undefined} bytes */
function mib(bytes = 0) {
  return (bytes / MIB).toFixed(1);
}
