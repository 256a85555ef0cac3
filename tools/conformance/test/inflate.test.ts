import { deflateRawSync, inflateRawSync, constants } from 'node:zlib';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { deflated, fixed, match, raw, reservedBlock, stored, type Item } from '../src/blocks.js';
import { CORRUPT } from '../src/cases/deflate-corrupt.js';
import { InflateError, Inflater } from '@ws/testing';
import { hex } from '../src/input.js';

// The oracle against zlib, in both directions, and against what RFC 7692 prints.

const TAIL = hex('00 00 ff ff');
const fresh = (windowBits = 15): Inflater => new Inflater(windowBits, false);

/** Bytes with repeats near and far, as compressors like them. */
const compressible = fc
  .array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.integer({ min: 1, max: 40 })), { maxLength: 12 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => bytes))));

test.each([
  ['7.2.3.1', ['f2 48 cd c9 c9 07 00'], ['Hello']],
  ['7.2.3.2', ['f2 48 cd c9 c9 07 00', 'f2 00 11 00 00'], ['Hello', 'Hello']],
  ['7.2.3.3', ['00 05 00 fa ff 48 65 6c 6c 6f 00'], ['Hello']],
  ['7.2.3.4', ['f3 48 cd c9 c9 07 00 00'], ['Hello']],
  ['7.2.3.5', ['f2 48 05 00 00 00 ff ff ca c9 c9 07 00'], ['Hello']],
  ['7.2.3.6', ['00'], ['']],
])('reads the examples of RFC 7692 §%s', (_, payloads, messages) => {
  const inflater = new Inflater(15, true);
  expect(payloads.map((payload) => inflater.message(hex(payload)).toString())).toEqual(messages);
});

test('reads what zlib writes, within its window', () => {
  fc.assert(
    fc.property(
      compressible,
      fc.record({
        level: fc.integer({ min: 0, max: 9 }),
        memLevel: fc.integer({ min: 1, max: 9 }),
        windowBits: fc.integer({ min: 9, max: 15 }),
        strategy: fc.integer({ min: 0, max: constants.Z_FIXED }),
      }),
      (data, options) => {
        const bytes = deflateRawSync(data, { ...options, finishFlush: constants.Z_SYNC_FLUSH });
        expect(bytes.subarray(-4)).toEqual(TAIL);
        const inflater = fresh(options.windowBits);
        expect(inflater.message(bytes.subarray(0, -4)).equals(data)).toBe(true);
        expect(inflater.largestDistance).toBeLessThanOrEqual(2 ** options.windowBits);
      },
    ),
    { numRuns: 150 },
  );
});

test('zlib reads what the block builders write, and so does the oracle', () => {
  const items = fc.array(
    fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.record({ length: fc.integer({ min: 3, max: 258 }), distance: fc.integer({ min: 1, max: 300 }) }),
    ),
    { maxLength: 60 },
  );
  const block = fc.oneof(
    fc.uint8Array({ maxLength: 100 }).map((bytes) => ({ kind: 'stored' as const, bytes })),
    items.map((list) => ({ kind: 'fixed' as const, list })),
  );
  const expand = (out: number[], list: readonly Item[]): void => {
    for (const item of list)
      if (typeof item === 'number') out.push(item);
      else for (let i = 0; i < item.length; i++) out.push(out.at(-item.distance) ?? 0);
  };
  fc.assert(
    fc.property(fc.array(block, { maxLength: 6 }), (blocks) => {
      const out: number[] = Array.from({ length: 300 }, (_, i) => i & 0xff);
      const first = stored(Uint8Array.from(out));
      for (const one of blocks)
        if (one.kind === 'stored') out.push(...one.bytes);
        else expand(out, one.list);
      const bytes = deflated(
        first,
        ...blocks.map((one) => (one.kind === 'stored' ? stored(one.bytes) : fixed(one.list))),
      );
      const want = Buffer.from(out);
      expect(fresh().message(bytes).equals(want)).toBe(true);
      const zlibs = inflateRawSync(Buffer.concat([bytes, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
      expect(zlibs.equals(want)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test('what zlib refuses, the oracle refuses too', () => {
  const options = { finishFlush: constants.Z_SYNC_FLUSH };
  const good = deflateRawSync(Buffer.from('The quick brown fox jumps over the lazy dog. '.repeat(9)), options);
  let refused = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(good.length - 5), fc.nat(7)), { minLength: 1, maxLength: 4 }), (flips) => {
      const bytes = Buffer.from(good);
      for (const [at, bit] of flips) bytes[at] = (bytes[at] ?? 0) ^ (1 << bit);
      let zlibs: Buffer | undefined;
      try {
        zlibs = inflateRawSync(bytes, options);
      } catch {
        refused++;
        expect(() => fresh().message(bytes.subarray(0, -4))).toThrow(InflateError);
        return;
      }
      // zlib takes half a block for all there is, and nothing behind a final one.
      let ours: Buffer | undefined;
      try {
        ours = fresh().message(bytes.subarray(0, -4));
      } catch (error) {
        expect(error).toBeInstanceOf(InflateError);
      }
      if (ours !== undefined) expect(ours.subarray(0, zlibs.length).equals(zlibs)).toBe(true);
    }),
    { numRuns: 400 },
  );
  expect(refused).toBeGreaterThan(20);
});

test.each([
  ['a reserved block', raw(reservedBlock), 'reserved type'],
  ['half a stored block', raw(stored('Hello', { announced: 20 })), 'ends inside'],
  ['nothing at all', Buffer.alloc(0), 'ends inside'],
  ['a final block, and nothing behind it', hex('f3 48 cd c9 c9 07 00'), 'ends inside'],
  ['a distance before the start', deflated(fixed([1, match(3, 2)])), 'distance 2'],
])('refuses %s', (_, bytes, why) => {
  expect(() => fresh().message(bytes)).toThrow(why);
});

test.each(CORRUPT.map(({ id, payload }) => [id, typeof payload === 'string' ? hex(payload) : payload] as const))(
  'what the table calls corrupt is corrupt to the oracle: %s',
  (_, bytes) => {
    expect(() => fresh().message(bytes)).toThrow(InflateError);
  },
);

test('holds a sender to its window, and to the message where there is no takeover', () => {
  const far = deflated(stored(Buffer.alloc(600, 'x')), fixed([match(4, 512)]));
  const inflater = fresh(9);
  expect(inflater.message(far)).toHaveLength(604);
  expect(inflater.largestDistance).toBe(512);
  expect(() => fresh(8).message(far)).toThrow('window of 256');
  const first = deflated(stored('Hello'));
  const second = deflated(fixed([match(5, 5)]));
  const together = new Inflater(8, true);
  expect([together.message(first), together.message(second)].map(String)).toEqual(['Hello', 'Hello']);
  const apart = fresh();
  apart.message(first);
  expect(() => apart.message(second)).toThrow('distance 5');
});
