import { maskBytes, maskWords, rotateKey, wordKey, wordsOf, WORDS_PAY_FROM } from './mask.js';
import { BLOCK, simdMemory, type MaskBlocks } from './simd.js';

/** Below this many bytes, the call into WebAssembly costs more than it saves. */
const SIMD_PAYS_FROM = 128;

/**
 * Memory in which masking is fast: 64 KiB take 1 us instead of 6. It is a WebAssembly.Memory, masked by SIMD instructions that have passed a test;
 * where there is no such thing, ordinary memory, masked as by `mask`. Worth it for few and large ones that are used again and again: each reserves address space.
 */
export class MaskingMemory {
  /** All of it. */
  readonly bytes: Uint8Array;
  readonly #words: Int32Array;
  readonly #maskBlocks: MaskBlocks | undefined;

  /** @throws {RangeError} for a length that is none, or more than there can be */
  constructor(byteLength: number) {
    if (!Number.isSafeInteger(byteLength) || byteLength < 0)
      throw new RangeError(`byteLength is ${String(byteLength)}, expected a non-negative integer`);
    const simd = simdMemory(byteLength);
    const isUsable = simd !== undefined && passesTest(simd.bytes, simd.maskBlocks);
    this.bytes = isUsable ? simd.bytes : new Uint8Array(byteLength);
    this.#words = wordsOf(this.bytes);
    this.#maskBlocks = isUsable ? simd.maskBlocks : undefined;
  }

  /** Masks `bytes[from, to)` in place, as `mask`; the caller sees to it that this is inside. */
  mask(from: number, to: number, maskingKey: number, offset = 0): void {
    const key = rotateKey(maskingKey, offset);
    const length = to - from;
    if (length < WORDS_PAY_FROM) return maskBytes(this.bytes, from, to, key);
    if (this.#maskBlocks === undefined || length < SIMD_PAYS_FROM)
      return maskWords(this.bytes, this.#words, from, to, key);
    const end = to - (length % BLOCK);
    this.#maskBlocks(from, end, wordKey(key, true)); // WebAssembly is little-endian everywhere
    maskBytes(this.bytes, end, to, key); // BLOCK is a multiple of the key's length
  }
}

/** Every byte of a few blocks, against the byte loop. Leaves zeros. */
function passesTest(bytes: Uint8Array, maskBlocks: MaskBlocks): boolean {
  const key = 0x9acbdeaf;
  const sample = bytes.subarray(0, 5 * BLOCK);
  const from = 3;
  const to = from + 3 * BLOCK;
  if (sample.length < 5 * BLOCK) return false;
  const expected = sample.map((_, i) => (i * 151) & 0xff);
  sample.set(expected);
  maskBytes(expected, from, to, key);
  maskBlocks(from, to, wordKey(key, true));
  const isRight = sample.every((byte, i) => byte === expected[i]);
  sample.fill(0);
  return isRight;
}
