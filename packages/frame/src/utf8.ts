import { wordsOf } from './mask.js';

/** Up to here the bytes are looked at one by one: taking a view and calling a validator costs more. */
const FAST_FROM = 48;
/** From here an Int32Array over the chunk pays for itself. */
const WORDS_FROM = 128;

/**
 * UTF-8 validity of a text that comes in pieces. Fails at the first bad byte: `push` is false as soon as no
 * continuation could make the text valid, even in the middle of a sequence. RFC 6455 §8.1, RFC 3629 §4.
 */
export class Utf8Validator {
  readonly #isUtf8: ((bytes: Uint8Array) => boolean) | undefined;
  #failed = false;
  /** Bytes that the open sequence still needs, and the range of the next one. */
  #needed = 0;
  #lower = 0x80;
  #upper = 0xbf;

  /** @param isUtf8 a fast validator of complete texts, `isUtf8` of node:buffer for example; never given an unfinished sequence */
  constructor(isUtf8?: (bytes: Uint8Array) => boolean) {
    this.#isUtf8 = isUtf8;
  }

  /** @returns false at the first bad byte, and from then on until `reset` */
  push(bytes: Uint8Array): boolean {
    if (this.#failed) return false;
    const valid = this.#check(bytes);
    this.#failed = !valid;
    return valid;
  }

  /** Whether the text may end here: nothing was wrong and no sequence is unfinished. */
  end(): boolean {
    return !this.#failed && this.#needed === 0;
  }

  /** Back to the empty text. */
  reset(): void {
    this.#failed = false;
    this.#needed = 0;
    this.#lower = 0x80;
    this.#upper = 0xbf;
  }

  #check(bytes: Uint8Array): boolean {
    const from = this.#finishSequence(bytes, 0);
    if (from < 0) return false;
    const to = completeEnd(bytes);
    return this.#checkComplete(bytes, from, to) && this.#startSequence(bytes, to);
  }

  #checkComplete(bytes: Uint8Array, from: number, to: number): boolean {
    const isUtf8 = this.#isUtf8;
    if (isUtf8 === undefined || to - from < FAST_FROM) return scan(bytes, from, to);
    return isUtf8(to - from === bytes.length ? bytes : bytes.subarray(from, to));
  }

  /** Feeds the sequence that the last piece left open. @returns the offset behind it, -1 at a bad byte */
  #finishSequence(bytes: Uint8Array, from: number): number {
    let i = from;
    for (; this.#needed > 0 && i < bytes.length; i++) {
      const byte = bytes[i]!;
      if (byte < this.#lower || byte > this.#upper) return -1;
      this.#lower = 0x80;
      this.#upper = 0xbf;
      this.#needed--;
    }
    return i;
  }

  /** Takes what is left of the piece, at most the first three bytes of a sequence. */
  #startSequence(bytes: Uint8Array, from: number): boolean {
    if (from >= bytes.length) return true;
    const lead = bytes[from]!;
    if (lead > 0xf4) return false; // beyond U+10FFFF
    if (lead < 0xc2) return false; // a continuation byte, or an overlong form of two
    this.#needed = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    if (lead === 0xe0)
      this.#lower = 0xa0; // overlong
    else if (lead === 0xf0)
      this.#lower = 0x90; // overlong
    else if (lead === 0xed)
      this.#upper = 0x9f; // surrogates
    else if (lead === 0xf4) this.#upper = 0x8f; // beyond U+10FFFF
    return this.#finishSequence(bytes, from + 1) >= 0;
  }
}

/** The offset at which an unfinished last sequence begins; the length where there is none. */
function completeEnd(bytes: Uint8Array): number {
  const end = bytes.length;
  for (let back = 1; back <= 3 && back <= end; back++) {
    const byte = bytes[end - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) return (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) > back ? end - back : end;
  }
  return end;
}

/** Whether `bytes[from, to)`, which ends with a whole sequence if it is valid, is UTF-8. */
function scan(bytes: Uint8Array, from: number, to: number): boolean {
  const words = to - from < WORDS_FROM ? undefined : wordsOf(bytes);
  const firstWord = -bytes.byteOffset & 3;
  const lastWord = ((to - firstWord) / 4) >>> 0;
  let i = from;
  while (i < to) {
    const lead = bytes[i]!;
    if (lead < 0x80) {
      i++;
      if (words !== undefined && ((i - firstWord) & 3) === 0)
        i = firstWord + 4 * skipAscii(words, ((i - firstWord) / 4) >>> 0, lastWord);
      continue;
    }
    const second = bytes[i + 1]!;
    if (lead < 0xe0) {
      if (lead < 0xc2 || (second & 0xc0) !== 0x80) return false;
      i += 2;
    } else if (lead < 0xf0) {
      if ((second & 0xc0) !== 0x80 || (bytes[i + 2]! & 0xc0) !== 0x80) return false;
      if (lead === 0xe0 ? second < 0xa0 : lead === 0xed && second > 0x9f) return false; // overlong, surrogate
      i += 3;
    } else {
      if (lead > 0xf4 || (second & 0xc0) !== 0x80) return false;
      if ((bytes[i + 2]! & 0xc0) !== 0x80 || (bytes[i + 3]! & 0xc0) !== 0x80) return false;
      if (lead === 0xf0 ? second < 0x90 : lead === 0xf4 && second > 0x8f) return false; // overlong, beyond U+10FFFF
      i += 4;
    }
  }
  return true;
}

/** The index of the first word in `[from, to)` that is not four ASCII bytes; `to` where there is none. */
function skipAscii(words: Int32Array, from: number, to: number): number {
  let i = from;
  for (const last = to - 4; i <= last; i += 4)
    if (((words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]!) & 0x80808080) !== 0) break;
  while (i < to && (words[i]! & 0x80808080) === 0) i++;
  return i;
}
