import type { Duplex } from 'node:stream';
import type { CloseInfo } from './protocol/index.js';
import type { SlowInfo } from './types.js';
import type { WebSocket } from './websocket.js';

/**
 * Who hears of a socket before its listeners do: a member of every WebSocket, for the packages of this library. One object for all sockets of
 * a server, which as listeners would be entries in a table of each.
 */
export const kObserver = Symbol.for('@ws/connection.observer');

/** Where a socket stands among those of its server: a member of every WebSocket too, where a Set of them would take four times as much. */
export const kPlace = Symbol.for('@ws/connection.place');

/** `stats` of a socket, whatever a program has assigned to the names of its counters: a member of every WebSocket too. */
export const kStats = Symbol.for('@ws/connection.stats');

/** Throws where a listener may. */
export interface Observer {
  slow(socket: WebSocket, info: SlowInfo): void;
  recovered(socket: WebSocket, info: SlowInfo): void;
  closing(socket: WebSocket, initiator: 'local' | 'remote'): void;
  /** The stream is gone; what came before may still be with us. */
  streamClosed(stream: Duplex): void;
  closed(socket: WebSocket, info: CloseInfo): void;
}
