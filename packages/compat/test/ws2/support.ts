import { afterEach } from '@jest/globals';
import { createHash } from 'node:crypto';
import { once, type EventEmitter } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { encodeFrame, Opcode } from '@ws/frame';
import {
  WebSocket as Ws8,
  WebSocketServer as Ws8Server,
  type ClientOptions,
  type ServerOptions as Ws8Options,
} from 'ws';
import WebSocket, { type Server, type ServerOptions } from '../../src/ws2/index.js';

/** What has to be closed after the test, last opened first. */
const open: (() => unknown)[] = [];
export const atEnd = (close: () => unknown): void => void open.push(close);

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

export const portOf = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

/** A server of ours on a free port of the loopback. */
export async function start(options: ServerOptions = {}): Promise<Server> {
  const server = new WebSocket.Server({ port: 0, host: '127.0.0.1', ...options });
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  await once(server, 'listening');
  return server;
}

export async function startHttp<Type extends HttpServer | HttpsServer>(server: Type): Promise<Type> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  atEnd(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
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

/** The arguments of the next event, also where that is 'error'. */
export const next = <Arguments extends unknown[] = unknown[]>(
  emitter: { once(name: string, listener: (...told: Arguments) => void): unknown },
  name: string,
): Promise<Arguments> => new Promise((resolve) => emitter.once(name, (...told) => resolve(told)));

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

/** A bare TCP connection that keeps what it receives. */
export class RawPeer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  readonly closed: Promise<void>;

  constructor(socket: Socket | number) {
    this.socket = typeof socket === 'number' ? connect(socket, '127.0.0.1') : socket;
    this.socket.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
    this.socket.on('error', () => {});
    this.closed = new Promise((resolve) => this.socket.on('close', () => resolve()));
    atEnd(() => this.socket.destroy());
  }

  write(data: string | Uint8Array): this {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
    return this;
  }

  /** The head of the HTTP message that comes first; only what is behind it is kept. */
  async head(): Promise<string> {
    while (!this.received.includes('\r\n\r\n')) await once(this.socket, 'data');
    const end = this.received.indexOf('\r\n\r\n') + 4;
    const head = this.received.toString('latin1', 0, end);
    this.received = this.received.subarray(end);
    return head;
  }

  /** So many bytes, as hexadecimal text. */
  async bytes(count: number): Promise<string> {
    while (this.received.length < count) await once(this.socket, 'data');
    const bytes = this.received.toString('hex', 0, count);
    this.received = this.received.subarray(count);
    return bytes;
  }
}

/** A good handshake; `undefined` takes a header away. */
export function handshake(headers: Record<string, string | undefined> = {}, startLine = 'GET / HTTP/1.1'): string {
  const all = {
    Host: 'server.example',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Version': '13',
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return [startLine, ...lines, '', ''].join('\r\n');
}

/** A raw client of a server, its handshake done. */
export async function rawClient(
  server: { address(): unknown },
  headers: Record<string, string> = {},
): Promise<RawPeer> {
  const raw = new RawPeer(portOf(server)).write(handshake(headers));
  await raw.head();
  return raw;
}

export interface Answer {
  readonly status: number;
  readonly phrase: string;
  /** Names in lower case. */
  readonly headers: Record<string, string>;
  readonly body: string;
}

function parseAnswer(text: string): Answer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const [, status, ...phrase] = statusLine.split(' ');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  return { status: Number(status), phrase: phrase.join(' '), headers, body: rest.join('\r\n\r\n') };
}

/** Sends `text` and gives the answer: the 101 as soon as it is there, any other when the server has closed behind it. */
export async function shake(port: number, text = handshake()): Promise<Answer> {
  const raw = new RawPeer(port).write(text);
  const head = await raw.head();
  if (head.includes(' 101 ')) return parseAnswer(head);
  await raw.closed;
  return parseAnswer(head + raw.received.toString('latin1'));
}

/** RFC 6455 §4.2.2, by another hand than the library's. */
export const acceptOf = (key: string): string =>
  createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');

export interface RawRequest {
  readonly line: string;
  /** Names in lower case. */
  readonly headers: Record<string, string>;
  readonly raw: RawPeer;
}

/** A TCP server that answers each handshake with a 101, `changes` replacing a line by name or leaving it out. */
export async function rawServer(
  changes: Record<string, string | undefined> = {},
): Promise<{ url: string; port: number; requested: Promise<RawRequest> }> {
  const server = createServer();
  atEnd(() => new Promise((resolve) => server.close(resolve)));
  const requested = new Promise<RawRequest>((resolve) => {
    server.on('connection', (socket) => {
      const raw = new RawPeer(socket);
      void raw.head().then((head) => {
        const [line = '', ...fields] = head.trimEnd().split('\r\n');
        const headers = Object.fromEntries(
          fields.map((field) => [
            field.slice(0, field.indexOf(':')).toLowerCase(),
            field.slice(field.indexOf(':') + 2),
          ]),
        );
        const accept = acceptOf(headers['sec-websocket-key'] ?? '');
        const all = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': accept, ...changes };
        const lines = Object.entries(all).flatMap(([name, value]) =>
          value === undefined ? [] : [`${name}: ${value}`],
        );
        raw.write(['HTTP/1.1 101 Switching Protocols', ...lines, '', ''].join('\r\n'));
        resolve({ line, headers, raw });
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `ws://127.0.0.1:${portOf(server)}`, port: portOf(server), requested };
}

const KEY = 0x01020304;

/** A frame as a client sends it. */
export const masked = (opcode: Opcode, payload: string | Uint8Array = '', fin = true): Uint8Array =>
  encodeFrame({ opcode, fin, maskingKey: KEY }, Buffer.from(payload));
export const text = (payload: string): Uint8Array => masked(Opcode.Text, payload);

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
