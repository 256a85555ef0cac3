import { isValidCloseCode } from '@ws/frame';
import { ClosedError } from './closed-error.js';
import { MessageError, type FaultCode } from './protocol/index.js';

/** What comes of the end of a connection. The rest of the codes are our own program's. */
const OF_THE_CONNECTION: ReadonlySet<FaultCode> = new Set(['WS_ERR_INCOMPLETE_MESSAGE', 'WS_ERR_CLOSED']);

/**
 * Is `error` the end or the offence of a connection, which its peer can cause at any time: what `for await`, `text()`, `sendStream` and `pipeline` reject with then?
 * An async listener of a socket or a server may reject with one: `'close'` tells, and a connection that is still open is closed with the error's `closeCode`, if it has one. With any other error it is an unhandled rejection.
 */
export function isPeerFault(error: unknown): boolean {
  if (error instanceof ClosedError) return true;
  if (error instanceof MessageError) return OF_THE_CONNECTION.has(error.code);
  if (!(error instanceof Error && 'code' in error)) return false;
  return 'closeCode' in error || error.code === 'WS_ERR_CLOSED'; // a violation of the protocol, or of a limit; what was sent too late
}

/** The rejection of an async listener, `sockets` being its emitter and what it was told: one that offends closes the connection if that is still open. */
export function listenerRejected(reason: unknown, ...sockets: unknown[]): void {
  // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- as it was, for 'unhandledRejection'
  if (!isPeerFault(reason)) return void Promise.reject(reason);
  const closeCode = reason instanceof Error && 'closeCode' in reason ? Number(reason.closeCode) : undefined;
  if (closeCode === undefined) return;
  for (const socket of sockets) if (isOpen(socket)) socket.close(isValidCloseCode(closeCode) ? closeCode : 1011);
}

interface OpenSocket {
  close(code: number): void;
}

const isOpen = (value: unknown): value is OpenSocket =>
  typeof value === 'object' && value !== null && 'readyState' in value && value.readyState === 1 && 'close' in value;
