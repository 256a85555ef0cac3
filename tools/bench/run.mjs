// `npm run bench`: our server and client beside others, in the same run. README.md says what the figures mean.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { findBun } from './lib/bun.mjs';
import { compileLoad, missingForLoad, missingForTls } from './lib/compile.mjs';
import { describeEnvironment, watchMachine } from './lib/environment.mjs';
import { chooseCores } from './lib/machine.mjs';
import { possibleConnections } from './lib/measures.mjs';
import { readOptions, USAGE } from './lib/run-options.mjs';
import { formatLeft, planSeconds, Progress } from './lib/progress.mjs';
import { writeReport } from './lib/report.mjs';
import { packRun, storeRun } from './lib/results.mjs';
import { runScenario, serversOf } from './lib/rounds.mjs';
import { formatDoubts, formatNotes, formatTable, formatTargets } from './lib/table.mjs';
import { variantOf } from './lib/variants.mjs';

/** @typedef {import('./lib/run-options.mjs').RunOptions} RunOptions */

/** Another version of Node, from the npm registry, runs all of it. @param {string} version @param {readonly string[]} args */
function runUnder(version, args) {
  const command = ['--yes', `node@${version}`, fileURLToPath(import.meta.url), ...args];
  const { status, error } = spawnSync('npx', command, { stdio: 'inherit' });
  if (error) throw new Error(`npx, which fetches Node ${version}, could not be started: ${error.message}`);
  process.exitCode = status ?? 1;
}

/** @param {RunOptions} options @returns {Promise<import('./lib/process.mjs').Setup>} */
async function prepare(options) {
  const missing = missingForLoad();
  if (missing !== undefined) throw new Error(`the load generator is written in C and needs ${missing}`);
  if (options.servers.some((name) => variantOf(name).library === 'ours')) {
    await import('@ws/server').catch((error) => {
      throw new Error(`@ws/server cannot be loaded, is it built (npm run build)? ${error.message}`);
    });
  }
  const { malloc, profile, baseline } = options;
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const hasBun = options.scenarios.some((scenario) => serversOf(scenario, options.servers).includes('bun'));
  const bun = hasBun ? findBun() : undefined;
  return { load: compileLoad(), cores: chooseCores(), malloc, profile, baseline, bun };
}

/** @param {RunOptions} options @param {import('./lib/process.mjs').Setup} setup @param {import('./lib/environment.mjs').Environment} environment */
function announce(options, { cores }, { node, cpu, cores: count }) {
  const seconds = options.scenarios.reduce((sum, scenario) => sum + planSeconds(scenario, options), 0);
  console.log(`node ${node}, ${cpu}, ${count} cores`);
  console.log(
    cores
      ? `servers on core ${cores.server}, generator on core ${cores.load}`
      : 'not pinned: no taskset, or one core only',
  );
  console.log(
    `${options.scenarios.length} cases, ${options.rounds} rounds of ${options.seconds} s, medians${options.malloc ? ', raised malloc thresholds' : ''}; ${formatLeft(seconds)}`,
  );
  for (const { name, connections } of options.scenarios) {
    const possible = possibleConnections(connections);
    if (possible < connections) console.log(`${name}: ${possible} connections only, by the limit of open files`);
  }
  console.log('');
}

/** What this machine cannot measure is told, and not measured. @param {RunOptions} options @param {import('./lib/process.mjs').Setup} setup @returns {RunOptions} */
function leaveOut(options, { bun }) {
  const missing = missingForTls();
  const isPossible = (/** @type {RunOptions['scenarios'][number]} */ { tls }) => tls !== true || missing === undefined;
  for (const { name } of options.scenarios.filter((scenario) => !isPossible(scenario)))
    console.log(`${name}: left out, it needs ${missing}`);
  if (bun === undefined && options.scenarios.some((scenario) => serversOf(scenario, options.servers).includes('bun')))
    console.log('Bun: left out, npx could not fetch it from the npm registry');
  return {
    ...options,
    scenarios: options.scenarios.filter(isPossible),
    servers: options.servers.filter((name) => name !== 'bun' || bun !== undefined),
  };
}

/** @param {RunOptions} wanted */
async function bench(wanted) {
  const setup = await prepare(wanted);
  const options = leaveOut(wanted, setup);
  const environment = describeEnvironment(options.servers);
  announce(options, setup, environment);

  const quietOf = watchMachine();
  const startedAt = performance.now();
  const progress = new Progress(options.scenarios, options, process.stderr);
  /** @type {import('./lib/table.mjs').Results[number][]} */
  const results = [];
  /** What is measured so far, and everything at the end. */
  const run = () =>
    packRun(
      {
        kind: options.quick ? 'quick' : 'full',
        rounds: options.rounds,
        seconds: options.seconds,
        malloc: options.malloc,
        pinned: setup.cores !== undefined,
      },
      {
        at: new Date().toISOString(),
        minutes: Number(((performance.now() - startedAt) / 60_000).toFixed(1)),
        environment,
        quiet: quietOf(),
      },
      results,
    );
  for (const scenario of options.scenarios) {
    progress.next();
    const rows = await runScenario(scenario, options, setup, progress);
    results.push({ scenario, rows });
    progress.clear();
    console.log(`${formatTable([{ scenario, rows }])}\n`);
    if (options.json !== undefined)
      writeFileSync(options.json, `${JSON.stringify({ run: run(), results }, undefined, 2)}\n`);
  }
  if (results.length > 1) console.log(`${formatTable(results)}\n`);
  for (const text of [formatNotes(results), formatDoubts(results), formatTargets(results)])
    if (text !== '') console.log(text);
  console.log('\nwhat the columns mean: tools/bench/README.md');
  if (options.isKept) {
    const file = storeRun(run(), options.isWhole);
    const written = [file, ...writeReport()].map((each) => path.relative(process.cwd(), each));
    console.log(`\nwritten: ${written.join(', ')}`);
  }
  if (results.some(({ rows }) => rows.some(({ failure }) => failure !== undefined))) process.exitCode = 1;
}

try {
  const args = process.argv.slice(2);
  const options = readOptions(args);
  if (options.help) console.log(USAGE);
  else if (options.node !== undefined) runUnder(options.node, options.rest);
  else await bench(options);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
