import type { OutgoingHttpHeaders } from 'node:http';
import type { Duplex } from 'node:stream';
import { sharedTimers, WheelTimer } from '@ws/connection';
import { formatResponse, refusalResponse, type HeaderList } from '@ws/handshake';

/** Why a handshake was refused: the name of the option that decided it, where there is one. */
export type RefusalReason =
  /** The request breaks RFC 6455 §4.1; the error has the `code`. */
  | 'handshake'
  /** No server here serves the path. */
  | 'path'
  | 'allowedHosts'
  | 'origins'
  | 'maxHeaderSize'
  | 'maxHeaderCount'
  /** The function threw. */
  | 'trustProxy'
  | 'maxConnections'
  | 'maxConnectionsPerAddress'
  | 'maxPending'
  | 'memoryLimit'
  /** Of handshakes, that is. */
  | 'rateLimit'
  /** The process has no file descriptors left: see the event. */
  | 'acceptPaused'
  | 'verifyClient'
  | 'handleProtocols'
  | 'requireProtocol'
  /** Its constructor threw. */
  | 'WebSocket'
  /** A `'headers'` listener threw, or added what may not be sent. */
  | 'headers'
  /** The request did not arrive in time, or a question to user code had no answer. */
  | 'handshakeTimeout'
  /** The server is closed or closing. */
  | 'closing';

/** A refusal on its way to the peer. */
export interface Refusal {
  readonly reason: RefusalReason;
  readonly status: number;
  /** @default the reason phrase */
  readonly body?: string | undefined;
  readonly phrase?: string | undefined;
  readonly headers?: HeaderList | OutgoingHttpHeaders | undefined;
  /** For the operator alone: nothing of it goes to the peer. */
  readonly error?: unknown;
}

/** How long a refused peer has to read its answer and to close, before TCP is cut. */
const LINGER_MS = 1000;

/** The error listener of every socket that nobody else looks after: what a peer does to it ends in `'close'`. */
export function ignoreError(): void {}

export function ignoreErrors(socket: Duplex): void {
  if (socket.listenerCount('error', ignoreError) === 0) socket.on('error', ignoreError);
}

/** The refusal as HTTP text. A status, phrase or header that may not be sent makes it a 500, and `error` says why. */
export function serializeRefusal(refusal: Refusal): { readonly text: string; readonly error: unknown } {
  const { status, body, phrase, headers, error } = refusal;
  try {
    return {
      text: formatResponse(refusalResponse(status, { body, headers: headerList(headers), reason: phrase })),
      error,
    };
  } catch (cause) {
    return { text: formatResponse(refusalResponse(500)), error: cause };
  }
}

/**
 * Sends the last thing this socket says. What the peer still sends is read and dropped until it closes or the time is
 * up: closing with unread bytes would reset the connection, and the answer might never be seen.
 */
export function answerAndClose(socket: Duplex, text: string): void {
  ignoreErrors(socket);
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const timer = new WheelTimer(() => socket.destroy());
  sharedTimers.schedule(timer, LINGER_MS);
  socket.once('close', () => sharedTimers.cancel(timer));
  socket.resume();
  socket.end(text, 'latin1');
}

/** What goes with a status. */
export interface UpgradeRefusal {
  /** The reason phrase. @default that of the status */
  readonly reason?: string | undefined;
  /** Plain text. @default the reason */
  readonly body?: string | undefined;
  readonly headers?: HeaderList | OutgoingHttpHeaders | undefined;
}

/**
 * Refuses a handshake in an `'upgrade'` or a `'wsClientError'` listener of yours: answers it, and closes the connection when the peer has had
 * its second to read the answer, whatever it goes on sending.
 * @throws {RangeError} for a status under 300 or over 599, or 304; {TypeError} for a reason or header that cannot be sent; before anything is sent
 */
export function refuseUpgrade(socket: Duplex, status: number, options: UpgradeRefusal = {}): void {
  const headers = headerList(options.headers);
  answerAndClose(socket, formatResponse(refusalResponse(status, { ...options, headers })));
}

/** Headers in Node's form as the list of names and values that the handshake layer takes. */
function headerList(headers: HeaderList | OutgoingHttpHeaders = []): HeaderList {
  if (isList(headers)) return headers;
  return Object.entries(headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) => (one === undefined ? [] : [name, String(one)])),
  );
}

const isList = (headers: HeaderList | OutgoingHttpHeaders): headers is HeaderList => Array.isArray(headers);
