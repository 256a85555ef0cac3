// mask(): a payload in place, from an aligned and from an odd offset of its memory.
import { mask } from '@ws/frame';

const KEY = 0x9acbdeaf;
const SIZES = { '16 B': 16, '125 B': 125, '1 KiB': 1024, '64 KiB': 65_536, '1 MiB': 1_048_576 };

/** @type {import('./cases.mjs').Cases} */
export const cases = Object.entries(SIZES).flatMap(([name, size]) => {
  const aligned = Buffer.alloc(size);
  const odd = Buffer.alloc(size + 1).subarray(1);
  return [
    { name, run: () => mask(aligned, KEY) },
    { name: `${name}, odd offset`, run: () => mask(odd, KEY) },
  ];
});
