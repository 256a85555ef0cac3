import { Blob, Buffer } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { channels, tellMessage } from './channels.js';
import { neverOpened } from './close-report.js';
import { Connection } from './connection.js';
import { kOwner, type ConnectionOwner } from './connection-owner.js';
import type { Role } from './core-options.js';
import { Delivery } from './delivery.js';
import { EventAttributes } from './event-attributes.js';
import { toReadable, type MessageContent } from './message-content.js';
import { MessageIterator } from './message-iterator.js';
import { MessageStream } from './message-stream.js';
import { End, kEnd } from './ending.js';
import { kObserver, type Observer } from './observer.js';
import { Limits } from './limits.js';
import { checkOneOf, describe } from './option-checks.js';
import {
  connectionSettings,
  INCOMING_MODES,
  type ConnectionOptions,
  type ConnectionSettings,
  type IncomingMode,
} from './options.js';
import { Outgoing, type OutgoingOptions } from './outgoing.js';
import { kPace, type Pace } from './pace.js';
import { fromBlob, payloadLength, toPayload } from './payload.js';
import { PreparedMessage } from './prepared-message.js';
import {
  MessageError,
  type CloseInfo,
  type DeferredPayload,
  type Extension,
  type Failure,
  type Initiator,
  type SendCallback,
} from './protocol/index.js';
import { kJoin, SharedWay, type Share } from './shared-way.js';
import type { Outcome } from './slow-recipient.js';
import type { BinaryType, BufferLike, SendOptions, SocketStats } from './types.js';

const CONNECTING = 0;
const OPEN = 1;
const CLOSING = 2;
const CLOSED = 3;
const STATE_NAMES = ['CONNECTING', 'OPEN', 'CLOSING', 'CLOSED'] as const;
const BINARY_TYPES: readonly string[] = ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] satisfies BinaryType[];
const NO_BYTES = new Uint8Array(0);

/** Marks every copy of this class, so that `instanceof` holds where a bundler or a test runner loads two. */
const BRAND = Symbol.for('@ws/connection.WebSocket');

/** What came out of a handshake: of nearly all, nothing, which they share. */
interface Agreed {
  readonly protocol: string;
  readonly requestedProtocols: readonly string[];
  readonly extensions: string;
}
const NOTHING_AGREED: Agreed = {
  protocol: '',
  requestedProtocols: Object.freeze([]) as readonly string[],
  extensions: '',
};

/** Of those that somebody asked for. */
const limitsOf = new WeakMap<WebSocket, Limits>();

/** What `send` takes. */
type Sendable = BufferLike | Blob | PreparedMessage;

/** What came out of the handshake. */
export interface SocketOptions {
  /** Our end: a server's frames go unmasked, a client's masked. RFC 6455 §5.1 */
  readonly role: Role;
  /** The agreed subprotocol. @default '' */
  readonly protocol?: string | undefined;
  /** What the client asked for, in its order. @default [] */
  readonly requestedProtocols?: readonly string[] | undefined;
  /** The agreed extensions, in the order agreed. @default [] */
  readonly extensions?: readonly Extension[] | undefined;
  /** For who listens on `ws:open`: the request of the handshake. It is not kept. */
  readonly request?: IncomingMessage | undefined;
  /** Where the peer is, if that is not the address of the stream. */
  readonly remoteAddress?: string | undefined;
  /** What the connection is held to if the constructor was given no options at all, as by a subclass that does not pass them on. */
  readonly options?: ConnectionOptions | undefined;
}

/** For {@link WebSocket.from}. */
export interface FromOptions extends Omit<SocketOptions, 'options'>, ConnectionOptions {
  /** Bytes that came behind the handshake. */
  readonly head?: Uint8Array | undefined;
}

/**
 * One WebSocket, RFC 6455, with the API of `ws` 8: the base of both ends. `@ws/server` and `@ws/client` make them; over
 * any other byte stream, {@link WebSocket.from} does.
 *
 * `Data` is the type of `data`, which is the user's own.
 */
