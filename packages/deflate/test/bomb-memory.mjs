// Prints the most memory beside the limit that a bomb of 1 MiB took that would become 1 GiB, in KiB: of buffers, as Node counts them.
import { constants, deflateRawSync } from 'node:zlib';
import { PerMessageDeflate } from '@ws/deflate';
import { hasFastPath, zlibBackend } from '@ws/deflate/node';

const [fastPath, limit] = [process.argv[2] === 'true', Number(process.argv[3])];
/** In one frame, or in fragments, so that nobody knows how much will come. */
const isWhole = process.argv[4] === 'whole';
const part = deflateRawSync(Buffer.alloc(64 << 20), { finishFlush: constants.Z_SYNC_FLUSH });
const wire = Buffer.concat(Array.from({ length: 16 }, () => part)).subarray(0, -4);
hasFastPath(); // tries it out, which takes memory of its own
const backend = zlibBackend({ fastPath });
const parameters = { serverNoContextTakeover: true, clientNoContextTakeover: true };
const end = new PerMessageDeflate({ role: 'server', parameters, backend });

for (let i = 0; i < 4; i++) {
  globalThis.gc();
  await new Promise((resolve) => setImmediate(resolve)); // buffers are freed beside
}
const before = process.memoryUsage().arrayBuffers;
let peak = 0;
const look = () => void (peak = Math.max(peak, process.memoryUsage().arrayBuffers - before));
const kept = [];
let length = 0;
const output = (bytes) => {
  kept.push(bytes);
  length += bytes.length;
  look();
};
let error = null;
for (let at = 0; at < wire.length && error === null; at += 65_536) {
  const last = at + 65_536 >= wire.length;
  const piece = { first: at === 0, last, length: isWhole ? wire.length : undefined, remaining: limit - length };
  error = await new Promise((resolve) => end.decode(wire.subarray(at, at + 65_536), piece, output, resolve));
  look();
}
const overKiB = Math.ceil((peak - limit) / 1024);
process.stdout.write(JSON.stringify({ code: error?.code, wireKiB: Math.round(wire.length / 1024), overKiB }));
