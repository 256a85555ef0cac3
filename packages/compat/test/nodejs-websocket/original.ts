import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { atEnd, portOf } from '@ws/testing/peer';
import adapter, { type Server } from '../../src/nodejs-websocket/index.js';

/** What a program imports, of the adapter or of the old library. */
export type Old = Pick<typeof adapter, 'connect' | 'createServer' | 'setBinaryFragmentation' | 'setMaxBufferLength'>;

/** nodejs-websocket itself, where the benchmarks have it. */
export const original = createRequire(new URL('../../../../tools/bench/package.json', import.meta.url))(
  'nodejs-websocket',
) as Old;

/** The same with the one and with the other. */
export const inBoth = <Made>(make: (ws: Old) => Made): { adapter: Made; original: Made } => ({
  adapter: make(adapter),
  original: make(original),
});

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
