// Where the axis of a plot ends, and which values get a line.

/** @typedef {{ ticks: number[], low: number, high: number }} Scale the ends are logarithms where the scale is one */

/**
 * @param {number} greatest value to show; 0 or less: there is none yet
 * @param {number} most ticks there is room for
 * @returns {Scale}
 */
export function linearScale(greatest, most) {
  const top = greatest > 0 ? greatest * 1.08 : 100;
  const rough = top / most;
  const decade = 10 ** Math.floor(Math.log10(rough));
  const step = decade * (rough / decade <= 1 ? 1 : rough / decade <= 2 ? 2 : rough / decade <= 5 ? 5 : 10);
  const ticks = [];
  for (let i = 0; i * step <= top + step; i++) ticks.push(i * step);
  return { ticks, low: 0, high: top };
}

/**
 * @param {number} least value to show, above 0
 * @param {number} greatest value to show; 0 or less: there is none yet
 * @param {number} most ticks there is room for
 * @returns {Scale}
 */
export function logScale(least, greatest, most) {
  const [from, to] = greatest > 0 ? [least, greatest] : [0.1, 10];
  const low = Math.log10(from / 1.5);
  const high = Math.max(Math.log10(to * 1.5), low + 0.9);
  const steps = (high - low) * 3 <= most ? [1, 2, 5] : (high - low) * 2 <= most + 1 ? [1, 3] : [1];
  const ticks = [];
  for (let decade = Math.floor(low) - 1; decade <= high + 1; decade++) {
    for (const step of steps) ticks.push(step * 10 ** decade);
  }
  return { ticks, low, high };
}
