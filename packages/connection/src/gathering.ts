import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { headerLength, mask, writeHeader, type Opcode } from '@ws/frame';
import { borrow, giveBack } from './mask-buffers.js';
import { isPlainSocket, isTlsSocket, writesAsNode } from './plain-socket.js';
import type { Account, SendCallback } from './protocol/index.js';
import { common, release, slabFor, type Slab } from './slab.js';
import { copyInto, writeText } from './slab-copy.js';

/** Payloads up to here are copied behind their header; larger ones are written apart. */
export const COPY_UP_TO = 16_384;
/** Strings up to here are encoded in the slab without measuring them first: three bytes a character at most. */
const SHORT_STRING = 4096;
const MAX_HEADER = 14;

/**
 * Frames that leave with the next write: small ones are built side by side, in a run of the shared slab; the payload of a
 * large one is a chunk of its own.
 */
export abstract class Gathering {
  protected readonly duplex: Duplex;
  /** Where memory is counted. */
  protected readonly account: Account | undefined;
  protected readonly maskingKey: (() => number) | undefined;
  /** After a write, a plain socket with nothing left to write has no more use for the bytes. */
  protected readonly isPlainSocket: boolean;
  protected readonly isTlsSocket: boolean;

  /** The run in the slab that the next small frame may extend. */
  protected slab: Slab | undefined;
  protected runStart = 0;
  protected runEnd = 0;
  /** What comes before the run. */
  protected chunks: Uint8Array[] | undefined;
  /** Payloads among `chunks` that are nobody's copy. */
  protected payloads: Uint8Array[] | undefined;
  protected pendingBytes = 0;
  protected callbacks: SendCallback[] | undefined;

  /** `maskingKey` is a client's. */
  constructor(duplex: Duplex, maskingKey: (() => number) | undefined, account: Account | undefined) {
    this.duplex = duplex;
    this.account = account;
    this.maskingKey = maskingKey;
    this.isPlainSocket = isPlainSocket(duplex);
    this.isTlsSocket = isTlsSocket(duplex);
  }

  /** It is one, and nobody has put a `write` of his own in the place of the socket's since. */
  protected get writesAtOnce(): boolean {
    return this.isPlainSocket && writesAsNode(this.duplex);
  }

  /** @returns bytes of payload */
  protected putFrame(
    opcode: Opcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    key: number | undefined,
  ): number {
    if (typeof payload !== 'string') return this.#bytes(opcode, fin, rsv, payload, key, false);
    if (payload.length <= SHORT_STRING) return this.#shortText(opcode, fin, rsv, payload, key);
    return this.#bytes(opcode, fin, rsv, Buffer.from(payload), key, true);
  }

  /** The header of a final frame. */
  protected putHead(opcode: Opcode, payloadLength: number, key: number | undefined): void {
    const slab = this.#run(MAX_HEADER);
    writeHeader(slab.bytes, this.runEnd, true, 0, opcode, payloadLength, key);
    this.#extend(slab, headerLength(payloadLength, key !== undefined));
  }

  /** `offset` is that of the payload in its frame. */
  protected putPart(payload: Uint8Array, key: number | undefined, offset: number): void {
    if (payload.length > COPY_UP_TO) this.putApart(payload, key, offset, false);
    else this.#copy(payload, key, offset);
  }

  /** As a chunk of its own. `isOurs`: nobody else sees the payload, so it may be masked where it is. */
  protected putApart(payload: Uint8Array, key: number | undefined, offset: number, isOurs: boolean): void {
    this.closeRun();
    const chunk = key === undefined || isOurs ? payload : this.#ownCopy(payload);
    if (key !== undefined) mask(chunk, key, offset);
    (this.chunks ??= []).push(chunk);
    if (chunk === payload && !isOurs && this.account !== undefined) (this.payloads ??= []).push(payload);
    this.pendingBytes += payload.length;
  }

  /** The run becomes a chunk; what follows stands elsewhere. */
  protected closeRun(): void {
    const { slab } = this;
    if (slab === undefined) return;
    (this.chunks ??= []).push(Buffer.from(slab.bytes.subarray(this.runStart, this.runEnd)));
    this.slab = undefined;
    release(slab, false);
  }

