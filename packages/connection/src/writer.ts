import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { writeHeader, type Opcode } from '@ws/frame';
import { canWriteDirectly, writeDirectly } from './direct-write.js';
import { awaitRecords, enterTurn, flushAtExit, leaveTurn, markDirty } from './dirty-writers.js';
import { COPY_UP_TO, Gathering } from './gathering.js';
import { blockReturned, dropHeld, HOLD_BELOW, lendBlock, maskBlock, type MaskBlock } from './mask-block.js';
import { bytesInHand } from './plain-socket.js';
import { MessageError, type Account, type SendCallback } from './protocol/index.js';
import { settle } from './protocol/settle.js';
import { release, viewOf, type Slab } from './slab.js';
import { Unwritten } from './unwritten.js';
import { writeChunks, type WriteCallback } from './write-chunks.js';

/** So much is not held back until the end of the turn. */
const FLUSH_FROM = 65_536;
const NOTHING = Buffer.alloc(0);
const MAX_HEADER = 14;

/**
 * Frames to bytes on a Duplex, one write a turn: small frames are built side by side in the shared slab, and leave
 * together. See docs/decisions/one-write-per-tick.md.
 */
export abstract class Writer extends Gathering {
  /** Callbacks of writes that are not completed, a list a write. */
  #inFlight: Set<SendCallback[]> | undefined;
  /** The stream had something left to write after our last write: as long as it had not, it has not. */
  #mayHaveBacklog = true;
  #isDirty = false;
  #inTurn = false;
  #isEnded = false;
  /** A write has. */
  #hasFailed = false;
  #bytesTaken: number;
  /** Of these, what the stream had written when it broke off: a net.Socket that is destroyed calls every write a success. */
  #bytesThrough = Infinity;
  /** Of the frame that is taken in parts: its masking key, and where in its payload the next part stands. */
  #partKey: number | undefined;
  #partOffset = 0;
  #unwritten: Unwritten | undefined;
  #isProbing = false;
  /** In it are the first of the pending bytes. */
  #block: MaskBlock | undefined;
  /** So many. */
  protected heldBytes = 0;
  /** `written` is called after each write, until this is switched off. */
  protected reportsWrites = false;

  /** `maskingKey` is a client's; `bytesTaken` before, all of which are written. */
  constructor(
    duplex: Duplex,
    maskingKey: (() => number) | undefined,
    account: Account | undefined,
    bytesTaken: number,
  ) {
    super(duplex, maskingKey, account);
    this.#bytesTaken = bytesTaken;
    flushAtExit();
  }

  /** A write is through, while `reportsWrites` is set, or memory is counted. */
  protected abstract written(): void;
  /** A write of so many bytes has failed: the stream has forgotten them already, and those behind them not yet. */
  protected abstract lost(byteLength: number): void;
  /** The stream has been given all there was; `isLeft`: and has not written all of it. Called where memory is counted. */
  protected abstract flushed(isLeft: boolean): void;

  /** Bytes taken that the stream has not passed on, but for those that it may pass on at once, were they not held for others of this turn. */
  get bufferedBytes(): number {
    const bytes = this.pendingBytes - this.heldBytes;
    return this.#mayHaveBacklog ? bytes + this.duplex.writableLength : bytes;
  }

