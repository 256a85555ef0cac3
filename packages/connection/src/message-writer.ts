import { finished, Writable, type Readable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';
import { FragmentCollector } from './fragment-collector.js';
import { MessageBytes } from './message-bytes.js';
import { MessageError } from './protocol/index.js';

export interface MessageWriterOptions {
  /** Send as binary, or as text. @default by the first chunk: text if it is a string */
  readonly binary?: boolean | undefined;
  /** Bytes to collect before a fragment is sent; 0: each write is one. */
  readonly fragmentSize: number;
  /** Bytes that {@link MessageWriter.collect} may keep for a fragment. @default Infinity */
  readonly mostCollected?: number | undefined;
  /** The message is for many, and may have to be ended anywhere: text is sent in whole characters, and all in memory that nobody else has. */
  readonly isShared?: boolean | undefined;
}

export type WriteCallback = (error?: Error | null) => void;

/**
 * A Writable that is one message: what is sent to one (`Outgoing`) and what a server sends to many have this in common. Chunks become fragments, the
 * last chunk the last one; a source that is piped here and breaks off destroys it; an error that nobody listens for is not thrown.
 */
export abstract class MessageWriter extends Writable {
  readonly #bytes: MessageBytes;
  readonly #collector: FragmentCollector;
  readonly #isShared: boolean;
  readonly #mostCollected: number;
  /** Chunks that were written, and those of them that were taken. */
  #written = 0;
  #taken = 0;
  /** Numbers of those that wait for the next one. */
  #collected: Set<number> | undefined;
  #isBegun = false;
  /** No chunk comes behind those that are buffered. */
  #isEnding = false;
  #finIsSent = false;
  /** Of the chunk in hand. */
  #callback: WriteCallback | undefined;
  #chunkLength = 0;
  /** What of it is counted elsewhere. */
  #passedOn = 0;

  constructor({ binary, fragmentSize, mostCollected = Infinity, isShared = false }: MessageWriterOptions) {
    super({ decodeStrings: false, highWaterMark: 65_536 });
    this.#bytes = new MessageBytes(binary === undefined ? undefined : !binary, isShared);
    this.#collector = new FragmentCollector(fragmentSize);
    this.#mostCollected = mostCollected;
    this.#isShared = isShared;
    this.on('error', ignore);
    this.on('pipe', this.#follow);
  }

  /** Bytes that were written to it and not sent. */
  get bufferedAmount(): number {
    return this.writableLength - this.#passedOn + this.#collector.byteLength;
  }

  /** As a WritableStream of strings and bytes. */
  toWeb(): WritableStream<string | Uint8Array> {
    return Writable.toWeb(this) as WritableStream<string | Uint8Array>;
  }

  override write(chunk: unknown, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(...args: unknown[]): boolean {
    this.#written++;
    try {
      return super.write(...(args as [unknown, BufferEncoding, WriteCallback]));
    } catch (error) {
      this.#collected?.delete(--this.#written); // for want of a chunk that can be sent
      throw error;
    } finally {
      this.changed?.();
    }
  }

  /** As `write`, but the chunk waits for the next one, up to `mostCollected`. */
  protected collect(...args: unknown[]): boolean {
    this.#collected ??= new Set();
    this.#collected.add(this.#written);
    return this.write(...(args as [unknown, BufferEncoding, WriteCallback]));
  }

  override end(callback?: () => void): this;
  override end(chunk: unknown, callback?: () => void): this;
  override end(chunk: unknown, encoding: BufferEncoding, callback?: () => void): this;
  override end(...args: unknown[]): this {
    this.#isEnding = true; // what is buffered last is known as the last: it ends the message, and no empty frame need do that
    try {
      return super.end(...(args as [unknown, BufferEncoding, () => void]));
    } catch (error) {
      this.#isEnding = false; // for want of a chunk that can be sent
      throw error;
    }
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, callback: WriteCallback): void {
    const mayWait = this.#collected?.delete(this.#taken) === true;
    this.#taken++;
    if (this.#finIsSent) return callback(); // an empty chunk behind what was the last one
    this.#take(chunk, encoding, this.#isEnding && this.writableLength === chunk.length, mayWait, callback);
  }

  override _final(callback: WriteCallback): void {
    if (this.#finIsSent) callback();
    else this.#take('', 'utf8', true, false, callback);
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    this.giveUp(this.#finIsSent);
    this.#collector.clear(); // whoever still holds the stream does not hold this
    callback(error);
    this.settle(error ?? new MessageError('WS_ERR_ABORTED_MESSAGE'));
  }

  /** Known from the first chunk on. */
  protected get isText(): boolean {
    return this.#bytes.isText;
  }

  /** `bufferedAmount` may be another one. */
  protected changed?(): void;
  /** The next bytes have come. Throws what is wrong with them, before anything of them is sent. */
  protected check?(bytes: Uint8Array, fin: boolean): void;
  /** The first chunk has come. */
  protected abstract begin(): void;
  /** Sends a fragment, and calls {@link settle} when the next one may come. */
  protected abstract send(bytes: Uint8Array, fin: boolean): void;
  /** Destroyed; all has been given to `send` if `isComplete`. */
  protected abstract giveUp(isComplete: boolean): void;

  /** What was sent last counts as the connection's, though its memory is not free yet. */
  protected passedOn(): void {
    if (this.#callback !== undefined) this.#passedOn = this.#chunkLength;
    this.changed?.();
  }

  /** What was sent last is done with. */
  protected settle(error?: Error | null): void {
    const callback = this.#callback;
    this.#callback = undefined;
    this.#passedOn = 0;
    callback?.(error);
    this.changed?.();
  }

  /** @param mayWait the next chunk is to be in one fragment with it */
  #take(
    chunk: string | Uint8Array,
    encoding: BufferEncoding,
    fin: boolean,
    mayWait: boolean,
    callback: WriteCallback,
  ): void {
    this.#callback = callback;
    this.#chunkLength = chunk.length;
    try {
      const bytes = this.#bytes.take(chunk, encoding, fin);
      this.check?.(bytes, fin);
      if (!this.#isBegun) this.begin();
      this.#isBegun = true;
      this.#finIsSent = fin;
      const collector = this.#collector;
      const isKept = mayWait && collector.byteLength + bytes.length <= this.#mostCollected;
      if (!fin && (isKept || !collector.isComplete(bytes))) {
        collector.add(bytes);
        return this.settle();
      }
      const isCallers = typeof chunk !== 'string' && collector.byteLength === 0;
      const fragment = collector.take(bytes);
      this.send(this.#isShared && isCallers ? Buffer.from(fragment) : fragment, fin);
    } catch (error) {
      this.settle(error as Error);
    }
  }

  /** A source that breaks off ends no message: nobody must take it for a whole one. */
  readonly #follow = (source: Readable): void => {
    const stop = finished(source, { writable: false }, (error) => {
      if (error) this.destroy(error);
    });
    const unpiped = (other: Readable): void => {
      if (other !== source) return;
      this.off('unpipe', unpiped);
      stop();
    };
    this.on('unpipe', unpiped);
  };
}

const ignore = (): void => undefined;
