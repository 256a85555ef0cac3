import { TAIL } from '../backend.js';

/** Behind a message stand an empty final block and one byte more: if just that byte is left unread, the message ended where a block ends. */
const FINAL_BLOCK = Uint8Array.of(0x01, 0x00, 0x00, 0xff, 0xff);
const UNREAD = Uint8Array.of(0x00);

const WITH_TAIL = Uint8Array.of(...TAIL, ...FINAL_BLOCK, ...UNREAD);
const WITHOUT_TAIL = Uint8Array.of(...FINAL_BLOCK, ...UNREAD);

export const MAX_ENDING = WITH_TAIL.length;

/** What to put behind a message that ends with `last`. A tail that the sender has left on (§7.2.1) is taken for what it is. */
export function endingOf(last: Uint8Array): Uint8Array {
  const at = last.length - TAIL.length;
  return at >= 0 && TAIL.every((byte, i) => last[at + i] === byte) ? WITHOUT_TAIL : WITH_TAIL;
}

/**
 * A final block of the message's own may be its last: then all of the ending is unread or, where the tail is the end of that
 * block (an empty one, §7.2.1), all behind the tail.
 */
export const isComplete = (unread: number, ending: Uint8Array): boolean =>
  unread === UNREAD.length || unread === ending.length || unread === WITHOUT_TAIL.length;
