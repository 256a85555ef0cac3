import { mask } from './mask.js';

/** A copy; a Buffer's own `slice` is none. */
export const sliceOf = (bytes: Uint8Array, from: number, to: number): Uint8Array =>
  Uint8Array.prototype.slice.call(bytes, from, to);

/** As `sliceOf`, unmasked; `offset` is that of the first byte in its payload. */
export function unmaskedCopy(
  chunk: Uint8Array,
  from: number,
  to: number,
  maskingKey: number,
  offset: number,
): Uint8Array {
  const copy = sliceOf(chunk, from, to);
  mask(copy, maskingKey, offset);
  return copy;
}

export type ViewClass = new (memory: ArrayBufferLike, byteOffset: number, length: number) => Uint8Array;

/** The class that `subarray` of this chunk makes: its constructor's species, as ECMAScript has it. */
export function viewClass(chunk: Uint8Array): ViewClass {
  const species = (chunk.constructor as { readonly [Symbol.species]?: unknown })[Symbol.species];
  return typeof species === 'function' ? (species as ViewClass) : Uint8Array;
}
