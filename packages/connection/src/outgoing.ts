import { addAbortSignal } from 'node:stream';
import { Opcode } from '@ws/frame';
import { MessageWriter, type WriteCallback } from './message-writer.js';
import { MessageError, type MessageSource, type OpenMessage } from './protocol/index.js';
import { raise } from './protocol/settle.js';

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
  /** So many bytes more wait in the message itself; fewer, if negative. */
  retain(change: number): void;
  readonly fragmentSize: number;
  readonly maxDeclaredFrame: number;
  /** A message of which no extension has to know may be one frame whose payload comes in parts. */
  mayBeOneFrame(compress: boolean | undefined): boolean;
}

/** Larger ones are not copied by the connection: they belong to it until they are written. */
const COPIED_UP_TO = 16_384;

/**
 * One message, written as it comes into being. RFC 6455 §5.4
 *
 * Its first write takes its place in the order of messages: what is sent behind it waits for its end, pings and pongs go between its fragments.
 * `'finish'` comes when all of it is with the operating system. A message that is destroyed before its end cannot be taken back: if a part of it has been
 * sent, the connection is closed with 1011, or cut where that part is of a frame. An error that nobody listens for is not thrown.
 */
export class Outgoing extends MessageWriter implements MessageSource {
  readonly #message: OpenMessage;
  readonly #way: WayOut;
  readonly #compress: boolean | undefined;
  readonly #length: number | undefined;
  /** One frame, of which the payload comes in parts. */
  readonly #isOneFrame: boolean;
  /** Bytes taken so far. */
  #taken = 0;
  #isInFrame = false;
  /** Bytes that the connection knows of. */
  #counted = 0;
  /** What waits for its turn, or for room. */
  #waiting: (() => void) | undefined;

  constructor(way: WayOut, { binary, compress, fragmentSize = way.fragmentSize, length, signal }: OutgoingOptions) {
    if (length !== undefined) checkSize('length', length);
    checkSize('fragmentSize', fragmentSize || 0);
    const isOneFrame =
      length !== undefined && length > 0 && length <= way.maxDeclaredFrame && way.mayBeOneFrame(compress);
    const mostCollected = isOneFrame ? 0 : way.maxDeclaredFrame; // of one frame, all goes out as it comes
    super({ binary, fragmentSize: isOneFrame ? 0 : fragmentSize || 0, mostCollected });
    this.#way = way;
    this.#compress = compress;
    this.#length = length;
    this.#isOneFrame = isOneFrame;
    this.#message = way.openMessage(this);
    if (signal) addAbortSignal(signal, this);
  }

  /**
   * As `write`, but the chunk, which is copied, waits for the next one: both are in one fragment. Once more than `maxDeclaredFrame` bytes would wait,
   * all of them go out as a fragment; where a `length` has made the message one frame, nothing waits.
   */
  override collect(chunk: unknown, callback?: WriteCallback): boolean;
  override collect(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override collect(...args: unknown[]): boolean {
    return super.collect(...args);
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

  // As a writer of messages.

  protected override begin(): void {
    this.#message.open();
  }

  protected override check(bytes: Uint8Array, fin: boolean): void {
    const declared = this.#length;
    this.#taken += bytes.length;
    if (declared !== undefined && (this.#taken > declared || (fin && this.#taken < declared)))
      throw new MessageError('WS_ERR_DECLARED_LENGTH', `${this.#taken} bytes, declared ${declared}`);
  }

  protected override send(bytes: Uint8Array, fin: boolean): void {
    if (this.#isInFrame && bytes.length === 0) return this.settle(); // the frame ends by its length
    this.#waiting = () => (this.#isOneFrame ? this.#part(bytes) : this.#fragment(bytes, fin));
    if (this.#message.isReady) this.ready();
  }

  protected override changed(): void {
    const bytes = this.destroyed ? 0 : this.bufferedAmount;
    if (bytes !== this.#counted) this.#way.retain(bytes - this.#counted);
    this.#counted = bytes;
  }

  protected override giveUp(): void {
    this.#waiting = undefined;
    this.#message.giveUp();
  }

  #fragment(payload: Uint8Array, fin: boolean): void {
    const isHandedOver = fin || payload.length > COPIED_UP_TO;
    const callback: WriteCallback | undefined = isHandedOver ? (error) => this.settle(error) : undefined;
    const step = { opcode: this.#opcode, fin, compress: this.#compress, length: this.#length, callback };
    this.#message.fragment(payload, step, () => {
      this.passedOn();
      if (!isHandedOver) this.#settleWithRoom();
    });
    this.#grown();
  }

  #part(bytes: Uint8Array): void {
    if (!this.#isInFrame) this.#message.beginFrame(this.#opcode, this.#length ?? 0);
    this.#isInFrame = true;
    const isHandedOver = bytes.length > 0 && (this.#taken === this.#length || bytes.length > COPIED_UP_TO);
    if (bytes.length > 0) this.#message.part(bytes, isHandedOver ? (error) => this.settle(error) : undefined);
    this.passedOn();
    if (!isHandedOver) this.#settleWithRoom();
    this.#grown();
  }

  get #opcode(): typeof Opcode.Text | typeof Opcode.Binary {
    return this.isText ? Opcode.Text : Opcode.Binary;
  }

  #grown(): void {
    try {
      this.#way.grown();
    } catch (error) {
      raise(error); // of a 'slow' listener, and none of this message's
    }
  }

  /** The chunk in hand is done with, but the next one comes when there is room. */
  #settleWithRoom(): void {
    if (this.#message.isReady || this.destroyed) this.settle();
    else this.#waiting = () => this.settle();
  }
}

function checkSize(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RangeError(`${name} is ${value}, expected a non-negative integer`);
}
