import { Duplex } from 'node:stream';
import { CloseCode, decodeClosePayload, Opcode, type FrameHead, type ProtocolError } from '../index.js';
import { sliceOf } from '../chunk-slice.js';
import { StreamError } from './errors.js';
import type { FrameDuplexEvents, Listener } from './events.js';
import { FrameCursor, type Frame } from './frame-cursor.js';
import { messagesOf, PIECE, type FrameMessage } from './frame-messages.js';
import { bytesOf, type OutgoingHead } from './frame-writer.js';
import { Hold, IncomingFrames } from './incoming-frames.js';
import { after, linger } from './linger.js';
import { settingsOf, type FrameDuplexOptions, type Settings } from './options.js';
import { OutgoingFrames, type WriteCallback } from './outgoing-frames.js';

/** Who has a FrameDuplex already. */
const wrapped = new WeakSet<Duplex>();
const NOTHING = Buffer.alloc(0);

/** A part of a chunk is not to keep all of it from being freed: what waits, or is collected, would cost many times what it is charged. */
const owned = (slice: Uint8Array): Uint8Array =>
  slice.buffer.byteLength > 2 * slice.length ? sliceOf(slice, 0, slice.length) : slice;

/**
 * WebSocket frames over a byte stream, RFC 6455 §5, on which the handshake is done. Payload of data frames is read from
 * it as it arrives, and each write is a frame, or a part of one.
 *
 * What the peer does wrong ends it with a `ProtocolError`, and a Close frame with its code is sent. As all errors it is
 * an `'error'` event where somebody listens, and never thrown. What was not read by then is dropped.
 */
export class FrameDuplex extends Duplex {
  /** The stream underneath: not to be read, written or ended. */
  readonly source: Duplex;
  readonly #settings: Settings;
  readonly #incoming: IncomingFrames;
  readonly #outgoing: OutgoingFrames;
  #cursor: FrameCursor | undefined;
  /** Pieces that wait to be read, counted since there were none. */
  #pieces = 0;
  #closeReceived: { readonly code: number; readonly reason: string } | undefined;
  #closeTimer: NodeJS.Timeout | undefined;
  /** All is said: the source is to end by itself. */
  #lingers = false;

