import { isUtf8 } from 'node:buffer';
import { addAbortSignal, finished, Writable, type Readable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';
import { Opcode, ProtocolError, Utf8Validator } from '@ws/frame';
import { FragmentCollector } from './fragment-collector.js';
import { MessageError, type MessageSource, type OpenMessage } from './protocol/index.js';
import { toPayload } from './payload.js';

export interface OutgoingOptions {
  /** Send as binary, or as text. @default by the first chunk: text if it is a string */
  readonly binary?: boolean | undefined;
  /** Let extensions compress. @default up to the extension */
  readonly compress?: boolean | undefined;
  /** Bytes to collect before a fragment is sent. @default the option of the connection: each write is a fragment */
  readonly fragmentSize?: number | false | undefined;
  /** Bytes of the whole message: up to `maxDeclaredFrame`, and unless `compress` is true, it is one frame then, of which the payload is streamed. */
  readonly length?: number | undefined;
  /** Destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

/** The connection, as a message that is being written sees it. */
export interface WayOut {
  openMessage(source: MessageSource): OpenMessage;
  /** A fragment was added to what waits. */
  grown(): void;
  readonly fragmentSize: number;
  readonly maxDeclaredFrame: number;
}

type Callback = (error?: Error | null) => void;

/** Larger ones are not copied by the connection: they belong to it until they are written. */
const COPIED_UP_TO = 16_384;
const EMPTY = new Uint8Array(0);

/**
 * One message, written as it comes into being. RFC 6455 §5.4
 *
 * Its first write takes its place in the order of messages: what is sent behind it waits for its end, pings and pongs go between its fragments.
 * `'finish'` comes when all of it is with the operating system. A message that is destroyed before its end cannot be taken back: if a part of it has been
 * sent, the connection is closed with 1011, or cut where that part is of a frame. An error that nobody listens for is not thrown.
 */
export class Outgoing extends Writable implements MessageSource {
  readonly #message: OpenMessage;
  readonly #way: WayOut;
  readonly #compress: boolean | undefined;
  readonly #length: number | undefined;
  readonly #collector: FragmentCollector;
  #isText: boolean | undefined;
  #utf8: Utf8Validator | undefined;
  /** First half of a character that a string ended in. */
  #highSurrogate = '';
  /** Bytes taken so far. */
  #taken = 0;
  /** No chunk comes behind those that are buffered. */
  #isEnding = false;
  #finIsSent = false;
  #isInFrame = false;
  /** What waits for its turn, or for room. */
  #waiting: (() => void) | undefined;
  /** Of the chunk in hand. */
  #callback: Callback | undefined;

  constructor(way: WayOut, options: OutgoingOptions) {
    const { binary, compress, fragmentSize, length, signal } = options;
    super({ decodeStrings: false, highWaterMark: 65_536 });
    this.#way = way;
    this.#message = way.openMessage(this);
    this.#isText = binary === undefined ? undefined : !binary;
    this.#compress = compress;
    this.#length = length === undefined ? undefined : checkSize('length', length);
    this.#collector = new FragmentCollector(
      fragmentSize === undefined ? way.fragmentSize : checkSize('fragmentSize', fragmentSize || 0),
    );
    this.on('error', ignore);
    this.on('pipe', this.#follow);
    if (signal) addAbortSignal(signal, this);
  }

  /** Bytes that were written to it and are not with the connection. */
  get bufferedAmount(): number {
    return this.writableLength + this.#collector.byteLength;
  }

  /** As a WritableStream of strings and bytes. */
  toWeb(): WritableStream<string | Uint8Array> {
    return Writable.toWeb(this) as WritableStream<string | Uint8Array>;
  }

  override end(callback?: () => void): this;
  override end(chunk: unknown, callback?: () => void): this;
  override end(chunk: unknown, encoding: BufferEncoding, callback?: () => void): this;
  override end(...args: unknown[]): this {
    this.#isEnding = true; // what is buffered last is known as the last: it ends the message, and no empty frame need do that
    return super.end(...(args as [unknown, BufferEncoding, () => void]));
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, callback: Callback): void {
    if (this.#finIsSent) return callback(); // an empty chunk behind what was the last one
    const fin = this.#isEnding && this.writableLength === chunk.length;
    this.#callback = callback;
    try {
      this.#isText ??= typeof chunk === 'string' && isUtf8Name(encoding);
      this.#take(this.#bytesOf(chunk, encoding, fin), fin);
    } catch (error) {
      this.#settle(error as Error);
    }
  }

  override _final(callback: Callback): void {
    if (this.#finIsSent) return callback();
    this.#callback = callback;
    try {
      this.#isText ??= true; // an empty message without a chunk to tell its type
      this.#take(this.#bytesOf('', 'utf8', true), true);
    } catch (error) {
      this.#settle(error as Error);
    }
  }

  override _destroy(error: Error | null, callback: Callback): void {
    this.#waiting = undefined;
    this.#message.giveUp();
    callback(error);
    this.#settle(error ?? new MessageError('WS_ERR_CLOSED'));
  }

  // As the source of an open message.

  ready(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  cut(error: Error): void {
    this.destroy(error);
  }

  /** @throws {ProtocolError | MessageError} before anything of it is sent */
  #take(bytes: Uint8Array, fin: boolean): void {
    const declared = this.#length;
    const taken = this.#taken + bytes.length;
    if (declared !== undefined && (taken > declared || (fin && taken < declared))) {
      throw new MessageError('WS_ERR_DECLARED_LENGTH', `${taken} bytes, declared ${declared}`);
    }
    if (this.#isText) this.#checkText(bytes, fin);
    this.#taken = taken;
    this.#finIsSent = fin;
    if (this.#isOneFrame) return this.#whenReady(() => this.#part(bytes));
    if (!fin && !this.#collector.isComplete(bytes)) {
      this.#message.open();
      this.#collector.add(bytes);
      return this.#settle();
    }
    const payload = this.#collector.take(bytes);
    this.#whenReady(() => this.#fragment(payload, fin));
  }

  get #isOneFrame(): boolean {
    const length = this.#length;
    if (length === undefined || length === 0 || length > this.#way.maxDeclaredFrame) return false;
    return this.#message.mayBeOneFrame(this.#compress);
  }

  #whenReady(step: () => void): void {
    this.#waiting = step;
    this.#message.open(); // may call `ready`
    if (this.#message.isReady) this.ready();
  }

  #fragment(payload: Uint8Array, fin: boolean): void {
    const isHandedOver = fin || payload.length > COPIED_UP_TO;
    const callback: Callback | undefined = isHandedOver ? (error) => this.#settle(error) : undefined;
    const step = { opcode: this.#opcode, fin, compress: this.#compress, length: this.#length, callback };
    this.#message.fragment(payload, step, () => {
      if (!isHandedOver) this.#settleWithRoom();
    });
    this.#way.grown();
  }

  #part(bytes: Uint8Array): void {
    if (!this.#isInFrame) this.#message.beginFrame(this.#opcode, this.#length ?? 0);
    this.#isInFrame = true;
    const isHandedOver = this.#taken === this.#length || bytes.length > COPIED_UP_TO;
    if (bytes.length > 0) this.#message.part(bytes, isHandedOver ? (error) => this.#settle(error) : undefined);
    if (!isHandedOver || bytes.length === 0) this.#settleWithRoom();
    this.#way.grown();
  }

  get #opcode(): typeof Opcode.Text | typeof Opcode.Binary {
    return this.#isText ? Opcode.Text : Opcode.Binary;
  }

  /** The chunk in hand is done with, but the next one comes when there is room. */
  #settleWithRoom(): void {
    if (this.#message.isReady || this.destroyed) this.#settle();
    else this.#waiting = () => this.#settle();
  }

  #settle(error?: Error | null): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.(error);
  }

  #bytesOf(chunk: string | Uint8Array, encoding: BufferEncoding, fin: boolean): Uint8Array {
    const before = this.#highSurrogate;
    this.#highSurrogate = '';
    if (typeof chunk !== 'string' || !isUtf8Name(encoding)) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk, encoding) : (toPayload(chunk) as Uint8Array);
      return before === '' ? bytes : Buffer.concat([Buffer.from(before), bytes]);
    }
    let text = before + chunk;
    if (!fin && isHighSurrogate(text.charCodeAt(text.length - 1))) {
      this.#highSurrogate = text.slice(-1);
      text = text.slice(0, -1);
    }
    return text === '' ? EMPTY : Buffer.from(text);
  }

  /** §8.1 */
  #checkText(bytes: Uint8Array, fin: boolean): void {
    this.#utf8 ??= new Utf8Validator(isUtf8);
    if (!this.#utf8.push(bytes) || (fin && !this.#utf8.end())) throw new ProtocolError('WS_ERR_INVALID_UTF8');
  }

  /** A source that breaks off ends no message: the recipient must not take it for a whole one. */
  readonly #follow = (source: Readable): void => {
    const stop = finished(source, { writable: false }, (error) => {
      if (error) this.destroy(error);
    });
    this.once('unpipe', stop);
  };
}

function checkSize(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`${name} is ${value}, expected a non-negative integer`);
}

const isUtf8Name = (encoding: string): boolean => encoding === 'utf8' || encoding === 'utf-8';
const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
const ignore = (): void => undefined;
