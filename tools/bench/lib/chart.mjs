// The chart of a run: a row for each case, how many times less it costs us than another, on a logarithmic scale.
import { judgements, labelOf, short } from './table.mjs';
import { ratio } from './verdicts.mjs';

/**
 * @typedef {import('./table.mjs').Results} Results
 * @typedef {import('./statistics.mjs').Interval} Interval
 *
 * @typedef {object} Line
 * @property {string} title
 * @property {Interval} ours how many times less than the reference
 * @property {number | undefined} floor the same of raw TCP
 * @property {number | undefined} target
 * @property {boolean} holds
 */

const ROW = 26;
const TOP = 92;
const LABELS = 390;
const PLOT = 470;
const FIGURES = 70;
const TICKS = [0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200];

/** @param {Results} results @param {string} than @returns {Line[]} */
function linesOf(results, than) {
  return results.flatMap(({ scenario, rows }) => {
    const judged = judgements([{ scenario, rows }]).find(
      ({ judgement }) =>
        judgement.than === than &&
        judgement.server === 'ours' &&
        judgement.field === 'value' &&
        judgement.relation !== 'above',
    )?.judgement;
    const ours = ratio(rows, 'ours', than);
    if (ours === undefined) return [];
    const target = judged === undefined ? undefined : judged.relation === 'times' ? judged.bound : 1 / judged.bound;
    return [
      {
        title: scenario.title,
        ours,
        floor: ratio(rows, 'net', than)?.median,
        target,
        holds: target === undefined || ours.high >= target,
      },
    ];
  });
}

/** Beside whom most cases have a target. @param {Results} results */
function referenceOf(results) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const { judgement } of judgements(results)) {
    if (judgement.than !== 'net') counts.set(judgement.than, (counts.get(judgement.than) ?? 0) + 1);
  }
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? 'ws';
}

/** @param {string} text */
const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** @param {Results} results @param {string} subtitle @returns {string} an SVG document */
export function drawChart(results, subtitle) {
  const than = referenceOf(results);
  const lines = linesOf(results, than);
  const marks = lines.flatMap(({ ours, floor, target }) => [ours.low, ours.high, floor ?? 1, target ?? 1]);
  const lowest = Math.min(0.8, ...marks) * 0.9;
  const highest = Math.max(2, ...marks) * 1.15;
  /** @param {number} value */
  const at = (value) => Math.round((LABELS + (PLOT * Math.log(value / lowest)) / Math.log(highest / lowest)) * 10) / 10;
  const width = LABELS + PLOT + FIGURES;
  const height = TOP + lines.length * ROW + 16;
  const bottom = TOP + lines.length * ROW;
  const ticks = TICKS.filter((tick) => tick >= lowest && tick <= highest).map(
    (tick) =>
      `<line class="${tick === 1 ? 'one' : 'grid'}" x1="${at(tick)}" y1="${TOP - 6}" x2="${at(tick)}" y2="${bottom}"/>` +
      `<text class="quiet" x="${at(tick)}" y="${TOP - 12}" text-anchor="middle">${tick}×</text>`,
  );
  const rows = lines.map((line, index) => drawLine(line, TOP + index * ROW + ROW / 2, at));
  const title = `How many times less than ${labelOf(than)}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
text { font: 13px system-ui, sans-serif; fill: #1f2328 } .title { font-size: 16px; font-weight: 600 } .quiet { font-size: 12px; fill: #59636e }
.back { fill: #ffffff } .grid { stroke: #d1d9e0 } .one { stroke: #59636e } .target { stroke: #1f2328; stroke-width: 2 } .floor { fill: none; stroke: #59636e; stroke-width: 1.5 }
.holds { fill: #0969da; stroke: #0969da; stroke-width: 2 } .missed { fill: #bc4c00; stroke: #bc4c00; stroke-width: 2 }
@media (prefers-color-scheme: dark) { text { fill: #f0f6fc } .back { fill: #0d1117 } .quiet { fill: #9198a1 } .grid { stroke: #30363d } .one { stroke: #9198a1 } .target { stroke: #f0f6fc } .floor { stroke: #9198a1 } .holds { fill: #4493f8; stroke: #4493f8 } .missed { fill: #f0883e; stroke: #f0883e } }
</style>
<rect class="back" width="${width}" height="${height}"/>
<text class="title" x="12" y="24">${escaped(title)}, ${escaped(subtitle)}</text>
<text class="quiet" x="12" y="46">Cost of ${escaped(labelOf(than))} / cost of ${escaped(labelOf('ours'))}, median and 95 % interval; further right is better.</text>
${legend()}
${[...ticks, ...rows].join('\n')}
</svg>
`;
}

function legend() {
  const y = 62;
  return [
    `<circle class="holds" cx="18" cy="${y - 4}" r="4"/><text class="quiet" x="28" y="${y}">target holds, or there is none</text>`,
    `<rect class="missed" x="212" y="${y - 8}" width="8" height="8"/><text class="quiet" x="226" y="${y}">missed</text>`,
    `<line class="target" x1="284" y1="${y - 11}" x2="284" y2="${y + 3}"/><text class="quiet" x="292" y="${y}">target</text>`,
    diamond(346, y - 4) + `<text class="quiet" x="356" y="${y}">${escaped(labelOf('net'))}, the floor</text>`,
  ].join('\n');
}

/** @param {number} x @param {number} y */
const diamond = (x, y) => `<path class="floor" d="M${x - 5} ${y} l5 -5 l5 5 l-5 5 z"/>`;

/** @param {Line} line @param {number} y @param {(value: number) => number} at */
function drawLine({ title, ours, floor, target, holds }, y, at) {
  const style = holds ? 'holds' : 'missed';
  const x = at(ours.median);
  return [
    `<text x="${LABELS - 12}" y="${y + 4}" text-anchor="end">${escaped(title)}</text>`,
    `<line class="${style}" x1="${at(ours.low)}" y1="${y}" x2="${at(ours.high)}" y2="${y}"/>`,
    holds
      ? `<circle class="${style}" cx="${x}" cy="${y}" r="4"/>`
      : `<rect class="${style}" x="${x - 4}" y="${y - 4}" width="8" height="8"/>`,
    ...(target === undefined
      ? []
      : [`<line class="target" x1="${at(target)}" y1="${y - 8}" x2="${at(target)}" y2="${y + 8}"/>`]),
    ...(floor === undefined ? [] : [diamond(at(floor), y)]),
    `<text x="${LABELS + PLOT + FIGURES - 12}" y="${y + 4}" text-anchor="end">${short(ours.median)}×</text>`,
  ].join('');
}
