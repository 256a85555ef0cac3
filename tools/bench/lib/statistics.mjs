// Medians with an interval from order statistics: nothing is assumed of how measurements are spread.

/**
 * @typedef {object} Interval
 * @property {number} median
 * @property {number} low
 * @property {number} high
 * @property {number} confidence with which low to high holds the median of all rounds that there could be
 * @property {number} rounds
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = low] = sorted.length % 2 === 1 ? [sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

/**
 * With which probability the median lies outside the range of `rounds` values less `left` at each end:
 * each value is below it or above it as a coin falls, so twice P(at most `left` heads).
 * @param {number} rounds @param {number} left
 */
function outside(rounds, left) {
  let ways = 1; // of `heads` heads in `rounds` throws
  let sum = 0;
  for (let heads = 0; heads <= left; heads++) {
    sum += ways;
    ways = (ways * (rounds - heads)) / (heads + 1);
  }
  return (2 * sum) / 2 ** rounds;
}

/**
 * The median, and the narrowest pair of measurements, as far from one end as from the other, that holds it with `confidence`.
 * Below six rounds no pair does so with 95 %: then it is lowest and highest, and `confidence` is what they give.
 * @param {readonly number[]} values @param {number} [confidence] @returns {Interval | undefined} undefined: no values
 */
export function medianInterval(values, confidence = 0.95) {
  const sorted = values.toSorted((a, b) => a - b);
  const rounds = sorted.length;
  let left = 0;
  while ((left + 1) * 2 < rounds && outside(rounds, left + 1) <= 1 - confidence) left++;
  const [low, high] = [sorted[left], sorted[rounds - 1 - left]];
  if (low === undefined || high === undefined) return undefined;
  return { median: median(sorted), low, high, confidence: Math.max(0, 1 - outside(rounds, left)), rounds };
}

/** Half the distance from lowest to highest, as a share of the median. @param {readonly number[]} values */
export const spread = (values) => (Math.max(...values) - Math.min(...values)) / 2 / median(values);
