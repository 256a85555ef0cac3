// One line while it runs: which case, which round, how much is left.
import { roundsOf, serversOf, warmUpOf } from './rounds.mjs';

/**
 * @typedef {import('./rounds.mjs').Pace & { servers: readonly string[] }} Plan
 * @typedef {import('./scenarios.mjs').Scenario} Scenario
 * @typedef {object} Terminal
 * @property {boolean} [isTTY]
 * @property {number} [columns]
 * @property {(text: string) => unknown} write
 */

/** The servers of a case start together. */
const START_S = 0.4;
/** Between one measurement and the next: connecting, checking the last echoes. */
const BETWEEN_S = 0.1;

/** @param {Scenario} scenario @param {Plan} plan */
const hasWarmUp = (scenario, plan) => warmUpOf(scenario, plan) > 0;

/** How many measurements there are, without warming up. @param {Scenario} scenario @param {Plan} plan */
const measurements = (scenario, plan) =>
  serversOf(scenario, plan.servers).reduce((sum, server) => sum + roundsOf(scenario, plan, server), 0);

/** About how long it takes. @param {Scenario} scenario @param {Plan} plan */
export function planSeconds(scenario, plan) {
  const each = (scenario.seconds ?? plan.seconds) + BETWEEN_S;
  const warmUp = hasWarmUp(scenario, plan) ? warmUpOf(scenario, plan) + BETWEEN_S : 0;
  return START_S + serversOf(scenario, plan.servers).length * warmUp + measurements(scenario, plan) * each;
}

/** @param {number} seconds */
export function formatLeft(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} left`;
}

/** The line stays in its place on a terminal; in a log there is one line for each case. */
export class Progress {
  #scenarios;
  #plan;
  #terminal;
  #now;
  #total;
  #startedAt;
  #done = 0;
  #index = -1;
  #stepsTaken = 0;
  #isShown = false;

  /** @param {readonly Scenario[]} scenarios @param {Plan} plan @param {Terminal} terminal @param {() => number} now in seconds */
  constructor(scenarios, plan, terminal, now = () => performance.now() / 1000) {
    this.#scenarios = scenarios;
    this.#plan = plan;
    this.#terminal = terminal;
    this.#now = now;
    this.#startedAt = now();
    this.#total = scenarios.reduce((sum, scenario) => sum + planSeconds(scenario, plan), 0);
  }

  /** The next case begins. */
  next() {
    const before = this.#scenarios[this.#index];
    if (before !== undefined) this.#done += planSeconds(before, this.#plan);
    this.#index++;
    this.#stepsTaken = 0;
    if (this.#terminal.isTTY !== true) this.#terminal.write(`${this.#line('')}\n`);
  }

  /** @param {string} what is measured now */
  step(what) {
    this.#stepsTaken++;
    if (this.#terminal.isTTY !== true) return;
    this.#terminal.write(`\r\u001b[K${this.#line(`, ${what}`).slice(0, (this.#terminal.columns ?? 80) - 1)}`);
    this.#isShown = true;
  }

  /** Makes room for other output. */
  clear() {
    if (this.#isShown) this.#terminal.write('\r\u001b[K');
    this.#isShown = false;
  }

  /** @param {string} what */
  #line(what) {
    const title = this.#scenarios[this.#index]?.title ?? '';
    return `[${this.#index + 1}/${this.#scenarios.length}] ${formatLeft(this.#left())}: ${title}${what}`;
  }

  /** What is planned, stretched as what is behind us was. */
  #left() {
    const done = this.#done + this.#doneHere();
    const stretch = done > 0.05 * this.#total ? (this.#now() - this.#startedAt) / done : 1;
    return (this.#total - done) * stretch;
  }

  #doneHere() {
    const scenario = this.#scenarios[this.#index];
    if (scenario === undefined || this.#stepsTaken < 2) return 0;
    const warmUps = hasWarmUp(scenario, this.#plan) ? serversOf(scenario, this.#plan.servers).length : 0;
    const all = Math.max(1, measurements(scenario, this.#plan) + warmUps);
    return (planSeconds(scenario, this.#plan) * Math.min(this.#stepsTaken - 2, all)) / all;
  }
}
