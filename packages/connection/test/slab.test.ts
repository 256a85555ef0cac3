import { expect, test } from '@jest/globals';
import { release, slabFor, viewOf, type Slab } from '../src/slab.js';

const SLAB = 98_304;

/** A run of so many bytes, as the writer makes it. */
function run(byteLength: number): Slab {
  const slab = slabFor(byteLength);
  slab.runs++;
  slab.used += byteLength;
  return slab;
}

test('a slab is used from the front again once all its runs are written', () => {
  const slab = run(100);
  expect(run(50)).toBe(slab);
  release(slab, false);
  expect(slab.used).toBe(150);
  release(slab, false);
  expect(slab.used).toBe(0);
});

test('slabs that one turn fills are used again in the next', () => {
  const turn = (): Set<Slab> => new Set(Array.from({ length: 8 }, () => run(SLAB - 1)));
  const first = turn();
  expect(first.size).toBe(8);
  for (const slab of first) release(slab, false);
  const second = turn();
  expect([...second].filter((slab) => !first.has(slab)).length).toBeLessThanOrEqual(1); // the one that was there before
  for (const slab of second) release(slab, false);
});

test('what may still be read is never used again', () => {
  const slab = run(SLAB);
  release(slab, true);
  const others = Array.from({ length: 20 }, () => run(SLAB));
  expect(others).not.toContain(slab);
  expect(new Set(others).size).toBe(20);
  for (const other of others) release(other, false);
});

test('no more than sixteen are kept to be used again', () => {
  const many = Array.from({ length: 40 }, () => run(SLAB));
  for (const slab of many) release(slab, false);
  const again = Array.from({ length: 40 }, () => run(SLAB));
  expect(again.filter((slab) => many.includes(slab)).length).toBeLessThanOrEqual(17); // with the one at hand
  for (const slab of again) release(slab, false);
});

test('a view of the same place is the same Buffer, of another it is not', () => {
  const slab = run(100);
  const view = viewOf(slab, 10, 20);
  expect([view.buffer, view.byteOffset, view.length]).toEqual([slab.bytes.buffer, 10, 10]);
  expect(viewOf(slab, 10, 20)).toBe(view);
  for (const [start, end] of [
    [10, 21],
    [11, 20],
    [0, 10],
  ] as const) {
    const other = viewOf(slab, start, end);
    expect([other.byteOffset, other.length]).toEqual([start, end - start]);
  }
  release(slab, false);
});
