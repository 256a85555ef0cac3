/** A clock that stands still until it is told to move. `clock.now` goes wherever a function `() => number` of ms is asked for. */
export class FakeClock {
  #ms = 0;
  readonly now = (): number => this.#ms;

  advance(ms: number): number {
    return (this.#ms += ms);
  }
}
