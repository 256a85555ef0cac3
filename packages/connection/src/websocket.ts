import { Blob } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { channels, tellMessage } from './channels.js';
import { kOwner, kSettings, type ConnectionOwner } from './connection-owner.js';
import { Delivery } from './delivery.js';
import { kClosed, kEnd } from './ending.js';
import { toReadable, type MessageContent } from './message-content.js';
import { MessageIterator } from './message-iterator.js';
import { MessageStream } from './message-stream.js';
import { describe } from './option-checks.js';
import type { ConnectionOptions } from './options.js';
import { Outgoing, type OutgoingOptions } from './outgoing.js';
import { kPace, type Pace } from './pace.js';
import { fromBlob, payloadLength, toPayload } from './payload.js';
import { PreparedMessage } from './prepared-message.js';
import {
  MessageError,
  type DeferredPayload,
  type Failure,
  type Initiator,
  type SendCallback,
} from './protocol/index.js';
import { CLOSED, CLOSING, CONNECTING, notOpen, OPEN } from './ready-state.js';
import { kJoin, SharedWay, type Share } from './shared-way.js';
import type { Outcome } from './slow-recipient.js';
import type { FromOptions, SocketOptions } from './socket-options.js';
import { kAttach, kConnection, kLooseEnds, SocketState } from './socket-state.js';
import type { BufferLike, SendOptions } from './types.js';

const NO_BYTES = new Uint8Array(0);

/** Marks every copy of this class, so that `instanceof` holds where a bundler or a test runner loads two. */
const BRAND = Symbol.for('@ws/connection.WebSocket');

/** A Blob as far as Node's declarations and the DOM's agree about it. */
type BlobLike = Pick<Blob, 'size' | 'type' | 'arrayBuffer' | 'text'>;

/** What `send` takes. */
type Sendable = BufferLike | BlobLike | PreparedMessage;

/**
 * One WebSocket, RFC 6455, with the API of `ws` 8: the base of both ends. `@ws/server` and `@ws/client` make them; over
 * any other byte stream, {@link WebSocket.from} does.
 *
 * `Data` is the type of `data`, which is the user's own.
 */
export class WebSocket<Data = unknown> extends SocketState {
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

  /**
   * A socket without a connection, for {@link setSocket}.
   * @throws {TypeError} for an address: connecting is for `@ws/client`
   */
  constructor(address: null, _protocols?: undefined, options?: ConnectionOptions) {
    if (address !== null) throw new TypeError('this WebSocket does not connect by address: use the one of @ws/client');
    super(options);
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
    socket[kAttach](duplex, options.head ?? NO_BYTES, { ...options, options });
    return socket;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== WebSocket) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /** CONNECTING to OPEN: takes over the stream, and emits `'open'` before it returns. Data flows from a later tick on. */
  setSocket(duplex: Duplex, head: Uint8Array, options: SocketOptions): void {
    this[kAttach](duplex, head, options);
    this.emit('open');
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
    if (typeof options === 'function') return WebSocket.#offer(this, data, undefined, options) === 'sent';
    return WebSocket.#offer(this, data, options, callback) === 'sent';
  }

  /** As {@link send}. @returns `'sent'`; `'queued'` above `highWaterMark`; `'dropped'` where the peer is too slow for it, see `slowConsumer`, or the connection is not open */
  offer(data: Sendable, options?: SendOptions, callback?: SendCallback): Outcome {
    return WebSocket.#offer(this, data, options, callback);
  }

  /**
   * A stream that is one message: its first write takes the message's place among those sent, each write is a fragment, its end ends it.
   * @throws {Error} where there is no connection yet, or never was; {RangeError} for sizes that are none
   */
  createOutgoing(options: OutgoingOptions = {}): Outgoing {
    const connection = this[kConnection];
    if (connection === undefined) throw notOpen(this.readyState);
    const outgoing = new Outgoing(connection.outflow, options);
    if (!connection.isOpen) return outgoing.destroy(new MessageError('WS_ERR_CLOSED'));
    const looseEnds = this[kLooseEnds];
    looseEnds.add(outgoing);
    outgoing.once('close', () => looseEnds.delete(outgoing));
    return outgoing;
  }

  /**
   * Sends one message from a source that is read as fast as the peer takes it. Resolves when all of it is with the operating system, rejects when
   * source or connection break off: as for {@link createOutgoing}, a part that has been sent ends the connection then.
   */
  async sendStream(source: MessageContent, options?: OutgoingOptions): Promise<void> {
    const parts = toReadable(source);
    const outgoing = this.createOutgoing(options);
    if (outgoing.errored) {
      parts.destroy(); // as `pipeline` would, which has an error of its own for it since Node 24
      throw outgoing.errored;
    }
    await pipeline(parts, outgoing);
  }

  /**
   * Sends a ping; pongs to it are events. `mask` is as in ws 8 and changes nothing: the role decides.
   * @throws {Error} while connecting; {TypeError | RangeError} for a payload that is none, or over 125 bytes
   */
  ping(data?: BufferLike, mask?: boolean, callback?: SendCallback): void;
  ping(data: BufferLike | undefined, callback: SendCallback): void;
  ping(callback: SendCallback): void;
  ping(data?: BufferLike | SendCallback, mask?: boolean | SendCallback, callback?: SendCallback): void {
    WebSocket.#control(this, 'ping', data, mask, callback);
  }

  /** Sends a pong that nobody asked for, or, without `autoPong`, the answer. As {@link ping}. */
  pong(data?: BufferLike, mask?: boolean, callback?: SendCallback): void;
  pong(data: BufferLike | undefined, callback: SendCallback): void;
  pong(callback: SendCallback): void;
  pong(data?: BufferLike | SendCallback, mask?: boolean | SendCallback, callback?: SendCallback): void {
    WebSocket.#control(this, 'pong', data, mask, callback);
  }

