import { replaced } from './mutate.js';

/**
 * The shortest input that still fails, as far as leaving out pieces and writing zeros finds it.
 * @param fails whether an input fails in the same way
 */
export async function shrink(
  input: Uint8Array,
  fails: (candidate: Uint8Array) => Promise<boolean>,
  deadlineMs: number,
): Promise<Uint8Array> {
  let best = input;
  const attempt = async (candidate: Uint8Array): Promise<boolean> => {
    if (performance.now() > deadlineMs || !(await fails(candidate))) return false;
    best = candidate;
    return true;
  };
  for (let isBetter = true; isBetter && performance.now() < deadlineMs;) {
    isBetter = false;
    for (let size = largestPower(best.length); size >= 1; size >>= 1) {
      for (let at = best.length - size; at >= 0; at -= size) {
        if (at + size > best.length) continue;
        if (await attempt(replaced(best, at, at + size, []))) isBetter = true;
      }
    }
    for (let at = 0; at < best.length; at++) {
      for (const value of [0, 1, 0x61]) {
        const now = best[at] ?? 0;
        if (now === value) break;
        if (now > value && (await attempt(replaced(best, at, at + 1, [value])))) {
          isBetter = true;
          break;
        }
      }
    }
  }
  return best;
}

const largestPower = (length: number): number => 2 ** Math.floor(Math.log2(Math.max(1, length)));
