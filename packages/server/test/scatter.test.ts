import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { scattered } from '../src/scatter.js';

test('each is there once, in a slice of the time of its own, and in ascending order', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.integer({ min: 0, max: 1_000_000 }), (items, spreadMs) => {
      const schedule = scattered(items, spreadMs);
      expect(new Set(schedule.map(({ item }) => item))).toEqual(new Set(items));
      expect(schedule).toHaveLength(items.length);
      const slice = spreadMs / items.length;
      schedule.forEach(({ atMs }, at) => {
        expect(atMs).toBeGreaterThanOrEqual(at * slice);
        expect(atMs).toBeLessThanOrEqual((at + 1) * slice);
      });
    }),
  );
});

test('neither the order nor the moments can be foreseen', () => {
  const items = Array.from({ length: 3000 }, (_, index) => index);
  const [one, other] = [scattered(items, 3000), scattered(items, 3000)];
  // Of two orders at random, one item stands in the same place on average; of 3000 moments, about half are in the first half of their slice.
  expect(one.filter(({ item }, at) => item === other[at]!.item).length).toBeLessThan(20);
  const ascending = one.filter(({ item }, at) => at > 0 && item > one[at - 1]!.item).length;
  expect(Math.abs(ascending - 1500)).toBeLessThan(200);
  expect(Math.abs(one.filter(({ atMs }, at) => atMs - at < 0.5).length - 1500)).toBeLessThan(300);
});
