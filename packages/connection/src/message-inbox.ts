import { ClosedError } from './closed-error.js';
import { kClosed } from './ending.js';
import { Incoming } from './incoming.js';
import type { Claim, Keeper } from './memory-account.js';
import type { CloseInfo } from './protocol/index.js';
import { kPace, type Pace } from './pace.js';
import type { Message, RawData } from './types.js';
import type { WebSocket } from './websocket.js';

/** What a message costs beside its bytes: the objects that carry it. */
const MESSAGE_OVERHEAD = 256;
/** Codes that end an iteration without an error: the peer said goodbye, or nothing. RFC 6455 §7.4.1 */
const ORDERLY: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** A message that would keep so many times its size from being freed is copied. */
const MAX_RETAINED = 4;

interface Entry {
  message: Message;
  readonly cost: number;
}

/**
 * The messages of a socket that one reader has not taken yet, from now on. Above the socket's high-water mark it holds
 * reading, and goes on at half of it. While connecting it waits.
 */
export class MessageInbox implements Keeper {
  readonly #socket: WebSocket;
  readonly #pace: Pace;
  readonly #wake: () => void;
  readonly #textAsString: boolean;
  #entries: Entry[] = [];
  #cost = 0;
  /** What its owner keeps of what he took. */
  #handedCost = 0;
  #lastCost = 0;
  #claim: Claim | undefined;
  #isHolding = false;
  #end: { readonly error: Error | null } | undefined;

  /**
   * @param wake called when there is a message, or the end, and there was neither before
   * @param textAsString false: as a Buffer
   */
  constructor(socket: WebSocket, wake: () => void, textAsString = true) {
    this.#socket = socket;
    this.#pace = socket[kPace];
    this.#wake = wake;
    this.#textAsString = textAsString;
    if (socket.readyState === socket.CLOSED) {
      void socket[kClosed].then(this.#finish);
      return;
    }
    socket.on('message', this.#receive);
    socket.on('incoming', this.#receiveStream);
    socket.on('error', ignore); // 'close' follows and tells
    socket.on('close', this.#onClose);
  }

  /** Set once the socket is closed: behind what is still to be taken. */
  get end(): { readonly error: Error | null } | undefined {
    return this.#entries.length === 0 ? this.#end : undefined;
  }

  /** The oldest message. */
  take(): Message | undefined {
    const entry = this.#entries.shift();
    if (entry === undefined) return undefined;
    this.#cost -= entry.cost;
    this.#lastCost = entry.cost;
    this.#count();
    if (this.#isHolding && this.#cost <= this.#pace.highWaterMark / 2) this.#readOn();
    return entry.message;
  }

  /** What the message cost that was taken last. */
  get lastCost(): number {
    return this.#lastCost;
  }

  /** Of what was taken, so much is not with the user yet. */
  handed(cost: number): void {
    if (cost === this.#handedCost) return;
    this.#handedCost = cost;
    this.#count();
  }

  /** Lets go of the socket, and of what was not taken. */
  release(): void {
    this.#detach();
    for (const { message } of this.#entries) discardUnread(message);
    this.#empty();
    this.#end = { error: null };
  }

  /** The connection was ended for the memory it holds: what was not taken is lost, and the end, an error, follows. */
  forget(): void {
    for (const { message } of this.#entries) discardUnread(message);
    this.#empty();
  }

  #empty(): void {
    this.#entries = [];
    this.#cost = 0;
    this.#handedCost = 0;
    this.#count();
    if (this.#isHolding) this.#readOn();
  }

  readonly #receive = (data: RawData, isBinary: boolean): void => {
    this.#add(isBinary || !this.#textAsString ? data : (data as Buffer).toString(), byteLength(data));
  };

  /** What it holds it counts itself. */
  readonly #receiveStream = (message: Incoming): void => this.#add(message, 0);

  #add(message: Message, bytes: number): void {
    const wasEmpty = this.#entries.length === 0;
    const cost = bytes + MESSAGE_OVERHEAD;
    const entry = { message, cost };
    this.#entries.push(entry);
    this.#cost += cost;
    if (wasEmpty) this.#wake();
    if (this.#entries.length === 0) return;
    if (Buffer.isBuffer(message) && message.buffer.byteLength > MAX_RETAINED * message.length)
      entry.message = Buffer.from(message);
    this.#count();
    if (this.#isHolding || this.#cost < this.#pace.highWaterMark) return;
    this.#isHolding = true;
    this.#pace.hold(this);
  }

  #count(): void {
    const cost = this.#cost + this.#handedCost;
    if (cost > 0) this.#claim ??= this.#pace.claim(this);
    this.#claim?.set(cost);
  }

  /** Not at once: what listeners throw on what comes then is not the reader's. */
  #readOn(): void {
    this.#isHolding = false;
    process.nextTick(() => {
      if (!this.#isHolding) this.#pace.readOn(this);
    });
  }

  readonly #onClose = (_code: number, _reason: Buffer, info: CloseInfo): void => this.#finish(info);

  readonly #finish = (info: CloseInfo): void => {
    if (this.#end) return;
    this.#detach();
    this.#end = { error: errorOf(info, this.#socket.duplex !== undefined) };
    if (this.end) this.#wake();
  };

  #detach(): void {
    const socket = this.#socket;
    socket.off('message', this.#receive);
    socket.off('incoming', this.#receiveStream);
    socket.off('error', ignore);
    socket.off('close', this.#onClose);
  }
}

/** A streamed message that will not be given to its reader; another may have it. */
export function discardUnread(message: Message | undefined): void {
  if (message instanceof Incoming && message.readableFlowing === null) message.discard();
}

export const ignore = (): void => undefined;

function errorOf(info: CloseInfo, wasOpen: boolean): Error | null {
  if (ORDERLY.has(info.code)) return null;
  return !wasOpen && info.error ? info.error : new ClosedError(info);
}

function byteLength(data: RawData | Blob): number {
  if (Array.isArray(data)) return data.reduce((sum, { length }) => sum + length, 0);
  return data instanceof Blob ? data.size : data.byteLength;
}
