// Two servers round by round, side by side, so that a machine which is slow for a while is slow for both; and what that says of a target.
import { medianInterval } from './statistics.mjs';

/**
 * @typedef {import('./measures.mjs').Sample} Sample
 * @typedef {import('./rounds.mjs').Row} Row
 * @typedef {import('./scenarios.mjs').Target} Target
 * @typedef {import('./statistics.mjs').Interval} Interval
 * @typedef {Exclude<keyof Sample, 'more'>} Field
 *
 * @typedef {object} Judgement
 * @property {string} server
 * @property {string} than
 * @property {Field} field
 * @property {'times' | 'atMost' | 'above'} relation
 * @property {number} bound
 * @property {number | undefined} aim
 * @property {Interval | undefined} interval of the figure that is compared with the bound
 * @property {'reached' | 'within' | 'missed' | 'unknown'} verdict `within`: the median misses, the better end of its interval does not, so the target holds; `unknown`: nothing measured that could tell
 */

/**
 * @param {readonly Row[]} rows @param {string} server @param {string} than
 * @param {(mine: number, theirs: number) => number} compare @param {Field} [field]
 * @returns {Interval | undefined} undefined: they have no round in common
 */
export function paired(rows, server, than, compare, field = 'value') {
  const samplesOf = (/** @type {string} */ name) => rows.find((row) => row.server === name)?.samples ?? [];
  const theirs = samplesOf(than);
  const figures = samplesOf(server).flatMap((sample, round) => {
    const mine = sample[field];
    const other = theirs[round]?.[field];
    const figure = mine === undefined || other === undefined ? NaN : compare(mine, other);
    return Number.isFinite(figure) ? [figure] : []; // a cost of nothing has no ratio
  });
  return medianInterval(figures);
}

/** How many times less than the other. @param {number} mine @param {number} theirs */
export const timesLess = (mine, theirs) => (mine > 0 && theirs > 0 ? theirs / mine : NaN);
/** @param {number} mine @param {number} theirs */
const timesMore = (mine, theirs) => timesLess(theirs, mine);
/** @param {number} mine @param {number} theirs */
const difference = (mine, theirs) => mine - theirs;

/** @param {readonly Row[]} rows @param {string} server @param {string} than @param {Field} [field] */
export const ratio = (rows, server = 'ours', than = 'ws', field = 'value') =>
  paired(rows, server, than, timesLess, field);

/** @type {Readonly<Record<Judgement['relation'], (mine: number, theirs: number) => number>>} */
const FIGURES = { times: timesLess, atMost: timesMore, above: difference };

/** @param {Target} target @param {readonly Row[]} rows @returns {Judgement} */
export function judge({ server = 'ours', than = 'ws', times, atMost, above, of: field = 'value', aim }, rows) {
  const relation = times !== undefined ? 'times' : atMost !== undefined ? 'atMost' : 'above';
  const bound = times ?? atMost ?? above ?? NaN;
  const interval = paired(rows, server, than, FIGURES[relation], field);
  return { server, than, field, relation, bound, aim, interval, verdict: verdictOf(relation, bound, interval) };
}

/** @param {Judgement['relation']} relation @param {number} bound @param {Interval | undefined} interval @returns {Judgement['verdict']} */
function verdictOf(relation, bound, interval) {
  if (interval === undefined) return 'unknown';
  const meets = (/** @type {number} */ figure) => (relation === 'times' ? figure >= bound : figure <= bound);
  if (meets(interval.median)) return 'reached';
  return meets(relation === 'times' ? interval.high : interval.low) ? 'within' : 'missed';
}
