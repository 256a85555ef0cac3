// Attackers that park: each connection in the worst state it may have, for as long as it may. See README.md.
// Usage: node parked.mjs [--memory MiB] [--connections N] [--seconds S]
import { parseArgs } from 'node:util';
import { parked } from './lib/parked.mjs';

const { values } = parseArgs({
  options: {
    memory: { type: 'string', default: '64' },
    connections: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '30' },
  },
});
const [memory, connections, seconds] = [Number(values.memory), Number(values.connections), Number(values.seconds)];
const MiB = 2 ** 20;
const inMiB = (/** @type {number} */ bytes) => `${(bytes / MiB).toFixed(1)} MiB`;

const {
  before,
  during,
  after,
  refused,
  parked: reached,
  healthy,
} = await parked({ memoryLimit: memory * MiB, connections, seconds });
console.log(
  `memoryLimit ${memory} MiB, ${connections} attackers for ${seconds} s, ${reached} times one had reached its state`,
);
console.log(`counted   at most ${inMiB(during.mostUsed)}, ${inMiB(after.used)} when all were gone`);
console.log(`RSS       ${inMiB(before.rss)} before, at most ${inMiB(during.mostRss)}`);
console.log(`1013      ${during.shed} connections; 503 ${refused} handshakes`);
console.log(
  `healthy   ${healthy.messages} messages, p99 ${healthy.p99.toFixed(1)} ms, ${healthy.lost.length} connections lost`,
);
for (const [how, count] of Object.entries(after.closed)) console.log(`          ${how} ${count}`);
const isBounded = during.mostUsed <= 1.25 * memory * MiB + 128 * 1024 * connections && after.used === 0;
if (!isBounded || healthy.lost.length > 0) process.exitCode = 1;
