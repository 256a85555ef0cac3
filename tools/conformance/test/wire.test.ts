import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FrameReader } from '../src/decoder.js';
import { bytes, encodeFrame, frame, hex, noise, render, text } from '../src/input.js';
import { cut, EDGE, LONG, MODES, singleBytes } from '../src/modes.js';
import { Watch } from '../src/watch.js';
import { dial } from '../src/wire.js';

const read = (...chunks: Uint8Array[]): FrameReader => {
  const reader = new FrameReader();
  for (const chunk of chunks) reader.push(Buffer.from(chunk));
  return reader;
};

test.each([
  { wire: '81 05 48 65 6c 6c 6f', role: 'client', piece: frame(1, 'Hello') },
  { wire: '81 85 37 fa 21 3d 7f 9f 4d 51 58', role: 'server', piece: frame(1, 'Hello') },
  { wire: '01 03 48 65 6c', role: 'client', piece: frame(1, 'Hel', { fin: false }) },
  { wire: '8a 85 37 fa 21 3d 7f 9f 4d 51 58', role: 'server', piece: frame(10, 'Hello') },
  { wire: '82 7f 00 00 00 00 00 00 00 01 ff', role: 'client', piece: frame(2, Buffer.from([255]), { lengthBits: 64 }) },
  { wire: 'f3 7e 00 01', role: 'client', piece: frame(3, '', { rsv: 7, announced: 1, lengthBits: 16 }) },
  {
    wire: '82 ff ff ff ff ff ff ff ff ff 01 02 03 04',
    role: 'server',
    piece: frame(2, '', { announced: 2n ** 64n - 1n, key: 0x01020304 }),
  },
] as const)('the encoder of inputs writes $wire', ({ wire, role, piece }) => {
  expect(encodeFrame(piece, role).toString('hex')).toBe(wire.replaceAll(' ', ''));
});

test('the decoder reads back what the encoder wrote, whole and byte by byte', () => {
  const anyFrame = fc.record({
    opcode: fc.integer({ min: 0, max: 15 }),
    fin: fc.boolean(),
    rsv: fc.integer({ min: 0, max: 7 }),
    key: fc.integer({ min: 0, max: 0xffffffff }),
    length: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constantFrom(125, 126, 127, 65_535, 65_536)),
    role: fc.constantFrom('server' as const, 'client' as const),
  });
  fc.assert(
    fc.property(fc.array(anyFrame, { maxLength: 5 }), (list) => {
      const wire = Buffer.concat(
        list.map(({ length, role, opcode, ...options }) => encodeFrame(frame(opcode, noise(length), options), role)),
      );
      const want = list.map(({ opcode, fin, rsv, key, length, role }) => ({
        fin,
        rsv,
        opcode,
        masked: role === 'server',
        key: role === 'server' ? key : 0,
        payload: noise(length).toString('latin1'),
        minimal: true,
      }));
      for (const reader of [read(wire), read(...(wire.length < 2000 ? singleBytes(wire) : [wire]))]) {
        const got = reader.frames.map((one) => ({ ...one, payload: one.payload.toString('latin1') }));
        expect(got).toEqual(want);
        expect(reader.rest).toHaveLength(0);
      }
    }),
    { numRuns: 50 },
  );
});

test.each(['81', '81 85 37', '81 7e 00', '82 7f 00 00 00 00 00 00 00 01', '81 05 48 65 6c 6c'])(
  'the decoder keeps what is no whole frame: %s',
  (part) => {
    const reader = read(hex(`8a 00 ${part}`));
    expect(reader.frames).toHaveLength(1);
    expect(reader.rest).toEqual(hex(part));
  },
);

test('the decoder tells a length that is not in its shortest form', () => {
  expect(
    read(hex('82 7e 00 01 ff | 82 7f 00 00 00 00 00 00 00 01 ff | 82 01 ff')).frames.map(({ minimal }) => minimal),
  ).toEqual([false, false, true]);
});

test('hex takes pairs of digits only', () => {
  expect(() => hex('8')).toThrow(SyntaxError);
  expect(() => hex('0g')).toThrow(SyntaxError);
});

test('an input is one run of bytes, masked for a server only', () => {
  expect(render([bytes('ff'), text('A', { key: 0x01020304 })], 'server')).toEqual([hex('ff 81 81 01 02 03 04 40')]);
  expect(render([bytes('ff'), text('A')], 'client')).toEqual([hex('ff 81 01 41')]);
});

test.each(MODES)('mode %s cuts, but neither loses nor moves a byte', (mode) => {
  for (const length of [0, 1, 2, 100, LONG, LONG + 1, 100_000]) {
    const run = noise(length);
    const pieces = [...cut(run, mode, 'seed')];
    expect(Buffer.concat(pieces).equals(run)).toBe(true);
    expect(pieces.every((piece) => piece.length > 0)).toBe(true);
    expect([...cut(run, mode, 'seed')].map((piece) => piece.length)).toEqual(pieces.map((piece) => piece.length));
  }
});

test('long inputs are cut into single bytes at both ends', () => {
  const sizes = [...singleBytes(noise(100_000))].map((piece) => piece.length);
  expect(sizes.slice(0, EDGE).concat(sizes.slice(-EDGE))).toEqual(Array.from({ length: 2 * EDGE }, () => 1));
  expect(sizes.length).toBeGreaterThan(2 * EDGE + 90);
  expect([...singleBytes(noise(LONG))]).toHaveLength(LONG);
});

test('the other end really gets one byte at a time', async () => {
  const watch = new Watch(10_000);
  const chunks: Buffer[] = [];
  let port = 0;
  let accepted = false;
  const server = createServer((socket) => {
    accepted = true;
    watch.poke();
    socket.on('data', (chunk) => chunks.push(chunk));
  });
  server.listen(0, '127.0.0.1', () => {
    port = (server.address() as { port: number }).port;
    watch.poke();
  });
  await watch.until(() => port > 0, 'the server');
  const wire = await dial(port, watch);
  await watch.until(() => accepted, 'the connection on the other end');
  await wire.send(singleBytes(noise(300)));
  wire.socket.end();
  await watch.until(() => wire.end !== 'open', 'the end');
  watch.stop();
  wire.socket.destroy();
  server.close();
  expect(Buffer.concat(chunks).equals(noise(300))).toBe(true);
  expect(chunks.map((chunk) => chunk.length)).toEqual(Array.from({ length: 300 }, () => 1));
});

test('a watch that nobody pokes says what it was waiting for', async () => {
  const watch = new Watch(20);
  await expect(watch.until(() => false, 'the impossible')).rejects.toThrow('waiting for the impossible');
});
