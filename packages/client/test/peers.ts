import { createHash } from 'node:crypto';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach } from '@jest/globals';
import { WebSocketServer, type ServerOptions, type WebSocket as Peer } from 'ws';
import type { WebSocket } from '../src/websocket.js';

/** What a test has opened; all of it is gone before the next one starts. */
const cleanups: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function atEnd(cleanup: () => Promise<void> | void): void {
  cleanups.push(cleanup);
}

/** Listens on a free port of the loopback interface, or on `path`. */
export async function listen(server: Server, path?: string): Promise<number> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => {});
  };
  server.on('connection', keep);
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

export interface RawRequest {
  readonly line: string;
  /** Lower-case names; the values of a repeated field as they came. */
  readonly headers: ReadonlyMap<string, string[]>;
  readonly text: string;
  readonly key: string;
  readonly socket: Socket;
  /** The bytes behind the request, and all that follow. */
  received(atLeast: number): Promise<Buffer>;
}

/** A TCP server that hands over each request as it came and answers nothing itself. */
export async function rawServer(
  onRequest: (request: RawRequest, count: number) => void,
  path?: string,
): Promise<number> {
  let count = 0;
  const server = createServer((socket) => {
    readRequest(socket, (request) => onRequest(request, ++count));
  });
  return listen(server, path);
}

export function readRequest(socket: Socket, onRequest: (request: RawRequest) => void): void {
  let bytes = Buffer.alloc(0);
  let isRead = false;
  let wake = (): void => {};
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    wake();
    const end = isRead ? -1 : bytes.indexOf('\r\n\r\n');
    if (end === -1) return;
    isRead = true;
    const text = bytes.toString('latin1', 0, end + 4);
    bytes = bytes.subarray(end + 4);
    const [line = '', ...fields] = text.trimEnd().split('\r\n');
    const headers = new Map<string, string[]>();
    for (const field of fields) {
      const colon = field.indexOf(':');
      const name = field.slice(0, colon).toLowerCase();
      headers.set(name, [...(headers.get(name) ?? []), field.slice(colon + 1).trim()]);
    }
    const received = async (atLeast: number): Promise<Buffer> => {
      while (bytes.length < atLeast) await new Promise<void>((resolve) => (wake = resolve));
      return bytes;
    };
    onRequest({ line, headers, text, key: headers.get('sec-websocket-key')?.[0] ?? '', socket, received });
  });
}

/** RFC 6455 §4.2.2, by another hand than the library's. */
export const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

/** The 101 for a request; `changes` replaces a line by name, or leaves it out. */
export function switching(key: string, changes: Record<string, string | undefined> = {}): string {
  const lines: Record<string, string | undefined> = {
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Accept': acceptOf(key),
    ...changes,
  };
  const fields = Object.entries(lines).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}\r\n`],
  );
  return `HTTP/1.1 101 Switching Protocols\r\n${fields.join('')}\r\n`;
}

/** A server of npm `ws`: the address, and its end of each connection. */
export async function wsServer(
  options: Omit<ServerOptions, 'port' | 'host' | 'noServer'> = {},
  onConnection: (peer: Peer) => void = () => {},
): Promise<{ url: string; port: number; server: WebSocketServer }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  atEnd(() => {
    for (const peer of server.clients) peer.terminate();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  server.on('connection', (peer) => {
    peer.on('error', () => {});
    onConnection(peer);
  });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}/`, port, server };
}

/** A server of npm `ws` that sends back what it gets, in the same form. */
export const echoServer = (): Promise<{ url: string; port: number; server: WebSocketServer }> =>
  wsServer({ maxPayload: 64 * 1024 * 1024 }, (peer) => {
    peer.on('message', (data, isBinary) => peer.send(data as Buffer, { binary: isBinary }));
  });

export interface Ending {
  /** Every event, in order; an error as its code, or its name where it has none. */
  readonly events: string[];
  readonly code: number;
  readonly error: (Error & { code?: string | number }) | undefined;
}

/** Waits for `'close'` and says what happened until then. */
export function ending(websocket: WebSocket): Promise<Ending> {
  const events: string[] = [];
  let error: Ending['error'];
  atEnd(() => websocket.terminate());
  for (const name of ['upgrade', 'open', 'message', 'redirect'] as const) websocket.on(name, () => events.push(name));
  websocket.on('error', (reason: Error & { code?: string }) => {
    error = reason;
    events.push(`error ${reason.code ?? reason.name}`);
  });
  return new Promise((resolve) => {
    websocket.on('close', (code: number) => {
      events.push(`close ${code}`);
      // Whatever comes too late is in the list as well.
      setImmediate(() => resolve({ events, code, error }));
    });
  });
}

/** Waits for `'open'`; the connection is cut at the end of the test. */
export async function opened(websocket: WebSocket): Promise<WebSocket> {
  atEnd(() => websocket.terminate());
  await new Promise<void>((resolve, reject) => {
    websocket.once('open', () => resolve());
    websocket.once('error', reject);
  });
  return websocket;
}

/** What a list begins with; a list without anything fails the test. */
export function first<Item>(list: Iterable<Item>): Item {
  for (const item of list) return item;
  throw new Error('the list is empty');
}

/** The next event of that name, its arguments as an array. */
export function next(
  emitter: { once(name: string, listener: (...args: never[]) => void): unknown },
  name: string,
): Promise<unknown[]> {
  return new Promise((resolve) => emitter.once(name, (...args: unknown[]) => resolve(args)));
}
