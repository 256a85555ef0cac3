// A WebSocket that comes back: waits longer after each failure, at once when the network or the tab returns.

const FIRST_WAIT_MS = 400;
const LAST_WAIT_MS = 10_000;
/** A connection that lived this long was a good one: the next wait starts from the first again. */
const GOOD_MS = 5_000;

/**
 * @typedef {'connecting' | 'open' | 'waiting'} LinkState
 * @typedef {{
 *   open: () => void,
 *   message: (json: string) => void,
 *   state: (state: LinkState, detail: { retryAt: number, code: number }) => void,
 * }} LinkHandlers
 */

export class Link {
  #url;
  #handlers;
  /** @type {WebSocket | undefined} */
  #socket;
  #failures = 0;
  #openedAt = 0;
  /** @type {number | undefined} */
  #timer;

  /**
   * @param {string} url
   * @param {LinkHandlers} handlers
   */
  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    window.addEventListener('online', () => this.retryNow());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.retryNow();
    });
    this.#connect();
  }

  /**
   * @param {object} message
   * @returns {boolean} whether there was a connection to send it on
   */
  send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
  }

  /** Cuts a wait short; does nothing while connected or connecting. */
  retryNow() {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#connect();
  }

  #connect() {
    this.#timer = undefined;
    this.#handlers.state('connecting', { retryAt: 0, code: 0 });
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#openedAt = performance.now();
      this.#handlers.state('open', { retryAt: 0, code: 0 });
      this.#handlers.open();
    });
    socket.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.#handlers.message(data);
    });
    socket.addEventListener('close', ({ code }) => this.#wait(code));
  }

  /** @param {number} code */
  #wait(code) {
    const lived = this.#openedAt === 0 ? 0 : performance.now() - this.#openedAt;
    this.#openedAt = 0;
    this.#failures = lived > GOOD_MS ? 0 : this.#failures + 1;
    const longest = Math.min(LAST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
    const [chance = 0] = crypto.getRandomValues(new Uint32Array(1));
    const waitMs = longest * (0.5 + chance / 2 ** 33); // spread out, so that many tabs do not come back as one
    this.#timer = setTimeout(() => this.#connect(), waitMs);
    this.#handlers.state('waiting', { retryAt: performance.now() + waitMs, code });
  }
}
