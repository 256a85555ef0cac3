// docs/benchmarks.md and its chart, from the runs that are kept. Every figure is computed here; nothing but this writes the page.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { drawChart } from './chart.mjs';
import { markdownTable } from './markdown.mjs';
import { majorOf, readRuns, resultsOf } from './results.mjs';
import { SCENARIOS } from './scenarios.mjs';
import { spread } from './statistics.mjs';
import {
  FIELDS,
  formatDoubts,
  formatNotes,
  formatRange,
  judgements,
  labelOf,
  middle,
  short,
  thousands,
} from './table.mjs';
import { VARIANTS } from './variants.mjs';
import { ratio } from './verdicts.mjs';

/**
 * @typedef {import('./results.mjs').Run} Run
 * @typedef {import('./rounds.mjs').Row} Row
 * @typedef {import('./scenarios.mjs').Scenario} Scenario
 * @typedef {import('./table.mjs').Results} Results
 * @typedef {import('./verdicts.mjs').Judgement} Judgement
 */

const DOCS = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../../../docs');
const PAGE = path.join(DOCS, 'benchmarks.md');
const CHART = path.join(DOCS, 'benchmarks.svg');

/** Above it, the servers of fewer cases have tables of their own. */
const SHARE_OF_A_COLUMN = 0.3;

/** @param {string} text @returns {import('./markdown.mjs').Heading} */
const textual = (text) => ({ title: text, isText: true });
/** @param {string} title @returns {import('./markdown.mjs').Heading} */
const numeric = (title) => ({ title });

/** @param {Judgement} judgement @param {Scenario} scenario */
function need({ relation, bound, aim }, { unit }) {
  const text = relation === 'times' ? `≥ ${bound}` : relation === 'atMost' ? `≤ ${bound}` : `≤ ${bound} ${unit} more`;
  return aim === undefined ? text : `${text}, aim ${aim}`;
}

/** What is divided by what. @param {Judgement} judgement */
const comparison = ({ server, than, relation }) =>
  relation === 'times'
    ? `${labelOf(than)} / ${labelOf(server)}`
    : relation === 'atMost'
      ? `${labelOf(server)} / ${labelOf(than)}`
      : `${labelOf(server)} − ${labelOf(than)}`;

/** @type {Readonly<Record<Judgement['verdict'], string>>} */
const VERDICTS = { reached: 'yes', within: 'yes, by its interval', missed: '**no**', unknown: '**not measured**' };

/** @param {Scenario} scenario @param {Judgement} judgement */
const titleOf = ({ title }, { field }) => (FIELDS[field] === undefined ? title : `${title}: ${FIELDS[field]}`);

/** @template T @param {T | undefined} value @param {(value: T) => string} format */
const optional = (value, format) => (value === undefined ? '' : format(value));

/** @param {Results} results */
function targetsTable(results) {
  const rows = judgements(results).map(({ scenario, judgement }) => {
    const { interval, verdict } = judgement;
    return [
      titleOf(scenario, judgement),
      comparison(judgement),
      optional(interval?.median, short),
      optional(interval, formatRange),
      optional(interval?.rounds, String),
      need(judgement, scenario),
      VERDICTS[verdict],
    ];
  });
  const headings = [
    textual('case'),
    textual('compared'),
    numeric('median'),
    numeric('95 % interval'),
    numeric('rounds'),
    numeric('target'),
    textual('holds'),
  ];
  return markdownTable(headings, rows);
}

/** @param {Results} results */
function tally(results) {
  const verdicts = judgements(results).map(({ judgement }) => judgement.verdict);
  const count = (/** @type {Judgement['verdict']} */ wanted) => verdicts.filter((verdict) => verdict === wanted).length;
  const held = count('reached') + count('within');
  return `${held} of ${verdicts.length} targets hold, ${count('within')} of them by the better end of the interval only.`;
}

/** Servers that are in enough cases to have a column, in the order of the variants. @param {Results} results */
function columnServers(results) {
  return Object.keys(VARIANTS).filter((name) => {
    const cases = results.filter(({ rows }) => rows.some(({ server }) => server === name)).length;
    return cases >= Math.max(1, results.length * SHARE_OF_A_COLUMN);
  });
}

/** @param {Row | undefined} row */
function cost(row) {
  if (row === undefined) return '';
  const value = middle(row.samples, 'value');
  if (value === undefined) return 'failed';
  const percent = (spread(row.samples.map((sample) => sample.value)) * 100).toFixed(0);
  return `${short(value)} ± ${percent} %`;
}

/** Under their headings, in the order in which they come first. @param {Results} results @returns {[string, Results][]} */
function grouped(results) {
  const names = [...new Set(results.map(({ scenario }) => scenario.group ?? 'Others'))];
  return names.map((name) => [name, results.filter(({ scenario }) => (scenario.group ?? 'Others') === name)]);
}

