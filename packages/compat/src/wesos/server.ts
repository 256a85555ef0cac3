import { EventEmitter } from 'node:events';
import { WebSocketServer, type AnyHttpServer, type ServerOptions as CoreOptions } from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import { takeSources } from '../endless.js';
import { Relay } from './relay.js';
import { Socket } from './socket.js';
import type { Incoming } from './incoming.js';

/** Those of `@ws/server`, where none of these means the same, and: */
export interface ServerOptions extends Omit<CoreOptions, 'incoming' | 'streamThreshold' | 'clientTracking'> {
  /** Upgrades of this path alone are taken; the query does not count. */
  readonly url?: string | undefined;
}

/** What listeners of a Server get. */
export interface ServerEvents {
  open: [socket: Socket, server: Server];
  /** The same as `'open'`. */
  connect: [socket: Socket, server: Server];
  close: [];
  drain: [];
  /** Of an http server; of a connection, where somebody listens. */
  error: [error: Error, socket?: Socket];
}

export type OpenListener = (socket: Socket, server: Server) => void;

/** Takes the upgrades of http servers. Sockets that are piped to it send their messages to all. */
export class Server extends EventEmitter<ServerEvents> {
  readonly writable = true;
  /** What wesos has no name for is there: `close`, `clients`, `broadcast`, `shutdown`, … */
  readonly webSocketServer: WebSocketServer;
  readonly #relay: Relay;
  #listening = 0;

  /** @throws {TypeError | RangeError} naming an option that is not what it has to be */
  constructor({ url, ...options }: ServerOptions = {}) {
    super({ captureRejections: true });
    const server = (this.webSocketServer = new WebSocketServer({
      noServer: options.port === undefined && options.server === undefined,
      path: url === undefined ? undefined : new URL(url, 'ws://localhost').pathname,
      unservedPath: 404,
      ...options,
      clientTracking: true, // what is piped goes to all
      incoming: 'stream',
    }));
    this.#relay = new Relay(this, server, (error) => this.#failed(error));
    this.#relay.on('drain', () => void this.emit('drain'));
    takeSources(this);
    server.on('connection', (webSocket) => {
      const socket = new Socket(webSocket);
      webSocket.on('error', (error) => this.#failed(error, socket));
      this.emit('open', socket, this);
      this.emit('connect', socket, this);
    });
    server.on('close', () => void this.emit('close'));
    server.on('error', (error) => void this.emit('error', error));
  }

  /** Takes the upgrades of an http or https server; of several, if it is called again. It closes when they have closed. */
  listen(http: AnyHttpServer): this {
    this.webSocketServer.attach(http);
    this.#listening++;
    http.once('close', () => {
      if (--this.#listening === 0) this.webSocketServer.close();
    });
    return this;
  }

  /** Sends a message to all sockets. @returns false while many wait; then `'drain'` follows */
  write(message: Incoming | string | Uint8Array): boolean {
    return this.#relay.write(message);
  }

  /** Does nothing: the end of a source is not the server's. */
  end(): this {
    return this;
  }

  /** What a peer caused is told where somebody listens. */
  #failed(error: Error, socket?: Socket): void {
    if (this.listenerCount('error') > 0) this.emit('error', error, socket);
  }

  static {
    forgivePeers(this);
  }
}

/** A Server whose `'open'` events go to `listener`. */
export function createServer(listener?: OpenListener): Server;
export function createServer(options: ServerOptions, listener?: OpenListener): Server;
export function createServer(first?: ServerOptions | OpenListener, second?: OpenListener): Server {
  const [options, listener] = typeof first === 'function' ? [{}, first] : [first, second];
  const server = new Server(options);
  if (listener) server.on('open', listener);
  return server;
}
