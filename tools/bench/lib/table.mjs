// Rows of figures as aligned text.
import { median } from './rounds.mjs';

/** @param {number} value */
const short = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** @param {number} rate per second */
const thousands = (rate) =>
  rate >= 1e6 ? `${(rate / 1e6).toFixed(2)}M` : rate >= 1e3 ? `${(rate / 1e3).toFixed(1)}k` : rate.toFixed(0);

/** @param {number | undefined} value @param {(value: number) => string} format */
const optional = (value, format) => (value === undefined ? '-' : format(value));

const NAMES = /** @type {Record<string, string>} */ ({ ours: '@ws', ws: 'npm ws', net: 'raw net' });

/**
 * How many times less a server needs than npm ws: the median over the rounds of what the two needed side by side, so
 * that a machine which is slow for a while is slow for both.
 * @param {readonly import('./rounds.mjs').Row[]} rows
 * @param {string} server
 */
export function ratio(rows, server = 'ours') {
  const samplesOf = (/** @type {string} */ name) => rows.find((row) => row.server === name)?.samples ?? [];
  const theirs = samplesOf('ws');
  const ratios = samplesOf(server).flatMap(({ value }, round) => {
    const other = theirs[round];
    return other === undefined ? [] : [other.value / value];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

const HEAD = ['scenario', 'server', 'cost', '', '+-', 'rate/s', 'p99 us', 'busy %', 'ws / this'];

/** @param {readonly (readonly string[])[]} lines */
function align(lines) {
  const widths = HEAD.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const isText = [true, true, false, true, false, false, false, false, false];
  return lines
    .map((line) =>
      line.map((cell, column) =>
        isText[column] ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      ),
    )
    .map((cells) => cells.join('  ').trimEnd())
    .join('\n');
}

/**
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {readonly import('./rounds.mjs').Row[]} rows
 * @returns {string[][]}
 */
function linesOf(scenario, rows) {
  return rows.map((row, index) => [
    index === 0 ? scenario.title : '',
    NAMES[row.server] ?? row.server,
    short(row.value),
    scenario.unit,
    `${(row.spread * 100).toFixed(0)} %`,
    optional(row.rate, thousands),
    optional(row.p99, short),
    `${optional(row.serverBusy, (share) => (share * 100).toFixed(0))}/${optional(row.loadBusy, (share) => (share * 100).toFixed(0))}`,
    row.server === 'ws' ? '' : optional(ratio(rows, row.server), (times) => times.toFixed(2)),
  ]);
}

/** @param {readonly { scenario: import('./scenarios.mjs').Scenario, rows: readonly import('./rounds.mjs').Row[] }[]} results */
export const formatTable = (results) =>
  align([HEAD, ...results.flatMap(({ scenario, rows }) => linesOf(scenario, rows))]);

/** @param {readonly { scenario: import('./scenarios.mjs').Scenario, rows: readonly import('./rounds.mjs').Row[] }[]} results */
export const formatTargets = (results) =>
  results
    .flatMap(({ scenario, rows }) => {
      const reached = ratio(rows);
      if (scenario.target === undefined || reached === undefined) return [];
      const verdict = reached >= scenario.target ? 'reached' : 'missed';
      return [`target ${scenario.title}: ws / ours >= ${scenario.target}: ${reached.toFixed(2)}, ${verdict}`];
    })
    .join('\n');

/**
 * What makes a figure doubtful, by how much of their cores the two sides had.
 * @param {readonly { scenario: import('./scenarios.mjs').Scenario, rows: readonly import('./rounds.mjs').Row[] }[]} results
 */
export const formatDoubts = (results) =>
  results
    .flatMap(({ scenario, rows }) =>
      rows.flatMap(({ server, serverBusy = 1, loadBusy = 0 }) => {
        const which = `${scenario.title}, ${NAMES[server] ?? server}`;
        if (loadBusy > 0.95 && serverBusy < 0.9) return [`doubtful: ${which}: the generator was the slower side`];
        if (loadBusy > 0 && Math.max(loadBusy, serverBusy) < 0.7)
          return [`doubtful: ${which}: other programs had the cores`];
        return [];
      }),
    )
    .join('\n');