export class WebSocket<Data = unknown> extends EventAttributes {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  declare readonly CONNECTING: typeof CONNECTING;
  declare readonly OPEN: typeof OPEN;
  declare readonly CLOSING: typeof CLOSING;
  declare readonly CLOSED: typeof CLOSED;

  /** The user's own; the library never touches it. */
  declare data: Data;

  /** See {@link kObserver}. */
  [kObserver]: Observer | undefined = undefined;

  #settings: ConnectionSettings;
  /** The constructor was given no options. */
  readonly #isBare: boolean;
  #connection: Connection | undefined;
  /** As long as there is no connection. */
  #state: typeof CONNECTING | typeof CLOSING | typeof CLOSED = CONNECTING;
  #binaryType: BinaryType = 'nodebuffer';
  #incoming: IncomingMode;
  #isPaused = false;
  #agreed: Agreed = NOTHING_AGREED;
  #remoteAddress: string | undefined;
  /** Bytes given to `send` when it was too late. WHATWG: they count for ever. */
  #lateBytes = 0;
  /** Messages that are being written. */
  #outgoing: Set<Outgoing | Share> | undefined;
  #end: End | undefined;

  /**
   * A socket without a connection, for {@link setSocket}.
   * @throws {TypeError} for an address: connecting is for `@ws/client`
   */
  constructor(address: null, _protocols?: undefined, options?: ConnectionOptions) {
    super();
    if (address !== null) throw new TypeError('this WebSocket does not connect by address: use the one of @ws/client');
    this.#settings = connectionSettings(options);
    this.#isBare = (options ?? undefined) === undefined;
    this.#incoming = this.#settings.incoming;
  }

  /**
   * A WebSocket over a byte stream on which the handshake is done, or needs none. It is open at once; `'open'` follows
   * on the next tick, before any message.
   * @throws {TypeError} for what is no stream, without a role, or for a stream that carries a WebSocket already
   */
  static from(duplex: Duplex, options: FromOptions): WebSocket {
    if (options?.role !== 'server' && options?.role !== 'client') {
      throw new TypeError(`role is ${String(options?.role)}, expected 'server' or 'client'`);
    }
    if (typeof duplex?.on !== 'function' || typeof duplex.write !== 'function')
      throw new TypeError('duplex is not a Duplex stream');
    const socket = new this(null, undefined, options);
    process.nextTick(() => {
      if (socket.readyState === OPEN) socket.emit('open');
    });
    socket.#attach(duplex, options.head ?? NO_BYTES, { ...options, options });
    return socket;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== WebSocket) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /** CONNECTING to OPEN: takes over the stream, and emits `'open'` before it returns. Data flows from a later tick on. */
  setSocket(duplex: Duplex, head: Uint8Array, options: SocketOptions): void {
    this.#attach(duplex, head, options);
    this.emit('open');
  }

  get readyState(): 0 | 1 | 2 | 3 {
    const connection = this.#connection;
    if (connection === undefined) return this.#state;
    if (connection.isOpen) return OPEN;
    return connection.isClosed ? CLOSED : CLOSING;
  }

