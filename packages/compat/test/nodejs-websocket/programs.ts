import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { WebSocketServer } from '@ws/server';
import { atEnd, framesOf, portOf, TEXT, type Wire } from '@ws/testing/peer';
import type { Server } from '../../src/nodejs-websocket/index.js';
import type { original } from './original.js';

/** What a program imports: the adapter, or the old library. */
export type Old = typeof original;
export type Print = (line: string) => void;

/** Where an old server listens. */
export async function portOfOld(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.socket.on('connection', (socket: Socket) => sockets.add(socket));
  atEnd(() => {
    server.socket.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return portOf(server.socket);
}

/** Where a server of the core listens. */
export async function portOfCore(server: WebSocketServer): Promise<number> {
  atEnd(() => {
    server.close();
    for (const socket of server.clients) socket.terminate();
  });
  await once(server, 'listening');
  return portOf(server);
}

export const textsOf = (raw: Wire): string[] =>
  framesOf(raw.received)
    .filter(({ opcode }) => opcode === TEXT)
    .map(({ payload }) => payload.toString());
