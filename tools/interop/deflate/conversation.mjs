// The client's side of a cell, wherever the client runs: sends the messages, some in flight at a time, and compares what comes back.

/** @typedef {import('./messages.mjs').Message} Message */
/** What the client saw. @typedef {{ answered: number, difference?: string, error?: string, extensions?: string }} Outcome */

/** So many messages wait for their echo at a time: small ones behind large ones, and the other way round. */
export const IN_FLIGHT = 16;

export class Conversation {
  #messages;
  #send;
  #sent = 0;
  #answered = 0;
  /** @type {string | undefined} */
  #difference;

  /** @param {readonly Message[]} messages @param {(message: Message) => void} send */
  constructor(messages, send) {
    this.#messages = messages;
    this.#send = send;
  }

  /** Nothing is left to do: all have been answered, or one answer was wrong. */
  get isOver() {
    return this.#difference !== undefined || this.#answered === this.#messages.length;
  }

  /** @returns {Outcome} */
  get outcome() {
    return { answered: this.#answered, ...(this.#difference !== undefined && { difference: this.#difference }) };
  }

  start() {
    while (this.#sent < this.#messages.length && this.#sent - this.#answered < IN_FLIGHT) {
      this.#send(/** @type {Message} */ (this.#messages[this.#sent++]));
    }
  }

  /** @param {boolean} binary @param {Uint8Array} bytes */
  receive(binary, bytes) {
    if (this.isOver) return;
    const expected = /** @type {Message} */ (this.#messages[this.#answered]);
    const at = firstDifference(expected.bytes, bytes);
    if (expected.binary !== binary || at >= 0) {
      const wanted = describe(expected.binary, expected.bytes);
      this.#difference = `message ${this.#answered}: ${wanted} came back as ${describe(binary, bytes)}, different from byte ${at}`;
      return;
    }
    this.#answered++;
    this.start();
  }
}

/** @param {boolean} binary @param {Uint8Array} bytes */
const describe = (binary, bytes) => `${binary ? 'binary' : 'text'} of ${bytes.length} bytes`;

/** -1: none. @param {Uint8Array} expected @param {Uint8Array} bytes */
function firstDifference(expected, bytes) {
  const length = Math.min(expected.length, bytes.length);
  for (let i = 0; i < length; i++) if (expected[i] !== bytes[i]) return i;
  return expected.length === bytes.length ? -1 : length;
}
