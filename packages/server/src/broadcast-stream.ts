import { addAbortSignal } from 'node:stream';
import { MessageWriter } from '@ws/connection';
import { ProtocolError } from '@ws/frame';
import type { Delivery } from './fan-out.js';
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

/**
 * One message to many, written as it comes into being; made by `server.createBroadcast`.
 *
 * It goes to the connections that are open at the first write, which takes its place among the messages of each. Writing follows the fastest of them:
 * `'finish'` comes when the first one has been given all of it. A stream that is destroyed before its end ends the message where it is, with an
 * empty last frame, for those who have got a part; nobody is disconnected. An error that nobody listens for is not thrown.
 */
export class BroadcastStream extends MessageWriter {
  readonly #begin: Begin;
  readonly #limit: number;
  #delivery: Delivery | undefined;
  #length = 0;

  /**
   * Made by the server.
   * @param limit bytes of the whole message, if it is forwarded whole
   */
  constructor(
    begin: Begin,
    { binary, signal, forward }: Pick<BroadcastStreamOptions, 'binary' | 'signal' | 'forward'>,
    fragmentSize: number,
    limit: number,
  ) {
    const isWhole = forward === 'whole';
    super({ binary, fragmentSize: isWhole ? Infinity : fragmentSize, isShared: true });
    this.#begin = begin;
    this.#limit = isWhole ? limit : Infinity;
    if (signal) addAbortSignal(signal, this);
  }

  protected override check(bytes: Uint8Array): void {
    this.#length += bytes.length;
    if (this.#length > this.#limit)
      throw new ProtocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', `${this.#length} bytes, limit ${this.#limit}`);
  }

  /** Even if there is nothing to send yet. */
  protected override begin(): void {
    this.#delivery = this.#begin(this.isText);
  }

  protected override send(bytes: Uint8Array, fin: boolean): void {
    this.#delivery?.take(bytes, fin, () => this.settle());
  }

  protected override giveUp(isComplete: boolean): void {
    if (!isComplete) this.#delivery?.abort();
  }
}
