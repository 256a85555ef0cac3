// What one frame costs: ns in FrameParser for whole masked frames, with the head object and the payload's view, and
// ns of mask() against the obvious loop over bytes. Run: npm run build && npm run bench
// Best of many short rounds, because whatever else runs only adds; compare figures of one run on one machine only.
import { encodeFrame, FrameParser, mask, Opcode, Utf8Validator } from '../dist/esm/index.js';
import { isUtf8 } from 'node:buffer';

const ROUNDS = 40;
const ROUND_MS = 15;

/** Best ns per call over a few rounds; `run(times)` does the work. */
function measure(run) {
  let times = 1;
  for (let ms = 0; ms < ROUND_MS; times *= 2) {
    const start = performance.now();
    run(times);
    ms = performance.now() - start;
  }
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    run(times);
    best = Math.min(best, ((performance.now() - start) * 1e6) / times);
  }
  return best;
}

const row = (...cells) => console.log(cells.map((cell, i) => (i === 0 ? cell.padEnd(34) : cell.padStart(12))).join(''));
const ns = (value) => (value < 1000 ? value.toFixed(1) : value.toFixed(0));

let sink = 0;
class Collector {
  frame(head, payload) {
    sink += head.payloadLength + payload.length;
  }
  head(head) {
    sink += head.payloadLength;
  }
  payload(slice) {
    sink += slice.length;
  }
}
class Pieces {
  head(head) {
    sink += head.payloadLength;
  }
  payload(slice) {
    sink += slice.length;
  }
  frameEnd() {
    sink++;
  }
  messageEnd() {
    sink++;
  }
}

function parse(size, framesPerChunk, Handlers, options) {
  const frame = encodeFrame({ opcode: Opcode.Binary, maskingKey: 0x9acbdeaf }, new Uint8Array(size));
  const chunk = Buffer.concat(Array.from({ length: framesPerChunk }, () => frame));
  const parser = new FrameParser(options, new Handlers());
  return (
    measure((times) => {
      for (let i = 0; i < times; i++) parser.push(chunk);
    }) / framesPerChunk
  );
}

row('parse, ns per frame', '1 a chunk', '16 a chunk', '64 KiB chunk');
for (const size of [16, 125, 1024, 65536]) {
  const many = Math.max(1, Math.floor(65536 / (size + 8)));
  row(
    `${size} B masked`,
    ...[1, 16, many].map((count) => ns(parse(size, count, Collector, { role: 'server', maxFramePayload: 1 << 20 }))),
  );
}
row('16 B masked, four handlers', ...[1, 16, 2730].map((count) => ns(parse(16, count, Pieces, { role: 'server' }))));
row(
  '16 B masked, preserveInput',
  ...[1, 16, 2730].map((count) => ns(parse(16, count, Collector, { role: 'server', preserveInput: true }))),
);

function byteLoop(bytes, key) {
  for (let i = 0; i < bytes.length; i++) bytes[i] ^= key >>> (24 - 8 * (i & 3));
}
// Both have met Buffers and plain arrays, as in real use; a function that has met one class only is faster.
for (let i = 0; i < 1000; i++) byteLoop(new Uint8Array(64), i);
console.log();
row('mask in place, ns', 'byte loop', 'mask()', 'times');
for (const size of [16, 64, 125, 1024, 65536, 1048576]) {
  const bytes = Buffer.alloc(size);
  const run = (f) =>
    measure((times) => {
      for (let i = 0; i < times; i++) f(bytes, 0x9acbdeaf);
    });
  const slow = run(byteLoop);
  const fast = run(mask);
  row(`${size} B`, ns(slow), ns(fast), (slow / fast).toFixed(1));
}

console.log();
row('Utf8Validator.push, ns', 'pure', 'isUtf8 given');
for (const [name, text] of [
  ['ascii', 'abcdefgh'],
  ['mixed', 'Grüße, abcdefghijklmnopqrst. '],
  ['cjk', '漢字'],
]) {
  for (const size of [16, 1024, 65536]) {
    const bytes = new TextEncoder().encode(text.repeat(Math.ceil(size / 6))).subarray(0, size);
    const run = (validator) =>
      measure((times) => {
        for (let i = 0; i < times; i++) {
          validator.reset();
          if (!validator.push(bytes)) throw new Error('not valid');
        }
      });
    row(`${name} ${size} B`, ns(run(new Utf8Validator())), ns(run(new Utf8Validator(isUtf8))));
  }
}
if (sink < 0) console.log(sink);