  /** Memory of that which the stream has, without what other connections may have too: that is with the account. */
  protected get ownBytes(): number {
    return Math.max(0, this.duplex.writableLength - (this.#unwritten?.byteLength ?? 0));
  }

  /** Frames from now on leave in one write: with `endTurn`, or behind the last record that a TLS socket has read. */
  beginTurn(): void {
    this.#inTurn = true;
    enterTurn(this);
  }

  endTurn(): void {
    this.#inTurn = false;
    leaveTurn();
    if (this.isTlsSocket) awaitRecords(this);
    else if (this.pendingBytes > 0) this.flush();
  }

  /** Switches `reportsWrites` on, and has a report come even if nothing more is written. */
  protected reportWrites(): void {
    if (this.reportsWrites) return;
    this.reportsWrites = true;
    if (this.pendingBytes === 0 && !this.#isEnded && !this.duplex.destroyed) {
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

  /** All that was taken is written, and told of. */
  protected get isThrough(): boolean {
    const isEmpty = this.pendingBytes === 0 && this.callbacks === undefined && (this.#inFlight?.size ?? 0) === 0;
    const isIdle = !this.#isDirty && !this.#inTurn && !this.#isProbing && !this.reportsWrites;
    const isFine = !this.#isEnded && !this.#hasFailed && !this.duplex.destroyed;
    return isEmpty && isIdle && isFine && this.duplex.writableLength === 0 && bytesInHand(this.duplex) === 0;
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
    this.closeRun();
    this.chunks = this.payloads = undefined;
    if (this.#block) dropHeld();
    this.#block = undefined;
    this.pendingBytes = this.heldBytes = 0;
    const callbacks = [...(this.#inFlight ?? []), this.callbacks ?? []].flat();
    this.#inFlight = undefined;
    this.callbacks = undefined;
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
    const key = this.maskingKey?.();
    const given = payload.length;
    if (key !== undefined && given > COPY_UP_TO && typeof payload !== 'string') {
      const block = this.#blockForLarge(MAX_HEADER + given);
      if (block) {
        const at = writeHeader(block.bytes, block.used, fin, rsv, opcode, given, key);
        this.#throughBlock(block, at, payload, key, 0, callback, true);
        return given;
      }
    }
    const length = this.putFrame(opcode, fin, rsv, payload, key);
    if (callback) (this.callbacks ??= []).push(callback);
    this.#taken();
    return length;
  }

  /** Takes the head of a final frame; its payload follows through {@link framePart}. */
  frameHead(opcode: Opcode, payloadLength: number): void {
    if (this.#isEnded || this.duplex.destroyed) return;
    const key = this.maskingKey?.();
    this.#partKey = key;
    this.#partOffset = 0;
    this.putHead(opcode, payloadLength, key);
    this.#taken();
  }

  framePart(payload: Uint8Array, callback: SendCallback | undefined): void {
    if (this.#isEnded || this.duplex.destroyed) return this.#refuse(callback);
    const offset = this.#partOffset;
    this.#partOffset += payload.length;
    const block = this.#partKey !== undefined && payload.length > COPY_UP_TO ? this.#blockForLarge() : undefined;
    if (block) return this.#throughBlock(block, 0, payload, this.#partKey!, offset, callback, false);
    this.putPart(payload, this.#partKey, offset);
    if (callback) (this.callbacks ??= []).push(callback);
    this.#taken();
  }

  /** Writes everything, in one write where it can. */
  flush(): void {
    this.#isDirty = false;
    if (this.pendingBytes === 0) return;
    if (this.duplex.destroyed) return this.discard();
    // A stream that is behind keeps a copy: a slab is not to be held by the few bytes of each slow reader.
    if (this.#mayHaveBacklog && this.duplex.writableLength > 0) this.closeRun();
    const slab = this.slab;
    const run = slab && viewOf(slab, this.runStart, this.runEnd);
    const block = this.#block;
    if (block) (this.chunks ??= []).unshift(lendBlock(block));
    this.#block = undefined;
    this.heldBytes = 0;
    const chunks = this.chunks;
    const callback = this.#writeCallback();
    this.slab = undefined;
    this.#bytesTaken += this.pendingBytes;
    this.pendingBytes = 0;
    this.#mayHaveBacklog = true;
    try {
      if (chunks === undefined) {
        if (run && callback === undefined && this.isPlainSocket && canWriteDirectly(this.duplex)) {
          writeDirectly(this.duplex, run);
        } else {
          this.duplex.write(run, callback);
        }
      } else {
        this.chunks = undefined;
        if (run) chunks.push(run);
        writeChunks(this.duplex, chunks, callback);
      }
    } catch (error) {
      this.duplex.destroy(error as Error); // a stream's own fault is its connection's alone
    }
    const isLeft = (this.#mayHaveBacklog = this.duplex.writableLength > 0);
    if (slab) release(slab, isLeft || !this.writesAtOnce);
    if (block && isLeft) this.duplex.write(NOTHING, blockReturned);
    else if (block) blockReturned();
    if (this.account === undefined) return;
    if (isLeft && this.isPlainSocket) this.#keepUnwritten(this.account, slab);
    this.payloads = undefined;
    this.flushed(isLeft);
  }

  /** For another: what is held in the block leaves it. Where the stream is gone, callbacks are for the end of the turn. */
  leaveBlock(): void {
    if (!this.duplex.destroyed) return this.flush();
    dropHeld();
    this.#block = undefined;
    this.heldBytes = 0;
  }

  #keepUnwritten(account: Account, slab: Slab | undefined): void {
    if (slab !== undefined || this.payloads !== undefined) {
      const unwritten = (this.#unwritten ??= new Unwritten(account));
      if (slab) unwritten.addSlab(slab.bytes);
      for (const payload of this.payloads ?? []) unwritten.addPayload(payload);
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
    if (this.pendingBytes >= FLUSH_FROM) this.flush();
    else this.#waitForTurn();
  }

  #waitForTurn(): void {
    if (this.#inTurn || this.#isDirty) return;
    this.#isDirty = true;
    markDirty(this);
  }

  #refuse(callback: SendCallback | undefined): void {
    if (callback) process.nextTick(callback, new MessageError('WS_ERR_CLOSED'));
  }

  /** What is taken before is with the stream then, and the stream has written it; or it is in the block, and `byteLength` bytes fit behind it. */
  #blockForLarge(byteLength = Infinity): MaskBlock | undefined {
    if (!this.writesAtOnce || this.duplex.writableLength > 0) return undefined; // who knows how long the stream reads it
    const block = maskBlock(this);
    if (block === undefined) return undefined;
    const isNext = this.#block === block && this.slab === undefined && this.chunks === undefined;
    if (!isNext || block.used + byteLength > block.bytes.length) this.flush();
    return this.isBroken || this.duplex.writableLength > 0 ? undefined : maskBlock(this);
  }

  /** Behind what is in the block, up to `at`; `offset` is that of the payload in its frame. `mayWait`: for others of this turn. */
  #throughBlock(
    block: MaskBlock,
    at: number,
    payload: Uint8Array,
    key: number,
    offset: number,
    callback: SendCallback | undefined,
    mayWait: boolean,
  ): void {
    const { length } = payload;
    let from = 0;
    do {
      const end = block.fill(at, payload, from, key, offset + from);
      from += end - at;
      at = 0;
      block.holder = this;
      this.#block = block;
      this.pendingBytes = this.heldBytes = block.used = end; // nothing else is pending
      if (from === length && callback) (this.callbacks ??= []).push(callback);
      if (from === length && mayWait && end < HOLD_BELOW) return this.#waitForTurn();
      this.flush();
      if (from === length) return;
      if (this.duplex.destroyed) return this.#refuse(callback);
    } while (this.duplex.writableLength === 0 && maskBlock(this) === block);
    this.putApart(payload.subarray(from), key, offset + from, false);
    if (callback) (this.callbacks ??= []).push(callback);
    this.#taken();
  }

  #writeCallback(): WriteCallback | undefined {
    const callbacks = this.callbacks;
    const isCounted = this.account !== undefined && !this.isPlainSocket;
    if (callbacks === undefined && !this.reportsWrites && !isCounted && this.pendingBytes < FLUSH_FROM)
      return undefined;
    this.callbacks = undefined;
    if (callbacks) (this.#inFlight ??= new Set()).add(callbacks);
    const byteLength = this.pendingBytes;
    const end = this.#bytesTaken + byteLength;
    return (error) => {
      if (error) {
        this.#hasFailed = true; // before it is told: what is done about it comes too late to be sent
        this.lost(byteLength);
      }
      if (callbacks && this.#inFlight?.delete(callbacks)) {
        // A stream's own word for it differs between versions of Node.
        const isCut = error || end > this.#bytesThrough;
        const failure = isCut ? new MessageError('WS_ERR_CLOSED', '', error ?? undefined) : undefined;
        for (const callback of callbacks) settle(callback, failure);
      }
      if (this.reportsWrites || isCounted) this.written();
    };
  }
}
