import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { headerLength, mask, writeHeader, type Opcode } from '@ws/frame';
import { now } from './close-report.js';
import { lendBlock, maskBlock, type MaskBlock } from './mask-block.js';
import { borrow, giveBack } from './mask-buffers.js';
import { isPlainSocket } from './plain-socket.js';
import { MessageError, type Account, type SendCallback } from './protocol/index.js';
import { settle } from './protocol/settle.js';
import { release, slabFor, viewOf, type Slab } from './slab.js';
import { Unwritten } from './unwritten.js';

/** Payloads up to here are copied behind their header; larger ones are written apart. */
const COPY_UP_TO = 16_384;
/** Strings up to here are encoded in the slab without measuring them first: three bytes a character at most. */
const SHORT_STRING = 4096;
/** So much is not held back until the end of the turn. */
const FLUSH_FROM = 65_536;
const MAX_HEADER = 14;
/** So few bytes are copied one by one in half the time that a call of `set` takes. */
const BYTE_LOOP_UP_TO = 32;
const CHAR_LOOP_BELOW = 16;
const NOTHING = Buffer.alloc(0);

type WriteCallback = (error?: NodeJS.ErrnoException | null) => void;

/** Writers with something to write at the end of this turn. */
let dirty: Writer[] = [];
/** When the first of them got it. */
let dirtySince = 0;

/** The time, to within this turn: reading the clock costs as much as a small frame. */
export const turnTime = (): number => (dirty.length > 0 ? dirtySince : now());

/** The one whose connection is being parsed for. */
let inTurn: Writer | undefined;
let flushesAtExit = false;

function enterTurn(writer: Writer | undefined): void {
  inTurn = writer;
}

function flushDirty(): void {
  const writers = dirty;
  dirty = [];
  for (const writer of writers) writer.flush();
}

/** `process.exit()` right behind `send`: what the operating system takes at once still goes out. */
function flushAtExit(): void {
  inTurn?.flush();
  flushDirty();
}

/**
 * Frames to bytes on a Duplex, one write a turn: small frames are built side by side in the shared slab, and leave
 * together. See docs/decisions/one-write-per-tick.md.
 */
export abstract class Writer {
  protected readonly duplex: Duplex;
  /** Where memory is counted. */
  protected readonly account: Account | undefined;
  readonly #maskingKey: (() => number) | undefined;
  /** After a write, a plain socket with nothing left to write has no more use for the bytes. */
  readonly #isPlainSocket: boolean;

  /** The run in the slab that the next small frame may extend. */
  #slab: Slab | undefined;
  #runStart = 0;
  #runEnd = 0;
  /** What comes before the run. */
  #chunks: Uint8Array[] | undefined;
  #pendingBytes = 0;
  #callbacks: SendCallback[] | undefined;
  /** Callbacks of writes that are not completed, a list a write. */
  #inFlight: Set<SendCallback[]> | undefined;
  /** The stream had something left to write after our last write: as long as it had not, it has not. */
  #mayHaveBacklog = true;
  #isDirty = false;
  #inTurn = false;
  #isEnded = false;
  /** A write has. */
  #hasFailed = false;
  #bytesTaken = 0;
  /** Of these, what the stream had written when it broke off: a net.Socket that is destroyed calls every write a success. */
  #bytesThrough = Infinity;
  /** Of the frame that is taken in parts: its masking key, and where in its payload the next part stands. */
  #partKey: number | undefined;
  #partOffset = 0;
  /** Payloads among `#chunks` that are nobody's copy. */
  #payloads: Uint8Array[] | undefined;
  #unwritten: Unwritten | undefined;
  #isProbing = false;
  /** `written` is called after each write, until this is switched off. */
  protected reportsWrites = false;

  /** `maskingKey` is a client's. */
  constructor(duplex: Duplex, maskingKey: (() => number) | undefined, account?: Account) {
    this.duplex = duplex;
    this.account = account;
    this.#maskingKey = maskingKey;
    this.#isPlainSocket = isPlainSocket(duplex);
    if (!flushesAtExit) process.once('exit', flushAtExit);
    flushesAtExit = true;
  }

