import { EventEmitter } from 'node:events';
import type { IncomingMessage, Server as HttpServer, ServerOptions as HttpOptions } from 'node:http';
import type { Server as HttpsServer, ServerOptions as HttpsOptions } from 'node:https';
import type { Duplex } from 'node:stream';
import { selectSubprotocol } from '@ws/handshake';
import { WebSocketServer } from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import { createWebSocketOnlyServer, refuseUpgrade } from './websocket-only-server.js';
import { Connection } from './connection.js';
import { kAccept, kOpen, type Parent } from './parent.js';

/** Chooses one of the subprotocols that the client asks for, the best first; nothing: none of them. */
export type SelectProtocol = (connection: Connection, protocols: string[]) => string | null | undefined | void;

/** Those of `http.createServer` or `https.createServer`, and with them those of `net.createServer` and `tls.createServer`. */
export interface ServerOptions extends HttpOptions, Omit<HttpsOptions, keyof HttpOptions> {
  /** Over TLS. @default false */
  readonly secure?: boolean | undefined;
  /** Subprotocols that the server speaks; the client's order decides. @default none */
  readonly validProtocols?: readonly string[] | undefined;
  /** Wins over `validProtocols`. */
  readonly selectProtocol?: SelectProtocol | undefined;
}

export interface ServerEvents {
  listening: [];
  /** It does not listen any more, and all connections are gone. */
  close: [];
  error: [error: Error];
  connection: [connection: Connection];
}

/** A server with the API of `nodejs-websocket`: an http or https server that takes WebSockets alone. */
export class Server extends EventEmitter<ServerEvents> implements Parent {
  /** What listens. */
  readonly socket: HttpServer | HttpsServer;
  /** The open connections. When one leaves it is replaced: a loop over it misses none. */
  connections: Connection[] = [];
  readonly #core: WebSocketServer;
  /** The event that brings a stream to what listens. */
  readonly #arrival: 'connection' | 'secureConnection';
  /** Streams with a connection, and that one as soon as there is it. */
  readonly #known = new WeakMap<Duplex, Connection | undefined>();
  #hasClosed = false;

  constructor(secure: boolean, callback?: (connection: Connection) => void);
  constructor(secure: boolean, options?: ServerOptions, callback?: (connection: Connection) => void);
  constructor(
    secure: boolean,
    second?: ServerOptions | ((connection: Connection) => void),
    third?: (connection: Connection) => void,
  ) {
    super({ captureRejections: true });
    const [options = {}, callback] = typeof second === 'function' ? [undefined, second] : [second, third];
    const { secure: _, validProtocols = [], selectProtocol, ...rest } = options;
    if (callback) this.on('connection', callback);
    this.#arrival = secure ? 'secureConnection' : 'connection';
    this.socket = createWebSocketOnlyServer(secure, rest);
    this.#core = this.#makeCore(
      selectProtocol ?? ((_connection, protocols) => selectSubprotocol(protocols, validProtocols)),
    );
    this.#listen();
  }

  /** Port 0 is a free one; without a host it is on all addresses. */
  listen(port?: number, callback?: () => void): this;
  listen(port?: number, host?: string, callback?: () => void): this;
  listen(port?: number, second?: string | (() => void), third?: () => void): this {
    const [host, callback] = typeof second === 'function' ? [undefined, second] : [second, third];
    if (callback) this.on('listening', callback);
    this.#hasClosed = false;
    this.socket.listen(port, host);
    return this;
  }

  /** Takes no new connections, and leaves open ones alone; `callback` is for `'close'`. */
  close(callback?: () => void): void {
    if (callback) this.once('close', callback);
    this.socket.close();
  }

  [kAccept](connection: Connection): void {
    if (this.#known.has(connection.socket)) return;
    this.#known.set(connection.socket, connection);
    this.socket.emit(this.#arrival, connection.socket);
  }

  #makeCore(selectProtocol: SelectProtocol): WebSocketServer {
    const handleProtocols = (protocols: Set<string>, request: IncomingMessage): string | false => {
      const connection = Object.assign(this.#known.get(request.socket)!, { protocols: [...protocols] });
      return selectProtocol(connection, connection.protocols) || false;
    };
    const maxPayload = Connection.maxBufferLength;
    const ours = { noServer: true, origins: 'any', incoming: 'binary', maxPayload } as const;
    const core = new WebSocketServer({ ...ours, handleProtocols });
    core.on('wsClientError', refuseUpgrade).on('refused', (reason, _request, error) => {
      if (reason === 'handleProtocols' && this.listenerCount('error') > 0) this.emit('error', error as Error);
    });
    return core;
  }

  #listen(): void {
    this.socket.on('upgrade', (request, socket, head) => this.#asked(request, socket, head));
    this.socket.on('listening', () => this.emit('listening'));
    this.socket.on('close', () => {
      this.#hasClosed = true;
      this.#closed();
    });
    this.socket.on('error', (error) => {
      if (!this.socket.listening) this.socket.close(); // tells of it behind the error
      this.emit('error', error);
    });
  }

  #asked(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const connection = this.#known.get(socket) ?? this.#make(socket);
    Object.assign(connection, { path: request.url, headers: request.headers });
    this.#core.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.once('close', () => this.#closed());
      connection[kOpen](webSocket);
    });
  }

  #make(socket: Duplex): Connection {
    this.#known.set(socket, undefined);
    const connection = new Connection(socket, this, () => {
      this.connections.push(connection);
      this.emit('connection', connection);
    });
    this.#known.set(socket, connection);
    connection.once('close', () => (this.connections = this.connections.filter((each) => each !== connection)));
    return connection;
  }

  #closed(): void {
    if (this.#hasClosed && this.#core.clients.size === 0) this.emit('close');
  }

  static {
    forgivePeers(this);
  }
}
