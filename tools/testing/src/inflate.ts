// The second opinion on compressed messages: an inflater after RFC 1951 alone, slow and obvious. It shares nothing
// with zlib. It also holds a sender to its window, wants a message to end where a block ends, and says how far back
// the data reached. Sections are those of RFC 1951.

/** What was read is not DEFLATE, or reaches further back than was agreed. */
export class InflateError extends Error {
  override readonly name = 'InflateError';
}

/** Text of the error where a message becomes longer than it may. */
export const TOO_LONG = 'more bytes than there may be';

/** Text of the error where it ends too early. */
export const CUT_SHORT = 'the message ends inside a block';

/** What a sender leaves off the end of each message. RFC 7692 §7.2.1 */
const TAIL = Buffer.from([0x00, 0x00, 0xff, 0xff]);

const MAX_CODE_LENGTH = 15;

/** A canonical Huffman code (§3.2.2): how many codes there are of each length, and the symbols in the order of their codes. */
interface Code {
  readonly counts: readonly number[];
  readonly symbols: readonly number[];
}

/** @param mayBeSingle one code of one bit will do (§3.2.7), though it leaves the other half unused */
function codeOf(lengths: readonly number[], mayBeSingle: boolean): Code {
  const counts = Array.from<number>({ length: MAX_CODE_LENGTH + 1 }).fill(0);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  counts[0] = 0;
  let free = 1;
  for (const count of counts.slice(1)) {
    free = 2 * free - count;
    if (free < 0) throw new InflateError('more codes than there is room for');
  }
  const symbols = lengths
    .map((length, symbol) => ({ length, symbol }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => a.length - b.length || a.symbol - b.symbol)
    .map(({ symbol }) => symbol);
  const isSingle = symbols.length === 1 && counts[1] === 1;
  if (free > 0 && symbols.length > 0 && !(mayBeSingle && isSingle)) throw new InflateError('an incomplete code');
  return { counts, symbols };
}

const repeat = (count: number, length: number): number[] => Array.from<number>({ length: count }).fill(length);

/** §3.2.6 */
const FIXED_LITERALS = codeOf([...repeat(144, 8), ...repeat(112, 9), ...repeat(24, 7), ...repeat(8, 8)], false);
const FIXED_DISTANCES = codeOf(repeat(32, 5), false);

/** §3.2.5: the least length or distance of a code, and how many extra bits it has. */
export type Range = readonly [base: number, extraBits: number];

function ranges(first: number, perStep: number, count: number): Range[] {
  let base = first;
  return Array.from({ length: count }, (_, i): Range => {
    const extraBits = Math.max(0, Math.floor(i / perStep) - 1);
    const range: Range = [base, extraBits];
    base += 1 << extraBits;
    return range;
  });
}

/** Length codes 257 to 285; the last one stands by itself. */
export const LENGTHS: readonly Range[] = [...ranges(3, 4, 28), [258, 0]];
export const DISTANCES: readonly Range[] = ranges(1, 2, 30);

/** §3.2.7: the order in which the lengths of the code length code stand. */
export const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;

const END_OF_BLOCK = 256;

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** In bits. */
  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at === 8 * this.#bytes.length;
  }

  bit(): number {
    const byte = this.#bytes[this.#at >> 3];
    if (byte === undefined) throw new InflateError(CUT_SHORT);
    return (byte >> (this.#at++ & 7)) & 1;
  }

  /** §3.1.1: the least significant bit comes first. */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i++) value |= this.bit() << i;
    return value;
  }

  align(): void {
    this.#at = (this.#at + 7) & ~7;
  }

  /** §3.1.1: Huffman codes come with their most significant bit first. */
  symbol({ counts, symbols }: Code): number {
    let code = 0;
    let first = 0;
    let index = 0;
    for (let length = 1; length <= MAX_CODE_LENGTH; length++) {
      code = 2 * code + this.bit();
      first *= 2;
      const count = counts[length] ?? 0;
      if (code - first < count) return symbols[index + code - first] ?? 0;
      index += count;
      first += count;
    }
    throw new InflateError('bits that are no code');
  }

  inRange(range: Range | undefined, what: string): number {
    if (range === undefined) throw new InflateError(`a reserved ${what} code`);
    return range[0] + this.bits(range[1]);
  }
}

/** The messages of one sender, in their order. */
export class Inflater {
  /** How far back any message has reached. */
  largestDistance = 0;
  /** Of the last message. */
  finalBlocks = 0;
  /** Its last block is not the empty one of which the tail is the end: it ends in the midst of the tail. To the letter of §7.2.2 it is whole. */
  tookTail = false;
  /** Where the lengths of a stored block stand, in bits. */
  #storedAt = -1;
  readonly #window: number;
  readonly #takeover: boolean;
  readonly #isLenient: boolean;
  #most = Infinity;
  /** The message in work, behind what is kept of those before it. */
  #out = Buffer.alloc(65_536);
  #length = 0;

