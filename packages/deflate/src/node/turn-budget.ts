/** Messages up to here are worked on at once in any case. */
const SMALL = 16_384;
const PER_TURN = 131_072;

/**
 * Of larger messages, so many bytes are worked on at once in one turn of the event loop; the rest is for the thread pool. What is quick for
 * one message is long for all that come in the same turn. Small messages that become large ones are bounded by whoever hands them over: the
 * core of `@ws/connection` gives each connection a share of a turn.
 */
export class TurnBudget {
  #spent = 0;

  allows(byteLength: number): boolean {
    return byteLength <= SMALL || this.#spent < PER_TURN;
  }

  spend(byteLength: number): void {
    if (byteLength <= SMALL) return;
    if (this.#spent === 0) {
      setImmediate(() => {
        this.#spent = 0;
      });
    }
    this.#spent += byteLength;
  }
}
