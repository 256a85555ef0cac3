import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { channels } from './channels.js';
import { neverOpened } from './close-report.js';
import { Connection } from './connection.js';
import { kIsBusy, kSettings, type ConnectionOwner, type kOwner, type Subject } from './connection-owner.js';
import { kClosed } from './ending.js';
import { EventAttributes } from './event-attributes.js';
import { Limits } from './limits.js';
import { LooseEnds } from './loose-ends.js';
import { kObserver, kPlace, kStats, type Observer } from './observer.js';
import { checkOneOf } from './option-checks.js';
import {
  connectionSettings,
  INCOMING_MODES,
  type ConnectionOptions,
  type ConnectionSettings,
  type IncomingMode,
} from './options.js';
import type { CloseInfo, Initiator } from './protocol/index.js';
import { CLOSED, CLOSING, CONNECTING, describeState, OPEN } from './ready-state.js';
import { makeReplaceable } from './replaceable.js';
import { agreedBy, NOTHING_AGREED, sizeOf, type SocketOptions } from './socket-options.js';
import type { BinaryType, SocketStats } from './types.js';

const BINARY_TYPES: readonly string[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] satisfies BinaryType[];

const NOTHING_COUNTED: SocketStats = { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };

/** Of those that somebody asked for. */
const limitsOf = new WeakMap<SocketState, Limits>();

export const kConnection = Symbol('connection');
export const kLooseEnds = Symbol('loose ends');
export const kAttach = Symbol('attach');
export const kFinish = Symbol('finish');

/** What a WebSocket is and has, from CONNECTING to CLOSED, beside what can be done with it. There may be very many that do nothing: what few of them have is not a field of each. */
export abstract class SocketState extends EventAttributes implements Subject {
  /** See {@link kObserver}. */
  [kObserver]: Observer | undefined = undefined;
  /** See {@link kPlace}. */
  [kPlace] = -1;

  #settings: ConnectionSettings;
  /** The constructor was given no options. */
  readonly #isBare: boolean;
  #connection: Connection | undefined;
  /** As long as there is no connection. */
  #state: typeof CONNECTING | typeof CLOSING | typeof CLOSED = CONNECTING;
  #binaryType: BinaryType = 'nodebuffer';
  #incoming: IncomingMode;
  #agreed = NOTHING_AGREED;
  #looseEnds: LooseEnds | undefined;

  constructor(options: ConnectionOptions | undefined) {
    super();
    this.#settings = connectionSettings(options);
    this.#isBare = (options ?? undefined) === undefined;
    this.#incoming = this.#settings.incoming;
  }

  get readyState(): 0 | 1 | 2 | 3 {
    const connection = this.#connection;
    if (connection === undefined) return this.#state;
    if (connection.isOpen) return OPEN;
    return connection.isClosed ? CLOSED : CLOSING;
  }

  /** Bytes given to `send` that are not with the operating system. */
  get bufferedAmount(): number {
    const bytes = this.#connection === undefined ? 0 : this.#connection.bufferedAmount;
    return this.#looseEnds === undefined ? bytes : bytes + this.#looseEnds.bufferedAmount;
  }

