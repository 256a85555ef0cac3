import type { Incoming } from './incoming.js';
import type { Failure, MessageSink } from './protocol/index.js';
import type { Claim, Keeper } from './memory-account.js';
import { MessageError } from './protocol/index.js';

/** The connection, as those who read from it at their own pace see it. */
export interface HeldConnection {
  holdFor(reader: object): void;
  readOnFor(reader: object): void;
  /** What broke it, if something did. */
  readonly brokenBy: Error | null;
  /** For the account of what `keeper` has. */
  claim(keeper: Keeper): Claim | undefined;
}

/** What an unread message costs beside its bytes, and what each piece of it does. */
const MESSAGE_BYTES = 1024;
const PIECE_BYTES = 256;
/** A piece that would keep so many times its size from being freed is copied. */
const MAX_RETAINED = 4;

/**
 * What the streamed messages of one connection hold unread, all together: from `highWaterMark` on nothing is read, until half of it is left.
 */
export class IncomingFlow implements Keeper {
  readonly #connection: HeldConnection;
  readonly #highWaterMark: number;
  #unread = 0;
  #isFull = false;
  #isChecking = false;
  #waiting: (() => void)[] = [];
  readonly #claim: Claim | undefined;
  /** Those that hold something. */
  readonly #intakes = new Set<Intake>();

  constructor(connection: HeldConnection, highWaterMark: number) {
    this.#connection = connection;
    this.#highWaterMark = highWaterMark;
    this.#claim = connection.claim(this);
  }

  get isFull(): boolean {
    return this.#isFull;
  }
  get highWaterMark(): number {
    return this.#highWaterMark;
  }
  get brokenBy(): Error | null {
    return this.#connection.brokenBy;
  }

  /** So many bytes more are unread; fewer, if negative. */
  add(bytes: number): void {
    this.#unread += bytes;
    this.#claim?.set(this.#unread);
    if (!this.#isFull) {
      if (this.#unread < this.#highWaterMark) return;
      this.#isFull = true;
      this.#connection.holdFor(this);
    } else if (this.#hasRoom && !this.#isChecking) {
      this.#isChecking = true; // later: who reads is not called back from inside his `read`
      process.nextTick(() => this.#check());
    }
  }

  /** `intake` has something unread now, or nothing any more. */
  note(intake: Intake, isHolding: boolean): void {
    if (isHolding) this.#intakes.add(intake);
    else this.#intakes.delete(intake);
  }

  /** The connection was ended for the memory it holds. */
  forget(): void {
    for (const intake of this.#intakes) intake.forget();
  }

  whenRoom(proceed: () => void): void {
    this.#waiting.push(proceed);
  }

  get #hasRoom(): boolean {
    return this.#unread <= this.#highWaterMark / 2;
  }

  #check(): void {
    this.#isChecking = false;
    if (!this.#hasRoom) return;
    this.#isFull = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#connection.readOnFor(this);
    for (const proceed of waiting) proceed();
  }
}

/** Fills one message, and keeps account of what is unread of it. */
export class Intake implements MessageSink {
  readonly #flow: IncomingFlow;
  #message: Incoming | undefined;
  #pieces = 0;
  #counted = 0;
  #hasEnded = false;
  /** Bytes that the reader wants in one piece, and is not given before they are there. */
  #needed = 0;
  #proceed: (() => void) | undefined;

  constructor(flow: IncomingFlow) {
    this.#flow = flow;
  }

  get highWaterMark(): number {
    return this.#flow.highWaterMark;
  }

  fill(message: Incoming): void {
    this.#message = message;
  }

  // The core's sink.

  get isFull(): boolean {
    return this.#message !== undefined && this.#flow.isFull;
  }

  whenRoom(proceed: () => void): void {
    if (!this.isFull) return proceed();
    this.#proceed = proceed;
    this.#flow.whenRoom(() => this.#goOn());
  }

  data(piece: Uint8Array): void {
    if (this.#message === undefined) return;
    this.#pieces++;
    try {
      this.#message.push(piece.buffer.byteLength > MAX_RETAINED * piece.length ? Buffer.from(piece) : piece);
    } finally {
      this.#count();
    }
  }

  end(): void {
    this.#hasEnded = true;
    this.#message?.push(null);
    this.#count();
  }

  abort(error: Failure | null): void {
    if (this.#message === undefined) return;
    const cause = this.#flow.brokenBy ?? undefined;
    this.#message.destroy(error ?? new MessageError('WS_ERR_INCOMPLETE_MESSAGE', '', cause));
  }

  // What becomes of the message.

  /** The reader has called `read(size)`. */
  wasRead(size: number | undefined, gotNone: boolean): void {
    if (!gotNone) {
      this.#needed = 0;
      this.#pieces = Math.max(0, this.#pieces - 1);
    } else if (size) this.#needed = size;
    this.#count();
  }

  /** What is unread will not be read. */
  forget(): void {
    this.#message?.destroy(new MessageError('WS_ERR_INCOMPLETE_MESSAGE', '', this.#flow.brokenBy ?? undefined));
  }

  /** Nothing more is wanted: what still comes is dropped. */
  drop(): void {
    this.#message = undefined;
    this.#pieces = 0;
    this.#count();
    if (this.#proceed) process.nextTick(() => this.#goOn());
  }

  #count(): void {
    const cost = this.#cost();
    const change = cost - this.#counted;
    if (change === 0) return;
    if (this.#counted === 0 || cost === 0) this.#flow.note(this, cost > 0);
    this.#counted = cost;
    this.#flow.add(change);
  }

  /** A message that is read as fast as it comes costs nothing. */
  #cost(): number {
    if (this.#message === undefined) return 0;
    const unread = this.#message.readableLength;
    if (unread === 0) this.#pieces = 0;
    if (this.#hasEnded) return unread + MESSAGE_BYTES;
    return unread < this.#needed ? 0 : unread + this.#pieces * PIECE_BYTES;
  }

  #goOn(): void {
    const proceed = this.#proceed;
    this.#proceed = undefined;
    proceed?.();
  }
}

/** For messages that nobody wants. */
export const DISCARDED: MessageSink = {
  isFull: false,
  whenRoom: (proceed) => proceed(),
  data: () => undefined,
  end: () => undefined,
  abort: () => undefined,
};
