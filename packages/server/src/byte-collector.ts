const EMPTY = Buffer.alloc(0);
const FIRST_BLOCK = 256;

/** Bytes that come in parts, in one buffer that grows twofold. */
export class ByteCollector {
  #block = EMPTY;
  #used = 0;

  get byteLength(): number {
    return this.#used;
  }

  append(bytes: Uint8Array): void {
    const needed = this.#used + bytes.length;
    if (needed > this.#block.length) {
      const block = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#used, FIRST_BLOCK));
      block.set(this.#block.subarray(0, this.#used));
      this.#block = block;
    }
    this.#block.set(bytes, this.#used);
    this.#used = needed;
  }

  /** All there is; the collector is empty then. */
  take(): Buffer {
    const bytes = this.#block.subarray(0, this.#used);
    this.#block = EMPTY;
    this.#used = 0;
    return bytes;
  }
}
