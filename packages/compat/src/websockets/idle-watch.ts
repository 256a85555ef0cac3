import type { WebSocket } from '@ws/server';

/** So many times in `timeout` it is looked: what is silent is closed after 1 to 1.25 times of it. */
const LOOKS = 4;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Closes connections with 1001 on which no byte went in either direction for `timeout` ms. The core cuts who does not answer. */
export class IdleWatch {
  readonly #everyMs: number;
  readonly #seen = new Map<WebSocket, { bytes: number; looks: number }>();
  #timer: NodeJS.Timeout | undefined;

  /** @param timeout 0: for ever @throws {RangeError} for what is no number of ms */
  constructor(timeout: number) {
    if (!(timeout >= 0 && timeout <= MAX_TIMEOUT_MS))
      throw new RangeError(`timeout is ${timeout}, expected 0 to ${MAX_TIMEOUT_MS} ms`);
    this.#everyMs = timeout / LOOKS;
  }

  add(webSocket: WebSocket): void {
    if (this.#everyMs === 0) return;
    this.#seen.set(webSocket, { bytes: -1, looks: 0 });
    this.#timer ??= setInterval(() => this.#look(), this.#everyMs).unref();
    webSocket.on('close', () => {
      this.#seen.delete(webSocket);
      if (this.#seen.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    });
  }

  #look(): void {
    for (const [webSocket, seen] of this.#seen) {
      const bytes = webSocket.bytesReceived + webSocket.bytesSent;
      seen.looks = bytes === seen.bytes ? seen.looks + 1 : 0;
      seen.bytes = bytes;
      if (seen.looks === LOOKS) webSocket.close(1001);
    }
  }
}