/** @param {Results} results */
const costs = (results) => grouped(results).map(([name, those]) => `#### ${name}\n\n${costsTable(those)}`);

/** @param {Results} results */
function costsTable(results) {
  const servers = columnServers(results);
  const rows = results.map(({ scenario, rows: measured }) => [
    scenario.title,
    scenario.unit,
    ...servers.map((name) => cost(measured.find(({ server }) => server === name))),
  ]);
  return markdownTable([textual('case'), textual('unit'), ...servers.map((name) => numeric(labelOf(name)))], rows);
}

/** Every server of a case, cheapest first. @param {Results[number]} result */
function serversTable({ scenario, rows }) {
  const sorted = rows.toSorted(
    (a, b) => (middle(a.samples, 'value') ?? Infinity) - (middle(b.samples, 'value') ?? Infinity),
  );
  const cells = sorted.map((row) => [
    labelOf(row.server),
    cost(row),
    row.server === 'ours' ? '' : optional(ratio(rows, 'ours', row.server)?.median, short),
    optional(middle(row.samples, 'rate'), thousands),
    optional(middle(row.samples, 'p50'), short),
    optional(middle(row.samples, 'p99'), short),
  ]);
  const headings = [
    textual('server'),
    numeric(scenario.unit),
    numeric(`this / ${labelOf('ours')}`),
    numeric('rate/s'),
    numeric('p50 us'),
    numeric('p99 us'),
  ];
  return markdownTable(headings, cells);
}

/** Those cases of which the tables of costs leave servers out. @param {Results} results */
function otherServers(results) {
  const wider = grouped(results).flatMap(([, those]) => {
    const servers = columnServers(those);
    return those.filter(({ rows }) => rows.some(({ server }) => !servers.includes(server)));
  });
  return wider.map((result) => `#### ${result.scenario.title}\n\n${serversTable(result)}`);
}

/** @param {Results} results */
function latencies(results) {
  const timed = results.filter(({ rows }) => rows.some(({ samples }) => middle(samples, 'p50') !== undefined));
  const servers = columnServers(timed);
  const rows = timed.map(({ scenario, rows: measured }) => [
    scenario.title,
    ...servers.flatMap((name) => {
      const samples = measured.find(({ server }) => server === name)?.samples ?? [];
      return [
        optional(middle(samples, 'rate'), thousands),
        `${optional(middle(samples, 'p50'), short)} / ${optional(middle(samples, 'p99'), short)}`.replace(/^ \/ $/, ''),
      ];
    }),
  ]);
  const headings = servers.flatMap((name) => [numeric(`${labelOf(name)}: rate/s`), numeric('p50 / p99 us')]);
  return markdownTable([textual('case'), ...headings], rows);
}

/** Quick runs of several versions of Node beside each other, a row for each target. @param {readonly Run[]} runs @param {readonly Scenario[]} scenarios */
function versionsTable(runs, scenarios) {
  const perRun = runs.map((run) => judgements(resultsOf(run, scenarios)));
  /** @type {Map<string, readonly string[]>} */
  const rows = new Map();
  const keyOf = (/** @type {{ scenario: Scenario, judgement: Judgement }} */ { scenario, judgement }) =>
    `${scenario.name} ${comparison(judgement)} ${judgement.field} ${judgement.bound}`;
  for (const each of perRun.flat()) {
    const key = keyOf(each);
    if (rows.has(key)) continue;
    const cells = perRun.map((judged) => {
      const found = judged.find((other) => keyOf(other) === key)?.judgement;
      const figure = optional(found?.interval?.median, short);
      return found?.verdict === 'missed' ? `**${figure}**` : figure;
    });
    const { scenario, judgement } = each;
    rows.set(key, [titleOf(scenario, judgement), comparison(judgement), need(judgement, scenario), ...cells]);
  }
  const headings = runs.map(({ taken }) => numeric(taken.environment.node));
  return markdownTable([textual('case'), textual('compared'), numeric('target'), ...headings], [...rows.values()]);
}

/** @param {number} share */
const percent = (share) => `${(share * 100).toFixed(1)} %`;

/** @param {Run} run */
function provenance({ settings, taken, results }) {
  const { environment, quiet } = taken;
  const peers = Object.entries(environment.peers).map(([name, version]) => `, ${name} ${version}`);
  const apart = results.flatMap(({ name, apart: again }) =>
    again === undefined
      ? []
      : [
          `- Measured again, apart from the rest: \`${name}\`, ${again.at.slice(0, 16)}Z, commit ${again.environment.commit}, load average before ${again.quiet.loadBefore.toFixed(2)}.`,
        ],
  );
  return [
    `- ${environment.cpu}, ${environment.cores} cores${environment.isVirtual ? ' of a virtual machine' : ''}, ${environment.memoryGiB} GiB; ${environment.system}, Linux ${environment.kernel}; ${settings.pinned ? 'server and load generator on a core each' : 'server and load generator not pinned to cores'}.`,
    `- Node ${environment.node} (V8 ${environment.v8})${peers.join('')}; this repository at ${environment.commit}.`,
    `- ${taken.at.slice(0, 16)}Z, ${taken.minutes} minutes, ${settings.rounds} rounds of ${settings.seconds} s (fewer of what takes long)${settings.malloc ? ', raised malloc thresholds' : ''}. Load average ${quiet.loadBefore.toFixed(2)} before, ${quiet.loadAfter.toFixed(2)} at the end (two busy cores are 2); the host took ${percent(quiet.stolen)} of the time.`,
    ...apart,
  ].join('\n');
}

