import { afterEach } from '@jest/globals';
import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo, type Socket as TcpSocket } from 'node:net';
import { text } from 'node:stream/consumers';
import { WebSocket as Client, type RawData } from '@ws/client';
import { mask } from '@ws/frame';
import {
  createServer,
  type Incoming,
  type OpenListener,
  type ServerOptions,
  type Socket,
} from '../../src/wesos/index.js';

const open: (() => unknown)[] = [];
export const closeLater = (close: () => unknown): void => void open.push(close);

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

export const portOf = (server: { address(): AddressInfo | string | null }): number =>
  (server.address() as AddressInfo).port;

/** An http server on a free port of the loopback; who is connected at the end of the test is cut. */
export async function startHttp(): Promise<HttpServer> {
  const http = createHttpServer((_request, response) => response.end('plain'));
  const sockets = new Set<TcpSocket>();
  http.on('connection', (socket) => sockets.add(socket));
  closeLater(() => {
    for (const socket of sockets) socket.destroy();
    if (http.listening) return new Promise((resolve) => http.close(resolve));
    return undefined;
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return http;
}

/** `createServer(options, listener).listen(http)`, by port. */
export async function start(
  listener?: OpenListener,
  options: ServerOptions = {},
): Promise<{ port: number; http: HttpServer; server: ReturnType<typeof createServer> }> {
  const http = await startHttp();
  const server = createServer(options, listener).listen(http);
  return { port: portOf(http), http, server };
}

/** A client of ours and what it gets, `'text …'` or `'binary …'` in hex. */
export async function join(port: number): Promise<{ client: Client; until: (count: number) => Promise<string[]> }> {
  const client = new Client(`ws://127.0.0.1:${port}`, { maxPayload: 0 });
  closeLater(() => client.terminate());
  const got: string[] = [];
  client.on('message', (data: RawData, isBinary) => {
    got.push(isBinary ? `binary ${(data as Buffer).toString('hex')}` : `text ${String(data)}`);
  });
  await once(client, 'open');
  const until = async (count: number): Promise<string[]> => {
    while (got.length < count) await once(client, 'message');
    return got;
  };
  return { client, until };
}

export const REQUEST = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

/** A bare TCP connection, and the bytes that came, as hex. */
export class Wire {
  received = '';
  readonly socket: TcpSocket;
  readonly over: Promise<unknown>;

  constructor(socket: TcpSocket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => (this.received += chunk.toString('hex')));
    this.over = new Promise((resolve) => socket.once('close', resolve));
    closeLater(() => socket.destroy());
  }

  static to(port: number): Wire {
    return new Wire(connect(port, '127.0.0.1'));
  }

  /** After a good handshake, what comes is frames alone. */
  static async opened(port: number): Promise<Wire> {
    const wire = Wire.to(port).request();
    await wire.until('0d0a0d0a');
    wire.received = wire.received.slice(wire.received.indexOf('0d0a0d0a') + 8);
    return wire;
  }

  request(lines: readonly string[] = REQUEST): this {
    this.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    return this;
  }

  write(bytes: Uint8Array): this {
    this.socket.write(bytes);
    return this;
  }

  async until(hex: string): Promise<string> {
    while (!this.received.includes(hex)) await once(this.socket, 'data');
    return this.received;
  }

  /** What came, as text, when the other side has ended. */
  async answer(): Promise<string> {
    await this.over;
    return Buffer.from(this.received, 'hex').toString('latin1');
  }
}

/** Two ends of a TCP connection. */
export async function tcpPair(): Promise<{ near: TcpSocket; wire: Wire }> {
  const listener = createTcpServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  closeLater(() => new Promise((resolve) => listener.close(resolve)));
  const wire = Wire.to(portOf(listener));
  const [near] = (await once(listener, 'connection')) as [TcpSocket];
  closeLater(() => near.destroy());
  return { near, wire };
}

export const KEY = 0x37fa213d;

/** A masked frame with a short payload, by its first byte. */
export function frame(first: number, payload: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(payload);
  const body = Buffer.from(bytes);
  mask(body, KEY);
  const key = Buffer.alloc(4);
  key.writeUInt32BE(KEY);
  return Buffer.concat([Buffer.of(first, 0x80 | bytes.length), key, body]);
}

/** The next message of a socket, whole. */
export async function nextText(socket: Socket): Promise<string> {
  const [incoming] = (await once(socket, 'message')) as [Incoming];
  return text(incoming);
}
