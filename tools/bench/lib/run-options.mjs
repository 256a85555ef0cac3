// What the command line of run.mjs says.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { serversOf } from './rounds.mjs';
import { pickScenarios, SCENARIOS } from './scenarios.mjs';
import { baselineOf, VARIANTS, variantOf } from './variants.mjs';

/** Answer a question that few have. */
const ON_REQUEST = ['ours-takeover', 'ours-loop', 'ws-no-takeover', 'compat-ws', 'compat-nodejs-websocket'];
const SERVERS = Object.keys(VARIANTS).filter((name) => !ON_REQUEST.includes(name) && variantOf(name).baseline !== true);

const FULL = { rounds: 9, seconds: 0.4, warmUp: 4 };
const QUICK = { rounds: 3, seconds: 0.15, warmUp: 1.5 };

export const USAGE = `usage: npm run bench -- [options]    (or node tools/bench/run.mjs, when all is built)
  --quick           the chosen cases in under a minute
  --node VERSION    with another version of Node, from the npm registry
  --scenario NAME   only this one, or those that begin so; may be repeated (${SCENARIOS.map(({ name }) => name).join(', ')})
  --servers LIST    ${SERVERS.join(',')}; or all: with ${ON_REQUEST.join(', ')}
  --rounds N        measurements of each server (${FULL.rounds}; in a run of all a third as many of those that are in no target)
  --seconds S       length of a measurement (${FULL.seconds})
  --keep            keep also a run of some cases, in place of the same cases of the last run of all
  --no-keep         keep nothing: results/ and docs/benchmarks.md stay as they are
  --json FILE       every sample, and what else was seen
  --baseline DIR    another checkout, built: its server and client as @ws, baseline
  --malloc          all servers with raised glibc thresholds, see README.md
  --profile DIR     a V8 CPU profile of every measured process
A run of all cases with its own settings is kept: results/, docs/benchmarks.md and its chart are written anew.`;

/** @param {string} name @param {string | undefined} text @param {number} otherwise @param {number} least @param {number} most */
function number(name, text, otherwise, least, most) {
  const value = text === undefined ? otherwise : Number(text);
  if (!(value >= least && value <= most)) throw new RangeError(`--${name} is ${text}, expected ${least} to ${most}`);
  return value;
}

/** @param {string | undefined} file */
const resolved = (file) => (file === undefined ? undefined : path.resolve(file));

/** @param {string | undefined} list @param {boolean} hasBaseline */
function pickServers(list, hasBaseline) {
  const named = list === undefined ? SERVERS : list === 'all' ? Object.keys(VARIANTS) : list.split(',');
  const servers = named.filter((name) => hasBaseline || variantOf(name).baseline !== true);
  if (hasBaseline) servers.push(...servers.map((name) => baselineOf(name)).filter((name) => name !== undefined));
  return [...new Set(servers)];
}

/** Those that say most: there is no time for more, for a server that is not warm costs several times what it does later. */
const QUICK_SERVERS = ['ours', 'baseline', 'ws-native', 'undici', 'net'];

/** A quick run measures which of these the targets name. @param {Scenario} scenario @returns {Scenario} */
function quickly(scenario) {
  const named = ['ours', 'baseline', ...(scenario.targets ?? []).map(({ than = 'ws' }) => than)];
  return {
    ...scenario,
    servers: serversOf(
      scenario,
      QUICK_SERVERS.filter((name) => named.includes(name)),
    ),
  };
}

/** @typedef {import('./scenarios.mjs').Scenario} Scenario */
/** @typedef {ReturnType<typeof readOptions>} RunOptions */

/** @param {readonly string[]} args */
export function readOptions(args) {
  const { values, tokens } = parseArgs({
    args: [...args],
    tokens: true,
    options: {
      quick: { type: 'boolean', default: false },
      node: { type: 'string' },
      scenario: { type: 'string', multiple: true, default: [] },
      servers: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      keep: { type: 'boolean', default: false },
      'no-keep': { type: 'boolean', default: false },
      json: { type: 'string' },
      baseline: { type: 'string' },
      malloc: { type: 'boolean', default: false },
      profile: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const { quick, baseline, malloc, profile } = values;
  const usual = quick ? QUICK : FULL;
  /** Cases or servers are left out: no replacement for a run of all. */
  const isWhole = values.scenario.length === 0 && values.servers === undefined;
  const isUsual =
    isWhole && [values.rounds, values.seconds, baseline, profile].every((value) => value === undefined) && !malloc;
  if (values.keep && (baseline !== undefined || malloc || profile !== undefined))
    throw new RangeError('--keep is for runs without --baseline, --malloc and --profile, which change the figures');
  const named = pickScenarios(values.scenario);
  const picked = quick && values.scenario.length === 0 ? named.filter((scenario) => scenario.quick === true) : named;
  const nodeAt = tokens.find((token) => token.kind === 'option' && token.name === 'node');
  const rest = args.filter((_, index) => {
    if (nodeAt?.kind !== 'option') return true;
    return index !== nodeAt.index && (nodeAt.inlineValue || index !== nodeAt.index + 1);
  });
  return {
    help: values.help,
    node: values.node,
    rest,
    quick,
    scenarios: quick && values.servers === undefined ? picked.map(quickly) : picked,
    servers: pickServers(values.servers, baseline !== undefined),
    rounds: Math.round(number('rounds', values.rounds, usual.rounds, 1, 100)),
    fewerOfOthers: isWhole && values.rounds === undefined,
    seconds: number('seconds', values.seconds, usual.seconds, 0.05, 60),
    warmUp: usual.warmUp,
    json: resolved(values.json),
    baseline: resolved(baseline),
    malloc,
    profile: resolved(profile),
    isWhole,
    isKept: !values['no-keep'] && (isUsual || values.keep),
  };
}
