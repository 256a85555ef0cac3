import { EventEmitter } from 'node:events';
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerOptions as HttpOptions,
} from 'node:http';
import {
  createServer as createHttpsServer,
  Server as HttpsServer,
  type ServerOptions as HttpsOptions,
} from 'node:https';
import type { Duplex } from 'node:stream';
import { selectSubprotocol } from '@ws/handshake';
import { refuseUpgrade, upgradeRequired, WebSocketServer, type HandshakeError } from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import { Connection } from './connection.js';
import { InStream } from './in-stream.js';
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

/** ms that a handshake may take, that of TLS and then that of HTTP. */
const HANDSHAKE = { handshakeTimeout: 10_000, headersTimeout: 10_000, connectionsCheckingInterval: 1000 };

/** A server with the API of `nodejs-websocket`: an http or https server that takes WebSockets alone. */
export class Server extends EventEmitter<ServerEvents> implements Parent {
  /** What listens. */
  readonly socket: HttpServer | HttpsServer;
  readonly #open = new Set<Connection>();
  /** {@link #open} as it was handed out, while nobody has left. */
  #list: Connection[] | undefined;
  readonly #core: WebSocketServer;
  /** Streams with a connection, and that one as soon as there is it. */
  readonly #known = new WeakMap<Duplex, Connection | undefined>();

  constructor(secure: boolean, callback?: (connection: Connection) => void);
  constructor(secure: boolean, options?: ServerOptions | null, callback?: (connection: Connection) => void);
  constructor(
    secure: boolean,
    second?: ServerOptions | ((connection: Connection) => void) | null,
    third?: (connection: Connection) => void,
  ) {
    super({ captureRejections: true });
    const [options, callback] = typeof second === 'function' ? [undefined, second] : [second, third];
    const { secure: _, validProtocols = [], selectProtocol, ...rest } = options ?? {};
    if (callback) this.on('connection', callback);
    const http = { ...HANDSHAKE, ...rest };
    this.socket = secure ? createHttpsServer(http, upgradeRequired) : createHttpServer(http, upgradeRequired);
    this.#core = this.#makeCore(
      selectProtocol ?? ((_connection, protocols) => selectSubprotocol(protocols, validProtocols)),
    );
    this.#listen();
  }

  /** The open connections. When one leaves there is a new array, made when it is asked for: a loop over the old one misses none. */
  get connections(): Connection[] {
    return (this.#list ??= [...this.#open]);
  }

  /** Port 0 is a free one; without a host it is on all addresses. */
  listen(port?: number, callback?: () => void): this;
  listen(port?: number, host?: string, callback?: () => void): this;
  listen(port?: number, second?: string | (() => void), third?: () => void): this {
    const [host, callback] = typeof second === 'function' ? [undefined, second] : [second, third];
    if (callback) this.on('listening', callback);
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
    this.socket.emit(this.socket instanceof HttpsServer ? 'secureConnection' : 'connection', connection.socket);
  }

  #makeCore(selectProtocol: SelectProtocol): WebSocketServer {
    const handleProtocols = (protocols: Set<string>, request: IncomingMessage): string | false => {
      const connection = Object.assign(this.#known.get(request.socket)!, { protocols: [...protocols] });
      return selectProtocol.call(this, connection, connection.protocols) || false;
    };
    const maxPayload = Connection.maxBufferLength;
    const ours = { noServer: true, origins: 'any', incoming: 'binary', Incoming: InStream, maxPayload } as const;
    const core = new WebSocketServer({ ...ours, handleProtocols });
    core.on('wsClientError', (error, socket) => {
      const { status, message: body, headers } = error as HandshakeError;
      refuseUpgrade(socket, status === 426 ? 426 : 400, { body, headers }); // as the old library has it, but for a version that is not ours
    });
    core.on('refused', (reason, _request, error) => {
      if (reason === 'handleProtocols' && this.listenerCount('error') > 0) this.emit('error', error as Error);
    });
    return core;
  }

  #listen(): void {
    this.socket.on('upgrade', (request, socket, head) => {
      const connection = this.#known.get(socket) ?? this.#make(socket);
      Object.assign(connection, { path: request.url, headers: request.headers });
      this.#core.handleUpgrade(request, socket, head, (webSocket) => connection[kOpen](webSocket));
    });
    this.socket.on('listening', () => this.emit('listening'));
    this.socket.on('close', () => {
      const all = [...this.#core.clients].map(({ closed }) => closed);
      void Promise.all(all).then(() => this.emit('close'));
    });
    this.socket.on('error', (error) => {
      if (!this.socket.listening) this.socket.close(); // tells of it behind the error
      this.emit('error', error);
    });
  }

  #make(socket: Duplex): Connection {
    this.#known.set(socket, undefined);
    const connection = new Connection(socket, this, () => {
      this.#open.add(connection);
      this.#list?.push(connection);
      this.emit('connection', connection);
    });
    this.#known.set(socket, connection);
    connection.once('close', () => {
      this.#open.delete(connection);
      this.#list = undefined;
    });
    return connection;
  }
}

forgivePeers(Server);