  /** A write is through, while `reportsWrites` is set, or memory is counted. */
  protected abstract written(): void;
  /** A write of so many bytes has failed: the stream has forgotten them already, and those behind them not yet. */
  protected abstract lost(byteLength: number): void;
  /** The stream has been given all there was; `isLeft`: and has not written all of it. Called where memory is counted. */
  protected abstract flushed(isLeft: boolean): void;

  /** Bytes taken that the stream has not passed on. */
  get bufferedBytes(): number {
    return this.#mayHaveBacklog ? this.#pendingBytes + this.duplex.writableLength : this.#pendingBytes;
  }

  /** Memory of that which the stream has, without what other connections may have too: that is with the account. */
  protected get ownBytes(): number {
    return Math.max(0, this.duplex.writableLength - (this.#unwritten?.byteLength ?? 0));
  }

  /** Frames from now on leave with `endTurn`, in one write. */
  beginTurn(): void {
    this.#inTurn = true;
    enterTurn(this);
  }

  endTurn(): void {
    this.#inTurn = false;
    enterTurn(undefined);
    if (this.#pendingBytes > 0) this.flush();
  }

  /** Switches `reportsWrites` on, and has a report come even if nothing more is written. */
  protected reportWrites(): void {
    if (this.reportsWrites) return;
    this.reportsWrites = true;
    if (this.#pendingBytes === 0 && !this.#isEnded && !this.duplex.destroyed) {
      this.duplex.write(NOTHING, () => this.written());
    }
  }

  /** Bytes given to the stream so far. */
  get bytesTaken(): number {
    return this.#bytesTaken;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  get isBroken(): boolean {
    return this.#hasFailed || this.duplex.destroyed;
  }

  /** Nothing follows; `onEnded` runs when all of it is out. */
  protected endStream(onEnded: () => void): void {
    if (this.#isEnded) return;
    this.flush();
    this.#isEnded = true;
    this.duplex.end(onEnded);
  }

  /** The stream breaks off: what it has not written by now, it will not. */
  protected breakOff(): void {
    this.#bytesThrough = Math.min(this.#bytesThrough, this.#bytesTaken - this.duplex.writableLength);
  }

  /** The stream is gone: settles what was not written. */
  protected discard(): void {
    this.#closeRun();
    this.#chunks = this.#payloads = undefined;
    this.#pendingBytes = 0;
    const callbacks = [...(this.#inFlight ?? []), this.#callbacks ?? []].flat();
    this.#inFlight = undefined;
    this.#callbacks = undefined;
    for (const callback of callbacks) settle(callback, new MessageError('WS_ERR_CLOSED'));
  }

  /** @returns bytes of payload */
  frame(
    opcode: Opcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    callback: SendCallback | undefined,
  ): number {
    if (this.#isEnded || this.duplex.destroyed) {
      this.#refuse(callback);
      return payload.length;
    }
    const key = this.#maskingKey?.();
    let length = payload.length;
    if (key !== undefined && length > COPY_UP_TO && typeof payload !== 'string') {
      const block = this.#blockForLarge();
      if (block) {
        const header = writeHeader(block.bytes, 0, fin, rsv, opcode, length, key);
        this.#throughBlock(block, header, payload, key, 0, callback);
        return length;
      }
    }
    if (typeof payload === 'string') {
      length =
        payload.length <= SHORT_STRING
          ? this.#shortText(opcode, fin, rsv, payload, key)
          : this.#bytes(opcode, fin, rsv, Buffer.from(payload), key, true);
    } else {
      length = this.#bytes(opcode, fin, rsv, payload, key, false);
    }
    if (callback) (this.#callbacks ??= []).push(callback);
    this.#taken();
    return length;
  }

  /** Takes the head of a final frame; its payload follows through {@link framePart}. */
  frameHead(opcode: Opcode, payloadLength: number): void {
    if (this.#isEnded || this.duplex.destroyed) return;
    const key = this.#maskingKey?.();
    this.#partKey = key;
    this.#partOffset = 0;
    const slab = this.#run(MAX_HEADER);
    writeHeader(slab.bytes, this.#runEnd, true, 0, opcode, payloadLength, key);
    this.#extend(slab, headerLength(payloadLength, key !== undefined));
    this.#taken();
  }

  framePart(payload: Uint8Array, callback: SendCallback | undefined): void {
    if (this.#isEnded || this.duplex.destroyed) return this.#refuse(callback);
    const offset = this.#partOffset;
    this.#partOffset += payload.length;
    const block = this.#partKey !== undefined && payload.length > COPY_UP_TO ? this.#blockForLarge() : undefined;
    if (block) return this.#throughBlock(block, 0, payload, this.#partKey!, offset, callback);
    if (payload.length > COPY_UP_TO) this.#apart(payload, this.#partKey, offset, false);
    else this.#copy(payload, this.#partKey, offset);
    if (callback) (this.#callbacks ??= []).push(callback);
    this.#taken();
  }

  /** Writes everything, in one write where it can. */
  flush(): void {
    this.#isDirty = false;
    if (this.#pendingBytes === 0) return;
    if (this.duplex.destroyed) return this.discard();
    // A stream that is behind keeps a copy: a slab is not to be held by the few bytes of each slow reader.
    if (this.#mayHaveBacklog && this.duplex.writableLength > 0) this.#closeRun();
    const slab = this.#slab;
    const run = slab && viewOf(slab, this.#runStart, this.#runEnd);
    const chunks = this.#chunks;
    const callback = this.#writeCallback();
    this.#slab = undefined;
    this.#bytesTaken += this.#pendingBytes;
    this.#pendingBytes = 0;
    this.#mayHaveBacklog = true;
    try {
      if (chunks === undefined) {
        this.duplex.write(run, callback);
      } else {
        this.#chunks = undefined;
        if (run) chunks.push(run);
        this.#writeAll(chunks, callback);
      }
    } catch (error) {
      this.duplex.destroy(error as Error); // a stream's own fault is its connection's alone
    }
    const isLeft = (this.#mayHaveBacklog = this.duplex.writableLength > 0);
    if (slab) release(slab, !this.#isPlainSocket || isLeft);
    if (this.account === undefined) return;
    if (isLeft && this.#isPlainSocket) this.#keepUnwritten(this.account, slab);
    this.#payloads = undefined;
    this.flushed(isLeft);
  }

  #keepUnwritten(account: Account, slab: Slab | undefined): void {
    if (slab !== undefined || this.#payloads !== undefined) {
      const unwritten = (this.#unwritten ??= new Unwritten(account));
      if (slab) unwritten.addSlab(slab.bytes);
      for (const payload of this.#payloads ?? []) unwritten.addPayload(payload);
    }
    this.#probe();
  }

  /** Has something tell when all that was given to the stream so far is written: one at a time. */
  #probe(): void {
    if (this.#isProbing || this.#isEnded || this.duplex.destroyed) return;
    this.#isProbing = true;
    this.#unwritten?.await();
    this.duplex.write(NOTHING, (error) => {
      this.#isProbing = false;
      if (error) return;
      this.#unwritten?.arrived();
      this.written();
      if (this.duplex.writableLength > 0) this.#probe();
    });
  }

  /** Something is to be written: now if it is much, else at the end of the turn. */
  #taken(): void {
    if (this.#pendingBytes >= FLUSH_FROM) this.flush();
    else if (!this.#inTurn && !this.#isDirty) this.#markDirty();
  }

  #refuse(callback: SendCallback | undefined): void {
    if (callback) process.nextTick(callback, new MessageError('WS_ERR_CLOSED'));
  }

  #markDirty(): void {
    this.#isDirty = true;
    if (dirty.push(this) > 1) return;
    dirtySince = now();
    process.nextTick(flushDirty);
  }

  #shortText(opcode: Opcode, fin: boolean, rsv: number, text: string, key: number | undefined): number {
    const slab = this.#run(MAX_HEADER + 3 * text.length);
    const { bytes } = slab;
    // The header's size depends on the length in bytes: assume what it is for ASCII, and move the text where that was wrong.
    const assumed = headerLength(text.length, key !== undefined);
    let start = this.#runEnd + assumed;
    const length = writeText(bytes, start, text);
    const needed = headerLength(length, key !== undefined);
    if (needed !== assumed) {
      bytes.copyWithin(this.#runEnd + needed, start, start + length);
      start = this.#runEnd + needed;
    }
    writeHeader(bytes, this.#runEnd, fin, rsv, opcode, length, key);
    if (key !== undefined) mask(bytes.subarray(start, start + length), key);
    this.#extend(slab, needed + length);
    return length;
  }

  /** `isOurs`: nobody else sees the payload, so it may be masked where it is. */
  #bytes(
    opcode: Opcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array,
    key: number | undefined,
    isOurs: boolean,
  ): number {
    const { length } = payload;
    const isApart = length > COPY_UP_TO;
    const header = headerLength(length, key !== undefined);
    const slab = this.#run(isApart ? header : header + length);
    const start = this.#runEnd + header;
    writeHeader(slab.bytes, this.#runEnd, fin, rsv, opcode, length, key);
    if (isApart) {
      this.#extend(slab, header);
      this.#apart(payload, key, 0, isOurs);
      return length;
    }
    copyInto(slab.bytes, start, payload);
    if (key !== undefined) mask(slab.bytes.subarray(start, start + length), key);
    this.#extend(slab, header + length);
    return length;
  }

  /** Into the slab; `offset` is that of the payload in its frame. */
  #copy(payload: Uint8Array, key: number | undefined, offset: number): void {
    const { length } = payload;
    const slab = this.#run(length);
    const start = this.#runEnd;
    slab.bytes.set(payload, start);
    if (key !== undefined) mask(slab.bytes.subarray(start, start + length), key, offset);
    this.#extend(slab, length);
  }

  /** What is taken before is with the stream then, and the stream has written it. */
  #blockForLarge(): MaskBlock | undefined {
    if (!this.#isPlainSocket || this.duplex.writableLength > 0) return undefined; // who knows how long the stream reads it
    const block = maskBlock();
    if (block) this.flush();
    return this.isBroken || this.duplex.writableLength > 0 ? undefined : block;
  }

  /** Behind `at` bytes that are in the block; `offset` is that of the payload in its frame. */
  #throughBlock(
    block: MaskBlock,
    at: number,
    payload: Uint8Array,
    key: number,
    offset: number,
    callback: SendCallback | undefined,
  ): void {
    const { length } = payload;
    let from = 0;
    for (;;) {
      const end = block.fill(at, payload, from, key, offset + from);
      from += end - at;
      at = 0;
      this.#chunks = [block.bytes.subarray(0, end)];
      this.#pendingBytes = end;
      if (from === length && callback) (this.#callbacks ??= []).push(callback);
      this.flush();
      const isLeft = this.duplex.writableLength > 0 && !this.duplex.destroyed;
      if (isLeft) this.duplex.write(NOTHING, lendBlock());
      if (from === length) return;
      if (this.duplex.destroyed) return this.#refuse(callback);
      if (isLeft) break;
    }
    this.#apart(payload.subarray(from), key, offset + from, false);
    if (callback) (this.#callbacks ??= []).push(callback);
    this.#taken();
  }

  /** As a chunk of its own. */
  #apart(payload: Uint8Array, key: number | undefined, offset: number, isOurs: boolean): void {
    this.#closeRun();
    const chunk = key === undefined || isOurs ? payload : this.#ownCopy(payload);
    if (key !== undefined) mask(chunk, key, offset);
    (this.#chunks ??= []).push(chunk);
    if (chunk === payload && !isOurs && this.account !== undefined) (this.#payloads ??= []).push(payload);
    this.#pendingBytes += payload.length;
  }

  #ownCopy(payload: Uint8Array): Uint8Array {
    if (!this.#isPlainSocket) return Buffer.from(payload); // who knows how long the stream reads it
    const buffer = borrow(payload.length);
    (this.#callbacks ??= []).push((error) => {
      if (!error) giveBack(buffer);
    });
    buffer.set(payload);
    return buffer.subarray(0, payload.length);
  }

  /** Makes sure that `byteLength` bytes can follow at `#runEnd`. */
  #run(byteLength: number): Slab {
    const slab = slabFor(byteLength);
    if (this.#slab !== slab || this.#runEnd !== slab.used) {
      this.#closeRun();
      this.#slab = slab;
      this.#runStart = this.#runEnd = slab.used;
      slab.runs++;
    }
    return slab;
  }

  #extend(slab: Slab, byteLength: number): void {
    this.#runEnd += byteLength;
    slab.used = this.#runEnd;
    this.#pendingBytes += byteLength;
  }

  /** The run becomes a chunk; what follows stands elsewhere. */
  #closeRun(): void {
    const slab = this.#slab;
    if (slab === undefined) return;
    (this.#chunks ??= []).push(Buffer.from(slab.bytes.subarray(this.#runStart, this.#runEnd)));
    this.#slab = undefined;
    release(slab, false);
  }

  #writeAll(chunks: Uint8Array[], callback: WriteCallback | undefined): void {
    if (chunks.length === 1) {
      this.duplex.write(chunks[0], callback);
      return;
    }
    const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (total <= COPY_UP_TO) {
      this.duplex.write(Buffer.concat(chunks, total), callback);
      return;
    }
    this.duplex.cork();
    const last = chunks.pop();
    for (const chunk of chunks) this.duplex.write(chunk);
    this.duplex.write(last, callback);
    this.duplex.uncork();
  }

  #writeCallback(): WriteCallback | undefined {
    const callbacks = this.#callbacks;
    const isCounted = this.account !== undefined && !this.#isPlainSocket;
    if (callbacks === undefined && !this.reportsWrites && !isCounted && this.#pendingBytes < FLUSH_FROM)
      return undefined;
    this.#callbacks = undefined;
    if (callbacks) (this.#inFlight ??= new Set()).add(callbacks);
    const byteLength = this.#pendingBytes;
    const end = this.#bytesTaken + byteLength;
    return (error) => {
      if (error) {
        this.#hasFailed = true; // before it is told: what is done about it comes too late to be sent
        this.lost(byteLength);
      }
      if (callbacks && this.#inFlight?.delete(callbacks)) {
        const wasWaiting = error?.code === 'ERR_STREAM_DESTROYED';
        const isCut = end > this.#bytesThrough && (!error || wasWaiting);
        const failure = isCut ? new MessageError('WS_ERR_CLOSED') : (error ?? undefined);
        for (const callback of callbacks) settle(callback, failure);
      }
      if (this.reportsWrites || isCounted) this.written();
    };
  }
}

function copyInto(target: Buffer, at: number, payload: Uint8Array): void {
  const { length } = payload;
  if (length > BYTE_LOOP_UP_TO) return target.set(payload, at);
  for (let i = 0; i < length; i++) target[at + i] = payload[i]!;
}

/** @returns bytes written at `at` */
function writeText(target: Buffer, at: number, text: string): number {
  const { length } = text;
  if (length < CHAR_LOOP_BELOW) {
    for (let i = 0; ; i++) {
      if (i === length) return length;
      const unit = text.charCodeAt(i);
      if (unit > 0x7f) break;
      target[at + i] = unit;
    }
  }
  return target.write(text, at, 'utf8');
}
