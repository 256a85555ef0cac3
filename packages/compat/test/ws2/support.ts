import { once, type EventEmitter } from 'node:events';
import { atEnd, next, portOf, Wire } from '@ws/testing/peer';
import {
  WebSocket as Ws8,
  WebSocketServer as Ws8Server,
  type ClientOptions,
  type ServerOptions as Ws8Options,
} from 'ws';
import WebSocket, { type Server, type ServerOptions } from '../../src/ws2/index.js';

/** A server of ours on a free port of the loopback. */
export async function start(options: ServerOptions = {}): Promise<Server> {
  const server = new WebSocket.Server({ port: 0, host: '127.0.0.1', ...options });
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  await once(server, 'listening');
  return server;
}

/** Cuts a socket of ours at the end of the test. */
export function manage(socket: WebSocket): WebSocket {
  atEnd(() => socket.terminate());
  return socket;
}

export const opened = async <Type extends EventEmitter>(socket: Type): Promise<Type> => {
  await once(socket, 'open');
  return socket;
};

/** The next connection of a server. */
export const connection = async (server: Server): Promise<WebSocket> =>
  (await next<[WebSocket]>(server, 'connection'))[0];

/** `ws` 8 as the client. */
export function ws8(port: number, protocols: string[] = [], options: ClientOptions = {}, path = '/'): Ws8 {
  const socket = new Ws8(`ws://127.0.0.1:${port}${path}`, protocols, { perMessageDeflate: false, ...options });
  atEnd(() => socket.terminate());
  socket.on('error', () => {});
  return socket;
}

/** `ws` 8 as the server. */
export async function ws8Server(options: Ws8Options = {}): Promise<{ url: string; server: Ws8Server }> {
  const server = new Ws8Server({ host: '127.0.0.1', port: 0, ...options });
  atEnd(() => {
    for (const peer of server.clients) peer.terminate();
    return new Promise((resolve) => server.close(() => resolve(undefined)));
  });
  await once(server, 'listening');
  return { url: `ws://127.0.0.1:${portOf(server)}/`, server };
}

/** A client of ours on a server of ours, both open. */
export async function pair(
  options: ServerOptions = {},
): Promise<{ server: Server; client: WebSocket; socket: WebSocket }> {
  const server = await start(options);
  const client = manage(new WebSocket(`ws://127.0.0.1:${portOf(server)}`));
  const [socket] = await Promise.all([connection(server), opened(client)]);
  return { server, client, socket };
}

/** A server end, and the raw client of it. */
export async function rawPair(options: ServerOptions = {}): Promise<{ socket: WebSocket; raw: Wire }> {
  const server = await start(options);
  const told = connection(server);
  const raw = await Wire.open(portOf(server));
  return { socket: await told, raw };
}

/** What a socket gets from now on; `until(n)` waits for n messages. */
export function inbox(socket: WebSocket): { messages: unknown[]; until(count: number): Promise<unknown[]> } {
  const messages: unknown[] = [];
  socket.on('message', (data) => messages.push(data));
  return {
    messages,
    until: async (count) => {
      while (messages.length < count) await once(socket, 'message');
      return messages;
    },
  };
}

/** Everything that happens to a socket until `'close'`, by name. */
export function history(socket: WebSocket): { events: string[]; closed: Promise<string[]> } {
  const events: string[] = [];
  socket.on('open', () => events.push('open'));
  socket.on('message', (data) => events.push(`message ${String(data)}`));
  socket.on('error', (error) => events.push(`error ${error.message}`));
  const closed = new Promise<string[]>((resolve) => {
    socket.on('close', (code, message) => {
      events.push(`close ${code} ${message}`);
      setImmediate(resolve, events); // what comes too late is in it as well
    });
  });
  return { events, closed };
}
