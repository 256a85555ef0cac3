/** So many steps at the same time; more wait, first come, first served. */
export class Limiter {
  readonly #limit: number;
  readonly #waiting: ((done: () => void) => void)[] = [];
  #running = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** `step` calls `done` once. */
  run(step: (done: () => void) => void): void {
    if (this.#running < this.#limit) this.#start(step);
    else this.#waiting.push(step);
  }

  #start(step: (done: () => void) => void): void {
    this.#running++;
    step(() => {
      this.#running--;
      const next = this.#waiting.shift();
      if (next) this.#start(next);
    });
  }
}
