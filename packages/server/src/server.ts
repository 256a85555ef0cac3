import { captureRejectionSymbol, EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  channels,
  checkConnectionOptions,
  kClosed,
  kObserver,
  listenerRejected,
  makeReplaceable,
  type BufferLike,
  type CloseInfo,
  type ConnectionOptions,
  type Observer,
  type PreparedMessage,
  type WebSocket,
} from '@ws/connection';
import type { UpgradeRequest } from '@ws/handshake';
import { Admission } from './admission.js';
import type { BroadcastOptions, BroadcastReport } from './broadcast.js';
import type { BroadcastStream, BroadcastStreamOptions } from './broadcast-stream.js';
import { Broadcaster } from './broadcaster.js';
import { complete, type Completion } from './completion.js';
import type { WebSocketServerEvents } from './events.js';
import { supportedExtensions, type ServerExtension } from './extensions.js';
import type { MessageSink } from './message-sink.js';
import { Metrics, type ServerMetrics } from './metrics.js';
import { OpenSockets } from './open-sockets.js';
import { isHttpServer } from './option-rules.js';
import { connectionOptions, resolveOptions, type ResolvedServerOptions, type ServerOptions } from './options.js';
import { OwnPort } from './own-port.js';
import { Pending } from './pending.js';
import type { Refusal, RefusalReason } from './refusal.js';
import { isPath } from './request-path.js';
import { Shutdown, type ShutdownOptions, type ShutdownReport } from './shutdown.js';
import { guarded } from './uncaught.js';
import { route, takeOver, unroute, type AnyHttpServer, type UpgradeTarget } from './upgrade-routing.js';
import { Upgrade } from './upgrade.js';
import {
  refuseClient,
  type AcceptedUpgrade,
  type Client,
  type UpgradeCallback,
  type UpgradeHost,
} from './upgrade-host.js';

/** Who is refused, perhaps before a request of his was read. */
type Stranger = Omit<Client, 'request'> & { readonly request: IncomingMessage | undefined };

type Routed = IncomingMessage & Record<symbol, true | PromiseLike<boolean> | undefined>;

/** Marks every copy of the class, so that `instanceof` holds where a bundler or a test runner loads two. */
const BRAND = Symbol.for('@ws/server.WebSocketServer');

/**
 * Accepts WebSocket connections: on its own port, on http and https servers of others, or request by request.
 * Subclasses may override `shouldHandle`, `handshakeOf`, `handleUpgrade` and `completeUpgrade`. An async listener may reject with what a peer caused: see `isPeerFault`.
 */
export class WebSocketServer<Data = unknown> extends EventEmitter<WebSocketServerEvents<Data>> {
  readonly options: ResolvedServerOptions<Data>;
  /** The open connections; not there with `clientTracking: false`. Yours to change: nothing of the server's own goes by it but broadcasts. */
  declare readonly clients: Set<WebSocket<Data>>;
  readonly #connectionOptions: ConnectionOptions;
  readonly #extensions: readonly ServerExtension[];
  readonly #attached = new Set<AnyHttpServer>();
  readonly #admission: Admission;
  readonly #pending: Pending;
  /** Under this name a request has what `shouldHandle` said to the router, so that it is asked once: a table of them would take time for each. */
  readonly #handled = Symbol('handled');
  readonly #host: UpgradeHost<Data>;
  readonly #completion: Completion<Data>;
  readonly #target: UpgradeTarget;
  readonly #broadcaster: Broadcaster<Data>;
  readonly #metrics = new Metrics();
  readonly #observer: Observer;
  #ownPort: OwnPort | undefined;
  /** Open connections, whatever becomes of `clients`. */
  readonly #open = new OpenSockets<Data>();
  #shutdown: Promise<ShutdownReport> | undefined;
  #state: 'running' | 'shutting down' | 'closing' | 'closed' = 'running';

