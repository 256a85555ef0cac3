import { randomFillSync } from 'node:crypto';

const block = new Uint32Array(256);
let next = block.length;

/** A fresh, unpredictable masking key; the random bytes are fetched 1 KiB at a time. RFC 6455 §10.3 */
export function randomMaskingKey(): number {
  if (next === block.length) {
    randomFillSync(block);
    next = 0;
  }
  return block[next++]!;
}
