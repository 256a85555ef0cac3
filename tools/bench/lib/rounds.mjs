// Servers take turns, A B C, C B A, …, so that a slow minute of the machine hits all of them, and none is always behind the same other.
import { MEASURES } from './measures.mjs';
import { variantOf } from './variants.mjs';

/**
 * @typedef {import('./measures.mjs').Sample} Sample
 * @typedef {import('./measures.mjs').Subject} Subject
 * @typedef {import('./scenarios.mjs').Scenario} Scenario
 *
 * @typedef {object} Row what was measured of one server in one scenario
 * @property {string} server
 * @property {readonly Sample[]} samples one of each round; the same place means the same round
 * @property {string} [failure] why there are none: a server that answers wrongly, or not at all, scores nothing
 *
 * @typedef {object} Pace
 * @property {number} rounds at most so many
 * @property {boolean} [fewerOfOthers] a third as many of servers that no target names, which are there for the scale
 * @property {number} seconds length of one measurement
 * @property {number} warmUp at most so many seconds of it, unless a scenario has the whole of its own
 *
 * @typedef {{ step: (what: string) => void }} Watch is told before each measurement
 */

const messageOf = (/** @type {unknown} */ error) => (error instanceof Error ? error.message : String(error));

/** Which of the wanted servers a scenario has. @param {Scenario} scenario @param {readonly string[]} wanted */
export const serversOf = (scenario, wanted) =>
  (scenario.servers ?? MEASURES[scenario.kind].variants).filter((name) => wanted.includes(name));

/** @param {Scenario} scenario @param {string} server */
const isJudged = ({ targets = [] }, server) =>
  variantOf(server).baseline === true ||
  targets.length === 0 ||
  targets.some(({ server: judged = 'ours', than = 'ws' }) => server === judged || server === than);

/** @param {Scenario} scenario @param {Pace} pace @param {string} server */
export function roundsOf(scenario, pace, server) {
  const rounds = Math.min(pace.rounds, scenario.rounds ?? Infinity, MEASURES[scenario.kind].mostRounds);
  return pace.fewerOfOthers === true && !isJudged(scenario, server) ? Math.ceil(rounds / 3) : rounds;
}

/** Seconds. @param {Scenario} scenario @param {Pace} pace */
export const warmUpOf = ({ warmUp, wholeWarmUp = false }, pace) =>
  wholeWarmUp ? warmUp : Math.min(warmUp, pace.warmUp);

/**
 * A server that fails is left out from then on; the others go on.
 * @param {Scenario} scenario @param {Pace & { servers: readonly string[] }} options @param {import('./process.mjs').Setup} setup
 * @param {Watch} watch @param {(server: string) => Promise<Subject>} [start]
 * @returns {Promise<Row[]>}
 */
export async function runScenario(
  scenario,
  options,
  setup,
  watch,
  start = (server) => MEASURES[scenario.kind].start(scenario, server, setup),
) {
  /** @type {{ server: string, subject?: Subject, samples: Sample[], failure?: string }[]} */
  const entries = serversOf(scenario, options.servers).map((server) => ({ server, samples: [] }));
  /** @param {(typeof entries)[number]} entry @param {() => Promise<void>} act */
  const guarded = async (entry, act) => {
    if (entry.failure !== undefined) return;
    try {
      await act();
    } catch (error) {
      entry.failure = messageOf(error);
    }
  };
  /** @param {string} what @param {typeof entries} inOrder @param {(entry: (typeof entries)[number], subject: Subject) => Promise<void>} act */
  const each = async (what, inOrder, act) => {
    for (const entry of inOrder) {
      const { subject } = entry;
      if (subject === undefined) continue;
      watch.step(`${what}, ${entry.server}`);
      await guarded(entry, () => act(entry, subject));
    }
  };

  watch.step('start');
  await Promise.all(
    entries.map((entry) => guarded(entry, async () => void (entry.subject = await start(entry.server)))),
  );
  const warmUp = warmUpOf(scenario, options);
  if (warmUp > 0) await each('warm-up', entries, async (_, { measure }) => void (await measure(warmUp)));
  const rounds = Math.max(0, ...entries.map(({ server }) => roundsOf(scenario, options, server)));
  for (let round = 0; round < rounds; round++) {
    const present = entries.filter(({ server }) => round < roundsOf(scenario, options, server));
    await each(
      `round ${round + 1} of ${rounds}`,
      round % 2 === 0 ? present : present.toReversed(),
      async ({ samples }, { measure }) => void samples.push(await measure(options.seconds)),
    );
  }
  for (const entry of entries) {
    try {
      await entry.subject?.close();
    } catch (error) {
      entry.failure ??= messageOf(error); // the sink of a client counts once more here
    }
  }
  return entries.map(({ server, samples, failure }) =>
    failure === undefined ? { server, samples } : { server, samples: [], failure },
  );
}
