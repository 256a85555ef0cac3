import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { mask, maskWords, rotateKey, wordKey, wordsOf } from '../src/mask.js';
import { byteLoop } from './byte-loop.js';

const KEY = 0x9acbdeaf;
const KEYS = [0, 1, 0x37fa213d, KEY, 0x7fffffff, 0x80000000, 0xffffffff];

/** `length` bytes that lie `shift` behind a word border, with a fence around them. */
function placed(length: number, shift: number): { memory: Uint8Array; bytes: Uint8Array } {
  const memory = new Uint8Array(length + 24);
  for (let i = 0; i < memory.length; i++) memory[i] = i * 151 + length;
  return { memory, bytes: memory.subarray(8 + shift, 8 + shift + length) };
}

describe.each([0, 1, 2, 3])('%i bytes behind a word border', (shift) => {
  test.each([0, 1, 2, 3, 4, 5, 2 ** 32 + 3, 2 ** 53 - 1])(
    'at offset %i, all lengths to 100 and two long ones',
    (offset) => {
      for (const length of [...Array(101).keys(), 1021, 4096]) {
        for (const key of KEYS) {
          const { memory, bytes } = placed(length, shift);
          const expected = memory.slice();
          expected.set(byteLoop(bytes, key, offset), 8 + shift);
          mask(bytes, key, offset);
          expect(Buffer.compare(memory, expected)).toBe(0);
        }
      }
    },
  );

  test('any part of a chunk, by words that were made for the whole of it', () => {
    for (let from = 0; from <= 12; from++) {
      for (let to = from; to <= 90; to++) {
        const { memory, bytes } = placed(90, shift);
        const expected = memory.slice();
        expected.set(byteLoop(bytes.subarray(from, to), KEY), 8 + shift + from);
        maskWords(bytes, wordsOf(bytes), from, to, KEY);
        expect(Buffer.compare(memory, expected)).toBe(0);
      }
    }
  });
});

test('property: the same as the byte loop, and twice is nothing', () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(bytes, fc.nat(7), fc.nat({ max: 0xffffffff }), fc.maxSafeNat(), (payload, shift, key, offset) => {
      const memory = new Uint8Array(payload.length + 8);
      const view = memory.subarray(shift, shift + payload.length);
      view.set(payload);
      mask(view, key, offset);
      expect(view).toEqual(byteLoop(payload, key, offset));
      mask(view, key, offset);
      expect(view).toEqual(payload);
    }),
  );
});

test('a payload in pieces is masked as the whole is', () => {
  const whole = Uint8Array.from({ length: 500 }, (_, i) => i & 0xff);
  const expected = byteLoop(whole, KEY);
  for (const size of [1, 2, 3, 5, 7, 64, 65, 127]) {
    const pieces = whole.slice();
    for (let at = 0; at < pieces.length; at += size) mask(pieces.subarray(at, at + size), KEY, at);
    expect(pieces).toEqual(expected);
  }
});

test('a key turns by the offset modulo four', () => {
  const turned = [0, 1, 2, 3, 4, 2 ** 32 + 1].map((by) => rotateKey(0x11223344, by) >>> 0);
  expect(turned).toEqual([0x11223344, 0x22334411, 0x33441122, 0x44112233, 0x11223344, 0x22334411]);
});

test('a word of either byte order holds the four octets in memory order', () => {
  const octets = (word: number, littleEndian: boolean) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setInt32(0, word, littleEndian);
    return view.getUint32(0);
  };
  for (const key of KEYS) {
    expect(octets(wordKey(key, true), true)).toBe(key);
    expect(octets(wordKey(key, false), false)).toBe(key);
  }
});

test('bytes in front of the first word border have no words', () => {
  const memory = new Uint8Array(8);
  for (const [from, to] of [
    [1, 1],
    [1, 2],
    [1, 4],
    [3, 3],
  ] as const)
    expect(wordsOf(memory.subarray(from, to))).toHaveLength(0);
  expect(wordsOf(memory.subarray(1, 8))).toHaveLength(1);
});
