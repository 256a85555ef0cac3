import { FakeClock } from '@ws/testing';
import type { BudgetClock } from '../src/memory-budget.js';

/** Time for a budget that stands still until it is told to move. */
export class MemoryClock implements BudgetClock {
  readonly #clock = new FakeClock();
  readonly now = this.#clock.now;
  #soon: (() => void)[] = [];
  #later: (() => void)[] = [];
  #timers: { readonly at: number; readonly act: () => void }[] = [];

  soon(act: () => void): void {
    this.#soon.push(act);
  }
  later(act: () => void): void {
    this.#later.push(act);
  }
  after(ms: number, act: () => void): void {
    this.#timers.push({ at: this.now() + ms, act });
  }

  /** What is due at once: between two events of a loop. */
  settle(): void {
    for (let act = this.#soon.shift(); act; act = this.#soon.shift()) act();
  }

  /** A turn of the loop. */
  turn(): void {
    this.settle();
    for (const act of this.#later.splice(0)) {
      act();
      this.settle();
    }
  }

  advance(ms: number): void {
    const end = this.now() + ms;
    for (;;) {
      this.turn();
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers.splice(this.#timers.indexOf(due), 1);
      this.#clock.advance(Math.max(0, due.at - this.now()));
      due.act();
    }
    this.#clock.advance(end - this.now());
    this.turn();
  }
}
