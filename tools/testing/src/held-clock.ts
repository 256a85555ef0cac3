/** The clock of a memory budget whose turns are real ones, and whose times of waiting are over when it is told so. */
export class HeldClock {
  #ms = 0;
  #timers: { readonly at: number; readonly act: () => void }[] = [];
  readonly now = (): number => this.#ms;

  soon(act: () => void): void {
    process.nextTick(act);
  }
  later(act: () => void): void {
    setImmediate(act);
  }
  after(ms: number, act: () => void): void {
    this.#timers.push({ at: this.#ms + ms, act });
  }

  advance(ms: number): void {
    this.#ms += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#ms);
    this.#timers = this.#timers.filter(({ at }) => at > this.#ms);
    for (const { act } of due) act();
  }
}
