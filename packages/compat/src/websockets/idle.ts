import type { WebSocketServer } from '@ws/server';

/** In each `timeout`, to see whether bytes came or went: who is silent is closed after 1 to 1.25 times of it. */
const LOOKS = 4;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Closes connections with 1001 on which no byte went in either direction for `timeout` ms; 0: for ever. @throws {RangeError} for what is no number of ms */
export function closeIdle(server: WebSocketServer, timeout: number): void {
  if (!(Number.isFinite(timeout) && timeout >= 0 && timeout <= MAX_TIMEOUT_MS))
    throw new RangeError(`timeout is ${timeout}, expected 0 to ${MAX_TIMEOUT_MS} ms`);
  if (timeout === 0) return;
  server.on('connection', (webSocket) => {
    let [seen, looks] = [-1, 0];
    const timer = setInterval(() => {
      const bytes = webSocket.bytesReceived + webSocket.bytesSent;
      looks = bytes === seen ? looks + 1 : 0;
      seen = bytes;
      if (looks === LOOKS) webSocket.close(1001);
    }, timeout / LOOKS).unref();
    webSocket.on('close', () => clearInterval(timer));
  });
}
