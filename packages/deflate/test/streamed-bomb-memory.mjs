// Prints the most memory beside what its reader holds that a streamed bomb of 1 MiB took that becomes 1 GiB, in KiB: of buffers, as Node
// counts them. There is no limit on the message; the reader stops for a while whenever he has 64 KiB, and later wants all of the rest.
import { constants, deflateRawSync } from 'node:zlib';
import { PerMessageDeflate } from '@ws/deflate';
import { hasFastPath, zlibBackend } from '@ws/deflate/node';

const CAPACITY = 65_536;
/** Bytes that are read before the connection is cut; the bomb is longer. */
const READ_BYTES = Number(process.argv[3]);
const fastPath = process.argv[2] === 'true';
const part = deflateRawSync(Buffer.alloc(64 << 20), { finishFlush: constants.Z_SYNC_FLUSH });
const wire = Buffer.concat(Array.from({ length: 16 }, () => part)).subarray(0, -4);
hasFastPath(); // tries it out, which takes memory of its own
const backend = zlibBackend({ fastPath });
const end = new PerMessageDeflate({ role: 'server', backend });

const turn = () => new Promise((resolve) => setImmediate(resolve));
async function settle() {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await turn(); // buffers are freed beside
  }
}

let unread = 0;
let read = 0;
/** Who waits for room, and whether the piece is answered. */
const now = { waiting: undefined, isDone: false };
const flow = {
  get isFull() {
    return unread >= CAPACITY;
  },
  whenRoom(proceed) {
    now.waiting = proceed;
  },
};
const kept = [];
const output = (bytes) => {
  kept.push(bytes);
  unread += bytes.length;
};
/** At most, beside what is unread. */
let peak = 0;
const look = () => void (peak = Math.max(peak, process.memoryUsage().arrayBuffers - before - unread));

await settle();
const before = process.memoryUsage().arrayBuffers;
let stalls = 0;
decoding: for (let at = 0; at < wire.length; at += 65_536) {
  now.isDone = false;
  const piece = { first: at === 0, last: at + 65_536 >= wire.length, remaining: Infinity, flow };
  end.decode(wire.subarray(at, at + 65_536), piece, output, (error) => {
    if (error) throw error;
    now.isDone = true;
  });
  while (!now.isDone) {
    while (!now.isDone && now.waiting === undefined) await turn();
    for (let i = 0; i < 5; i++) await turn(); // whatever still goes on has its time
    if (stalls++ % 50 === 0) await settle();
    if (stalls % 50 === 1) look();
    read += unread;
    unread = 0;
    kept.length = 0;
    if (read >= READ_BYTES) break decoding;
    const proceed = now.waiting;
    now.waiting = undefined;
    proceed?.();
  }
}
end.close();
await settle();
const leftKiB = Math.ceil((process.memoryUsage().arrayBuffers - before) / 1024);
process.stdout.write(JSON.stringify({ readMiB: read >> 20, stalls, overKiB: Math.ceil(peak / 1024), leftKiB }));
