import { uint16, uint32 } from './header.js';
import type { MaskingMemory } from './masking-memory.js';
import type { FrameRules } from './rules.js';

/** So many at a time: what counts them is asked beforehand whether there is room. */
export const MAX_JOINED = 64;

/**
 * The fragments of a message that lie whole, one behind the other, in lent memory: they are unmasked and moved together there, where it is hot, so that they
 * are one payload to everybody else.
 */
export class FragmentRun {
  /** Of how many bytes each was. */
  readonly lengths = new Uint32Array(MAX_JOINED);
  count = 0;
  /** Where the next header stands, and where the joined payload ends. */
  at = 0;
  target = 0;
  /** The last of them ends the message. */
  fin = false;

  /**
   * Takes the fragments in `memory.bytes[at, end)`, to join them to the payload that ends at `at`. It stops at the first frame that is anything but a whole
   * continuation of the usual form: whether that is right or wrong is for the parser to say.
   */
  join(memory: MaskingMemory, rules: FrameRules, at: number, end: number): void {
    const { bytes } = memory;
    let target = at;
    let count = 0;
    let fin = false;
    while (!fin && count < MAX_JOINED && at + 2 <= end) {
      const first = bytes[at]!;
      const second = bytes[at + 1]!;
      let length = second & 0x7f;
      if ((first & 0x7f) !== 0 || length === 127) break;
      let from = at + 2;
      if (length === 126) {
        if (from + 2 > end) break;
        length = uint16(bytes, from);
        if (length < 126) break;
        from += 2;
      }
      let maskingKey: number | undefined;
      if (second >= 0x80) {
        if (from + 4 > end) break;
        maskingKey = uint32(bytes, from);
        from += 4;
      }
      if (from + length > end || !rules.isWithin(second, length)) break;
      memory.move(from, from + length, target, maskingKey);
      target += length;
      at = from + length;
      this.lengths[count++] = length;
      fin = first >= 0x80;
    }
    this.at = at;
    this.target = target;
    this.count = count;
    this.fin = fin;
  }
}