  /** @param isLenient takes a tail that was left on, and a final block that has no tail behind it: nobody has to send so, but some receivers mind nothing */
  constructor(windowBits: number, takeover: boolean, isLenient = false) {
    this.#isLenient = isLenient;
    this.#window = 2 ** windowBits;
    this.#takeover = takeover;
  }

  /**
   * @param most bytes that it may become
   * @throws {InflateError}
   */
  message(payload: Uint8Array, most = Infinity): Buffer {
    this.finalBlocks = 0;
    const kept = this.#takeover ? Math.min(this.#length, this.#window) : 0;
    this.#out.copyWithin(0, this.#length - kept, this.#length);
    this.#length = kept;
    this.#most = kept + most;
    const hasTail = this.#isLenient && TAIL.equals(payload.subarray(-TAIL.length)); // left on: no message can end so otherwise, but for a final block's
    const input = new BitReader(hasTail ? payload : Buffer.concat([payload, TAIL]));
    const end = 8 * payload.length;
    // A final block may be the last thing that was sent: then the tail belongs to nothing.
    this.tookTail = false;
    while (!input.isAtEnd) {
      this.#storedAt = -1;
      if (this.#block(input) && this.#isLenient && input.at === end) break;
      this.tookTail = input.isAtEnd && !hasTail && this.#storedAt !== end;
    }
    return Buffer.from(this.#out.subarray(kept, this.#length));
  }

  /** §3.2.3 @returns whether it is a final one */
  #block(input: BitReader): boolean {
    const isFinal = input.bit() === 1;
    const type = input.bits(2);
    if (type === 0) this.#stored(input);
    else if (type === 1) this.#compressed(input, FIXED_LITERALS, FIXED_DISTANCES);
    else if (type === 2) this.#dynamic(input);
    else throw new InflateError('a block of the reserved type');
    // RFC 7692 §7.2.3.4: what follows a final block begins with a byte of its own.
    if (!isFinal) return false;
    input.align();
    this.finalBlocks++;
    return true;
  }

  /** §3.2.4 */
  #stored(input: BitReader): void {
    input.align();
    this.#storedAt = input.at;
    const length = input.bits(16);
    if ((input.bits(16) ^ length) !== 0xffff) throw new InflateError('the two lengths of a stored block differ');
    for (let i = 0; i < length; i++) this.#put(input.bits(8));
  }

  /** §3.2.7 */
  #dynamic(input: BitReader): void {
    const literals = input.bits(5) + 257;
    const distances = input.bits(5) + 1;
    const count = input.bits(4) + 4;
    if (literals > 286 || distances > 30) throw new InflateError('more symbols than there are');
    const order = CODE_LENGTH_ORDER.slice(0, count);
    const own = repeat(19, 0);
    for (const symbol of order) own[symbol] = input.bits(3);
    const code = codeOf(own, false);
    const lengths: number[] = [];
    while (lengths.length < literals + distances) {
      const symbol = input.symbol(code);
      const last = lengths.at(-1);
      if (symbol < 16) lengths.push(symbol);
      else if (symbol === 17) lengths.push(...repeat(3 + input.bits(3), 0));
      else if (symbol === 18) lengths.push(...repeat(11 + input.bits(7), 0));
      else if (last === undefined) throw new InflateError('a code length is repeated before there is one');
      else lengths.push(...repeat(3 + input.bits(2), last));
    }
    if (lengths.length > literals + distances) throw new InflateError('code lengths are repeated beyond their number');
    if (lengths[END_OF_BLOCK] === 0) throw new InflateError('no code for the end of the block');
    this.#compressed(input, codeOf(lengths.slice(0, literals), true), codeOf(lengths.slice(literals), true));
  }

  /** §3.2.3 */
  #compressed(input: BitReader, literals: Code, distances: Code): void {
    for (;;) {
      const symbol = input.symbol(literals);
      if (symbol === END_OF_BLOCK) return;
      if (symbol < END_OF_BLOCK) {
        this.#put(symbol);
        continue;
      }
      const length = input.inRange(LENGTHS[symbol - 257], 'length');
      this.#copy(length, input.inRange(DISTANCES[input.symbol(distances)], 'distance'));
    }
  }

  #copy(length: number, distance: number): void {
    this.largestDistance = Math.max(this.largestDistance, distance);
    if (distance > this.#length) throw new InflateError(`distance ${distance}, there are ${this.#length} bytes`);
    if (distance > this.#window) throw new InflateError(`distance ${distance} in a window of ${this.#window}`);
    for (let i = 0; i < length; i++) this.#put(this.#out[this.#length - distance] ?? 0);
  }

  #put(byte: number): void {
    if (this.#length === this.#most) throw new InflateError(TOO_LONG);
    if (this.#length === this.#out.length) this.#out = Buffer.concat([this.#out, Buffer.alloc(this.#out.length)]);
    this.#out[this.#length++] = byte;
  }
}
