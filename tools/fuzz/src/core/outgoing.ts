import { MessageError, type MessageSource, type OpenMessage, type Protocol } from '@ws/connection/protocol';
import { must } from '../engine/failure.js';

/** Of a message that we send: what it should arrive as. */
export interface Sending {
  readonly isText: boolean;
  readonly parts: Buffer[];
  isWhole: boolean;
  /** What a later message with the same key may take the place of. */
  readonly key?: number | undefined;
  /** It will not arrive, or not to its end. */
  isGivenUp: boolean;
  /** Nothing of it will arrive. */
  isLost?: boolean;
}

/** Sends, and keeps account of what was sent in which order and of each callback. */
export class Outbox {
  readonly messages: Sending[] = [];
  readonly #protocol: Protocol;
  #inFragments: Sending | undefined;
  #writing: FragmentWriter | undefined;
  #owed = 0;

  constructor(protocol: Protocol) {
    this.#protocol = protocol;
  }

  /** Callbacks that have not come. */
  get owed(): number {
    return this.#owed;
  }
  get hasFailed(): boolean {
    return this.#hasFailed;
  }
  #hasFailed = false;

  send(flags: number, bytes: Uint8Array): void {
    const goesOn = (flags & 2) !== 0;
    const isText = (flags & 1) !== 0;
    const payload = isText ? Buffer.from(bytes).toString('latin1') : Buffer.from(bytes);
    const message = this.#inFragments ?? this.#begin(isText);
    message.parts.push(Buffer.from(payload as string));
    message.isWhole = !goesOn;
    this.#inFragments = goesOn ? message : undefined;
    this.#protocol.send(
      payload,
      isText,
      !goesOn,
      [undefined, true, undefined, false][(flags >> 2) & 3],
      this.callback(goesOn || message.parts.length > 1 ? undefined : message),
    );
  }

  /** A message that is written by and by; with bit 3 in one frame of so many bytes, where that is possible. */
  open(flags: number, bytes: Uint8Array): void {
    if (this.#writing?.isOver === false) return;
    const asOneFrame = (flags & 8) !== 0 && bytes.length > 0 && this.#protocol.sender.mayBeOneFrame(undefined);
    const message = this.#begin((flags & 1) !== 0);
    this.#writing = new FragmentWriter(this.#protocol, message, asOneFrame ? bytes.length : undefined, () =>
      this.callback(),
    );
    this.#writing.write(asOneFrame ? bytes.subarray(0, bytes.length >> 1) : bytes, false);
    this.#writing.open();
    if (asOneFrame && (flags & 4) !== 0) this.#writing.write(bytes.subarray(bytes.length >> 1), true);
  }

  /** A whole message with a key, or one that takes the place of a waiting one. */
  keyed(flags: number, bytes: Uint8Array): void {
    if (this.#inFragments) return;
    const { sender } = this.#protocol;
    const isText = (flags & 1) !== 0;
    const key = (flags >> 4) & 3;
    const payload = isText ? Buffer.from(bytes).toString('latin1') : Buffer.from(bytes);
    const message: Sending = { isText, parts: [Buffer.from(payload as string)], isWhole: true, isGivenUp: false, key };
    const callback = this.callback(message);
    if (sender.isWaiting(key)) {
      const old = this.messages.findLastIndex((other) => other.key === key && other.isLost !== true);
      must(old >= 0, 'a message waits that was not sent');
      this.messages.splice(old, 0, message);
      must(
        sender.replace(payload, isText, { compress: undefined, prepared: undefined, callback, key }),
        'not replaced',
      );
    } else {
      this.messages.push(message);
      sender.send(payload, isText, true, undefined, callback, key);
    }
  }

  /** A whole message of which others may have the encoded form. */
  prepared(flags: number, bytes: Uint8Array): void {
    const message = this.#begin((flags & 1) !== 0);
    message.parts.push(Buffer.from(bytes));
    message.isWhole = true;
    if (this.#preparedBytes?.equals(bytes) !== true) this.#prepared = new Map();
    this.#preparedBytes = Buffer.from(bytes);
    const known = (flags & 2) !== 0 ? this.#prepared : new Map<unknown, unknown>();
    this.#protocol.sender.sendPrepared(Buffer.from(bytes), message.isText, undefined, known, this.callback(message));
  }
  #prepared = new Map<unknown, unknown>();
  #preparedBytes: Buffer | undefined;

  /** A message that is not there yet; with bit 1 it never will be. */
  deferred(flags: number, bytes: Uint8Array): void {
    if (this.#inFragments) return;
    const message = this.#begin((flags & 1) !== 0);
    message.parts.push(Buffer.from(bytes));
    message.isWhole = true;
    const fails = (flags & 2) !== 0;
    if (fails) message.isLost = true;
    const payload = {
      byteLength: bytes.length,
      read: (done: (error: Error | null, bytes: Uint8Array) => void) => {
        this.#reads.push(() => done(fails ? new Error('of the script') : null, Buffer.from(bytes)));
      },
    };
    this.#protocol.send(payload, message.isText, true, undefined, this.callback(message));
  }
  #reads: (() => void)[] = [];

  /** What was asked for is there. @returns false if nothing was */
  read(): boolean {
    const reads = this.#reads;
    this.#reads = [];
    for (const read of reads) read();
    return reads.length > 0;
  }

  dropOldest(): void {
    this.#protocol.sender.dropOldest();
  }

  write(flags: number, bytes: Uint8Array): void {
    this.#writing?.write(bytes, (flags & 1) !== 0);
  }

  giveUp(): void {
    this.#writing?.giveUp();
  }

  /** One callback, that must be called once. */
  callback(message?: Sending): (error?: Error) => void {
    let isCalled = false;
    this.#owed++;
    return (error) => {
      must(!isCalled, 'a callback is called twice');
      isCalled = true;
      this.#owed--;
      if (error && 'code' in error && error.code === 'WS_ERR_DROPPED' && message) message.isLost = true;
      else if (error && message?.isLost !== true) this.#hasFailed = true;
    };
  }

  #begin(isText: boolean): Sending {
    const message: Sending = { isText, parts: [], isWhole: false, isGivenUp: false };
    this.messages.push(message);
    return message;
  }
}

/** A source as `Outgoing` is one: gives the next fragment when it may, and not before. */
class FragmentWriter implements MessageSource {
  readonly #message: Sending;
  readonly #open: OpenMessage;
  /** Of the one frame that the message is. */
  readonly #length: number | undefined;
  readonly #callback: () => (error?: Error) => void;
  readonly #waiting: { readonly bytes: Buffer; readonly fin: boolean }[] = [];
  #given = 0;
  #isBegun = false;
  isOver = false;

  constructor(
    protocol: Protocol,
    message: Sending,
    length: number | undefined,
    callback: () => (error?: Error) => void,
  ) {
    this.#message = message;
    this.#length = length;
    this.#callback = callback;
    this.#open = protocol.sender.openMessage(this);
  }

  open(): void {
    this.#open.open();
  }

  write(bytes: Uint8Array, fin: boolean): void {
    if (this.isOver || this.#message.isWhole) return;
    const left = (this.#length ?? Infinity) - this.#given;
    const piece = Buffer.from(bytes.subarray(0, left));
    if (this.#length !== undefined && piece.length === 0) return;
    this.#given += piece.length;
    const isLast = this.#length === undefined ? fin : this.#given === this.#length;
    this.#message.parts.push(piece);
    this.#message.isWhole = isLast;
    this.#waiting.push({ bytes: piece, fin: isLast });
    if (this.#open.isReady) this.ready();
  }

  giveUp(): void {
    if (this.isOver || this.#message.isWhole) return;
    this.isOver = true;
    this.#message.isGivenUp = true;
    this.#open.giveUp();
  }

  ready(): void {
    must(!this.isOver, 'a source is asked that is over');
    while (this.#open.isReady) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const opcode = this.#message.isText ? 1 : 2;
      if (this.#length !== undefined) {
        if (!this.#isBegun) this.#open.beginFrame(opcode, this.#length);
        this.#isBegun = true;
        this.#open.part(next.bytes, this.#callback());
      } else {
        const step = {
          opcode,
          fin: next.fin,
          compress: undefined,
          length: undefined,
          callback: this.#callback(),
        } as const;
        this.#open.fragment(next.bytes, step, () => {
          if (this.#open.isReady) this.ready();
        });
      }
      if (next.fin) this.isOver = true;
    }
  }

  cut(error: Error): void {
    must(error instanceof MessageError || error instanceof Error, 'cut without a reason');
    this.isOver = true;
  }
}