/** @param {Results} results @param {readonly Scenario[]} scenarios */
function doubts(results, scenarios) {
  const lines = [formatDoubts(results), formatNotes(results)].flatMap((text) => (text === '' ? [] : text.split('\n')));
  const absent = scenarios.filter(({ name }) => results.every(({ scenario }) => scenario.name !== name));
  lines.push(...absent.map(({ title }) => `not measured: ${title}`));
  return lines.length === 0 ? 'None.' : lines.map((line) => `- ${line}`).join('\n');
}

const INTRODUCTION = `# Benchmarks

What a server pays for a message, beside other servers in the same run and beside the floor: an echo on node's bare TCP sockets, which knows nothing of WebSocket. Server CPU (user and system, of the whole process) per message, since rates follow whatever else a machine does. c: connections, k: messages in flight on each.

The servers take turns within each round; a figure such as \`ws / @ws\` is the median of the rounds' own ratios. Its interval holds the true median with 95 %, by order statistics. A target holds if the better end of the interval meets it. How all of it is measured, and what each column means: [tools/bench](../tools/bench/README.md).

    npm run bench                       # everything, written into this page; about twenty minutes
    npm run bench -- --quick            # less of it, less exactly, in under a minute
    npm run bench -- --quick --node 24  # the same on another version of Node

It needs Debian's gcc, libc6-dev, zlib1g-dev and libssl-dev, and says so. This page and its chart are made from the samples in [tools/bench/results](../tools/bench/results) by \`node tools/bench/report.mjs\`.`;

/** @param {Run} run @param {Results} results @param {readonly Scenario[]} scenarios */
const fullSections = (run, results, scenarios) => [
  `## Node ${majorOf(run)}, all cases`,
  provenance(run),
  '![How many times less than ws each case costs, with intervals and targets](benchmarks.svg)',
  '### Targets',
  tally(results),
  targetsTable(results),
  '### Costs',
  'Medians, ± half the distance from the lowest to the highest round; servers that no target names have a third of the rounds.',
  ...costs(results),
  '### Rates and latencies',
  'A connection always has its k messages in flight: the time of a round trip is mostly spent in that queue, and follows the rate.',
  latencies(results),
  '### All servers',
  'Cases in which more servers were measured than have a column above, the cheapest first.',
  ...otherServers(results),
  '### Doubtful',
  doubts(results, scenarios),
];

/** @param {readonly Run[]} runs @param {readonly Scenario[]} scenarios @returns {string} */
export function renderPage(runs, scenarios = SCENARIOS) {
  const full = runs.filter(({ settings }) => settings.kind === 'full');
  const quick = runs.filter(({ settings }) => settings.kind === 'quick');
  const sections = [INTRODUCTION];
  for (const run of full) sections.push(...fullSections(run, resultsOf(run, scenarios), scenarios));
  if (quick.length > 0) {
    sections.push(
      '## Versions of Node, quick runs',
      'Three short rounds after little warming up: fewer cases, wider intervals, and costs that are higher than after a while, ours more than others. Bold: missed.',
      versionsTable(quick, scenarios),
      ...quick.map((run) => `### Node ${majorOf(run)}, quick: where from\n\n${provenance(run)}`),
    );
  }
  if (runs.length === 0) sections.push('No run is kept yet.');
  return `${sections.join('\n\n')}\n`;
}

/** The chart is that of the first full run, or of the first there is. @param {readonly Run[]} runs @param {readonly Scenario[]} scenarios */
export function renderChart(runs, scenarios = SCENARIOS) {
  const run = runs.find(({ settings }) => settings.kind === 'full') ?? runs[0];
  return run === undefined ? undefined : drawChart(resultsOf(run, scenarios), `Node ${majorOf(run)}`);
}

/** @returns {string[]} the files that are written */
export function writeReport(runs = readRuns()) {
  const chart = renderChart(runs);
  writeFileSync(PAGE, renderPage(runs));
  if (chart !== undefined) writeFileSync(CHART, chart);
  return chart === undefined ? [PAGE] : [PAGE, CHART];
}

/** Whether page and chart are those of the kept runs. */
export function isReportCurrent(runs = readRuns()) {
  const chart = renderChart(runs);
  return (
    readFileSync(PAGE, 'utf8') === renderPage(runs) && (chart === undefined || readFileSync(CHART, 'utf8') === chart)
  );
}
