import { afterEach } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { connect, type AddressInfo, type Socket as TcpSocket } from 'node:net';
import { duplexPair, type Duplex } from 'node:stream';
import { WebSocket, type ClientOptions } from '@ws/client';
import { encodeFrame, FrameParser, type FrameHead } from '@ws/frame';
import { Server, Socket, type ServerOptions, type SocketOptions } from '../../src/websockets/index.js';

const open: (() => unknown)[] = [];
export const closeLater = (close: () => unknown): void => void open.push(close);

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** What comes out of a stream, all of it. */
export class Wire {
  readonly stream: Duplex;
  received = Buffer.alloc(0);

  constructor(stream: Duplex) {
    this.stream = stream;
    stream.on('data', (chunk: Buffer) => (this.received = Buffer.concat([this.received, chunk])));
    stream.on('error', () => {});
  }

  send(bytes: Uint8Array): void {
    this.stream.write(bytes);
  }

  /** Waits for so many bytes, and takes what is there, in hex. */
  async take(byteLength: number): Promise<string> {
    while (this.received.length < byteLength) await once(this.stream, 'data');
    const taken = this.received.toString('hex');
    this.received = Buffer.alloc(0);
    return taken;
  }

  /** The frames that come from now on, until `count` of them are there. */
  async frames(count: number): Promise<{ head: FrameHead; payload: Buffer }[]> {
    for (;;) {
      const frames = parse(this.received);
      if (frames.length >= count) return frames;
      await once(this.stream, 'data');
    }
  }

  /** All of it, at the end. */
  async toEnd(): Promise<Buffer> {
    if (!this.stream.readableEnded && !this.stream.destroyed)
      await Promise.race([once(this.stream, 'end'), once(this.stream, 'close')]);
    return this.received;
  }
}

/** Whole frames, unmasked. */
export function parse(bytes: Buffer): { head: FrameHead; payload: Buffer }[] {
  const frames: { head: FrameHead; payload: Buffer }[] = [];
  let head: FrameHead | undefined;
  let payload = Buffer.alloc(0);
  const handlers = {
    head: (next: FrameHead): void => {
      head = next;
      payload = Buffer.alloc(0);
    },
    payload: (slice: Uint8Array): void => void (payload = Buffer.concat([payload, slice])),
    frameEnd: (): void => void (head && frames.push({ head, payload })),
  };
  new FrameParser({ role: 'any', preserveInput: true }, handlers).push(bytes);
  return frames;
}

/** A Socket on one end of a pair, and the other end. */
export function wrap(options?: SocketOptions): { socket: Socket; wire: Wire; source: Duplex } {
  const [source, far] = duplexPair();
  const socket = new Socket(source, options);
  closeLater(() => socket.destroy());
  return { socket, wire: new Wire(far), source };
}

const KEY = 0x37fa213d;

/** A frame as clients send it. */
export function masked(
  payload: Uint8Array | string,
  head: Partial<FrameHead> & { opcode: FrameHead['opcode'] },
): Buffer {
  return Buffer.from(encodeFrame({ ...head, maskingKey: KEY }, Buffer.from(payload)));
}

/** The event's arguments, next time. */
export const next = (emitter: NodeJS.EventEmitter, name: string): Promise<unknown[]> =>
  new Promise((resolve) => emitter.once(name, (...told: unknown[]) => resolve(told)));

export async function listen(
  http: HttpServer | HttpsServer = createServer((_, response) => void response.end('page')),
): Promise<HttpServer | HttpsServer> {
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const sockets = new Set<TcpSocket>();
  http.on('connection', (socket: TcpSocket) => sockets.add(socket));
  closeLater(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => http.close(resolve));
  });
  return http;
}

export const portOf = (http: HttpServer | HttpsServer): number => (http.address() as AddressInfo).port;

/** A Server on an http server of its own. */
export async function start(
  options?: ServerOptions,
): Promise<{ server: Server; port: number; http: HttpServer | HttpsServer }> {
  const http = await listen();
  const server = new Server(options).listen(http);
  closeLater(() => {
    for (const socket of server.core.clients) socket.terminate();
    return new Promise<void>((resolve) => server.core.close(() => resolve()));
  });
  return { server, port: portOf(http), http };
}

/** What a client of the core gets: text is a string. `until(n)` waits for n messages. */
export class Client {
  readonly socket: WebSocket;
  readonly messages: (string | Buffer)[] = [];

  constructor(port: number, path = '/', options: ClientOptions = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [], {
      maxPayload: 0,
      perMessageDeflate: false,
      ...options,
    });
    this.socket.on('error', () => {});
    this.socket.on('message', (data, isBinary) => this.messages.push(isBinary ? (data as Buffer) : String(data)));
    closeLater(() => this.socket.terminate());
  }

  async until(count: number): Promise<(string | Buffer)[]> {
    while (this.messages.length < count) await once(this.socket, 'message');
    return this.messages;
  }
}

/** An open client, and the Socket of the server that it is. */
export async function join(server: Server, port: number, path = '/'): Promise<{ client: Client; socket: Socket }> {
  const opened = once(server, 'open');
  const client = new Client(port, path);
  const [socket] = (await opened) as [Socket];
  if (client.socket.readyState === client.socket.CONNECTING) await once(client.socket, 'open');
  return { client, socket };
}

interface Handshake {
  readonly path?: string;
  /** Lines. */
  readonly headers?: readonly string[];
  readonly key?: string;
  /** Bytes in the packet of the request. */
  readonly early?: Uint8Array;
}

/** The handshake of a client that is none of ours: raw bytes follow. */
export async function shake(
  port: number,
  { path = '/', headers = [], key = 'dGhlIHNhbXBsZSBub25jZQ==', early }: Handshake = {},
): Promise<{ answer: string; wire: Wire; tcp: TcpSocket }> {
  const tcp = connect(port, '127.0.0.1');
  closeLater(() => tcp.destroy());
  const wire = new Wire(tcp);
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: keep-alive, Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    ...headers,
  ];
  tcp.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), early ?? new Uint8Array(0)]));
  let end: number;
  while ((end = wire.received.indexOf('\r\n\r\n')) === -1) await once(tcp, 'data');
  const answer = wire.received.subarray(0, end).toString();
  wire.received = wire.received.subarray(end + 4);
  return { answer, wire, tcp };
}

export const statusOf = (answer: string): number => Number(answer.split(' ')[1]);

/** A client of raw bytes, and the Socket of the server that it is. */
export async function joinRaw(
  server: Server,
  port: number,
  headers: readonly string[] = [],
): Promise<{ wire: Wire; socket: Socket }> {
  const told = next(server, 'open');
  const { wire } = await shake(port, { headers });
  return { wire, socket: (await told)[0] as Socket };
}
