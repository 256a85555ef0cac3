import { randomFillSync } from 'node:crypto';

const block = new Uint32Array(2048);
let next = block.length;

/** A fresh, unpredictable masking key; the random bytes are fetched 8 KiB at a time. RFC 6455 §10.3 */
export function randomMaskingKey(): number {
  if (next === block.length) {
    randomFillSync(block);
    next = 0;
  }
  return block[next++]!;
}

/** Keys from the user's `generateMask`. */
export function maskingKeysFrom(generateMask: (mask: Buffer) => void): () => number {
  const mask = Buffer.alloc(4);
  return () => {
    generateMask(mask);
    return mask.readUInt32BE(0);
  };
}