  /**
   * Reading starts on a later tick: listeners, and {@link frames}, that come before it miss nothing.
   * @throws {TypeError} for a source that is no stream of bytes, or that has a FrameDuplex already
   * @throws {TypeError | RangeError} for a bad option
   */
  constructor(source: Duplex, options: FrameDuplexOptions = {}) {
    if (typeof source?.on !== 'function' || typeof source.write !== 'function' || typeof source.pause !== 'function')
      throw new TypeError('source is not a Duplex stream');
    if (source.readableObjectMode || source.readableEncoding) throw new TypeError('source does not give bytes');
    if (wrapped.has(source)) throw new TypeError('source already has a FrameDuplex');
    const settings = settingsOf(options);
    super({ highWaterMark: settings.highWaterMark, allowHalfOpen: source.allowHalfOpen, emitClose: false });
    this.source = source;
    this.#settings = settings;
    this.#incoming = new IncomingFrames(source, settings, {
      head: (head) => this.#head(head),
      payload: (slice, isLast, isControlFrame) => this.#payload(owned(slice), isLast, isControlFrame),
      control: (opcode, payload) => this.#control(opcode, payload),
      messageEnd: () => this.#messageEnd(),
      failed: (error) => this.#fail(error),
      ended: (isWhole) => {
        if (isWhole) this.#endReading();
        else this.destroy(new StreamError('WS_ERR_INCOMPLETE_MESSAGE'));
      },
    });
    this.#outgoing = new OutgoingFrames(settings, source, this, {
      send: (frame, callback) => super.write(frame, callback),
      closeSent: () => this.#closeSent(),
    });
    wrapped.add(source);
    this.#listen(source);
  }

  /**
   * Says what the next message is like, or with a control opcode the next control frame; it may be said in several calls.
   * It holds until the message has ended, `length` for one frame.
   * @throws {TypeError | RangeError} for a value that no frame can have; nothing has changed
   */
  writeHead(head: OutgoingHead): this {
    this.#outgoing.writer.writeHead(head);
    return this;
  }

  /**
   * Sends a frame that is not the message's last, or more of the frame whose `length` was declared. `chunk` is copied.
   * @returns false where the writer should wait for 'drain'
   * @throws {RangeError} longer than was declared, or a control frame over 125 bytes; nothing was sent
   */
  override write(chunk: Uint8Array | string, callback?: WriteCallback): boolean;
  override write(chunk: Uint8Array | string, encoding?: BufferEncoding, callback?: WriteCallback): boolean;
  override write(
    chunk: Uint8Array | string,
    encoding?: BufferEncoding | WriteCallback,
    callback?: WriteCallback,
  ): boolean {
    if (typeof encoding === 'function') return this.#write(bytesOf(chunk), false, encoding);
    return this.#write(bytesOf(chunk, encoding), false, callback);
  }

  /**
   * Sends a message's last frame: all of the message if none is open, an empty one without a chunk. A frame that was
   * declared and lacks bytes cannot be ended: the source is destroyed, `WS_ERR_DECLARED_LENGTH`.
   * @returns as `write` @throws as `write`
   */
  writeEnd(chunk: Uint8Array | string = NOTHING, encoding?: BufferEncoding, callback?: WriteCallback): boolean {
    return this.#write(bytesOf(chunk, encoding), true, callback);
  }

  /** Ends the open message, if there is one, and then our half of the source; a chunk is sent as by {@link writeEnd}. No Close frame is sent. */
  override end(callback?: () => void): this;
  override end(chunk: Uint8Array | string, callback?: () => void): this;
  override end(chunk: Uint8Array | string, encoding?: BufferEncoding, callback?: () => void): this;
  override end(
    chunk?: Uint8Array | string | (() => void),
    encoding?: BufferEncoding | (() => void),
    callback?: () => void,
  ): this {
    if (typeof chunk === 'function') return this.end(NOTHING, chunk);
    if (typeof encoding === 'function') return this.end(chunk ?? NOTHING, undefined, encoding);
    const isOpen = this.#outgoing.writer.isOpen && this.writable && !this.#outgoing.isClosed;
    if (isOpen || (chunk !== undefined && chunk.length > 0)) this.writeEnd(chunk, encoding);
    return super.end(callback);
  }

  /**
   * All frames, control frames among them. The source is read no faster than they are taken, and nothing goes to the
   * read side meanwhile; payload that waits there is dropped. A loop that is left leaves the rest to the read side.
   * @throws {TypeError} while another such loop runs
   */
  frames(): AsyncGenerator<Frame, void, undefined> {
    if (this.#cursor) throw new TypeError('frames() is in use already');
    const proceed = (): void => this.#incoming.release(Hold.Unasked);
    const cursor = new FrameCursor(proceed, () => {
      if (this.#cursor !== cursor) return; // left before, and there may be another since
      this.#cursor = undefined;
      proceed();
    });
    this.#cursor = cursor;
    while (this.read() !== null);
    if (this.destroyed || this.readableEnded) cursor.end(this.errored);
    return cursor.frames();
  }

  /** All messages, by {@link frames}: each with the payload of all its frames. @throws {TypeError} while another such loop runs */
  messages(): AsyncGenerator<FrameMessage, void> {
    return messagesOf(this.frames(), this.#settings.rules.maxFramePayload || Infinity, (error) => this.#fail(error));
  }

  override read(size?: number): Buffer | null {
    const chunk: unknown = super.read(size);
    if (this.readableLength === 0) this.#pieces = 0;
    if (this.#incoming.isHeld(Hold.Full) && this.#unread <= this.readableHighWaterMark / 2)
      process.nextTick(() => this.#incoming.release(Hold.Full)); // what was read is in its reader's hands before
    return chunk as Buffer | null;
  }

  override _read(): void {} // see `read`

  // The events have types.
  override on<Name extends keyof FrameDuplexEvents>(name: Name, listener: Listener<Name>): this;
  override on(...args: Parameters<Duplex['on']>): this;
  override on(...args: Parameters<Duplex['on']>): this {
    return super.on(...args);
  }
  override once<Name extends keyof FrameDuplexEvents>(name: Name, listener: Listener<Name>): this;
  override once(...args: Parameters<Duplex['once']>): this;
  override once(...args: Parameters<Duplex['once']>): this {
    return super.once(...args);
  }

  override _write(frame: Uint8Array, _encoding: BufferEncoding, callback: WriteCallback): void {
    this.#outgoing.write(frame, callback);
  }

  override _final(callback: WriteCallback): void {
    const { source } = this;
    if (source.destroyed || source.writableFinished) return callback();
    if (!this.#lingers) return void source.end(callback);
    source.end();
    callback();
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    clearTimeout(this.#closeTimer);
    this.#incoming.stop();
    if (this.#lingers) linger(this.source, this.#settings.closeTimeoutMs);
    else this.source.destroy();
    this.#cursor?.end(error ?? (this.readableEnded ? null : new StreamError('WS_ERR_INCOMPLETE_MESSAGE')));
    this.#outgoing.discard(error ?? new StreamError('WS_ERR_CLOSED'));
    callback(error);
    const { code, reason } = this.#closeReceived ?? { code: CloseCode.Abnormal, reason: '' };
    process.nextTick(() => this.emit('close', code, reason));
  }

  #listen(source: Duplex): void {
    this.on('error', () => {}); // so that none is thrown for want of a listener
    source.allowHalfOpen = true; // our half ends when the peer's has been read, if the source was to end so
    source.on('error', (error) => this.destroy(error));
    source.on('drain', () => this.#outgoing.drained());
    source.on('close', () => this.#sourceClosed());
    if (source.destroyed) process.nextTick(() => this.#sourceClosed());
    this.#incoming.start();
  }

  /** Nothing can be written any more; what has come can still be read. */
  #sourceClosed(): void {
    if (!this.#incoming.sourceEnded) return void this.destroy();
    this.#outgoing.drained(new StreamError('WS_ERR_CLOSED'));
    super.end();
  }

  /** §7.1.7 */
  #fail(error: ProtocolError): void {
    this.#lingers = this.#outgoing.fail(error.closeCode);
    this.destroy(error);
  }

  // Receiving.

  #head(head: FrameHead): void {
    if (this.#cursor) {
      this.#incoming.hold(Hold.Unasked);
      this.#cursor.give({ head });
    }
    this.emit('head', head);
  }

  #payload(slice: Uint8Array, isLast: boolean, isControlFrame: boolean): void {
    if (this.#cursor) {
      this.#incoming.hold(Hold.Unasked);
      this.#cursor.give({ slice, isLast });
    } else if (!isControlFrame && slice.length > 0) {
      this.#pieces++;
      this.push(slice);
      if (this.readableLength === 0) this.#pieces = 0;
      else if (this.#unread >= this.readableHighWaterMark) this.#incoming.hold(Hold.Full);
    }
  }

  /** Bytes that wait to be read, and what it takes to keep them. */
  get #unread(): number {
    return this.readableLength + PIECE * this.#pieces;
  }

  /** A reader that is told in a later tick, by 'readable', is told of the bytes before. */
  #messageEnd(): void {
    if (this.readableLength === 0) return void this.emit('messageEnd');
    this.#incoming.hold(Hold.EndOfMessage);
    process.nextTick(() => {
      if (!this.destroyed) this.emit('messageEnd');
      this.#incoming.release(Hold.EndOfMessage);
    });
  }

  #control(opcode: Opcode, payload: Buffer): void {
    if (opcode === Opcode.Close) return this.#close(payload);
    if (opcode === Opcode.Ping && !this.#settings.raw) this.#outgoing.answerPing(payload);
    this.emit(opcode === Opcode.Ping ? 'ping' : 'pong', payload);
  }

  /** §5.5.1. Nothing comes after a Close frame, §1.4. */
  #close(payload: Buffer): void {
    const { code, reason } = (this.#closeReceived = decodeClosePayload(payload));
    this.emit('closing', code, reason);
    if (this.#settings.raw) return;
    this.#incoming.stop();
    this.#awaitEnd();
    this.#outgoing.answerClose(payload);
    this.#endReading();
  }

  #endReading(): void {
    this.#cursor?.end(null);
    this.push(null);
    if (this.readableLength === 0) this.read(0); // 'end', though nobody may read
  }

  /** The rest of the closing handshake has its time. */
  #awaitEnd(): void {
    this.#closeTimer ??= after(this.#settings.closeTimeoutMs, () => {
      this.source.destroy();
      this.destroy();
    });
  }

  // Sending.

  #write(bytes: Uint8Array, isEnd: boolean, callback: WriteCallback | undefined): boolean {
    if (!this.writable && !this.#outgoing.isClosed) return super.write(NOTHING, callback); // the error is Node's
    const { writer } = this.#outgoing;
    const lacking = isEnd && writer.controlOpcode === undefined ? writer.lacking(bytes.length) : 0;
    if (lacking <= 0) return this.#outgoing.send(bytes, isEnd, callback);
    const error = new StreamError('WS_ERR_DECLARED_LENGTH', `${lacking} more to come`);
    this.destroy(error);
    if (callback) process.nextTick(callback, error);
    return false;
  }

  #closeSent(): void {
    this.#awaitEnd();
    if (this.#closeReceived === undefined) return;
    this.#lingers = true;
    super.end();
  }
}
