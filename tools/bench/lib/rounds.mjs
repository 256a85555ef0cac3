// Servers take turns, A B C A B C …, so that a slow minute of the machine hits all of them; medians of the rounds.
import { MEASURES } from './measures.mjs';

/**
 * @typedef {import('./measures.mjs').Sample} Sample
 *
 * @typedef {object} Row
 * @property {string} server
 * @property {number} value median, in the scenario's unit
 * @property {number} spread half of (highest - lowest), as a share of the median
 * @property {number | undefined} rate
 * @property {number | undefined} p99
 * @property {number | undefined} serverBusy
 * @property {number | undefined} loadBusy
 * @property {number | undefined} loopDelay
 * @property {number | undefined} replyBytes
 * @property {number | undefined} compressed
 * @property {readonly Sample[]} samples
 */

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = NaN, high = low] = sorted.length % 2 === 1 ? [sorted[middle]] : [sorted[middle - 1], sorted[middle]];
  return (low + high) / 2;
}

/** @param {string} server @param {readonly Sample[]} samples @returns {Row} */
function summarise(server, samples) {
  /** @param {Exclude<keyof Row, 'server' | 'value' | 'spread' | 'samples'>} field */
  const middle = (field) => {
    const values = samples.map((sample) => sample[field]).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : median(values);
  };
  const values = samples.map(({ value }) => value);
  const value = median(values);
  return {
    server,
    value,
    spread: (Math.max(...values) - Math.min(...values)) / 2 / value,
    rate: middle('rate'),
    p99: middle('p99'),
    serverBusy: middle('serverBusy'),
    loadBusy: middle('loadBusy'),
    loopDelay: middle('loopDelay'),
    replyBytes: middle('replyBytes'),
    compressed: middle('compressed'),
    samples,
  };
}

/**
 * @param {import('./scenarios.mjs').Scenario} scenario
 * @param {{ rounds: number, seconds: number, servers: readonly string[] }} options
 * @param {import('./process.mjs').Setup} setup
 * @returns {Promise<Row[]>}
 */
export async function runScenario(scenario, options, setup) {
  const { start, variants, mostRounds } = MEASURES[scenario.kind];
  const subjects = [];
  try {
    for (const server of variants.filter((name) => options.servers.includes(name))) {
      subjects.push({ server, samples: /** @type {Sample[]} */ ([]), ...(await start(scenario, server, setup)) });
    }
    if (scenario.warmUp > 0) for (const { measure } of subjects) await measure(scenario.warmUp);
    for (let round = 0; round < Math.min(options.rounds, mostRounds); round++) {
      for (const { measure, samples } of subjects) samples.push(await measure(options.seconds));
    }
  } finally {
    for (const { close } of subjects) await close();
  }
  return subjects.map(({ server, samples }) => summarise(server, samples));
}
