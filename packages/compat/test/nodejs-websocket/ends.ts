import { once } from 'node:events';
import { duplexPair } from 'node:stream';
import { atEnd, handshake, listenSwitching, portOf, Wire } from '@ws/testing/peer';
import {
  connect,
  type Connection,
  createServer,
  type ConnectOptions,
  type Server,
  type ServerOptions,
} from '../../src/nodejs-websocket/index.js';

export const urlOf = (server: Server, path = '/'): string => `ws://127.0.0.1:${portOf(server.socket)}${path}`;

/** Ends `server` and who is there, and waits for its end. */
function stop(server: Server): Promise<unknown> | undefined {
  server.socket.closeAllConnections();
  for (const { webSocket } of server.connections) webSocket?.terminate();
  if (!server.socket.listening) return undefined;
  const closed = once(server, 'close');
  server.close();
  return closed;
}

/** A server that listens. */
export async function listening(server: Server): Promise<Server> {
  atEnd(() => stop(server));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export const serve = (options: ServerOptions = {}, callback?: (connection: Connection) => void): Promise<Server> =>
  listening(createServer(options, callback));

export function dial(address: string, options?: ConnectOptions, callback?: () => void): Connection {
  const connection = connect(address, options, callback);
  atEnd(() => connection.socket.destroy());
  return connection;
}

/** Two ends of a stream. */
export const inMemory = (): ReturnType<typeof duplexPair> => {
  const ends = duplexPair();
  atEnd(() => ends.forEach((end) => end.destroy()));
  return ends;
};

/** Both ends of a connection, open. */
export async function pair(
  options: ServerOptions = {},
  clientOptions: ConnectOptions = {},
): Promise<{ server: Server; client: Connection; remote: Connection }> {
  const server = await serve(options);
  const arrival = once(server, 'connection') as Promise<[Connection]>;
  const client = dial(urlOf(server), clientOptions);
  await once(client, 'connect');
  const [remote] = await arrival;
  return { server, client, remote };
}

/** All events of these names from now on, in order: name and arguments. */
export function record(emitter: NodeJS.EventEmitter, names: readonly string[], log: unknown[][] = []): unknown[][] {
  for (const name of names) emitter.on(name, (...args: unknown[]) => log.push([name, ...args]));
  return log;
}

/** A client that is only TCP, and says this first. */
export const rawClient = (server: Server, text: string | Uint8Array = handshake()): Wire =>
  Wire.to(portOf(server.socket), text);

/** The same behind its handshake, and what it is connected to. */
export async function rawPair(
  options: ServerOptions = {},
  text?: string,
): Promise<{ server: Server; raw: Wire; remote: Connection }> {
  const server = await serve(options);
  const arrival = once(server, 'connection') as Promise<[Connection]>;
  const raw = await Wire.open(portOf(server.socket), text);
  const [remote] = await arrival;
  return { server, raw, remote };
}

/** A client that is connected to what is only TCP, and the head of its request. */
export async function rawServed(
  options: ConnectOptions = {},
): Promise<{ client: Connection; raw: Wire; head: string }> {
  const { url, visit } = await listenSwitching();
  const client = dial(url, options);
  await once(client, 'connect');
  const { wire, text } = await visit;
  return { client, raw: wire, head: text };
}

/** A connection that has closed, and can do nothing any more. */
export async function closedConnection(): Promise<Connection> {
  const { client, remote } = await pair();
  const gone = remote.webSocket!.closed;
  client.close();
  await gone;
  return remote;
}
