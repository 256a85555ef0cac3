import type { WebSocket } from '@ws/connection';
import type { Connection } from './connection.js';

/** A Server is told of a connection that is made for it. */
export const kAccept = Symbol('accept');
/** A Connection is told that its handshake is done. */
export const kOpen = Symbol('open');

export interface Parent {
  [kAccept](connection: Connection): void;
}

export interface Child {
  [kOpen](webSocket: WebSocket): void;
}
