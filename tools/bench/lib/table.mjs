// Rows of figures as aligned text.
import { median, spread } from './statistics.mjs';
import { baselineOf, VARIANTS } from './variants.mjs';
import { judge, paired, ratio, timesLess } from './verdicts.mjs';

/**
 * @typedef {import('./rounds.mjs').Row} Row
 * @typedef {import('./verdicts.mjs').Field} Field
 * @typedef {import('./verdicts.mjs').Judgement} Judgement
 * @typedef {import('./scenarios.mjs').Scenario} Scenario
 * @typedef {readonly { scenario: Scenario, rows: readonly Row[] }[]} Results
 */

/** @param {number} value */
export const short = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** @param {number} rate per second */
export const thousands = (rate) =>
  rate >= 1e6 ? `${(rate / 1e6).toFixed(2)}M` : rate >= 1e3 ? `${(rate / 1e3).toFixed(1)}k` : rate.toFixed(0);

/** @template T @param {T | undefined} value @param {(value: T) => string} format @param {string} otherwise */
const optional = (value, format, otherwise = '-') => (value === undefined ? otherwise : format(value));

/** @param {number} share */
const percent = (share) => (share * 100).toFixed(0);

/** @param {number} value */
const toHundredths = (value) => value.toFixed(2);

/** @param {Row['samples']} samples @param {Field} field */
const all = (samples, field) => samples.map((sample) => sample[field]).filter((value) => value !== undefined);

/** The median over the rounds. @param {Row['samples']} samples @param {Field} field */
export function middle(samples, field) {
  const values = all(samples, field);
  return values.length === 0 ? undefined : median(values);
}

/** @param {string} server */
export const labelOf = (server) => VARIANTS[server]?.label ?? server;

/**
 * @typedef {object} Column
 * @property {string} title
 * @property {boolean} [isText]
 * @property {(row: Row, scenario: Scenario, rows: readonly Row[]) => string} cell
 */

/** The faster `ws`, where it is measured. @param {readonly Row[]} rows */
const referenceOf = (rows) =>
  rows.some(({ server, samples }) => server === 'ws-native' && samples.length > 0) ? 'ws-native' : 'ws';

/** @type {readonly Column[]} those in which every cell is empty are left out */
const COLUMNS = [
  { title: 'scenario', isText: true, cell: (row, scenario, rows) => (row === rows[0] ? scenario.title : '') },
  { title: 'server', isText: true, cell: ({ server }) => labelOf(server) },
  {
    title: 'cost',
    cell: ({ failure, samples }) => (failure === undefined ? optional(middle(samples, 'value'), short) : 'failed'),
  },
  { title: '', isText: true, cell: (_, { unit }) => unit },
  { title: '+-', cell: ({ samples }) => (samples.length === 0 ? '' : `${percent(spread(all(samples, 'value')))} %`) },
  { title: 'rate/s', cell: ({ samples }) => optional(middle(samples, 'rate'), thousands) },
  { title: 'p50 us', cell: ({ samples }) => optional(middle(samples, 'p50'), short) },
  { title: 'p99 us', cell: ({ samples }) => optional(middle(samples, 'p99'), short) },
  {
    title: 'busy %',
    cell: ({ samples }) =>
      `${optional(middle(samples, 'serverBusy'), percent)}/${optional(middle(samples, 'loadBusy'), percent)}`,
  },
  { title: 'loop p99 ms', cell: ({ samples }) => optional(middle(samples, 'loopDelay'), short, '') },
  { title: 'heap', cell: ({ samples }) => optional(middle(samples, 'heap'), short, '') },
  { title: 'B/reply', cell: ({ samples }) => optional(middle(samples, 'replyBytes'), (bytes) => bytes.toFixed(0), '') },
  {
    title: 'ws / this',
    cell: ({ server }, _, rows) =>
      server === referenceOf(rows) ? '' : optional(ratio(rows, server, referenceOf(rows))?.median, toHundredths, ''),
  },
  {
    title: 'baseline / this',
    cell: ({ server }, _, rows) =>
      optional(
        paired(rows, server, baselineOf(server) ?? '', timesLess),
        ({ median: middleOf, low, high }) => `${middleOf.toFixed(3)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
        '',
      ),
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

/** What a target is about, in words. @param {Scenario} scenario @param {Judgement} judgement */
function formatRelation({ unit }, { server, than, relation, bound, aim }) {
  const [mine, theirs] = [labelOf(server), labelOf(than)];
  const hoped = aim === undefined ? '' : ` (aim ${aim})`;
  if (relation === 'times') return `${theirs} / ${mine} >= ${bound}${hoped}`;
  if (relation === 'atMost') return `${mine} / ${theirs} <= ${bound}${hoped}`;
  return `${mine} - ${theirs} <= ${bound} ${unit}${hoped}`;
}

/** Where there are too few rounds for 95 %, it says with how much the interval holds the median. @param {import('./statistics.mjs').Interval} interval */
export const formatRange = ({ low, high, confidence }) =>
  `${short(low)} to ${short(high)}${confidence < 0.95 ? ` (${percent(confidence)} %)` : ''}`;

/** @type {Readonly<Partial<Record<Field, string>>>} what is compared, where it is not the cost */
export const FIELDS = {
  loopDelay: 'event-loop delay p99',
  heap: 'JavaScript heap',
  rate: 'rate',
  p50: 'latency p50',
  p99: 'latency p99',
};

/** @type {Readonly<Record<Judgement['verdict'], string>>} */
const VERDICTS = {
  reached: 'reached',
  within: 'holds by its interval',
  missed: 'MISSED',
  unknown: 'not measured',
};

/** Every target, and what came of it. @param {Results} results */
export const judgements = (results) =>
  results.flatMap(({ scenario, rows }) =>
    (scenario.targets ?? []).map((target) => ({ scenario, judgement: judge(target, rows) })),
  );

/** @param {Results} results */
export const formatTargets = (results) =>
  judgements(results)
    .map(({ scenario, judgement }) => {
      const { field, interval, verdict } = judgement;
      const what = `target ${scenario.title}${FIELDS[field] === undefined ? '' : `, ${FIELDS[field]}`}`;
      const figure = interval === undefined ? '' : `${short(interval.median)} (${formatRange(interval)}), `;
      return `${what}: ${formatRelation(scenario, judgement)}: ${figure}${VERDICTS[verdict]}`;
    })
    .join('\n');

/** What makes a figure doubtful: how much of their cores the two sides had. @param {Results} results */
export const formatDoubts = (results) =>
  results
    .flatMap(({ scenario, rows }) =>
      rows.flatMap(({ server, samples, failure }) => {
        const serverBusy = middle(samples, 'serverBusy') ?? 1;
        const loadBusy = middle(samples, 'loadBusy') ?? 0;
        const which = `${scenario.title}, ${labelOf(server)}`;
        if (failure !== undefined) return [`failed: ${which}: ${failure}`];
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
      rows.flatMap(({ server, samples }) => {
        const plain = 1 - (middle(samples, 'compressed') ?? 1);
        return plain < 0.005
          ? []
          : [`note: ${scenario.title}, ${labelOf(server)}: ${percent(plain)} % of the replies came uncompressed`];
      }),
    )
    .join('\n');
