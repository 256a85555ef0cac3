const GRACE_TURNS = 50;

/**
 * Waiting for facts instead of for time: whoever changes something calls `poke`. The watchdog ends all waiting when
 * nothing at all has happened for a while.
 */
export class Watch {
  readonly #sleepers = new Set<() => void>();
  readonly #watchdog: NodeJS.Timeout;
  #expired = false;
  #isStopped = false;
  #touches = 0;

  constructor(watchdogMs: number) {
    this.#watchdog = setTimeout(() => this.#expireUnlessTouched(GRACE_TURNS), watchdogMs);
  }

  /** Something is being done, which changes no fact yet. */
  touch(): void {
    this.#touches++;
    this.#watchdog.refresh();
  }

  /** On a machine that was busy elsewhere, the timer comes before what has arrived meanwhile: that gets its turns first. */
  #expireUnlessTouched(turns: number, touches = this.#touches): void {
    if (this.#touches !== touches || this.#isStopped) return;
    if (turns === 0) this.expire();
    else setImmediate(() => this.#expireUnlessTouched(turns - 1, touches));
  }

  poke(): void {
    if (!this.#expired) this.touch();
    const sleepers = [...this.#sleepers];
    this.#sleepers.clear();
    for (const wake of sleepers) wake();
  }

  expire(): void {
    this.#expired = true;
    this.poke();
  }

  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#watchdog);
  }

  /** Resolves when `fact` holds. @throws {Error} when the watchdog has come */
  async until(fact: () => boolean, what: string): Promise<void> {
    while (!fact()) {
      if (this.#expired) throw new Error(`nothing more happened while waiting for ${what}`);
      await new Promise<void>((resolve) => this.#sleepers.add(resolve));
    }
  }
}