  #shortText(opcode: Opcode, fin: boolean, rsv: number, text: string, key: number | undefined): number {
    const slab = this.#run(MAX_HEADER + 3 * text.length);
    const { bytes } = slab;
    // The header's size depends on the length in bytes: assume what it is for ASCII, and move the text where that was wrong.
    const assumed = headerLength(text.length, key !== undefined);
    let start = this.runEnd + assumed;
    const length = writeText(bytes, start, text);
    const needed = headerLength(length, key !== undefined);
    if (needed !== assumed) {
      bytes.copyWithin(this.runEnd + needed, start, start + length);
      start = this.runEnd + needed;
    }
    writeHeader(bytes, this.runEnd, fin, rsv, opcode, length, key);
    if (key !== undefined) mask(bytes.subarray(start, start + length), key);
    this.#extend(slab, needed + length);
    return length;
  }

  /** `isOurs` as for {@link putApart}. */
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
    const isCommon = payload === common.offered && !isApart && fin && rsv === 0 && this.#mayShare;
    if (isCommon && this.#joins(opcode, payload)) return length;
    const header = headerLength(length, key !== undefined);
    const slab = this.#run(isApart ? header : header + length);
    const start = this.runEnd + header;
    writeHeader(slab.bytes, this.runEnd, fin, rsv, opcode, length, key);
    if (isApart) {
      this.#extend(slab, header);
      this.putApart(payload, key, 0, isOurs);
      return length;
    }
    copyInto(slab.bytes, start, payload);
    if (key !== undefined) mask(slab.bytes.subarray(start, start + length), key);
    this.#extend(slab, header + length);
    if (isCommon) this.#leaveForOthers(opcode, payload, slab, start - header);
    return length;
  }

  /** Nobody but a socket of Node reads what it is given to write, and no more than that. */
  get #mayShare(): boolean {
    return this.isPlainSocket && this.maskingKey === undefined;
  }

  /** The frame stands in the slab already, built for another connection: behind what this one has there, or where its run may begin. */
  #joins(opcode: Opcode, payload: Uint8Array): boolean {
    const { slab, start, end } = common;
    if (slab === undefined || common.payload !== payload || common.opcode !== opcode) return false;
    if (this.slab !== slab || this.runEnd !== start) {
      if (this.slab !== undefined && this.runEnd === this.slab.used) return false; // a copy of the frame costs less than one of the run
      slab.runs++; // first: a run of this one that is closed may be the last in there, and the slab would be used from the front again
      this.closeRun();
      this.slab = slab;
      this.runStart = start;
    }
    this.runEnd = end;
    this.pendingBytes += end - start;
    return true;
  }

  #leaveForOthers(opcode: Opcode, payload: Uint8Array, slab: Slab, start: number): void {
    common.payload = payload;
    common.opcode = opcode;
    common.slab = slab;
    common.start = start;
    common.end = this.runEnd;
  }

  /** Into the slab; `offset` is that of the payload in its frame. */
  #copy(payload: Uint8Array, key: number | undefined, offset: number): void {
    const { length } = payload;
    const slab = this.#run(length);
    const start = this.runEnd;
    slab.bytes.set(payload, start);
    if (key !== undefined) mask(slab.bytes.subarray(start, start + length), key, offset);
    this.#extend(slab, length);
  }

  #ownCopy(payload: Uint8Array): Uint8Array {
    if (!this.isPlainSocket) return Buffer.from(payload); // who knows how long the stream reads it
    const buffer = borrow(payload.length);
    (this.callbacks ??= []).push((error) => {
      if (!error) giveBack(buffer);
    });
    buffer.set(payload);
    return buffer.subarray(0, payload.length);
  }

  /** Makes sure that `byteLength` bytes can follow at `runEnd`. */
  #run(byteLength: number): Slab {
    const slab = slabFor(byteLength);
    if (this.slab !== slab || this.runEnd !== slab.used) {
      this.closeRun();
      this.slab = slab;
      this.runStart = this.runEnd = slab.used;
      slab.runs++;
    }
    return slab;
  }

  #extend(slab: Slab, byteLength: number): void {
    this.runEnd += byteLength;
    slab.used = this.runEnd;
    this.pendingBytes += byteLength;
  }
}
