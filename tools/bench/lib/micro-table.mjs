// Figures of the micro-benchmarks, alone and beside kept ones.
import { median } from './statistics.mjs';

/**
 * @typedef {Readonly<Record<string, readonly number[]>>} Figures ns of a case in each process
 *
 * @typedef {object} Compared
 * @property {string} name
 * @property {number} ns median
 * @property {number} low
 * @property {number} high
 * @property {number} [before] median of the kept figures
 * @property {'slower' | 'faster' | 'same' | 'new'} [verdict]
 */

/** Less is noise on any machine that does something else too. */
const NOTICED = 1.1;

/** @param {readonly { name: string, ns: number }[]} measured @returns {Figures} */
export function gather(measured) {
  /** @type {Record<string, number[]>} */
  const figures = {};
  for (const { name, ns } of measured) (figures[name] ??= []).push(ns);
  return figures;
}

/**
 * Slower is what is so by a tenth, and in its fastest process more than the kept ones in their slowest.
 * @param {Figures} figures @param {Figures} [stored] @returns {Compared[]}
 */
export const compareMicro = (figures, stored) =>
  Object.entries(figures).map(([name, all]) => {
    const [ns, low, high] = [median(all), Math.min(...all), Math.max(...all)];
    if (stored === undefined) return { name, ns, low, high };
    const kept = stored[name];
    if (kept === undefined) return { name, ns, low, high, verdict: 'new' };
    const before = median(kept);
    const isSlower = ns > before * NOTICED && low > Math.max(...kept);
    const isFaster = ns * NOTICED < before && high < Math.min(...kept);
    return { name, ns, low, high, before, verdict: isSlower ? 'slower' : isFaster ? 'faster' : 'same' };
  });

/** @param {number} ns */
const short = (ns) => (ns >= 1000 ? ns.toFixed(0) : ns >= 10 ? ns.toFixed(1) : ns.toFixed(2));

/** @param {readonly Compared[]} compared */
export function formatMicro(compared) {
  const isBeside = compared.some(({ verdict }) => verdict !== undefined);
  const rows = [
    ['case', 'ns', 'lowest', 'highest', ...(isBeside ? ['kept', 'kept / now', ''] : [])],
    ...compared.map(({ name, ns, low, high, before, verdict = '' }) => [
      name,
      ...[ns, low, high].map(short),
      ...(isBeside
        ? [
            before === undefined ? '' : short(before),
            before === undefined ? '' : (before / ns).toFixed(2),
            verdict === 'same' ? '' : verdict,
          ]
        : []),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
