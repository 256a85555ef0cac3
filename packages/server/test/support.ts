import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { atEnd, handshake, parseAnswer, portOf, type Answer } from '@ws/testing/peer';
import { WebSocket as PeerSocket, type ClientOptions } from 'ws';
import { WebSocketServer, type ServerOptions, type WebSocket } from '../src/index.js';

export { atEnd as closeLater, handshake, parseAnswer, portOf, startHttp, type Answer } from '@ws/testing/peer';

/** A WebSocket server on a free port of the loopback. */
export async function start<Data = unknown>(options: ServerOptions<Data> = {}): Promise<WebSocketServer<Data>> {
  const server = manage(new WebSocketServer<Data>({ port: 0, host: '127.0.0.1', ...options }));
  await once(server, 'listening');
  return server;
}

/** Closes the server, its clients cut, at the end of the test. */
export function manage<Server extends WebSocketServer>(server: Server): Server {
  atEnd(() => {
    for (const client of server.clients ?? []) client.terminate();
    return new Promise((resolve) => server.close(resolve));
  });
  return server;
}

/** npm `ws` as the client. */
export function peer(port: number, path = '/', protocols: string[] = [], options: ClientOptions = {}): PeerSocket {
  const socket = new PeerSocket(`ws://127.0.0.1:${port}${path}`, protocols, { perMessageDeflate: false, ...options });
  atEnd(() => socket.terminate());
  socket.on('error', () => {});
  return socket;
}

export async function opened(socket: PeerSocket): Promise<PeerSocket> {
  await once(socket, 'open');
  return socket;
}

/** The status with which the handshake of npm `ws` fails, and the rest of the answer. */
export async function refused(
  socket: PeerSocket,
): Promise<{ status: number | undefined; phrase: string | undefined; headers: Record<string, unknown>; body: string }> {
  const [, response] = await once(socket, 'unexpected-response');
  let body = '';
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, phrase: response.statusMessage, headers: response.headers, body };
}

/** The end of a stream, with or without an error before. */
export const closed = (stream: Duplex): Promise<void> =>
  new Promise((resolve) => stream.once('close', () => resolve()));

/** The only one that matters, of a list that has it. */
export function first<Item>(list: readonly Item[]): Item {
  const [item] = list;
  if (item === undefined) throw new RangeError('the list is empty');
  return item;
}

/** The next connection of a server. */
export async function connection<Data>(server: WebSocketServer<Data>): Promise<WebSocket<Data>> {
  const [socket] = await once(server, 'connection');
  return socket;
}

/** A bare TCP connection that keeps what it receives. */
export class RawPeer {
  readonly socket: Socket;
  received = '';
  /** Everything received, when the other side has closed; never rejects. */
  readonly closed: Promise<string>;

  /** @param localAddress where it comes from, of the loopback */
  constructor(port: number, localAddress?: string) {
    this.socket = connect({ port, host: '127.0.0.1', localAddress });
    this.socket.setEncoding('latin1').on('data', (text: string) => (this.received += text));
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve(this.received)));
    atEnd(() => this.socket.destroy());
  }

  write(data: string | Uint8Array): this {
    if (typeof data === 'string') this.socket.write(data, 'latin1');
    else this.socket.write(data);
    return this;
  }

  /** Waits until so much has come that `part` is in it. */
  async until(part: string): Promise<string> {
    while (!this.received.includes(part)) await once(this.socket, 'data');
    return this.received;
  }
}

/** Sends `text` and returns the answer of a server that closes behind it. */
export async function exchange(port: number, text: string, localAddress?: string): Promise<Answer> {
  return parseAnswer(await new RawPeer(port, localAddress).write(text).closed);
}

/** Sends a handshake and returns the answer, or the 101 as soon as it is there. */
export async function shake(port: number, text: string): Promise<Answer> {
  const raw = new RawPeer(port).write(text);
  const complete = raw.until('\r\n\r\n').then(() => (raw.received.includes(' 101 ') ? raw.received : raw.closed));
  return parseAnswer(await Promise.race([complete, raw.closed]));
}

/** Shows that a server is alive: a handshake and an echo of its own kind. */
export async function isAlive(server: WebSocketServer, port = portOf(server)): Promise<boolean> {
  const next = once(server, 'connection');
  const client = await opened(peer(port));
  const [socket] = await next;
  const echoed = once(socket, 'message');
  client.send('still there?');
  const [data] = await echoed;
  client.terminate();
  return String(data) === 'still there?';
}

/** A client that stops reading behind the handshake: what is sent to it stays with us, but for what the system takes. */
export async function stalled(port: number): Promise<RawPeer> {
  const raw = new RawPeer(port).write(handshake());
  await raw.until('\r\n\r\n');
  raw.socket.pause();
  return raw;
}

/** npm `ws` as the client, and its end on the server. */
export async function join<Data>(
  server: WebSocketServer<Data>,
  options: ClientOptions = {},
): Promise<{ client: PeerSocket; socket: WebSocket<Data> }> {
  const next = connection(server);
  const client = await opened(peer(portOf(server), '/', [], { maxPayload: 0, ...options }));
  return { client, socket: await next };
}

/** What a client gets from now on, text as strings; `until(n)` waits for n messages. */
export function inbox(client: PeerSocket): { messages: unknown[]; until: (count: number) => Promise<unknown[]> } {
  const messages: unknown[] = [];
  client.on('message', (data, isBinary) => messages.push(isBinary ? data : String(data)));
  const until = async (count: number): Promise<unknown[]> => {
    while (messages.length < count) await once(client, 'message');
    return messages;
  };
  return { messages, until };
}

/** Several clients that read, with what they get. */
export async function joinAll(
  server: WebSocketServer,
  count: number,
): Promise<(Awaited<ReturnType<typeof join>> & ReturnType<typeof inbox>)[]> {
  const all = [];
  for (let i = 0; i < count; i++) {
    const both = await join(server);
    all.push({ ...both, ...inbox(both.client) });
  }
  return all;
}
