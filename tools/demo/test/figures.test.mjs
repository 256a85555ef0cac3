import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Histogram } from '../public/histogram.js';
import { linearScale, logScale } from '../public/plot-scale.js';
import { byteRate, compactCount, count, size, time } from '../public/numbers.js';

const durations = fc.array(fc.double({ min: 0.001, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 });
const fraction = fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1);

test('a percentile is that of the sorted list, to 2.2 %', () => {
  fc.assert(
    fc.property(durations, fraction, fc.integer({ min: 0, max: 200 }), (list, part, split) => {
      const [front, back] = [new Histogram(), new Histogram()];
      list.forEach((ms, i) => (i < split ? front : back).add(ms));
      front.include(back);
      expect(front.total).toBe(list.length);
      const exact = list.toSorted((a, b) => a - b)[Math.ceil(part * list.length) - 1] ?? NaN;
      expect(Math.abs(front.percentile(part) / exact - 1)).toBeLessThan(0.022);
    }),
  );
});

test('extremes count, and an empty histogram has no percentile', () => {
  const histogram = new Histogram();
  expect(histogram.percentile(0.5)).toBeNaN();
  for (const ms of [0, 1e-9, 1e9]) histogram.add(ms);
  expect(histogram.total).toBe(3);
  expect(histogram.percentile(0.5)).toBeCloseTo(0.001, 4);
  expect(histogram.percentile(1)).toBeGreaterThan(60_000);
});

test.each([
  [count(1234567.4), '1,234,567'],
  [compactCount(0), '0'],
  [compactCount(15_000), '15K'],
  [size(16), '16 B'],
  [size(1024), '1 KiB'],
  [size(262_144), '256 KiB'],
  [size(1_572_864), '1.5 MiB'],
  [byteRate(0), '0 kB/s'],
  [byteRate(42_340), '42.3 kB/s'],
  [byteRate(100e6), '100 MB/s'],
  [byteRate(1.25e9), '1.25 GB/s'],
  [time(0.0456), '45.6 µs'],
  [time(0.1), '100 µs'],
  [time(9.996), '10 ms'],
  [time(12.34), '12.3 ms'],
  [time(1500), '1.5 s'],
])('%s', (shown, wanted) => {
  expect(shown).toBe(wanted);
});

const room = fc.integer({ min: 2, max: 12 });
const value = fc.double({ min: 1e-3, max: 1e7, noNaN: true });

test('a linear axis holds its greatest value and shows no more lines than there is room for', () => {
  expect(linearScale(-Infinity, 4)).toEqual({ ticks: [0, 50, 100, 150], low: 0, high: 100 });
  fc.assert(
    fc.property(value, room, (greatest, most) => {
      const { ticks, low, high } = linearScale(greatest, most);
      expect(low).toBe(0);
      expect(high).toBeGreaterThan(greatest);
      const shown = ticks.filter((tick) => tick <= high).length;
      expect(shown).toBeGreaterThanOrEqual(1);
      expect(shown).toBeLessThanOrEqual(most + 1);
    }),
  );
});

test('a logarithmic axis holds both its values and always shows a line', () => {
  fc.assert(
    fc.property(value, value, room, (a, b, most) => {
      const [least, greatest] = [Math.min(a, b), Math.max(a, b)];
      const { ticks, low, high } = logScale(least, greatest, most);
      expect(low).toBeLessThan(Math.log10(least));
      expect(high).toBeGreaterThan(Math.log10(greatest));
      expect(ticks.filter((tick) => Math.log10(tick) >= low && Math.log10(tick) <= high).length).toBeGreaterThanOrEqual(
        1,
      );
    }),
  );
});
