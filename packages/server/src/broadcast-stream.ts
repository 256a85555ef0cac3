import { addAbortSignal } from 'node:stream';
import { MessageError, MessageWriter, type WebSocket } from '@ws/connection';
import { ProtocolError } from '@ws/frame';
import type { BroadcastReport } from './broadcast.js';
import { Collected } from './collected.js';
import type { Delivery } from './fan-out.js';
import { finiteMs } from './options.js';
import type { RecipientOptions } from './recipients.js';
import type { SlowOptions } from './slow-rule.js';
import { raise } from './uncaught.js';

/** For `createBroadcast`. */
export interface BroadcastStreamOptions<Data = unknown> extends RecipientOptions<Data>, SlowOptions {
  /** Send as binary, or as text. @default by the first chunk: text if it is a string */
  readonly binary?: boolean | undefined;
  /** Let extensions compress: for each recipient apart. @default up to the extension */
  readonly compress?: boolean | undefined;
  /** Bytes to collect before a fragment is sent; 0 or `false`: each write is one. @default the option of the server */
  readonly fragmentSize?: number | false | undefined;
  /**
   * `'whole'`: collect the message, of at most `maxPayload` bytes, and send it when it is complete. A number: begin when so many bytes are there, and send no
   * fewer at a time, so that a message that is not longer is sent whole, or not at all. @default send what is written
   */
  readonly forward?: 'whole' | number | undefined;
  /** The connection whose message it is, where it is one's: what is collected of it counts as held by that one, see `memoryLimit`. */
  readonly from?: WebSocket | undefined;
  /**
   * Milliseconds without a write, while other messages wait behind this one, after which it is destroyed with WS_ERR_STALLED; 0 or `false`: never.
   * Time in which the recipients take what was written does not count. @default 10_000
   */
  readonly stallTimeout?: number | false | undefined;
  /** Destroys the stream. */
  readonly signal?: AbortSignal | undefined;
}

const STALL_TIMEOUT_MS = 10_000;

/** How a broadcast finds its recipients; called once, with the first chunk, or fragment, which is the whole message if `isWhole`. */
export type Begin = (isText: boolean, isWhole: boolean) => Delivery;

/**
 * One message to many, written as it comes into being; made by `server.createBroadcast`.
 *
 * It goes to the connections that are open at the first write, which takes its place among the messages of each. Writing follows the fastest of them:
 * `'finish'` comes when the first one has been given all of it. A stream that is destroyed before its end ends the message where it is, with an
 * empty last frame, for those who have got a part; nobody is disconnected. So does one that stands still while others wait behind it (WS_ERR_STALLED).
 * Of a message that goes out whole, see `forward`, `'sent'(report)` tells what `broadcast` returns.
 * An error that nobody listens for is not thrown.
 */
export class BroadcastStream extends MessageWriter {
  readonly #begin: Begin;
  readonly #limit: number;
  readonly #isWhole: boolean;
  /** It takes no place before its first fragment is there. */
  readonly #isLate: boolean;
  readonly #collected: Collected | undefined;
  #delivery: Delivery | undefined;
  #length = 0;
  readonly #isAwaited: (() => boolean) | undefined;
  readonly #stallTimeoutMs: number;
  #timer: NodeJS.Timeout | undefined;
  /** The recipients have not taken what came last. */
  #isTaking = false;

  /**
   * Made by the server.
   * @param limit bytes of the whole message, if it is forwarded whole
   * @param isAwaited others wait for its end, whether it has begun or not
   */
  constructor(
    begin: Begin,
    { binary, signal, forward, from, stallTimeout = STALL_TIMEOUT_MS }: BroadcastStreamOptions<never>,
    fragmentSize: number,
    limit: number,
    isAwaited?: () => boolean,
  ) {
    const isWhole = forward === 'whole';
    const atLeast = typeof forward === 'number' ? forward : 0;
    super({ binary, fragmentSize: isWhole ? Infinity : Math.max(fragmentSize, atLeast), isShared: true });
    this.#begin = begin;
    this.#limit = isWhole ? limit : Infinity;
    this.#isWhole = isWhole;
    this.#isLate = atLeast > 0;
    this.#collected = from && Collected.of(from);
    this.#isAwaited = isAwaited;
    this.#stallTimeoutMs = isWhole ? 0 : finiteMs(stallTimeout);
    if (isAwaited) this.#startTimer();
    if (signal) addAbortSignal(signal, this);
  }

  protected override changed(): void {
    this.#collected?.set(this, this.destroyed ? 0 : this.bufferedAmount);
  }

  protected override check(bytes: Uint8Array): void {
    this.#timer?.refresh();
    this.#length += bytes.length;
    if (this.#length > this.#limit)
      throw new ProtocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', `${this.#length} bytes, limit ${this.#limit}`);
  }

  /** Even if there is nothing to send yet. */
  protected override begin(): void {
    if (!this.#isLate) this.#takePlace(this.#isWhole);
  }

  protected override send(bytes: Uint8Array, fin: boolean): void {
    if (this.#delivery === undefined) this.#takePlace(fin);
    if (this.destroyed) return; // by a filter
    if (fin) this.#stopTimer();
    this.#isTaking = true;
    this.#delivery?.take(bytes, fin, () => {
      this.#isTaking = false;
      this.#timer?.refresh();
      this.settle();
    });
    const report = this.#delivery?.report;
    if (report) this.#tell(report);
  }

  protected override giveUp(isComplete: boolean): void {
    this.#stopTimer();
    if (!isComplete) this.#delivery?.abort();
  }

  #takePlace(isWhole: boolean): void {
    this.#delivery = this.#begin(this.isText, isWhole);
    if (this.destroyed) this.#delivery.abort();
    else if (!this.#timer) this.#startTimer();
  }

  #tell(report: BroadcastReport): void {
    try {
      this.emit('sent', report);
    } catch (error) {
      raise(error);
    }
  }

  #startTimer(): void {
    if (this.#stallTimeoutMs > 0) this.#timer = setTimeout(this.#look, this.#stallTimeoutMs).unref();
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The source has given nothing for the time: who waits behind it? */
  readonly #look = (): void => {
    const delivery = this.#delivery;
    if (!this.#isTaking && (this.#isAwaited?.() || delivery?.isHoldingUp))
      this.destroy(new MessageError('WS_ERR_STALLED', `${this.#stallTimeoutMs} ms`));
    else if (this.#isAwaited || !delivery?.isOver) this.#timer?.refresh();
  };
}
