import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { atEnd, listen as listenUntilTheEnd } from '@ws/testing/peer';
import { WebSocketServer, type ServerOptions, type WebSocket as Peer } from 'ws';
import type { WebSocket } from '../src/websocket.js';

export { acceptOf, atEnd, next, switching } from '@ws/testing/peer';

/** Listens on a free port of the loopback, or on `path`; who is connected may break off. */
export function listen(server: Server, path?: string): Promise<number> {
  server.on('connection', (socket: Socket) => socket.on('error', () => {}));
  return listenUntilTheEnd(server, path);
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

/** A server of npm `ws`: the address, and its end of each connection. */
export async function wsServer(
  options: Omit<ServerOptions, 'port' | 'host' | 'noServer'> = {},
  onConnection: (peer: Peer) => void = () => {},
): Promise<{ url: string; port: number; server: WebSocketServer }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  atEnd(() => {
    for (const peer of server.clients) peer.terminate();
    return new Promise<void>((resolve) => server.close(() => resolve()));
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