  /**
   * The form of binary messages: `'nodebuffer'` a Buffer, `'arraybuffer'` an ArrayBuffer, `'fragments'` a list of
   * Buffers, uncopied where they are large, `'blob'` a Blob. Other values are ignored, as in ws 8.
   */
  get binaryType(): BinaryType {
    return this.#binaryType;
  }
  set binaryType(type: BinaryType) {
    if (!BINARY_TYPES.includes(type)) return;
    this.#binaryType = type;
    if (this.#connection) this.#connection.keepFragments = type === 'fragments' || type === 'blob';
  }

  /**
   * How messages are given from the next one on: `'buffer'` whole, as `'message'`; `'stream'` as `'incoming'`, from the header of their first frame
   * on, and dropped where nobody listens for that; `'binary'` so for binary messages, text whole; `'auto'` as streams if they are in fragments or longer than the option `streamThreshold`, and
   * somebody listens for `'incoming'`. @default the option `incoming`
   * @throws {TypeError | RangeError} for another value
   */
  get incoming(): IncomingMode {
    return this.#incoming;
  }
  set incoming(mode: IncomingMode) {
    this.#incoming = checkOneOf('incoming', mode, INCOMING_MODES);
    if (this.#connection) this.#connection.streams = mode !== 'buffer';
  }

  /** Bytes that came over the wire since the handshake. */
  get bytesReceived(): number {
    return this.#connection?.bytesReceived ?? 0;
  }
  /** Bytes that went to the wire since the handshake. */
  get bytesSent(): number {
    return this.#connection?.bytesSent ?? 0;
  }
  /** Messages that came to their end, also those that nobody wanted. */
  get messagesReceived(): number {
    return this.#connection?.messagesReceived ?? 0;
  }
  /** Messages of which the last frame is with the stream. */
  get messagesSent(): number {
    return this.#connection?.messagesSent ?? 0;
  }
  /** The counters, as they are now. */
  get stats(): SocketStats {
    return this[kStats];
  }

  /** Ms of a round trip, smoothed, as the option `heartbeat` measures it; `undefined` before the first pong, and without it. */
  get latency(): number | undefined {
    return this.#connection?.latency;
  }

  /** What this connection may cost; `update` changes it. */
  get limits(): Limits {
    const known = limitsOf.get(this);
    if (known) return known;
    const get = (): ConnectionSettings => this.#settings;
    const set = (settings: ConnectionSettings): void => {
      const live = this.#connection?.live; // by the old ones, for what counts from now on
      this.#settings = settings;
      live?.update(settings);
    };
    const limits = new Limits(get, set);
    limitsOf.set(this, limits);
    return limits;
  }

  get isPaused(): boolean {
    return this.#connection !== undefined && this.#connection.isPaused;
  }
  /** The agreed subprotocol, or `''`. */
  get protocol(): string {
    return this.#agreed.protocol;
  }
  /** The subprotocols that the client asked for. */
  get requestedProtocols(): readonly string[] {
    return this.#agreed.requestedProtocols;
  }
  /** Names of the agreed extensions, separated by commas. */
  get extensions(): string {
    return this.#agreed.extensions;
  }
  /** The address, of clients; else `''`. */
  get url(): string {
    return '';
  }
  /** The stream underneath: for its addresses and its certificate, not to be read or written. What was sent is written before: somebody may end or destroy it. */
  get duplex(): Duplex | undefined {
    this.#connection?.flush();
    return this.#connection?.duplex;
  }

  /**
   * The peer's address: on a server with `trustProxy` what it made out; else the stream's own, which Node forgets at the end unless somebody has
   * asked before. undefined where there is none.
   */
  get remoteAddress(): string | undefined {
    const { remoteAddress } = this.#agreed;
    if (remoteAddress !== undefined) return remoteAddress;
    const duplex = this.#connection?.duplex;
    return duplex && 'remoteAddress' in duplex && typeof duplex.remoteAddress === 'string'
      ? duplex.remoteAddress
      : undefined;
  }

  /** Resolves when the connection is gone; never rejects. */
  get closed(): Promise<CloseInfo> {
    return this[kClosed];
  }

  /** Called by `close` and `terminate` while connecting. A client overrides it to cut its request, and calls {@link failConnecting}. */
  protected abortConnecting(error: Error): void {
    this.failConnecting(error, 'local');
  }

  /**
   * Ends a socket that was never open: on the next tick `'error'`, which throws where nobody listens, and `'close'` with 1006.
   * @param error null where the user knows already what happened: `'close'` alone
   * @param initiator `'local'` where the user gave it up
   */
  protected failConnecting(error: Error | null, initiator: Initiator = 'transport'): void {
    if (this.#connection || this.#state !== CONNECTING) return;
    this.#state = CLOSING;
    if (error) process.nextTick(() => this.emit('error', error));
    process.nextTick(() => {
      this.#state = CLOSED;
      const info = neverOpened(error, initiator);
      this[kFinish](info);
      if (channels.close.hasSubscribers) channels.close.publish({ socket: this, info });
      this.emit('close', info.code, Buffer.from(info.reason), info);
    });
  }

  // For its own files.

  abstract [kOwner](): ConnectionOwner;

  get [kSettings](): ConnectionSettings {
    return this.#settings;
  }

  get [kIsBusy](): boolean {
    return this.#looseEnds !== undefined && this.#looseEnds.isWriting;
  }

  get [kClosed](): Promise<CloseInfo> {
    return this[kLooseEnds].closed;
  }

  get [kStats](): SocketStats {
    const { bytesReceived, bytesSent, messagesReceived, messagesSent } = this.#connection ?? NOTHING_COUNTED;
    return { bytesReceived, bytesSent, messagesReceived, messagesSent };
  }

  protected get [kConnection](): Connection | undefined {
    return this.#connection;
  }

  protected get [kLooseEnds](): LooseEnds {
    return (this.#looseEnds ??= new LooseEnds());
  }

  /** CONNECTING to OPEN. */
  protected [kAttach](duplex: Duplex, head: Uint8Array, options: SocketOptions): void {
    if (this.readyState !== CONNECTING) throw new Error(`cannot take a stream: ${describeState(this.readyState)}`);
    const { role, requestedProtocols = [], extensions = [] } = options;
    if (this.#isBare && options.options) SocketState.#adopt(this, options.options);
    const connection = new Connection(duplex, role, extensions, this);
    this.#connection = connection;
    if (role === 'server' && requestedProtocols.length > 0) connection.keep(sizeOf(requestedProtocols));
    this.#agreed = agreedBy(options);
    this.binaryType = this.#binaryType;
    this.incoming = this.#incoming;
    connection.start(head);
    if (channels.open.hasSubscribers) channels.open.publish({ socket: this, role, request: options.request });
  }

  /** The connection is gone. */
  [kFinish](info: CloseInfo): void {
    this[kLooseEnds].finish(info);
  }

  /** What a constructor did not pass on holds all the same, behind what has been set since. No method: a private one is a field of each instance. */
  static #adopt(socket: SocketState, options: ConnectionOptions): void {
    const { options: own, incoming } = socket.#settings;
    socket.#settings = connectionSettings(Object.keys(own).length === 0 ? options : { ...options, ...own });
    if (socket.#incoming === incoming) socket.#incoming = socket.#settings.incoming;
  }

  static {
    // As in browsers: `for (const name in socket)` finds them.
    for (const name of ['binaryType', 'bufferedAmount', 'extensions', 'isPaused', 'protocol', 'readyState', 'url'])
      Object.defineProperty(this.prototype, name, { enumerable: true });
    // What `ws` 8 does not have.
    makeReplaceable(this.prototype, 'bytesReceived', 'bytesSent', 'closed', 'duplex', 'latency', 'limits');
    makeReplaceable(this.prototype, 'messagesReceived', 'messagesSent', 'remoteAddress', 'requestedProtocols', 'stats');
  }
}
