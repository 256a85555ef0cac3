// Settings take turns, A B C A B C …, so that a slow moment of the machine hits all of them; medians of the rounds.
import { median } from '../../bench/lib/statistics.mjs';

/**
 * @typedef {Readonly<Record<string, number>>} Figures
 *
 * @typedef {object} Subject a setting that has been started
 * @property {(seconds: number) => Promise<Figures>} measure
 * @property {() => Promise<unknown>} close
 */

const QUICK = { rounds: 1, seconds: 0.05, warmUp: 0 };

/**
 * @param {readonly (readonly [name: string, start: () => Promise<Subject>])[]} settings
 * @param {{ rounds: number, seconds: number, warmUp: number }} pace seconds of a measurement, and of what comes before the first
 * @param {boolean} [quick] only to see that it works
 * @returns {Promise<Map<string, Figures>>}
 */
export async function alternate(settings, pace, quick = false) {
  const { rounds, seconds, warmUp } = quick ? QUICK : pace;
  /** @type {(Subject & { name: string, samples: Figures[] })[]} */
  const subjects = [];
  try {
    for (const [name, start] of settings) subjects.push({ name, samples: [], ...(await start()) });
    if (warmUp > 0) for (const { measure } of subjects) await measure(warmUp);
    for (let round = 0; round < rounds; round++) {
      for (const { measure, samples } of subjects) samples.push(await measure(seconds));
    }
  } finally {
    for (const { close } of subjects) await close();
  }
  return new Map(subjects.map(({ name, samples }) => [name, medians(samples)]));
}

/** @param {readonly Figures[]} samples @returns {Figures} */
const medians = (samples) =>
  Object.fromEntries(
    Object.keys(samples[0] ?? {}).map((key) => [key, median(samples.map((each) => each[key] ?? NaN))]),
  );

/** Joins what several measurements found of the same settings. @param {readonly Map<string, Figures>[]} parts */
export function join(...parts) {
  /** @type {Map<string, Figures>} */
  const joined = new Map();
  for (const part of parts) for (const [name, figures] of part) joined.set(name, { ...joined.get(name), ...figures });
  return joined;
}