  /** Bytes given to `send` that are not with the operating system. */
  get bufferedAmount(): number {
    let bytes = (this.#connection?.bufferedAmount ?? 0) + this.#lateBytes;
    if (this.#outgoing) for (const outgoing of this.#outgoing) bytes += outgoing.bufferedAmount;
    return bytes;
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
   * on, and dropped where nobody listens for that; `'auto'` as streams if they are in fragments or longer than the option `streamThreshold`, and
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
    const { bytesReceived, bytesSent, messagesReceived, messagesSent } = this;
    return { bytesReceived, bytesSent, messagesReceived, messagesSent };
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
      this.#settings = settings;
      if (this.#connection) this.#connection.settings = settings;
    };
    const limits = new Limits(get, set);
    limitsOf.set(this, limits);
    return limits;
  }

  get isPaused(): boolean {
    return this.#isPaused;
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
  /** The stream underneath: for its addresses and its certificate, not to be read or written. */
  get socket(): Duplex | undefined {
    return this.#connection?.duplex;
  }

  /**
   * The peer's address: on a server with `trustProxy` what it made out; else the stream's own, which Node forgets at the end unless somebody has
   * asked before. undefined where there is none.
   */
  get remoteAddress(): string | undefined {
    if (this.#remoteAddress !== undefined) return this.#remoteAddress;
    const { socket } = this;
    return socket && 'remoteAddress' in socket && typeof socket.remoteAddress === 'string'
      ? socket.remoteAddress
      : undefined;
  }

  /** Resolves when the connection is gone; never rejects. */
  get closed(): Promise<CloseInfo> {
    return (this.#end ??= new End()).closed;
  }

  /**
   * Sends a message: strings and numbers as text, all else as binary; a {@link PreparedMessage} as it says itself. A buffer belongs to the connection until the callback.
   * @param callback called once, when the data is with the operating system, or with an error
   * @returns false above `highWaterMark`; then `'drain'` follows
   * @throws {Error} while connecting; {TypeError} for what cannot be sent
   */
  send(data: Sendable, callback?: SendCallback): boolean;
  send(data: Sendable, options: SendOptions | undefined, callback?: SendCallback): boolean;
  send(data: Sendable, options?: SendOptions | SendCallback, callback?: SendCallback): boolean {
    if (typeof options === 'function') return this.offer(data, undefined, options) === 'sent';
    return this.offer(data, options, callback) === 'sent';
  }

  /** As {@link send}. @returns `'sent'`; `'queued'` above `highWaterMark`; `'dropped'` where the peer is too slow for it, see `slowConsumer`, or the connection is not open */
  offer(data: Sendable, options?: SendOptions, callback?: SendCallback): Outcome {
    checkCallback(callback);
    const connection = this.#connection;
    if (connection === undefined && this.#state === CONNECTING) throw this.#notOpen();
    const isOther = typeof data === 'object' && !ArrayBuffer.isView(data);
    if (isOther && data instanceof PreparedMessage) {
      if (connection === undefined || !connection.isOpen) return this.#refuse(data.payload, callback);
      if (channels.message.hasSubscribers) tellMessage(this, 'out', data.payload, data.isBinary);
      return connection.outflow.sendPrepared(data, callback, options);
    }
    const payload = isOther && data instanceof Blob ? fromBlob(data) : toPayload(data);
    if (connection === undefined || !connection.isOpen) return this.#refuse(payload, callback);
    const isText = options?.binary === undefined ? typeof payload === 'string' : !options.binary;
    if (channels.message.hasSubscribers) tellMessage(this, 'out', payload, !isText);
    return connection.outflow.send(payload, isText, options?.fin ?? true, options?.compress, callback, options);
  }

  /**
   * A stream that is one message: its first write takes the message's place among those sent, each write is a fragment, its end ends it.
   * @throws {Error} where there is no connection yet, or never was; {RangeError} for sizes that are none
   */
  createOutgoing(options: OutgoingOptions = {}): Outgoing {
    const connection = this.#connection;
    if (connection === undefined) throw this.#notOpen();
    const outgoing = new Outgoing(connection.outflow, options);
    if (!connection.isOpen) return outgoing.destroy(new MessageError('WS_ERR_CLOSED'));
    const streams = (this.#outgoing ??= new Set());
    streams.add(outgoing);
    outgoing.once('close', () => streams.delete(outgoing));
    return outgoing;
  }

  /**
   * Sends one message from a source that is read as fast as the peer takes it. Resolves when all of it is with the operating system, rejects when
   * source or connection break off: as for {@link createOutgoing}, a part that has been sent ends the connection then.
   */
  async sendStream(source: MessageContent, options?: OutgoingOptions): Promise<void> {
    await pipeline(toReadable(source), this.createOutgoing(options));
  }

  /**
   * Sends a ping; pongs to it are events. `mask` is as in ws 8 and changes nothing: the role decides.
   * @throws {Error} while connecting; {TypeError | RangeError} for a payload that is none, or over 125 bytes
   */
  ping(data?: BufferLike, mask?: boolean, callback?: SendCallback): void;
  ping(data: BufferLike | undefined, callback: SendCallback): void;
  ping(callback: SendCallback): void;
  ping(data?: BufferLike | SendCallback, mask?: boolean | SendCallback, callback?: SendCallback): void {
    this.#control('ping', data, mask, callback);
  }

  /** Sends a pong that nobody asked for, or, without `autoPong`, the answer. As {@link ping}. */
  pong(data?: BufferLike, mask?: boolean, callback?: SendCallback): void;
  pong(data: BufferLike | undefined, callback: SendCallback): void;
  pong(callback: SendCallback): void;
  pong(data?: BufferLike | SendCallback, mask?: boolean | SendCallback, callback?: SendCallback): void {
    this.#control('pong', data, mask, callback);
  }

  /**
   * Starts the closing handshake, behind what was sent before. RFC 6455 §7.1.2. While connecting it gives that up.
   * @param code 1000 to 1003, 1007 to 1014 or 3000 to 4999; without it the Close frame is empty
   * @param reason at most 123 bytes of UTF-8
   * @throws {TypeError | RangeError} for another code or reason, before anything is done
   */
  close(code?: number | null, reason?: string | Uint8Array | null): void {
    const isBare = code === undefined || code === null; // as in ws 8, a reason without a code is dropped
    if (this.#connection)
      this.#connection.closeWith(isBare ? undefined : code, isBare ? undefined : (reason ?? undefined));
    else if (this.#state === CONNECTING) this.#giveUp();
  }

  /** Cuts the connection, now. */
  terminate(): void {
    if (this.#connection) this.#connection.terminate();
    else if (this.#state === CONNECTING) this.#giveUp();
  }

  /** Stops reading: no event comes until {@link resume}, and the peer feels it. Does nothing unless open. */
  pause(): void {
    const { readyState } = this;
    if (readyState !== OPEN && readyState !== CLOSING) return;
    this.#isPaused = true;
    this.#connection?.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#connection?.resume();
  }

  /** `for await`: see {@link MessageIterator}. */
  [Symbol.asyncIterator](): MessageIterator {
    return new MessageIterator(this);
  }

  /**
   * The same messages, from now on, as a Readable in object mode: it ends or fails as the iteration does, after the messages that came before.
   * Destroying it lets go of the socket, which stays open.
   */
  messages(): MessageStream {
    return new MessageStream(this);
  }

  get [kPace](): Pace {
    return {
      highWaterMark: this.#settings.unreadBytes,
      hold: (reader) => this.#connection?.holdFor(reader),
      readOn: (reader) => this.#connection?.readOnFor(reader),
      claim: (keeper) => this.#connection?.claim(keeper),
    };
  }

  [kEnd](code: number, reason: string, initiator: Initiator, error?: Failure): void {
    this.#connection?.closeWith(code, reason, initiator, error);
  }

  /** @returns undefined unless open */
  [kJoin](share: Share): SharedWay | undefined {
    const connection = this.#connection;
    if (connection === undefined || !connection.isOpen) return undefined;
    const shares = (this.#outgoing ??= new Set());
    shares.add(share);
    return new SharedWay(connection.outflow, share, () => shares.delete(share));
  }

  [kOwner](): ConnectionOwner {
    const onDelivered = this.#settings.allowSynchronousEvents ? undefined : (): void => this.#connection?.endTurn();
    return new Delivery(this, this.#settings, (info) => this.#finish(info), onDelivered);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
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
      this.#finish(info);
      if (channels.close.hasSubscribers) channels.close.publish({ socket: this, info });
      this.emit('close', info.code, Buffer.from(info.reason), info);
    });
  }

  #attach(duplex: Duplex, head: Uint8Array, options: SocketOptions): void {
    if (this.readyState !== CONNECTING)
      throw new Error(`cannot take a stream: readyState ${this.readyState} (${STATE_NAMES[this.readyState]})`);
    const { role, protocol = '', requestedProtocols = [], extensions = [] } = options;
    if (this.#isBare && options.options) this.#adopt(options.options);
    const connection = new Connection(duplex, role, this.#settings, extensions, this);
    this.#connection = connection;
    if (role === 'server' && requestedProtocols.length > 0) connection.keep(sizeOf(requestedProtocols));
    this.#remoteAddress = options.remoteAddress;
    if (protocol !== '' || requestedProtocols.length > 0 || extensions.length > 0)
      this.#agreed = { protocol, requestedProtocols, extensions: extensions.map(({ name }) => name).join() };
    this.binaryType = this.#binaryType;
    this.incoming = this.#incoming;
    connection.start(head);
    if (channels.open.hasSubscribers) channels.open.publish({ socket: this, role, request: options.request });
  }

  /** What a constructor did not pass on holds all the same, behind what has been set since. */
  #adopt(options: ConnectionOptions): void {
    const { options: own, incoming } = this.#settings;
    this.#settings = connectionSettings(Object.keys(own).length === 0 ? options : { ...options, ...own });
    if (this.#incoming === incoming) this.#incoming = this.#settings.incoming;
  }

  #control(type: 'ping' | 'pong', data: unknown, mask: unknown, callback: SendCallback | undefined): void {
    if (typeof data === 'function') [data, mask, callback] = [undefined, undefined, data as SendCallback];
    else if (typeof mask === 'function') callback = mask as SendCallback;
    checkCallback(callback);
    const connection = this.#connection;
    if (connection === undefined && this.#state === CONNECTING) throw this.#notOpen();
    const payload = toPayload(data);
    const length = payloadLength(payload);
    if (length > 125) throw new RangeError(`the payload of a ${type} is ${length} bytes, expected at most 125`);
    if (connection === undefined || !connection.isOpen) this.#refuse(payload, callback);
    else connection.protocol[type](payload, callback);
  }

  /** Too late to send. */
  #refuse(payload: Uint8Array | string | DeferredPayload, callback: SendCallback | undefined): 'dropped' {
    this.#lateBytes += payloadLength(payload);
    if (callback) process.nextTick(callback, this.#notOpen());
    return 'dropped';
  }

  /** In the words of ws 8. To send too early is a fault of the program, and has no code. */
  #notOpen(): Error {
    const { readyState } = this;
    const error = new Error(`WebSocket is not open: readyState ${readyState} (${STATE_NAMES[readyState]})`);
    return readyState === CONNECTING ? error : Object.assign(error, { code: 'WS_ERR_CLOSED' });
  }

  #giveUp(): void {
    const error = new Error('WebSocket was closed before the connection was established');
    this.abortConnecting(Object.assign(error, { code: 'WS_ERR_ABORTED' }));
  }

  #finish(info: CloseInfo): void {
    const end = (this.#end ??= new End());
    for (const outgoing of this.#outgoing ?? [])
      outgoing.destroy(new MessageError('WS_ERR_CLOSED', '', info.error ?? undefined));
    end.finish(info);
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    const states = { CONNECTING, OPEN, CLOSING, CLOSED };
    for (const [name, value] of Object.entries(states)) {
      Object.defineProperty(this.prototype, name, { value, enumerable: true });
    }
  }
}

/** A part of a text may keep all of it in memory: what V8 does with long names; for each, what there is beside its bytes. */
const NAME_BYTES = 64;
const sizeOf = (names: readonly string[]): number => names.reduce((sum, { length }) => sum + length + NAME_BYTES, 0);

function checkCallback(callback: unknown): void {
  if (callback === undefined || callback === null || typeof callback === 'function') return;
  throw new TypeError(`callback is ${describe(callback)}, expected a function`);
}