  /**
   * @param callback listens to 'listening' once, with the option `port`
   * @throws {TypeError | RangeError} naming the option that is not what it has to be
   */
  constructor(options: ServerOptions<Data>, callback?: () => void) {
    super({ captureRejections: true });
    this.options = resolveOptions(options);
    this.#connectionOptions = connectionOptions(this.options, this.#metrics.meter);
    checkConnectionOptions(this.#connectionOptions);
    this.#extensions = supportedExtensions(this.options.perMessageDeflate);
    this.#admission = new Admission(this.options);
    this.#pending = new Pending(this.options.maxPending);
    this.#host = this.#makeHost();
    this.#completion = this.#makeCompletion();
    this.#target = this.#makeTarget();
    this.#broadcaster = new Broadcaster(this);
    this.#observer = this.#makeObserver();
    if (this.options.clientTracking)
      Object.defineProperty(this, 'clients', { configurable: true, enumerable: true, get: () => this.#open.shown });
    if (this.options.server) this.attach(this.options.server);
    if (this.options.port !== undefined) this.#listen(this.options.port, callback);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== WebSocketServer) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  get [BRAND](): true {
    return true;
  }

  /**
   * Also takes the upgrade requests of `httpServer` (http or https) from now on, as with the option `server`.
   * Several WebSocket servers may share one http server: the first whose `shouldHandle` says yes gets the request.
   */
  attach(httpServer: AnyHttpServer): this {
    if (!isHttpServer(httpServer)) throw new TypeError('httpServer is not an http or https server');
    if (this.#state !== 'running') throw new Error('The server is not running');
    if (this.#attached.has(httpServer)) return this;
    this.#attached.add(httpServer);
    httpServer.on('listening', this.#onListening);
    httpServer.on('error', this.#onError);
    route(httpServer, this.#target);
    return this;
  }

  /** Where the own port, or the first http server attached, listens; null while it does not. */
  address(): AddressInfo | string | null {
    const [first] = this.#attached;
    if (this.#ownPort && this.#state !== 'closing') return this.#ownPort.address();
    if (first) return first.address();
    if (this.options.noServer) throw new Error('The server is operating in "noServer" mode');
    return null;
  }

  /** What listens: of the own port, or the first http server attached, for `unref()`, `listening`, `getConnections()`. Undefined where there is none, and once closed. */
  get listener(): NetServer | undefined {
    const [first] = this.#attached;
    return this.#ownPort?.listener ?? first;
  }

  /** Whether this server takes the request. Here: whether the path is the one of the option `path`. */
  shouldHandle(request: IncomingMessage): boolean | Promise<boolean> {
    return !this.options.path || isPath(request.url ?? '', this.options.path);
  }

  /** What the opening handshake is read from. Here: what the client sent, with `rawHeaders`; for requests that a program makes, or changes on their way, override it. */
  handshakeOf({ method = '', url = '', httpVersion, rawHeaders }: IncomingMessage): UpgradeRequest {
    return { method, target: url, httpVersion, headers: rawHeaders };
  }

  /**
   * Takes an upgrade request that an http server emitted. `callback` gets the open connection; a request that is
   * refused gets its answer, and `callback` is not called.
   * @throws {Error} if a WebSocket server has this socket already
   */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array, callback: UpgradeCallback<Data>): void {
    if (typeof callback !== 'function') throw new TypeError(`callback is ${typeof callback}, expected a function`);
    takeOver(socket);
    this.#ownPort?.release(socket);
    if (channels.handshake.hasSubscribers) channels.handshake.publish({ role: 'server', server: this, request });
    new Upgrade(this.#host, { request, socket, head, callback }).start();
  }

  /**
   * Sends one message to all open connections, built once and compressed once for those that agreed alike.
   * @throws {TypeError | RangeError} for what cannot be sent, and with `clientTracking: false`; whatever `filter` throws: nothing is sent then
   */
  broadcast(data: BufferLike | PreparedMessage, options: BroadcastOptions<Data> = {}): BroadcastReport {
    return this.#broadcaster.send(data, options);
  }

  /** A stream that is one message to all connections open at its first write. @throws as {@link broadcast} */
  createBroadcast(options: BroadcastStreamOptions<Data> = {}): BroadcastStream {
    return this.#broadcaster.stream(options);
  }

  /** Takes whole messages for all: `socket.messages().pipe(server.messages)`. @throws {TypeError} with `clientTracking: false` */
  get messages(): MessageSink {
    return this.#broadcaster.sink;
  }

  /**
   * Stops accepting: closes the own port, leaves the http servers of others, and leaves open connections alone.
   * 'close' follows when all tracked clients are gone, and calls `callback`.
   * @param callback gets an error if the server is closed already
   */
  close(callback?: (error?: Error) => void): void {
    if (this.#state === 'closed') {
      if (callback) process.nextTick(callback, new Error('The server is not running'));
      return;
    }
    if (callback) this.once('close', callback);
    if (this.#state === 'closing') return;
    this.#state = 'closing';
    for (const httpServer of this.#attached) this.#detach(httpServer);
    this.#refuseWaiting();
    if (this.#ownPort) unroute(this.#ownPort.httpServer, this.#target);
    this.#ownPort?.close();
    process.nextTick(this.#closeWhenDrained);
  }

  /**
   * Ends in good order, for deploys: no new clients (503, with `Retry-After`; the own port stays open for that), the connections closed one after the other
   * over the time `spread`, each behind what is queued for it, and cut where that is not enough; then `close()`. Called again, it tells of the same.
   * @returns when all connections are gone and 'close' has been emitted; rejects with {TypeError | RangeError} for a bad option, before anything is done
   */
  shutdown(options: ShutdownOptions = {}): Promise<ShutdownReport> {
    if (this.#shutdown) return this.#shutdown;
    try {
      this.#shutdown = this.#shutDown(new Shutdown(options));
      return this.#shutdown;
    } catch (error) {
      const fault = error as Error;
      return Promise.reject(fault);
    }
  }

  async #shutDown(shutdown: Shutdown): Promise<ShutdownReport> {
    if (this.#state === 'running') this.#state = 'shutting down';
    this.#refuseWaiting();
    const report = await shutdown.end(this.#open as OpenSockets<unknown>);
    if (this.#state !== 'closed') await new Promise<void>((resolve) => this.close(() => resolve()));
    return report;
  }

  /** Counters and gauges of this moment, for whatever watches the server: see {@link ServerMetrics}. Asks each open connection. */
  metrics(): ServerMetrics {
    const { memoryLimit } = this.options;
    const memory = memoryLimit ? memoryLimit.used : 0;
    return this.#metrics.report({ open: this.#open, pending: this.#pending.size, memory });
  }

  /** Closes the server, and its clients with 1001: all of them are gone then, at the latest `closeTimeout` after their Close frames. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.close(() => resolve()));
    const clients = [...this.#open];
    for (const client of clients) guarded(() => client.close(1001));
    await Promise.all([closed, ...clients.map((client) => client[kClosed])]);
  }

  /** Whatever a 'refused' listener throws, each has its answer, and what we are at goes on. */
  #refuseWaiting(): void {
    for (const upgrade of this.#pending.waiting) guarded(() => upgrade.refuse(this.#admission.closing()));
  }

  /**
   * The last step of a handshake that everybody accepted: sends the 101, makes the connection and gives it to
   * `callback`. An override can keep one from happening by not calling this one; the socket is its own then.
   */
  protected completeUpgrade(
    accepted: AcceptedUpgrade<Data>,
    request: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    callback: UpgradeCallback<Data>,
  ): void {
    complete(this.#completion, accepted, { request, socket, head, callback });
  }

  #track(webSocket: WebSocket<Data>): void {
    this.#open.add(webSocket);
    this.#metrics.accepted();
    webSocket[kObserver] = this.#observer;
    if (webSocket.duplex) this.#admission.entrust(webSocket.duplex);
    this.#broadcaster.joins();
  }

  #refuse(client: Client, refusal: Refusal): void {
    this.#ownPort?.release(client.socket);
    refuseClient(this.#host, client, refusal);
  }

  #isOver(): boolean {
    return this.#state !== 'running';
  }

  /** Every refusal comes by here, also one at the door of the own port, where there is no request to tell of yet. */
  #onRefused(reason: RefusalReason, error: unknown, client: Stranger): void {
    const { request, socket } = client;
    this.#metrics.refused(reason);
    if (channels.refused.hasSubscribers) {
      const { remoteAddress = (socket as Partial<Socket>).remoteAddress } = client;
      channels.refused.publish({ server: this, reason, error, request, remoteAddress });
    }
    if (request) this.emit('refused', reason, request, error);
  }

  #listen(port: number, callback: (() => void) | undefined): void {
    const { host, backlog } = this.options;
    this.#ownPort = new OwnPort({
      options: this.options,
      pending: this.#pending,
      atDoor: (socket) => this.#admission.atDoor(socket),
      refusal: (reason, body) => this.#admission.refusal(reason, body),
      closing: () => (this.#isOver() ? this.#admission.closing() : undefined),
      onRefused: (reason, error, request, socket) => this.#onRefused(reason, error, { request, socket }),
      onListening: this.#onListening,
      onError: this.#onError,
      onAcceptPaused: (error) => void this.emit('acceptPaused', error),
      onAcceptResumed: () => void this.emit('acceptResumed'),
      onClose: () => {
        this.#ownPort = undefined;
        process.nextTick(this.#closeWhenDrained);
      },
    });
    route(this.#ownPort.httpServer, this.#target);
    if (callback) this.once('listening', callback);
    this.#ownPort.listen({ port, host, backlog });
  }

  #gone(socket: WebSocket<Data>, info: CloseInfo): void {
    this.#open.delete(socket);
    this.#metrics.gone(socket, info);
    if (this.#state === 'closing') process.nextTick(this.#closeWhenDrained);
  }

  readonly #onListening = (): void => void this.emit('listening');
  readonly #onError = (error: Error): void => void this.emit('error', error);

  #detach(httpServer: AnyHttpServer): void {
    unroute(httpServer, this.#target);
    httpServer.off('listening', this.#onListening);
    httpServer.off('error', this.#onError);
    this.#attached.delete(httpServer);
  }

  readonly #closeWhenDrained = (): void => {
    if (this.#state !== 'closing' || this.#ownPort) return;
    if (this.options.clientTracking && this.#open.size > 0) return;
    this.#state = 'closed';
    this.emit('close');
  };

  #makeHost(): UpgradeHost<Data> {
    return {
      options: this.options,
      extensions: this.#extensions,
      admission: this.#admission,
      pending: this.#pending,
      isClosing: () => this.#isOver(),
      handshakeOf: (request) => this.handshakeOf(request),
      shouldHandle: (request) => (request as Routed)[this.#handled] ?? this.shouldHandle(request),
      complete: (accepted, { request, socket, head, callback }) =>
        this.completeUpgrade(accepted, request, socket, head, callback),
      giveAway: (error, client) => {
        if (this.listenerCount('wsClientError') === 0) return false;
        this.#onRefused('handshake', error, client);
        return this.emit('wsClientError', error, client.socket, client.request);
      },
      emitRefused: (reason, client, error) => this.#onRefused(reason, error, client),
    };
  }

  #makeCompletion(): Completion<Data> {
    return {
      options: this.options,
      connectionOptions: this.#connectionOptions,
      extensions: this.#extensions,
      closing: () => (this.#isOver() ? this.#admission.closing() : undefined),
      refuse: (client, refusal) => this.#refuse(client, refusal),
      hasHeadersListener: () => this.listenerCount('headers') > 0,
      emitHeaders: (lines, request) => void this.emit('headers', lines, request),
      opened: (socket) => this.#track(socket),
    };
  }

  #makeObserver(): Observer {
    return {
      slow: (socket, info) => void this.emit('slow', socket as WebSocket<Data>, info),
      recovered: (socket, info) => void this.emit('recovered', socket as WebSocket<Data>, info),
      closing: (socket, initiator) => {
        if (initiator === 'remote') this.#broadcaster.leaves(socket);
      },
      streamClosed: (stream) => this.#admission.leave(stream),
      closed: (socket, info) => this.#gone(socket as WebSocket<Data>, info),
    };
  }

  #makeTarget(): UpgradeTarget {
    const connected: UpgradeCallback<Data> = (socket, request) => void this.emit('connection', socket, request);
    return {
      handshakeTimeoutMs: this.options.handshakeTimeout,
      unservedPath: this.options.unservedPath,
      shouldHandle: (request) => this.shouldHandle(request),
      take: (request, socket, head, handled) => {
        (request as Routed)[this.#handled] = handled;
        this.handleUpgrade(request, socket, head, connected);
      },
      refuse: (request, socket, refusal) => this.#refuse({ request, socket }, refusal),
    };
  }

  static {
    Object.defineProperty(this.prototype, captureRejectionSymbol, {
      value(reason: unknown, _event: string, ...told: unknown[]) {
        listenerRejected(reason, ...told);
      },
    });
    makeReplaceable(this.prototype, 'listener', 'messages'); // which servers of `ws` 8 do not have
  }
}
