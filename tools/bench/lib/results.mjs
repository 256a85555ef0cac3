// Runs as they are kept in results/: the samples of each, by column, from which table, chart and page are made.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {import('./environment.mjs').Environment} Environment
 * @typedef {import('./environment.mjs').Quiet} Quiet
 * @typedef {import('./measures.mjs').Sample} Sample
 * @typedef {import('./rounds.mjs').Row} Row
 * @typedef {import('./scenarios.mjs').Scenario} Scenario
 * @typedef {import('./table.mjs').Results} Results
 *
 * @typedef {object} Settings
 * @property {'full' | 'quick'} kind
 * @property {number} rounds
 * @property {number} seconds
 * @property {boolean} malloc
 * @property {boolean} pinned server and generator have a core each
 *
 * @typedef {object} Taken
 * @property {string} at when the run ended, ISO 8601
 * @property {number} minutes
 * @property {Environment} environment
 * @property {Quiet} quiet
 *
 * @typedef {{ server: string, failure?: string, columns: Record<string, (number | null)[]> }} StoredRow
 * @typedef {{ name: string, apart?: Taken, rows: StoredRow[] }} StoredResult `apart`: measured again, not with the others
 * @typedef {{ settings: Settings, taken: Taken, results: StoredResult[] }} Run
 */

const RESULTS = path.join(path.dirname(path.dirname(fileURLToPath(import.meta.url))), 'results');

const DIGITS = 4;

/** @param {Row} row @returns {StoredRow} */
function pack({ server, samples, failure }) {
  if (failure !== undefined) return { server, failure, columns: {} };
  const fields = [...new Set(samples.flatMap((sample) => Object.keys(sample)))].filter((field) => field !== 'more');
  const columns = fields.map((field) => [
    field,
    samples.map((sample) => {
      const value = sample[/** @type {Exclude<keyof Sample, 'more'>} */ (field)];
      return value === undefined ? null : Number(value.toPrecision(DIGITS));
    }),
  ]);
  return { server, columns: Object.fromEntries(columns) };
}

/** @param {StoredRow} row @returns {Row} */
function unpack({ server, columns, failure }) {
  const rounds = Math.max(0, ...Object.values(columns).map(({ length }) => length));
  const samples = Array.from({ length: rounds }, (_, round) =>
    Object.fromEntries(
      Object.entries(columns).flatMap(([field, values]) => {
        const value = values[round] ?? undefined;
        return value === undefined ? [] : [[field, value]];
      }),
    ),
  );
  const row = { server, samples: /** @type {Sample[]} */ (/** @type {unknown} */ (samples)) };
  return failure === undefined ? row : { ...row, failure };
}

/** @param {Settings} settings @param {Taken} taken @param {Results} results @returns {Run} */
export const packRun = (settings, taken, results) => ({
  settings,
  taken,
  results: results.map(({ scenario, rows }) => ({ name: scenario.name, rows: rows.map(pack) })),
});

/** In the order of the scenarios; what is no scenario any more is left out. @param {Run} run @param {readonly Scenario[]} scenarios @returns {Results} */
export const resultsOf = (run, scenarios) =>
  scenarios.flatMap((scenario) => {
    const stored = run.results.find(({ name }) => name === scenario.name);
    return stored === undefined ? [] : [{ scenario, rows: stored.rows.map(unpack) }];
  });

/** A stored run with some of its scenarios measured anew, which says so. @param {Run} stored @param {Run} newer @returns {Run} */
export function mergeRun(stored, newer) {
  const replaced = newer.results.map((result) => ({ ...result, apart: newer.taken }));
  const names = new Set(replaced.map(({ name }) => name));
  return { ...stored, results: [...stored.results.filter(({ name }) => !names.has(name)), ...replaced] };
}

/** @param {Run} run */
export const majorOf = ({ taken }) => Number(/^v(\d+)/.exec(taken.environment.node)?.[1]);

/** @param {Run} run @param {string} directory */
export const fileOf = (run, directory = RESULTS) =>
  path.join(directory, `node-${majorOf(run)}${run.settings.kind === 'quick' ? '-quick' : ''}.json`);

/** One line for each column: a diff shows which case changed. @param {Run} run */
export function formatRun({ settings, taken, results }) {
  const cases = results.map(({ rows, ...result }) => {
    const lines = rows.map((row) => `    ${JSON.stringify(row)}`).join(',\n');
    return `  ${JSON.stringify(result).slice(0, -1)},"rows":[\n${lines}\n  ]}`;
  });
  return `{"settings":${JSON.stringify(settings)},\n"taken":${JSON.stringify(taken)},\n"results":[\n${cases.join(',\n')}\n]}\n`;
}

/** @param {string} file @returns {Run} */
export const readRun = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** @param {string} directory @returns {Run[]} */
export function readRuns(directory = RESULTS) {
  mkdirSync(directory, { recursive: true });
  const names = readdirSync(directory).filter((name) => /^node-\d+(-quick)?\.json$/.test(name));
  return names.map((name) => readRun(path.join(directory, name))).toSorted((a, b) => majorOf(a) - majorOf(b));
}

/**
 * Keeps a run. One of all cases takes the place of the last of its kind and Node version; one of some only replaces those.
 * @param {Run} run @param {boolean} isWhole @param {string} [directory] @returns {string} the file
 */
export function storeRun(run, isWhole, directory = RESULTS) {
  mkdirSync(directory, { recursive: true });
  const file = fileOf(run, directory);
  /** @type {Run | undefined} */
  let stored;
  try {
    stored = isWhole ? undefined : readRun(file);
  } catch {
    stored = undefined; // the first of its kind
  }
  writeFileSync(file, formatRun(stored === undefined ? run : mergeRun(stored, run)));
  return file;
}
