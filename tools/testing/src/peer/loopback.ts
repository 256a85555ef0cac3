import { once } from 'node:events';
import type { AddressInfo, Server, Socket } from 'node:net';
import { atEnd } from './at-end.js';

export const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

/**
 * Listens on a free port of the loopback, or on `path`, until the end of the test, which cuts all who are there. Their errors are the server's own.
 * @returns the port, 0 for a path
 */
export async function listen(server: Server, path?: string): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  return path === undefined ? portOf(server) : 0;
}

/** The same, of an http or https server. */
export async function startHttp<Http extends Server>(http: Http): Promise<Http> {
  await listen(http);
  return http;
}

/** The arguments of the next event, also where that is 'error'. */
export const next = <Told extends unknown[] = unknown[]>(
  emitter: { once(name: string, listener: (...told: Told) => void): unknown },
  name: string,
): Promise<Told> => new Promise((resolve) => emitter.once(name, (...told) => resolve(told)));
