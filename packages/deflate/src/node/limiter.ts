import { AsyncResource } from 'node:async_hooks';

/** Starts, and calls `done` once; throws nothing. */
export type Step = (done: () => void) => void;

/** So many steps at the same time; more wait, first come, first served. */
export class Limiter {
  readonly #limit: number;
  readonly #waiting: Step[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  run(step: Step): void {
    if (this.#running < this.#limit) this.#start(step);
    else this.#waiting.push(AsyncResource.bind(step)); // in its own context, not that of whoever makes room
  }

  #start(step: Step): void {
    this.#running++;
    step(() => {
      this.#running--;
      const next = this.#waiting.shift();
      if (next) this.#start(next);
    });
  }
}
