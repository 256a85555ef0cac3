/** First bytes of a stored block: its header, RFC 1951 §3.2.4. */
const HEADER = 5;
const FIRST_CAPACITY = 256;

/**
 * The last bytes of what a peer's messages inflated to: all that its next one may refer to (RFC 7692 §7.1.1), and all
 * that is kept of a receiving context. It grows with what was received, up to 2^`windowBits` bytes.
 */
export class Window {
  readonly size: number;
  #block: Uint8Array = new Uint8Array(0);
  #length = 0;

  constructor(windowBits: number) {
    this.size = 2 ** windowBits;
  }

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory taken. */
  get byteLength(): number {
    return this.#block.length;
  }

  /** The same bytes, as a view that the next `add` changes. */
  get bytes(): Uint8Array {
    return this.#block.subarray(HEADER, HEADER + this.#length);
  }

  /** The same as a stored DEFLATE block: who decompresses it knows the window. Also a view. */
  get block(): Uint8Array {
    const length = this.#length;
    const block = this.#block.subarray(0, HEADER + length);
    block[0] = 0; // BFINAL 0, BTYPE 00
    block[1] = length & 0xff;
    block[2] = length >> 8;
    block[3] = ~length & 0xff;
    block[4] = (~length >> 8) & 0xff;
    return block;
  }

  add(output: Uint8Array): void {
    const { size } = this;
    const added = output.length > size ? output.subarray(output.length - size) : output;
    const kept = Math.min(this.#length, size - added.length);
    this.#reserve(kept + added.length);
    const block = this.#block;
    const dropped = this.#length - kept;
    if (dropped > 0) block.copyWithin(HEADER, HEADER + dropped, HEADER + this.#length);
    block.set(added, HEADER + kept);
    this.#length = kept + added.length;
  }

  copy(): Window {
    const copy = new Window(Math.log2(this.size));
    copy.add(this.bytes);
    return copy;
  }

  #reserve(length: number): void {
    if (HEADER + length <= this.#block.length) return;
    const capacity = Math.min(this.size, Math.max(length, 2 * this.#length, FIRST_CAPACITY));
    const block = new Uint8Array(HEADER + capacity);
    block.set(this.#block);
    this.#block = block;
  }
}