  /**
   * Starts the closing handshake, behind what was sent before. RFC 6455 §7.1.2. While connecting it gives that up.
   * @param code 1000 to 1003, 1007 to 1014 or 3000 to 4999; without it the Close frame is empty
   * @param reason at most 123 bytes of UTF-8
   * @throws {TypeError | RangeError} for another code or reason, before anything is done; never where there is nothing to close any more
   */
  close(code?: number | null, reason?: string | Uint8Array | null): void {
    const isBare = code === undefined || code === null; // as in ws 8, a reason without a code is dropped
    const connection = this[kConnection];
    if (connection) connection.closeWith(isBare ? undefined : code, isBare ? undefined : (reason ?? undefined));
    else if (this.readyState === CONNECTING) WebSocket.#giveUp(this);
  }

  /** Cuts the connection, now. */
  terminate(): void {
    const connection = this[kConnection];
    if (connection) connection.terminate();
    else if (this.readyState === CONNECTING) WebSocket.#giveUp(this);
  }

  /** Stops reading: no event comes until {@link resume}, and the peer feels it. Does nothing unless open. */
  pause(): void {
    const { readyState } = this;
    if (readyState === OPEN || readyState === CLOSING) this[kConnection]?.pause();
  }

  resume(): void {
    if (this.isPaused) this[kConnection]?.resume();
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
      highWaterMark: this[kSettings].unreadBytes,
      hold: (reader) => this[kConnection]?.holdFor(reader),
      readOn: (reader) => this[kConnection]?.readOnFor(reader),
      claim: (keeper) => this[kConnection]?.claim(keeper),
    };
  }

  [kEnd](code: number, reason: string, initiator: Initiator, error?: Failure): void {
    this[kConnection]?.closeWith(code, reason, initiator, error);
  }

  /** @returns undefined unless open */
  [kJoin](share: Share): SharedWay | undefined {
    const connection = this[kConnection];
    if (connection === undefined || !connection.isOpen) return undefined;
    const looseEnds = this[kLooseEnds];
    looseEnds.add(share);
    return new SharedWay(connection.outflow, share, () => looseEnds.delete(share));
  }

  [kOwner](): ConnectionOwner {
    const settings = this[kSettings];
    const onDelivered = settings.allowSynchronousEvents ? undefined : (): void => this[kConnection]?.endTurn();
    return new Delivery(this, settings, onDelivered);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this[kClosed];
  }

  // Not methods: a private method is a field of each instance.

  static #offer(
    socket: WebSocket,
    data: Sendable,
    options: SendOptions | undefined,
    callback: SendCallback | undefined,
  ): Outcome {
    checkCallback(callback);
    const connection = socket[kConnection];
    if (connection === undefined && socket.readyState === CONNECTING) throw notOpen(CONNECTING);
    const isOther = typeof data === 'object' && !ArrayBuffer.isView(data); // else nearly every message would be asked for two classes
    if (isOther && data instanceof PreparedMessage) {
      if (connection === undefined || !connection.isOpen) return WebSocket.#refuse(socket, data.payload, callback);
      if (channels.message.hasSubscribers) tellMessage(socket, 'out', data.payload, data.isBinary);
      return connection.outflow.sendPrepared(data, callback, options);
    }
    const payload = isOther && data instanceof Blob ? fromBlob(data) : toPayload(data);
    if (connection === undefined || !connection.isOpen) return WebSocket.#refuse(socket, payload, callback);
    const isText = options?.binary === undefined ? typeof payload === 'string' : !options.binary;
    if (channels.message.hasSubscribers) tellMessage(socket, 'out', payload, !isText);
    return connection.outflow.send(payload, isText, options?.fin ?? true, options?.compress, callback, options);
  }

  static #control(
    socket: WebSocket,
    type: 'ping' | 'pong',
    data: unknown,
    mask: unknown,
    callback: SendCallback | undefined,
  ): void {
    if (typeof data === 'function') [data, mask, callback] = [undefined, undefined, data as SendCallback];
    else if (typeof mask === 'function') callback = mask as SendCallback;
    checkCallback(callback);
    const connection = socket[kConnection];
    if (connection === undefined && socket.readyState === CONNECTING) throw notOpen(CONNECTING);
    const payload = toPayload(data);
    if (connection === undefined || !connection.isOpen) return void WebSocket.#refuse(socket, payload, callback);
    const length = payloadLength(payload);
    if (length > 125) throw new RangeError(`the payload of a ${type} is ${length} bytes, expected at most 125`);
    connection.protocol[type](payload, callback);
  }

  /** Too late to send. */
  static #refuse(
    socket: WebSocket,
    payload: Uint8Array | string | DeferredPayload,
    callback: SendCallback | undefined,
  ): 'dropped' {
    socket[kLooseEnds].refused(payloadLength(payload));
    if (callback) process.nextTick(callback, notOpen(socket.readyState));
    return 'dropped';
  }

  static #giveUp(socket: WebSocket): void {
    const error = new Error('WebSocket was closed before the connection was established');
    socket.abortConnecting(Object.assign(error, { code: 'WS_ERR_ABORTED' }));
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    const states = { CONNECTING, OPEN, CLOSING, CLOSED };
    for (const [name, value] of Object.entries(states)) {
      Object.defineProperty(this.prototype, name, { value, enumerable: true });
    }
  }
}

function checkCallback(callback: unknown): void {
  if (callback === undefined || callback === null || typeof callback === 'function') return;
  throw new TypeError(`callback is ${describe(callback)}, expected a function`);
}
