// Medians, their intervals, and what they say of a target. Samples are written down here; nothing is measured.
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { median, medianInterval, spread } from '../lib/statistics.mjs';
import { judge, paired, timesLess } from '../lib/verdicts.mjs';

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

test.each([
  [[3], 3],
  [[4, 1], 2.5],
  [[9, 1, 4], 4],
  [[8, 2, 1, 9], 5],
])('the median of %j is %d', (values, expected) => {
  expect(median(values)).toBe(expected);
});

/** The slow way: all ways in which `rounds` measurements can lie below or above the true median. */
function probabilityInside(rounds: number, left: number) {
  let inside = 0;
  for (let way = 0; way < 2 ** rounds; way++) {
    const below = way.toString(2).replaceAll('0', '').length;
    if (below > left && rounds - below > left) inside++;
  }
  return inside / 2 ** rounds;
}

describe('the interval of a median', () => {
  test.each(upTo(14))('of %d rounds holds it as often as it says, and no narrower one does with 95 %%', (rounds) => {
    const interval = medianInterval(upTo(rounds));
    const left = interval!.low - 1;
    expect(interval).toMatchObject({ high: rounds - left, rounds });
    expect(interval!.confidence).toBeCloseTo(probabilityInside(rounds, left), 12);
    expect(left === 0 || interval!.confidence >= 0.95).toBe(true);
    expect(probabilityInside(rounds, left + 1)).toBeLessThan(0.95);
  });

  test('six rounds are the fewest for 95 %, nine leave out the ends', () => {
    expect(medianInterval(upTo(5))!.confidence).toBeLessThan(0.95);
    expect(medianInterval(upTo(6))).toMatchObject({ low: 1, high: 6, confidence: 1 - 2 / 64 });
    expect(medianInterval(upTo(9))).toMatchObject({ low: 2, median: 5, high: 8, confidence: 1 - 20 / 512 });
  });

  test('there is none without a measurement; one alone says nothing', () => {
    expect(medianInterval([])).toBeUndefined();
    expect(medianInterval([7])).toEqual({ median: 7, low: 7, high: 7, confidence: 0, rounds: 1 });
  });

  test('does not depend on the order, and lies around the median', () => {
    const figures = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(figures, (values) => {
        const interval = medianInterval(values)!;
        expect(medianInterval(values.toReversed())).toEqual(interval);
        expect(interval.low).toBeLessThanOrEqual(interval.median);
        expect(interval.high).toBeGreaterThanOrEqual(interval.median);
      }),
    );
  });

  test('is wider the more sure it is to be', () => {
    expect(medianInterval(upTo(20), 0.5)).toMatchObject({ low: 8, high: 13 });
    expect(medianInterval(upTo(20), 0.99)).toMatchObject({ low: 4, high: 17 });
  });
});

test('spread is half the range, as a share of the median', () => {
  expect(spread([8, 10, 14])).toBeCloseTo(0.3);
});

const row = (server: string, ...values: number[]) => ({ server, samples: values.map((value) => ({ value })) });

describe('two servers', () => {
  test('are compared round by round: what hits both in a round changes nothing', () => {
    const rows = [row('ours', 1, 10, 2, 4, 1, 3), row('ws', 5, 50, 10, 20, 5, 15)];
    expect(paired(rows, 'ours', 'ws', timesLess)).toMatchObject({ median: 5, low: 5, high: 5, rounds: 6 });
  });

  test('rounds that one of them lacks, and costs of nothing, do not count', () => {
    const rows = [row('ours', 1, 0, 2), row('ws', 4, 4)];
    expect(paired(rows, 'ours', 'ws', timesLess)).toMatchObject({ median: 4, rounds: 1 });
    expect(paired(rows, 'ours', 'net', timesLess)).toBeUndefined();
  });
});

describe('a target', () => {
  const six = (...values: number[]) => [row('ours', 1, 1, 1, 1, 1, 1), row('ws', ...values)];

  test.each([
    ['reached by the median', [9, 9, 9.5, 10, 8, 9], 'reached'],
    ['held by the better end of the interval', [8, 8, 8.5, 9.1, 8, 8], 'within'],
    ['missed', [8, 8, 8.5, 8.9, 8, 8], 'missed'],
  ] as const)('of so many times less: %s', (_name, theirs, verdict) => {
    expect(judge({ times: 9 }, six(...theirs))).toMatchObject({ relation: 'times', bound: 9, verdict });
  });

  test.each([
    ['reached by the median', [1.2, 1.3, 1.25, 1.1, 1.2, 1.6], 'reached'],
    ['held by the better end of the interval', [1.5, 1.4, 1.4, 1.29, 1.4, 1.5], 'within'],
    ['missed', [1.5, 1.4, 1.4, 1.31, 1.4, 1.5], 'missed'],
  ] as const)('of at most so many times more: %s', (_name, ours, verdict) => {
    const rows = [row('ours', ...ours), row('net', 1, 1, 1, 1, 1, 1)];
    expect(judge({ than: 'net', atMost: 1.3 }, rows)).toMatchObject({ relation: 'atMost', verdict });
  });

  test('of at most so much more, in the unit', () => {
    const rows = [row('ours', 5, 5, 6, 5, 5, 5), row('ours-plain', 4, 4, 4, 4, 4, 4)];
    expect(judge({ than: 'ours-plain', above: 1 }, rows)).toMatchObject({ relation: 'above', verdict: 'reached' });
    expect(judge({ than: 'ours-plain', above: 0.5 }, rows)).toMatchObject({ verdict: 'missed' });
  });

  test('of something beside the cost', () => {
    const samples = (loopDelay: number) => upTo(6).map(() => ({ value: 1, loopDelay }));
    const rows = [
      { server: 'ours', samples: samples(2) },
      { server: 'ws', samples: samples(3) },
    ];
    expect(judge({ times: 1, of: 'loopDelay' }, rows)).toMatchObject({ field: 'loopDelay', interval: { median: 1.5 } });
  });

  test('of a server that failed is not held', () => {
    const rows = [{ server: 'ours', samples: [], failure: 'wrong length' }, row('ws', 9)];
    expect(judge({ times: 1 }, rows)).toMatchObject({ interval: undefined, verdict: 'unknown' });
  });
});
