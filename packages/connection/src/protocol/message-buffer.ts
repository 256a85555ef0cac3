import { freeInterim, interimBlock } from './interim-block.js';

/** Smallest piece of a fragment that is kept as it is, uncopied, when fragments are asked for. */
const KEEP_FROM = 4096;
const FIRST_BLOCK = 256;
/** Once one part in so many of what the last frame declares has come, there is memory for all of it: it is not copied again, and pages that nothing was written to are not resident. */
const DECLARED_FROM = 8;
/** What a part costs beside its memory. */
const PART_BYTES = 256;

/**
 * Collects the payload of one message in one buffer that grows as bytes arrive: twofold, and as soon as an eighth has come, to what the last frame
 * declares; never past that. So memory follows what was received, however small the pieces are: at most eight times as much, of which so much is used.
 */
export class MessageBuffer {
  keepFragments = false;
  readonly #allocate: (byteLength: number) => Uint8Array;
  #block: Uint8Array | undefined;
  /** It is not what the message will be in: something larger takes its place. */
  #isInterim = false;
  #used = 0;
  /** Size that the block will not need to exceed; unknown before the last frame. */
  #expected = Infinity;
  /** Made when there is a first one: an idle connection keeps none. */
  #parts: Uint8Array[] | undefined;
  #partBytes = 0;
  /** Memory of the parts: larger where they are views of it. */
  #keptBytes = 0;
  #lastMemory: ArrayBufferLike | undefined;

  constructor(allocate: (byteLength: number) => Uint8Array) {
    this.#allocate = allocate;
  }

  get byteLength(): number {
    return this.#partBytes + this.#used;
  }

  /** Memory that is kept for it, with the objects that carry it. */
  get retainedBytes(): number {
    return (this.#block?.length ?? 0) + this.#keptBytes;
  }

  /** A frame begins: `fin` says that nothing follows it. */
  expect(payloadLength: number, fin: boolean): void {
    this.#expected = fin ? this.#used + payloadLength : Infinity;
  }

  /** Copies `slice`, unless fragments are asked for. */
  append(slice: Uint8Array): void {
    if (this.keepFragments && slice.length >= KEEP_FROM) return this.#push(slice);
    const needed = this.#used + slice.length;
    if (needed > (this.#block?.length ?? 0)) this.#grow(needed);
    this.#block?.set(slice, this.#used);
    this.#used = needed;
  }

  /** As `append`, but `slice` is ours from now on: it is kept as it is where that costs less than a copy. */
  adopt(slice: Uint8Array): void {
    if (this.byteLength === 0 || slice.length >= KEEP_FROM) this.#push(slice);
    else this.append(slice);
  }

  /** The message as it was kept, and an empty buffer for the next one. */
  takeParts(): Uint8Array[] {
    this.#closeBlock();
    const parts = this.#parts ?? [];
    this.clear();
    return parts;
  }

  /** The same in one buffer. */
  takeWhole(): Uint8Array {
    const length = this.byteLength;
    const parts = this.takeParts();
    if (parts.length === 1) return parts[0]!;
    const whole = this.#allocate(length);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  clear(): void {
    this.#dropBlock();
    this.#used = 0;
    this.#expected = Infinity;
    this.#parts = undefined;
    this.#partBytes = this.#keptBytes = 0;
    this.#lastMemory = undefined;
  }

  #grow(needed: number): void {
    const expected = this.#expected;
    const isNear = expected <= DECLARED_FROM * needed;
    const size = isNear ? expected : Math.min(Math.max(2 * needed, FIRST_BLOCK), expected);
    // The interim ones of a long message would be a fifth of its size, until they are collected.
    const interim = !isNear && expected < Infinity ? interimBlock(size) : undefined;
    const block = interim ?? this.#allocate(Math.max(needed, size));
    if (this.#block) block.set(this.#block.subarray(0, this.#used));
    this.#dropBlock();
    this.#block = block;
    this.#isInterim = interim !== undefined;
  }

  #dropBlock(): void {
    if (this.#isInterim) freeInterim(this.#block!);
    this.#isInterim = false;
    this.#block = undefined;
  }

  #push(slice: Uint8Array): void {
    this.#closeBlock();
    (this.#parts ??= []).push(slice);
    this.#partBytes += slice.length;
    this.#keptBytes += PART_BYTES + (slice.buffer === this.#lastMemory ? 0 : slice.buffer.byteLength);
    this.#lastMemory = slice.buffer;
  }

  #closeBlock(): void {
    if (this.#block === undefined) return;
    let part = this.#block.subarray(0, this.#used);
    if (this.#isInterim) {
      part = this.#allocate(this.#used);
      part.set(this.#block.subarray(0, this.#used));
    }
    (this.#parts ??= []).push(part);
    this.#partBytes += this.#used;
    this.#keptBytes += PART_BYTES + (this.#isInterim ? part : this.#block).length;
    this.#expected -= this.#used;
    this.#dropBlock();
    this.#used = 0;
  }
}
