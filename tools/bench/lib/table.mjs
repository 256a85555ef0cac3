// Rows of figures as aligned text.
import { median } from './rounds.mjs';
import { baselineOf, VARIANTS } from './variants.mjs';

/**
 * @typedef {import('./rounds.mjs').Row} Row
 * @typedef {import('./scenarios.mjs').Scenario} Scenario
 * @typedef {readonly { scenario: Scenario, rows: readonly Row[] }[]} Results
 */

/** @param {number} value */
const short = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** @param {number} rate per second */
const thousands = (rate) =>
  rate >= 1e6 ? `${(rate / 1e6).toFixed(2)}M` : rate >= 1e3 ? `${(rate / 1e3).toFixed(1)}k` : rate.toFixed(0);

/** @param {number | undefined} value @param {(value: number) => string} format @param {string} otherwise */
const optional = (value, format, otherwise = '-') => (value === undefined ? otherwise : format(value));

/** @param {number} share */
const percent = (share) => (share * 100).toFixed(0);

/** @param {string} server */
const labelOf = (server) => VARIANTS[server]?.label ?? server;

/**
 * Two servers round by round, side by side, so that a machine which is slow for a while is slow for both.
 * @param {readonly Row[]} rows @param {string} server @param {string} than
 * @param {(mine: number, theirs: number) => number} compare
 * @param {'value' | 'loopDelay'} field
 * @returns {number | undefined} the median over the rounds
 */
function paired(rows, server, than, compare, field = 'value') {
  const samplesOf = (/** @type {string} */ name) => rows.find((row) => row.server === name)?.samples ?? [];
  const theirs = samplesOf(than);
  const figures = samplesOf(server).flatMap((sample, round) => {
    const mine = sample[field];
    const other = theirs[round]?.[field];
    return mine === undefined || other === undefined ? [] : [compare(mine, other)];
  });
  return figures.length === 0 ? undefined : median(figures);
}

/** @param {number} mine @param {number} theirs */
const timesLess = (mine, theirs) => theirs / mine;

/** How many times less a server needs than npm ws. @param {readonly Row[]} rows @param {string} server */
export const ratio = (rows, server = 'ours') => paired(rows, server, 'ws', timesLess);

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {boolean} [isText]
 * @property {(row: Row, scenario: Scenario, rows: readonly Row[]) => string} cell
 */

/** @type {readonly Column[]} those in which every cell is empty are left out */
const COLUMNS = [
  { title: 'scenario', isText: true, cell: (row, scenario, rows) => (row === rows[0] ? scenario.title : '') },
  { title: 'server', isText: true, cell: ({ server }) => labelOf(server) },
  { title: 'cost', cell: ({ value }) => short(value) },
  { title: '', isText: true, cell: (_, { unit }) => unit },
  { title: '+-', cell: ({ spread }) => `${percent(spread)} %` },
  { title: 'rate/s', cell: ({ rate }) => optional(rate, thousands) },
  { title: 'p99 us', cell: ({ p99 }) => optional(p99, short) },
  { title: 'busy %', cell: (row) => `${optional(row.serverBusy, percent)}/${optional(row.loadBusy, percent)}` },
  { title: 'loop p99 ms', cell: ({ loopDelay }) => optional(loopDelay, short, '') },
  { title: 'B/reply', cell: ({ replyBytes }) => optional(replyBytes, (bytes) => bytes.toFixed(0), '') },
  {
    title: 'ws / this',
    cell: ({ server }, _, rows) =>
      server === 'ws' ? '' : optional(ratio(rows, server), (times) => times.toFixed(2), ''),
  },
  {
    title: 'baseline / this',
    cell: ({ server }, _, rows) =>
      optional(paired(rows, server, baselineOf(server) ?? '', timesLess), (times) => times.toFixed(3), ''),
  },
];

/** @param {Results} results */
export function formatTable(results) {
  const columns = COLUMNS.map(({ title, isText = false, cell }) => {
    const cells = results.flatMap(({ scenario, rows }) => rows.map((row) => cell(row, scenario, rows)));
    const width = Math.max(title.length, ...cells.map(({ length }) => length));
    const padded = [title, ...cells].map((text) => (isText ? text.padEnd(width) : text.padStart(width)));
    return { padded, isEmpty: cells.every((text) => text === '') };
  }).filter(({ isEmpty }) => !isEmpty);
  const lines = columns[0]?.padded.map((_, line) =>
    columns
      .map(({ padded }) => padded[line])
      .join('  ')
      .trimEnd(),
  );
  return lines?.join('\n') ?? '';
}

/** @param {import('./scenarios.mjs').Target} target @param {Scenario} scenario @param {readonly Row[]} rows */
function formatTarget({ server = 'ours', than = 'ws', times, above, of }, { title, unit }, rows) {
  const what = `target ${title}${of === 'loopDelay' ? ', event-loop delay p99' : ''}`;
  if (times !== undefined) {
    const reached = paired(rows, server, than, timesLess, of);
    if (reached === undefined) return [];
    const verdict = reached >= times ? 'reached' : 'missed';
    return [`${what}: ${labelOf(than)} / ${labelOf(server)} >= ${times}: ${reached.toFixed(2)}, ${verdict}`];
  }
  const more = paired(rows, server, than, (mine, theirs) => mine - theirs, of);
  if (above === undefined || more === undefined) return [];
  const verdict = more <= above ? 'reached' : 'missed';
  return [`${what}: ${labelOf(server)} - ${labelOf(than)} <= ${above} ${unit}: ${more.toFixed(2)}, ${verdict}`];
}

/** @param {Results} results */
export const formatTargets = (results) =>
  results
    .flatMap(({ scenario, rows }) => (scenario.targets ?? []).flatMap((target) => formatTarget(target, scenario, rows)))
    .join('\n');

/** What makes a figure doubtful: how much of their cores the two sides had. @param {Results} results */
export const formatDoubts = (results) =>
  results
    .flatMap(({ scenario, rows }) =>
      rows.flatMap(({ server, serverBusy = 1, loadBusy = 0 }) => {
        const which = `${scenario.title}, ${labelOf(server)}`;
        if (loadBusy > 0.95 && serverBusy < 0.9) return [`doubtful: ${which}: the generator was the slower side`];
        if (loadBusy > 0 && scenario.pace === undefined && Math.max(loadBusy, serverBusy) < 0.7)
          return [`doubtful: ${which}: other programs had the cores`];
        return [];
      }),
    )
    .join('\n');

/** A server may send a message as it is. @param {Results} results */
export const formatNotes = (results) =>
  results
    .flatMap(({ scenario, rows }) =>
      rows.flatMap(({ server, compressed = 1 }) =>
        compressed > 0.995
          ? []
          : [
              `note: ${scenario.title}, ${labelOf(server)}: ${percent(1 - compressed)} % of the replies came uncompressed`,
            ],
      ),
    )
    .join('\n');
