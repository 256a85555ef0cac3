import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { decodeHeader, encodeFrame, mask, type Opcode } from '@ws/frame';
import { acceptFor } from '@ws/handshake';
import {
  connect,
  type Connection,
  createServer,
  type ConnectOptions,
  type Server,
  type ServerOptions,
} from '../../src/nodejs-websocket/index.js';

/** What a test has opened. */
const toEnd: (() => unknown)[] = [];

/** For `afterEach`. */
export async function endAll(): Promise<void> {
  for (const end of toEnd.splice(0).reverse()) await end();
}

export const later = (end: () => unknown): unknown => toEnd.push(end);
export const portOf = ({ socket }: Pick<Server, 'socket'>): number => (socket.address() as AddressInfo).port;
export const urlOf = (server: Server, path = '/'): string => `ws://127.0.0.1:${portOf(server)}${path}`;

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
  later(() => stop(server));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

export const serve = (options: ServerOptions = {}, callback?: (connection: Connection) => void): Promise<Server> =>
  listening(createServer(options, callback));

export function dial(address: string, options?: ConnectOptions, callback?: () => void): Connection {
  const connection = connect(address, options, callback);
  later(() => connection.socket.destroy());
  return connection;
}

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

/** The next event of this name, whatever 'error' there is before. */
export const heard = (emitter: NodeJS.EventEmitter, name: string): Promise<unknown[]> =>
  new Promise((resolve) => emitter.once(name, (...args: unknown[]) => resolve(args)));

export interface Frame {
  readonly opcode: Opcode;
  readonly fin: boolean;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** A peer that is only TCP: what comes is kept, what is sent is bytes. */
export class Raw {
  readonly socket: Socket;
  /** All that came, without what `head` has taken. */
  received = Buffer.alloc(0);
  /** The peer has ended its half. */
  hasEnded = false;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      this.#wake();
    });
    socket.on('end', () => {
      this.hasEnded = true;
      this.#wake();
    });
    socket.on('close', () => this.#wake());
    later(() => socket.destroy());
  }

  /** Waits until `isSo`; throws if the stream is over before. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      if (this.socket.closed || this.hasEnded)
        throw new Error(`it ended with ${JSON.stringify(this.received.toString('latin1'))}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** The head of a request or a response, its first line and its headers in lower case. */
  async head(): Promise<{ line: string; headers: Record<string, string>; text: string }> {
    await this.until(() => this.received.includes('\r\n\r\n'));
    const end = this.received.indexOf('\r\n\r\n');
    const text = this.received.toString('latin1', 0, end);
    this.received = this.received.subarray(end + 4);
    const [line = '', ...lines] = text.split('\r\n');
    const headers = Object.fromEntries(
      lines.map((each) => [each.slice(0, each.indexOf(':')).toLowerCase(), each.slice(each.indexOf(':') + 1).trim()]),
    );
    return { line, headers, text };
  }

  /** The frames that have come whole. */
  get frames(): Frame[] {
    const frames: Frame[] = [];
    for (let at = 0; ;) {
      const head = decodeHeader(this.received.subarray(at));
      if (head === undefined || at + head.byteLength + head.payloadLength > this.received.length) return frames;
      at += head.byteLength;
      const payload = Buffer.from(this.received.subarray(at, at + head.payloadLength));
      if (head.maskingKey !== undefined) mask(payload, head.maskingKey);
      frames.push({ opcode: head.opcode, fin: head.fin, masked: head.maskingKey !== undefined, payload });
      at += head.payloadLength;
    }
  }

  /** The next `count` frames, as soon as they are there. */
  async take(count: number): Promise<Frame[]> {
    await this.until(() => this.frames.length >= count);
    return this.frames;
  }

  /** Waits for the peer's end. */
  async ended(): Promise<void> {
    while (!this.hasEnded && !this.socket.closed) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  send(opcode: number, payload: string | Uint8Array = '', { fin = true, masked = true } = {}): this {
    const head = { opcode: opcode as Opcode, fin, maskingKey: masked ? 0x01020304 : undefined };
    this.socket.write(encodeFrame(head, Buffer.from(payload as string)));
    return this;
  }
}

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** Lines of a request that is right, but for what is given otherwise; undefined leaves a header out. */
export function request(changes: Record<string, string | undefined> = {}, line = 'GET / HTTP/1.1'): string {
  const headers = {
    Host: '127.0.0.1',
    Upgrade: 'websocket',
    Connection: 'Upgrade',
    'Sec-WebSocket-Key': KEY,
    'Sec-WebSocket-Version': '13',
    ...changes,
  };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A client that is only TCP, and has sent `text`. */
export async function rawClient(server: Server, text: string | Uint8Array = request()): Promise<Raw> {
  const raw = new Raw(connectTcp(portOf(server), '127.0.0.1'));
  await once(raw.socket, 'connect');
  raw.socket.write(text);
  return raw;
}

/** The same behind its handshake, and what it is connected to. */
export async function rawPair(
  options: ServerOptions = {},
  text?: string,
): Promise<{ server: Server; raw: Raw; remote: Connection }> {
  const server = await serve(options);
  const arrival = once(server, 'connection') as Promise<[Connection]>;
  const raw = await rawClient(server, text);
  await raw.head();
  const [remote] = await arrival;
  return { server, raw, remote };
}

/** A server that is only TCP. */
export async function rawServer(onConnection: (raw: Raw) => void): Promise<{ url: string; server: TcpServer }> {
  const server = createTcpServer((socket) => onConnection(new Raw(socket)));
  later(() => server.close());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

/** The answer to a request, but for what is given otherwise. */
export function response(
  key: string,
  changes: Record<string, string | undefined> = {},
  line = 'HTTP/1.1 101 Switching Protocols',
): string {
  const headers = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': acceptFor(key), ...changes };
  const lines = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `${[line, ...lines].join('\r\n')}\r\n\r\n`;
}

/** A client that is connected to what is only TCP, which has sent `behind` in the packet of the 101. */
export async function rawServed(
  options: ConnectOptions = {},
  { behind = Buffer.alloc(0), prepare }: { behind?: Uint8Array; prepare?: (client: Connection) => void } = {},
): Promise<{ client: Connection; raw: Raw; head: string }> {
  let arrived!: (raw: Raw) => void;
  const arrival = new Promise<Raw>((resolve) => {
    arrived = resolve;
  });
  const { url } = await rawServer(arrived);
  const client = dial(url, options);
  prepare?.(client);
  const opened = once(client, 'connect');
  const raw = await arrival;
  const { headers, text } = await raw.head();
  raw.socket.write(Buffer.concat([Buffer.from(response(headers['sec-websocket-key'] ?? '')), behind]));
  await opened;
  return { client, raw, head: text };
}
