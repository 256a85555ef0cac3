import { once, type EventEmitter } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { expect } from '@jest/globals';
import type { ClientOptions, createWebSocketStream, ServerOptions, WebSocket as Socket, WebSocketServer } from 'ws';
import Adapter from '../../src/ws/index.js';

export type { ClientOptions, ServerOptions, Socket, WebSocketServer };

/** What a program imports: `ws`, or the adapter. */
export type Library = typeof Socket & {
  Server: typeof WebSocketServer;
  WebSocketServer: typeof WebSocketServer;
  WebSocket: typeof Socket;
  createWebSocketStream: typeof createWebSocketStream;
};

/** `ws` 8, as CommonJS: as an ES module its class has no `Server`. */
export const Reference = createRequire(import.meta.url)('ws') as Library;
/** The adapter, to programs that were written for `ws`. */
export const Ours = Adapter as unknown as Library;

/** One run of a program: what its two ends import, and what it saw. */
export class World {
  readonly client: Library;
  readonly server: Library;
  readonly seen: unknown[] = [];
  readonly #undo: (() => unknown)[] = [];

  constructor(client: Library, server: Library) {
    this.client = client;
    this.server = server;
  }

  readonly log = (...what: unknown[]): void =>
    void this.seen.push(what.length === 1 ? plain(what[0]) : what.map(plain));

  /** What an attempt ends with: its result, or what it throws. */
  readonly attempt = (act: () => unknown): void => {
    try {
      this.log('fine', act());
    } catch (error) {
      this.log('throws', (error as Error).name);
    }
  };

  atEnd(undo: () => unknown): void {
    this.#undo.push(undo);
  }

  /** A WebSocket server on a port of its own. */
  async serve(options: ServerOptions = {}): Promise<Served> {
    const server = new this.server.Server({ port: 0, host: '127.0.0.1', ...options });
    this.atEnd(() => closeServer(server));
    await once(server, 'listening');
    return { server, ...at(server) };
  }

  /** An http server, without any listener. */
  async http(): Promise<{ http: HttpServer; port: number; url: string }> {
    const http = createServer();
    http.listen(0, '127.0.0.1');
    this.atEnd(() => {
      http.closeAllConnections();
      http.close();
    });
    await once(http, 'listening');
    return { http, ...at(http) };
  }

  /** A client; its errors are no exceptions. */
  connect(url: string | URL, second?: string | string[] | ClientOptions, third?: ClientOptions): Socket {
    const socket = new this.client(url, second as string[], third);
    this.atEnd(() => socket.terminate());
    socket.on('error', () => {});
    return socket;
  }

  /** Both ends of a connection, open. */
  async pair(serverOptions: ServerOptions = {}, clientOptions: ClientOptions = {}): Promise<Pair> {
    const { server, url, port } = await this.serve(serverOptions);
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const client = this.connect(url, clientOptions);
    const [[socket]] = await Promise.all([connected, once(client, 'open')]);
    socket.on('error', () => {});
    return { server, client, socket, url, port };
  }

  /** Logs each of these events. Of 'close' the two arguments that it has in `ws`. */
  events(name: string, emitter: EventEmitter, ...types: string[]): void {
    for (const type of types) {
      emitter.on(type, (...told: unknown[]) => this.log(name, type, ...(type === 'close' ? told.slice(0, 2) : told)));
    }
  }

  async end(): Promise<void> {
    for (const undo of this.#undo.reverse()) await undo();
  }
}

export interface Served {
  readonly server: WebSocketServer;
  readonly port: number;
  readonly url: string;
}

export interface Pair extends Served {
  readonly client: Socket;
  readonly socket: Socket;
}

export function at(server: { address(): AddressInfo | string | null }): { port: number; url: string } {
  const { port } = server.address() as AddressInfo;
  return { port, url: `ws://127.0.0.1:${port}` };
}

async function closeServer(server: WebSocketServer): Promise<void> {
  for (const socket of server.clients ?? []) socket.terminate();
  await new Promise<void>((resolve) => server.close(() => resolve()));
}

/** Also when it has been, and whatever else happens; unlike `once`, without a listener for 'error'. */
export function closed(socket: Socket): Promise<void> {
  if (socket.readyState === socket.CLOSED) return Promise.resolve();
  return new Promise((resolve) => void socket.on('close', () => resolve()));
}

/** What was on its way over loopback has come: a ping's answer comes behind it. */
export async function settled(socket: Socket): Promise<void> {
  const answered = once(socket, 'pong');
  socket.ping('settled');
  await answered;
}

export const codeOf = (error: unknown): string => (error as { code?: string }).code ?? (error as Error).message;

/** In a form that can be compared: bytes as text, errors by what programs go by, objects of the libraries by what they are. */
function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return `Buffer ${value.toString()}`;
  if (Object.prototype.toString.call(value) === '[object ArrayBuffer]')
    return `ArrayBuffer ${Buffer.from(value as ArrayBuffer).toString()}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Reference || value instanceof Ours) return 'a WebSocket';
  if ('stack' in value && 'message' in value) return `Error ${codeOf(value)}`;
  if ('httpVersion' in value) return 'a request or response';
  return value;
}

export type Program = (world: World) => unknown;

async function run(program: Program, client: Library, server: Library): Promise<unknown[]> {
  const world = new World(client, server);
  try {
    await program(world);
  } finally {
    await world.end();
  }
  expect(world.seen.length).toBeGreaterThan(0);
  return world.seen;
}

/** With the adapter at either end, and at both, a program sees what it sees with `ws` at both. */
export const same = (program: Program) => async (): Promise<void> => {
  const expected = await run(program, Reference, Reference);
  const seen = {
    server: await run(program, Reference, Ours),
    client: await run(program, Ours, Reference),
    both: await run(program, Ours, Ours),
  };
  expect(seen).toEqual({ server: expected, client: expected, both: expected });
};

/** A difference on purpose: what is seen where `ws` is at that end, and where the adapter is; whatever is at the other. */
export const differs =
  (end: 'client' | 'server', { was, is }: { was: unknown[]; is: unknown[] }, program: Program) =>
  async (): Promise<void> => {
    const seenWith = async (library: Library): Promise<unknown[]> => {
      const seen: unknown[] = [];
      for (const other of [Reference, Ours])
        seen.push(await (end === 'client' ? run(program, library, other) : run(program, other, library)));
      return seen;
    };
    expect({ was: await seenWith(Reference), is: await seenWith(Ours) }).toEqual({ was: [was, was], is: [is, is] });
  };
