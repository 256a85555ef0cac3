import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MaskingMemory } from '../src/index.js';
import { simdMemory } from '../src/simd.js';
import { byteLoop } from './byte-loop.js';

const KEY = 0x9acbdeaf;
interface WebAssembly {
  readonly Module: unknown;
  readonly Memory: unknown;
  readonly Instance: unknown;
}
const runtime = globalThis as unknown as { WebAssembly: WebAssembly | undefined };
const { WebAssembly: original } = runtime;
const { Module, Memory, Instance } = original!;

afterEach(() => {
  runtime.WebAssembly = original;
});

/** As of a runtime that is different: `undefined` has none, the others fail where they say. */
const RUNTIMES: Record<string, WebAssembly | undefined> = {
  'with SIMD': original,
  'without WebAssembly': undefined,
  'where it is forbidden': { Module: refuse, Memory, Instance },
  'without address space': { Module, Memory: refuse, Instance },
  'where it masks wrongly': { Module, Memory, Instance: WrongInstance },
};

function refuse(): never {
  throw new Error('not here');
}

/** Its `x` masks nothing. */
function WrongInstance() {
  return { exports: { x: () => {} } };
}

function filled(byteLength: number): MaskingMemory {
  const memory = new MaskingMemory(byteLength);
  expect(memory.bytes.length).toBe(byteLength);
  expect(memory.bytes.every((byte) => byte === 0)).toBe(true);
  memory.bytes.forEach((_, i, bytes) => (bytes[i] = i * 151));
  return memory;
}

/** What the byte loop makes of the same. */
function expected({ bytes }: MaskingMemory, from: number, to: number, key: number, offset?: number): Uint8Array {
  const copy = bytes.slice();
  copy.set(byteLoop(copy.subarray(from, to), key, offset), from);
  return copy;
}

describe.each(Object.keys(RUNTIMES))('a runtime %s', (name) => {
  test('masks every part, and nothing beside it', () => {
    runtime.WebAssembly = RUNTIMES[name];
    const memory = filled(600);
    for (const from of [0, 1, 2, 3, 5, 64]) {
      for (const length of [...Array(200).keys(), 255, 256, 257, 511, 536]) {
        for (const offset of [undefined, 0, 1, 2, 3, 2 ** 40 + 3]) {
          const wanted = expected(memory, from, from + length, KEY, offset);
          memory.mask(from, from + length, KEY, offset);
          expect(Buffer.compare(memory.bytes, wanted)).toBe(0);
        }
      }
    }
  });

  test('moves every part, and changes nothing beside its place', () => {
    runtime.WebAssembly = RUNTIMES[name];
    const memory = filled(600);
    for (const from of [70, 71, 73]) {
      for (const length of [...Array(140).keys(), 255, 256, 257, 500]) {
        for (const by of [0, 1, 2, 6, 15, 16, 70]) {
          for (const key of [KEY, undefined]) {
            const part = memory.bytes.slice(from, from + length);
            const wanted = memory.bytes.slice();
            wanted.set(key === undefined ? part : byteLoop(part, key), from - by);
            memory.move(from, from + length, from - by, key);
            expect(Buffer.compare(memory.bytes, wanted)).toBe(0);
          }
        }
      }
    }
  });

  test('masks large parts', () => {
    runtime.WebAssembly = RUNTIMES[name];
    const memory = filled(200_000);
    for (const [from, to] of [
      [0, 200_000],
      [13, 65_549],
      [131_071, 199_999],
    ] as const) {
      const wanted = expected(memory, from, to, KEY);
      memory.mask(from, to, KEY);
      expect(Buffer.compare(memory.bytes, wanted)).toBe(0);
    }
  });

  test.each([0, 1, 100])('has as little as %i bytes where that is asked for', (byteLength) => {
    runtime.WebAssembly = RUNTIMES[name];
    const memory = filled(byteLength);
    const wanted = expected(memory, 0, byteLength, KEY);
    memory.mask(0, byteLength, KEY);
    expect(memory.bytes).toEqual(wanted);
  });
});

test('Node has SIMD, in memory of its own', () => {
  const [one, two] = [new MaskingMemory(65_536), new MaskingMemory(65_536)];
  expect(one.bytes.buffer).not.toBe(two.bytes.buffer);
  expect(simdMemory(1)).toBeDefined();
});

test('property: the same as the byte loop', () => {
  const memory = filled(5000);
  const place = fc.tuple(fc.nat(5000), fc.nat(5000)).map((ends) => ends.toSorted((a, b) => a - b) as [number, number]);
  fc.assert(
    fc.property(place, fc.nat({ max: 0xffffffff }), fc.maxSafeNat(), ([from, to], key, offset) => {
      const wanted = expected(memory, from, to, key, offset);
      memory.mask(from, to, key, offset);
      expect(Buffer.compare(memory.bytes, wanted)).toBe(0);
    }),
  );
});

test.each([-1, 1.5, NaN, 2 ** 60])('a length of %p is an error', (byteLength) => {
  expect(() => new MaskingMemory(byteLength)).toThrow(RangeError);
});
