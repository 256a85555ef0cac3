import { maskBytes, maskWords, rotateKey, wordKey, wordsOf, WORDS_PAY_FROM } from './mask.js';
import { simdMemory, type MaskWords } from './simd.js';

/** Below this many bytes, the call into WebAssembly costs more than it saves. */
const SIMD_PAYS_FROM = 32;

/**
 * Memory in which masking is fast: 64 KiB take 1 us instead of 6. It is a WebAssembly.Memory, masked by SIMD instructions that have passed a test;
 * where there is no such thing, ordinary memory, masked as by `mask`. Worth it for few and large ones that are used again and again: each reserves address space.
 */
export class MaskingMemory {
  /** All of it. */
  readonly bytes: Uint8Array;
  /** Whoever is called while it is lent may cause it to be written to. */
  readonly isVolatile: boolean;
  readonly #words: Int32Array;
  readonly #simd: MaskWords | undefined;

  /**
   * @param isVolatile see {@link isVolatile}
   * @throws {RangeError} for a length that is none, or more than there can be
   */
  constructor(byteLength: number, isVolatile = false) {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0)
      throw new RangeError(`byteLength is ${String(byteLength)}, expected a non-negative integer`);
    const simd = simdMemory(byteLength);
    const isUsable = simd !== undefined && passesTest(simd.bytes, simd.maskWords);
    this.bytes = isUsable ? simd.bytes : new Uint8Array(byteLength);
    this.#words = wordsOf(this.bytes);
    this.#simd = isUsable ? simd.maskWords : undefined;
    this.isVolatile = isVolatile;
  }

  /** Masks `bytes[from, to)` in place, as `mask`; the caller sees to it that this is inside. */
  mask(from: number, to: number, maskingKey: number, offset = 0): void {
    const key = rotateKey(maskingKey, offset);
    const length = to - from;
    if (this.#simd !== undefined && length >= SIMD_PAYS_FROM) return this.#bySimd(this.#simd, from, to, from, key);
    if (length < WORDS_PAY_FROM) return maskBytes(this.bytes, from, to, key);
    maskWords(this.bytes, this.#words, from, to, key);
  }

  /** As `mask`, and puts the result at `target`, which is not behind `from`: a payload is joined to what stands before its header. */
  move(from: number, to: number, target: number, maskingKey: number | undefined): void {
    const { bytes } = this;
    const length = to - from;
    if (maskingKey !== undefined && this.#simd !== undefined && length >= SIMD_PAYS_FROM)
      return this.#bySimd(this.#simd, from, to, target, maskingKey);
    if (length < SIMD_PAYS_FROM) for (let i = 0; i < length; i++) bytes[target + i] = bytes[from + i]!;
    else bytes.copyWithin(target, from, to);
    if (maskingKey !== undefined) this.mask(target, target + length, maskingKey);
  }

  #bySimd(maskAll: MaskWords, from: number, to: number, target: number, key: number): void {
    maskAll(target, from, to, wordKey(key, true)); // WebAssembly is little-endian everywhere
    const left = (to - from) & 3;
    for (let i = left; i > 0; i--, key <<= 8) this.bytes[target + to - from - i] = this.bytes[to - i]! ^ (key >>> 24);
  }
}

/** Every byte of a few steps of both kinds, in place and moved, against the byte loop. Leaves zeros. */
function passesTest(bytes: Uint8Array, maskAll: MaskWords): boolean {
  const key = 0x9acbdeaf;
  const sample = bytes.subarray(0, 320);
  const [from, to] = [35, 35 + 3 * 64 + 20];
  if (sample.length < 320) return false;
  const isRight = [from, from - 6, from - 33].every((target) => {
    const expected = sample.map((_, i) => (i * 151) & 0xff);
    sample.set(expected);
    const masked = expected.slice(from, to);
    maskBytes(masked, 0, masked.length, key);
    expected.set(masked, target);
    maskAll(target, from, to, wordKey(key, true));
    return sample.every((byte, i) => byte === expected[i]);
  });
  sample.fill(0);
  return isRight;
}
