import { kJoin, MessageError, type Share, type SharedWay, type WebSocket } from '@ws/connection';
import { Opcode } from '@ws/frame';
import type { SlowRule } from './slow-rule.js';
import { raise } from './uncaught.js';

/** One part of a message, and what comes behind it. */
export interface Part {
  readonly bytes: Uint8Array;
  readonly fin: boolean;
  next: Part | undefined;
}

/** What the recipients of one message have in common. */
export interface SharedMessage {
  readonly isText: boolean;
  readonly compress: boolean | undefined;
  /** All there is of it so far. */
  byteLength: number;
  parts: number;
  /** A recipient has got what there is, and has room. */
  progress(): void;
  /** One has got all of it, or will get no more. */
  left(share: MessageShare, isComplete: boolean): void;
}

const EMPTY = new Uint8Array(0);
/** What a part that waits costs beside its bytes. */
const PART_BYTES = 256;
/** Policies that would rather leave a message out than end the connection. */
const LEAVING_OUT: ReadonlySet<string> = new Set(['drop-newest', 'drop-oldest']);

/** One recipient of a message in parts. */
export class MessageShare implements Share {
  readonly socket: WebSocket;
  readonly #message: SharedMessage;
  #way: SharedWay | undefined;
  /** The oldest part that it has not got. */
  #next: Part | undefined;
  #sentBytes = 0;
  #sentParts = 0;
  #isBegun = false;
  #isSending = false;
  #isEnding = false;

  constructor(message: SharedMessage, socket: WebSocket) {
    this.#message = message;
    this.socket = socket;
  }

  /** Takes the message's place in the order. @returns false if the connection is not open */
  join(): boolean {
    this.#way = this.socket[kJoin](this);
    this.#way?.message.open();
    return this.#way !== undefined;
  }

  /** A part of it has been sent. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** It has got all there is, and can take more. */
  get isReady(): boolean {
    return this.#next === undefined && this.#way !== undefined && this.#way.message.isReady;
  }

  /** It has got all there is, and messages wait behind it. */
  get isHoldingUp(): boolean {
    return this.#next === undefined && this.#way?.isHoldingUp === true;
  }

  get bufferedAmount(): number {
    return this.#isEnding ? 0 : this.#message.byteLength - this.#sentBytes;
  }

  /** The newest part. */
  offer(part: Part): void {
    if (this.#isEnding) return;
    this.#next ??= part;
    this.#advance();
  }

  /** What waited before the newest part, of `newest` bytes, is too much? */
  apply(rule: SlowRule, newest: number): void {
    if (this.#next === undefined || this.#way === undefined || this.#isEnding) return;
    const waiting = this.socket.bufferedAmount - newest + PART_BYTES * (this.#message.parts - this.#sentParts - 1);
    if (waiting <= rule.limit) return;
    if (!this.#isBegun && LEAVING_OUT.has(rule.policy)) return this.giveUp();
    const error = new MessageError('WS_ERR_SLOW_CONSUMER', `${waiting} bytes wait, limit ${rule.limit}`);
    this.#way.cut(Object.assign(error, { closeCode: 1013 }));
  }

  /** It gets nothing of the message: for those to which nothing was sent. */
  giveUp(): void {
    this.#way?.message.giveUp();
    this.#leave(false);
  }

  /** It gets no more: what has been sent is ended where it stands. */
  end(): void {
    if (!this.#isBegun) return this.giveUp();
    this.#isEnding = true;
    this.#next = { bytes: EMPTY, fin: true, next: undefined };
    this.#advance();
  }

  // As the source of an open message.

  ready(): void {
    this.#advance();
    if (this.isReady) this.#message.progress();
  }

  cut(): void {
    this.#leave(false);
  }

  destroy(): void {
    this.#leave(false);
  }

  #advance(): void {
    if (this.#isSending) return;
    this.#isSending = true;
    while (this.#next !== undefined && this.#way?.message.isReady) this.#send(this.#next, this.#way);
    this.#isSending = false;
  }

  #send({ bytes, fin, next }: Part, way: SharedWay): void {
    this.#next = next;
    this.#sentBytes += bytes.length;
    this.#sentParts++;
    this.#isBegun = true;
    const { isText, compress } = this.#message;
    const opcode = isText ? Opcode.Text : Opcode.Binary;
    const step = { opcode, fin, compress, length: undefined, callback: undefined };
    try {
      way.message.fragment(bytes, step, () => {
        if (fin) this.#leave(!this.#isEnding);
        else this.ready();
      });
      way.grown();
    } catch (error) {
      raise(error); // of a listener
    }
  }

  #leave(isComplete: boolean): void {
    const way = this.#way;
    if (way === undefined) return;
    this.#way = undefined;
    this.#next = undefined;
    way.leave();
    this.#message.left(this, isComplete);
  }
}
