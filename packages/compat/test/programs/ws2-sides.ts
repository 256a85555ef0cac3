import { once, type EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket as CoreClient } from '@ws/client';
import { WebSocketServer } from '@ws/server';
import { atEnd, next, portOf, Wire } from '@ws/testing/peer';
import WebSocket, { Server } from '../../src/ws2/index.js';

/** What both have in common. */
export interface AnySocket extends EventEmitter {
  readonly readyState: number;
  readonly protocol: string;
  readonly bytesReceived: number;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  addEventListener(type: string, listener: (event: never) => void): void;
  send(data: unknown, options?: object, callback?: (error?: Error | null) => void): unknown;
  close(code?: number, reason?: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}
export interface AnyServer extends EventEmitter {
  address(): unknown;
  close(callback?: (error?: Error) => void): void;
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (socket: AnySocket, request: IncomingMessage) => void,
  ): void;
}

/** The same program, as it was written in 2016 and for the core. */
export interface Side {
  makeServer(options: object): AnyServer;
  connect(url: string, options?: object): AnySocket;
  /** `handleProtocols` by the list of what is offered. */
  choosing(choose: (offered: string[]) => string | false): object;
  /** A message in parts; the error, where there is one. */
  sendParts(socket: AnySocket, parts: string[]): Promise<Error | null>;
  /** What 'message' gave: whether it is binary, and as text. */
  seen(data: unknown, second: never): [isBinary: boolean, text: string];
  /** The code that the other end of a bare `close()` gets. */
  readonly bareCode: number;
}

const adapter: Side = {
  makeServer: (options) => new Server(options),
  connect: (url, options) => new WebSocket(url, options),
  choosing: (handleProtocols) => ({ handleProtocols }),
  sendParts: (socket, parts) =>
    new Promise((resolve) => {
      (socket as unknown as WebSocket).stream((error, send) => {
        if (!send) return resolve(error);
        send(parts.shift(), parts.length === 0);
        if (parts.length === 0) resolve(null);
      });
    }),
  seen: (data, { binary }: { binary?: true }) => [binary === true, String(data)],
  bareCode: 1000,
};

const core: Side = {
  makeServer: (options) =>
    new WebSocketServer({
      origins: 'any',
      perMessageDeflate: { thresholdMode: 'always' },
      draft08: true,
      ...options,
    }),
  connect: (url, options) => new CoreClient(url, options),
  choosing: (choose) => ({
    handleProtocols: (offered: Set<string>) => choose([...offered]) || { accept: false, code: 401 },
  }),
  sendParts: async (socket, parts) => {
    const message = (socket as unknown as CoreClient).createOutgoing();
    const failed = new Promise<Error>((resolve) => message.once('error', resolve));
    for (const part of parts.slice(0, -1)) message.write(part);
    const sent = new Promise<null>((resolve) => message.end(parts.at(-1), () => resolve(null)));
    return Promise.race([failed, sent]);
  },
  seen: (data, isBinary: boolean) => [isBinary, String(data)],
  bareCode: 1005,
};

export const SIDES = { adapter, core };

/** A server of it, on a free port. */
export async function start(side: Side, options: object = {}): Promise<AnyServer> {
  const server = side.makeServer({ port: 0, host: '127.0.0.1', ...options });
  const sockets = new Set<AnySocket>();
  server.on('connection', (socket) => sockets.add(socket));
  atEnd(() => {
    for (const socket of sockets) socket.terminate();
    return new Promise((resolve) => server.close(resolve));
  });
  await once(server, 'listening');
  return server;
}

/** Cuts a socket at the end of the test. */
export const manage = (socket: AnySocket): AnySocket => {
  atEnd(() => socket.terminate());
  return socket;
};

/** A server that does this with each connection. @returns its port */
export async function serve(side: Side, options = {}, act: (socket: AnySocket) => void = () => {}): Promise<number> {
  const server = await start(side, options);
  server.on('connection', act);
  return portOf(server);
}

/** A server's end, and the raw client of it. */
export async function withRaw(side: Side, options = {}): Promise<{ socket: AnySocket; raw: Wire }> {
  const server = await start(side, { perMessageDeflate: false, ...options });
  const told = next<[AnySocket]>(server, 'connection');
  const raw = await Wire.open(portOf(server));
  return { socket: (await told)[0], raw };
}
