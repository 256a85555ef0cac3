// `npm run bench`: our server and client beside npm `ws`, in the same run. README.md says what the figures mean.
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { compileLoad, missingForLoad } from './lib/compile.mjs';
import { chooseCores, describeMachine } from './lib/machine.mjs';
import { possibleConnections } from './lib/measures.mjs';
import { runScenario } from './lib/rounds.mjs';
import { pickScenarios, SCENARIOS } from './lib/scenarios.mjs';
import { formatDoubts, formatNotes, formatTable, formatTargets, ratio } from './lib/table.mjs';
import { baselineOf, VARIANTS, variantOf } from './lib/variants.mjs';

const SERVERS = 'ours,ours-public,ours-plain,ws,ws-bufferutil,ws-plain,undici,net';
const USAGE = `usage: node tools/bench/run.mjs [options]
  --scenario NAME   only this one, or those that begin so; may be repeated (${SCENARIOS.map(({ name }) => name).join(', ')})
  --rounds N        measurements of each server (8)
  --seconds S       length of a measurement (0.6)
  --servers LIST    ${SERVERS}; or all: with ${Object.keys(VARIANTS)
    .filter((name) => !SERVERS.split(',').includes(name))
    .join(', ')}
  --json FILE       every sample
  --baseline DIR    another checkout, built: its server and client as @ws, baseline
  --malloc          all servers with raised glibc thresholds, see README.md
  --profile DIR     a V8 CPU profile of every measured process`;

/** @param {string} name @param {string} text @param {number} least @param {number} most */
function number(name, text, least, most) {
  const value = Number(text);
  if (!(value >= least && value <= most)) throw new RangeError(`--${name} is ${text}, expected ${least} to ${most}`);
  return value;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      scenario: { type: 'string', multiple: true, default: [] },
      rounds: { type: 'string', default: '8' },
      seconds: { type: 'string', default: '0.6' },
      servers: { type: 'string', default: SERVERS },
      json: { type: 'string' },
      malloc: { type: 'boolean', default: false },
      profile: { type: 'string' },
      baseline: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const named = values.servers === 'all' ? Object.keys(VARIANTS) : values.servers.split(',');
  const servers = named.filter((name) => values.baseline !== undefined || variantOf(name).baseline !== true);
  if (values.baseline !== undefined)
    servers.push(...servers.map((name) => baselineOf(name)).filter((name) => name !== undefined));
  return {
    ...values,
    servers,
    scenarios: pickScenarios(values.scenario),
    rounds: Math.round(number('rounds', values.rounds, 1, 100)),
    seconds: number('seconds', values.seconds, 0.05, 60),
  };
}

/** @param {ReturnType<typeof readOptions>} options */
async function bench(options) {
  const missing = missingForLoad();
  if (missing !== undefined) throw new Error(`the load generator is written in C and needs ${missing}`);
  if (options.servers.some((name) => variantOf(name).library === 'ours')) {
    await import('@ws/server').catch((error) => {
      throw new Error(`@ws/server cannot be loaded, is it built (npm run build)? ${error.message}`);
    });
  }
  const cores = chooseCores();
  const profile = options.profile === undefined ? undefined : path.resolve(options.profile);
  const baseline = options.baseline === undefined ? undefined : path.resolve(options.baseline);
  if (profile !== undefined) mkdirSync(profile, { recursive: true });
  const setup = { load: compileLoad(), cores, malloc: options.malloc, profile, baseline };
  const machine = describeMachine();

  console.log(`node ${machine.node}, ${machine.cpu}, ${machine.cores} cores, load average ${machine.load}`);
  console.log(
    cores
      ? `servers on core ${cores.server}, generator on core ${cores.load}`
      : 'not pinned: no taskset, or one core only',
  );
  console.log(
    `${options.rounds} rounds of ${options.seconds} s, medians${options.malloc ? ', raised malloc thresholds' : ''}\n`,
  );

  const results = [];
  for (const scenario of options.scenarios) {
    if (scenario.kind === 'idle' || scenario.kind === 'deflate-idle') {
      const possible = possibleConnections(scenario.connections);
      if (possible < scenario.connections)
        console.log(`${scenario.name}: ${possible} connections only, by the limit of open files`);
    }
    const rows = await runScenario(scenario, options, setup);
    results.push({ scenario, rows });
    console.log(`${formatTable([{ scenario, rows }])}\n`);
  }
  if (results.length > 1) console.log(`${formatTable(results)}\n`);
  for (const text of [formatNotes(results), formatDoubts(results), formatTargets(results)])
    if (text !== '') console.log(text);
  if (options.json !== undefined) {
    const { rounds, seconds, malloc } = options;
    const withRatios = results.map(({ scenario, rows }) => ({ scenario, ratio: ratio(rows), rows }));
    writeFileSync(
      options.json,
      `${JSON.stringify({ machine, rounds, seconds, malloc, results: withRatios }, undefined, 2)}\n`,
    );
  }
}

try {
  const options = readOptions();
  if (options.help) console.log(USAGE);
  else await bench(options);
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
