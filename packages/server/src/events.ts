import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { SlowInfo, WebSocket } from '@ws/connection';
import type { RefusalReason } from './refusal.js';

/** Events of a `WebSocketServer` and what their listeners get. */
export interface WebSocketServerEvents<Data = unknown> {
  /** File descriptors run out: whoever comes to the own port gets 503 until there are some again. */
  acceptPaused: [error: NodeJS.ErrnoException];
  acceptResumed: [];
  /** After `close()`: the own port is closed and every tracked client is gone. */
  close: [];
  /**
   * What else there is comes from whoever emits it: programs for `ws` 8 pass on what they found out about the client.
   * It has the type that the listener gives it, so nothing narrower than `any` will do.
   */
  // oxlint-disable-next-line typescript/no-explicit-any
  connection: [socket: WebSocket<Data>, request: IncomingMessage, ...extra: any[]];
  /** From the http server, such as EADDRINUSE. */
  error: [error: Error];
  /** The lines of the 101, before it is sent; header lines may be added. */
  headers: [headers: string[], request: IncomingMessage];
  listening: [];
  /** A malformed handshake. Who listens owns the socket, and has to answer and to close it. */
  wsClientError: [error: Error, socket: Duplex, request: IncomingMessage];
  /** A handshake was refused; `error` is what a callback threw, or what was wrong, where there is such a thing. */
  refused: [reason: RefusalReason, request: IncomingMessage, error: unknown];
  /** A client takes messages more slowly than they are sent, and has caught up again: see the option `slowConsumer`. */
  slow: [socket: WebSocket<Data>, info: SlowInfo];
  recovered: [socket: WebSocket<Data>, info: SlowInfo];
}
