import type { IncomingMessage } from 'node:http';

/** What goes wrong while connecting and is neither the server's handshake (`HandshakeError`) nor the network (Node's own codes). */
const FAILURES = {
  WS_ERR_HANDSHAKE_TIMEOUT: 'Opening handshake has timed out',
  WS_ERR_TOO_MANY_REDIRECTS: 'Maximum redirects exceeded',
  WS_ERR_REQUEST_CLOSED: 'The request was closed before the server answered',
} as const satisfies Record<string, string>;

export type ConnectErrorCode = keyof typeof FAILURES;

/** Connecting failed on our own side. The texts that `ws` 8 has are the same here; branch on `code`. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly code: ConnectErrorCode;

  constructor(code: ConnectErrorCode) {
    super(FAILURES[code]);
    this.code = code;
  }
}

/** Why a WebSocket was not opened. */
export interface OpeningError extends Error {
  readonly code?: string;
  /** What the server answered, where that is why. */
  readonly response?: IncomingMessage;
}

/** The answer is not shown with the error, which would be pages. */
export const answered = (error: Error, response: IncomingMessage): OpeningError =>
  Object.defineProperty(error, 'response', { value: response, configurable: true, writable: true });

/** An address or a subprotocol that cannot be used: a plain SyntaxError, as in browsers, with a `code`. */
export function syntaxError(code: 'WS_ERR_INVALID_URL' | 'WS_ERR_INVALID_SUBPROTOCOL', message: string): SyntaxError {
  return Object.assign(new SyntaxError(message), { code });
}

/** What an aborted signal is reported as: its reason where that is an error of the caller's, else an AbortError as `http.request` has it. */
export function abortError(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  if (isErrorLike(reason) && reason.name !== 'AbortError') return reason;
  return Object.assign(new Error('The operation was aborted', { cause: reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });
}

// Not `instanceof`: a DOMException, or an error of another realm, is as good.
export function isErrorLike(value: unknown): value is Error {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value;
}
