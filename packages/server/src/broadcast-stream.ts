import { addAbortSignal, finished, Writable, type Readable } from 'node:stream';
import { MessageError } from '@ws/connection';
import { ByteCollector } from './byte-collector.js';
import type { Delivery } from './fan-out.js';
import { MessageBytes } from './message-bytes.js';
import type { RecipientOptions } from './recipients.js';
import type { SlowOptions } from './slow-rule.js';

/** For `createBroadcast`. */
export interface BroadcastStreamOptions<Data = unknown> extends RecipientOptions<Data>, SlowOptions {
  /** Send as binary, or as text. @default by the first chunk: text if it is a string */
  readonly binary?: boolean | undefined;
  /** Let extensions compress: for each recipient apart. @default up to the extension */
  readonly compress?: boolean | undefined;
  /** Bytes to collect before a fragment is sent; 0 or `false`: each write is one. @default the option of the server */
  readonly fragmentSize?: number | false | undefined;
  /** `'whole'`: collect the message, of at most `maxPayload` bytes, and send it when it is complete. @default send what is written */
  readonly forward?: 'whole' | undefined;
  /** Destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

/** How a broadcast finds its recipients; called once, with the first chunk. */
export type Begin = (isText: boolean) => Delivery;

type Callback = (error?: Error | null) => void;

/**
 * One message to many, written as it comes into being; made by `server.createBroadcast`.
 *
 * It goes to the connections that are open at the first write, which takes its place among the messages of each. Writing follows the fastest of them:
 * `'finish'` comes when the first one has been given all of it. A stream that is destroyed before its end ends the message where it is, with an
 * empty last frame, for those who have got a part; nobody is disconnected. An error that nobody listens for is not thrown.
 */
export class BroadcastStream extends Writable {
  readonly #begin: Begin;
  readonly #bytes: MessageBytes;
  readonly #collector = new ByteCollector();
  readonly #fragmentSize: number;
  #delivery: Delivery | undefined;
  /** No chunk comes behind those that are buffered. */
  #isEnding = false;
  #finIsSent = false;
  /** Of the chunk in hand. */
  #callback: Callback | undefined;

  /** Made by the server. */
  constructor(
    begin: Begin,
    { binary, signal }: Pick<BroadcastStreamOptions, 'binary' | 'signal'>,
    fragmentSize: number,
  ) {
    super({ decodeStrings: false, highWaterMark: 65_536 });
    this.#begin = begin;
    this.#bytes = new MessageBytes(binary === undefined ? undefined : !binary);
    this.#fragmentSize = fragmentSize;
    this.on('error', ignore);
    this.on('pipe', this.#follow);
    if (signal) addAbortSignal(signal, this);
  }

  override end(callback?: () => void): this;
  override end(chunk: unknown, callback?: () => void): this;
  override end(chunk: unknown, encoding: BufferEncoding, callback?: () => void): this;
  override end(...args: unknown[]): this {
    this.#isEnding = true; // the last chunk that is buffered ends the message, and no empty frame need do that
    return super.end(...(args as [unknown, BufferEncoding, () => void]));
  }

  override _write(chunk: string | Uint8Array, encoding: BufferEncoding, callback: Callback): void {
    if (this.#finIsSent) return callback(); // an empty chunk behind what was the last one
    this.#take(chunk, encoding, this.#isEnding && this.writableLength === chunk.length, callback);
  }

  override _final(callback: Callback): void {
    if (this.#finIsSent) callback();
    else this.#take('', 'utf8', true, callback);
  }

  override _destroy(error: Error | null, callback: Callback): void {
    if (!this.#finIsSent) this.#delivery?.abort();
    callback(error);
    this.#settle(error ?? new MessageError('WS_ERR_ABORTED_MESSAGE'));
  }

  #take(chunk: string | Uint8Array, encoding: BufferEncoding, fin: boolean, callback: Callback): void {
    this.#callback = callback;
    try {
      const bytes = this.#bytes.take(chunk, encoding, fin);
      this.#delivery ??= this.#begin(this.#bytes.isText); // even if there is nothing to send yet
      this.#finIsSent = fin;
      const part = this.#collect(bytes, fin);
      if (part === undefined) this.#settle();
      else this.#delivery.take(part, fin, (error) => this.#settle(error));
    } catch (error) {
      this.#settle(error as Error);
    }
  }

  #settle(error?: Error): void {
    const callback = this.#callback;
    this.#callback = undefined;
    callback?.(error);
  }

  /** @returns what is to be sent now, if anything */
  #collect(bytes: Buffer, fin: boolean): Buffer | undefined {
    const collector = this.#collector;
    if (collector.byteLength === 0 && (fin || bytes.length >= this.#fragmentSize)) return bytes;
    collector.append(bytes);
    return fin || collector.byteLength >= this.#fragmentSize ? collector.take() : undefined;
  }

  /** A source that breaks off ends nothing properly. */
  readonly #follow = (source: Readable): void => {
    const stop = finished(source, { writable: false }, (error) => {
      if (error) this.destroy(error);
    });
    this.once('unpipe', stop);
  };
}

const ignore = (): void => undefined;
