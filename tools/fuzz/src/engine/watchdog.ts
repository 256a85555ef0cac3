import { Worker } from 'node:worker_threads';

/** Longest that one execution may take: what is linear takes milliseconds. */
const LIMIT_MS = 20_000;

/**
 * A thread that sees when an input never ends, writes it down and ends the process: the thread that hangs cannot.
 * @param file where the input goes
 */
export class Watchdog {
  readonly #input: Uint8Array;
  readonly #state: Int32Array;
  readonly #worker: Worker;

  constructor(maxLength: number, file: string, message: string) {
    const memory = new SharedArrayBuffer(8 + maxLength);
    this.#state = new Int32Array(memory, 0, 2);
    this.#input = new Uint8Array(memory, 8);
    this.#worker = new Worker(new URL('watchdog-thread.js', import.meta.url), {
      workerData: { memory, file, message, limitMs: LIMIT_MS },
    });
    this.#worker.unref();
  }

  begin(input: Uint8Array): void {
    this.#input.set(input);
    this.#state[1] = input.length;
    Atomics.add(this.#state, 0, 1); // odd: something runs
  }

  end(): void {
    Atomics.add(this.#state, 0, 1);
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
