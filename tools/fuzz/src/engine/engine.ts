import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Counters } from '../counting/counters.js';
import { Random } from '../random.js';
import type { Target } from '../target.js';
import { Corpus } from './corpus.js';
import { kindOf } from './failure.js';
import { mutated, wordsOf } from './mutate.js';
import { shrink } from './shrink.js';
import type { Watchdog } from './watchdog.js';

export interface Crash {
  readonly input: Uint8Array;
  readonly error: unknown;
}

export interface Outcome {
  readonly executions: number;
  readonly seconds: number;
  readonly crash: Crash | undefined;
}

const SHRINK_MS = 4000;
/** Targets that never wait would let no timer, no microtask of a later turn and no signal through. */
const EXECUTIONS_A_TURN = 64;

/** Runs one target: what shows something new joins the corpus, and the next input is made of it. */
export class Engine {
  readonly corpus = new Corpus();
  readonly #target: Target;
  readonly #counters: Counters;
  readonly #watchdog: Watchdog | undefined;
  #stray: { readonly error: unknown } | undefined;
  #executions = 0;

  constructor(target: Target, counters: Counters, watchdog?: Watchdog) {
    this.#target = target;
    this.#counters = counters;
    this.#watchdog = watchdog;
  }

  get executions(): number {
    return this.#executions;
  }

  /** @param inputs to begin with; the first that fails ends it, as any later one */
  async fuzz(inputs: readonly Uint8Array[], seconds: number, seed: number): Promise<Outcome> {
    const random = new Random(seed);
    const words = [...this.#target.dictionary, ...wordsOf(this.#counters.literals)];
    const startMs = performance.now();
    const endMs = startMs + seconds * 1000;
    const outcome = async (input: Uint8Array, error: unknown): Promise<Outcome> => ({
      executions: this.#executions,
      seconds: (performance.now() - startMs) / 1000,
      crash: await this.#shrunk(input, error),
    });
    const stopWatching = this.#watchStrays();
    try {
      for (const given of [...inputs, ...this.#target.seeds(), new Uint8Array(0)]) {
        const input = given.subarray(0, this.#target.maxLength);
        const error = await this.execute(input);
        if (error !== undefined) return await outcome(input, error);
      }
      while (performance.now() < endMs) {
        const input = mutated(this.#target, this.corpus.pick(random), this.corpus.any(random), words, random);
        const error = await this.execute(input);
        if (error !== undefined) return await outcome(input, error);
      }
    } finally {
      stopWatching();
    }
    return { executions: this.#executions, seconds: (performance.now() - startMs) / 1000, crash: undefined };
  }

  /** Runs one input and nothing else. @returns what was thrown */
  async replay(input: Uint8Array): Promise<unknown> {
    const stopWatching = this.#watchStrays();
    const error = await this.#attempt(input);
    stopWatching();
    return error;
  }

  /** Runs one input, and keeps it where it is worth that. @returns what was thrown */
  async execute(input: Uint8Array): Promise<unknown> {
    this.#executions++;
    this.#counters.reset();
    const error = await this.#attempt(input);
    if (error === undefined) this.corpus.offer(input, this.#counters.collect());
    return error;
  }

  async #attempt(input: Uint8Array): Promise<unknown> {
    this.#watchdog?.begin(input);
    try {
      const running = this.#target.run(Uint8Array.from(input));
      if (running) await running;
      if (this.#executions % EXECUTIONS_A_TURN < 1) await nextTurn();
    } catch (error) {
      return error ?? new Error('undefined was thrown');
    } finally {
      this.#watchdog?.end();
    }
    const stray = this.#stray;
    this.#stray = undefined;
    return stray?.error;
  }

  async #shrunk(input: Uint8Array, error: unknown): Promise<Crash> {
    const kind = kindOf(error);
    let last = error;
    const smallest = await shrink(
      input,
      async (candidate) => {
        const other = await this.#attempt(candidate);
        if (other === undefined || kindOf(other) !== kind) return false;
        last = other;
        return true;
      },
      performance.now() + SHRINK_MS,
    );
    return { input: smallest, error: last };
  }

  /** What is thrown where nobody stands above it is the doing of the input that runs. */
  #watchStrays(): () => void {
    const onStray = (error: unknown): void => {
      this.#stray ??= { error };
    };
    process.on('uncaughtException', onStray);
    process.on('unhandledRejection', onStray);
    return () => {
      process.off('uncaughtException', onStray);
      process.off('unhandledRejection', onStray);
    };
  }
}
