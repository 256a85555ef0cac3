import { CODE_LENGTH_ORDER, DISTANCES, LENGTHS, type Range } from '@ws/testing';

// Compressed messages block by block, good ones and bad ones: what zlib would never write. RFC 1951.

/** Bits to bytes, §3.1.1. */
export class BitWriter {
  readonly #bytes: number[] = [];
  #free = 0;

  /** The least significant bit first. */
  bits(value: number, count: number): this {
    for (let i = 0; i < count; i++) this.#bit((value >> i) & 1);
    return this;
  }

  /** A Huffman code: the most significant bit first. */
  code(value: number, length: number): this {
    for (let i = length - 1; i >= 0; i--) this.#bit((value >> i) & 1);
    return this;
  }

  bytes(data: Uint8Array): this {
    this.align();
    for (const byte of data) this.#bytes.push(byte);
    return this;
  }

  align(): this {
    this.#free = 0;
    return this;
  }

  finish(): Buffer {
    return Buffer.from(this.#bytes);
  }

  #bit(bit: number): void {
    if (this.#free === 0) {
      this.#bytes.push(0);
      this.#free = 8;
    }
    const last = this.#bytes.length - 1;
    this.#bytes[last] = (this.#bytes[last] ?? 0) | (bit << (8 - this.#free));
    this.#free--;
  }
}

export type Block = (out: BitWriter) => void;

/** A literal byte by its value, or a match. */
export type Item = number | { readonly length: number; readonly distance: number };

export const literals = (data: string | Uint8Array): number[] => [...Buffer.from(data)];
export const match = (length: number, distance: number): Item => ({ length, distance });

interface BlockOptions {
  /** BFINAL. What follows begins with a byte of its own. */
  readonly final?: boolean;
}

const start = (out: BitWriter, type: number, { final = false }: BlockOptions): BitWriter =>
  out.bits(final ? 1 : 0, 1).bits(type, 2);

/** §3.2.4; `announced` and `complement` make the two lengths wrong. */
export function stored(
  data: string | Uint8Array,
  options: BlockOptions & { readonly announced?: number; readonly complement?: number } = {},
): Block {
  const bytes = Buffer.from(data);
  const { announced = bytes.length, complement = announced ^ 0xffff } = options;
  return (out) => start(out, 0, options).align().bits(announced, 16).bits(complement, 16).bytes(bytes);
}

/** The code, its extra bits and how many these are. */
function inRanges(ranges: readonly Range[], value: number): [code: number, extra: number, extraBits: number] {
  const code = ranges.findLastIndex(([base]) => base <= value);
  const [base, extraBits] = ranges[code] ?? [0, 0];
  return [code, value - base, extraBits];
}

/** §3.2.6: a literal or length symbol in the fixed code. */
function fixedSymbol(out: BitWriter, symbol: number): BitWriter {
  if (symbol < 144) return out.code(0x30 + symbol, 8);
  if (symbol < 256) return out.code(0x190 + symbol - 144, 9);
  if (symbol < 280) return out.code(symbol - 256, 7);
  return out.code(0xc0 + symbol - 280, 8);
}

/** §3.2.6 */
export function fixed(
  items: string | readonly Item[],
  options: BlockOptions & { readonly open?: boolean } = {},
): Block {
  const list = typeof items === 'string' ? literals(items) : items;
  return (out) => {
    start(out, 1, options);
    for (const item of list) {
      if (typeof item === 'number') {
        fixedSymbol(out, item);
        continue;
      }
      const [length, lengthExtra, lengthBits] = inRanges(LENGTHS, item.length);
      const [distance, distanceExtra, distanceBits] = inRanges(DISTANCES, item.distance);
      fixedSymbol(out, 257 + length).bits(lengthExtra, lengthBits);
      out.code(distance, 5).bits(distanceExtra, distanceBits);
    }
    if (options.open !== true) fixedSymbol(out, 256);
    if (options.final === true) out.align();
  };
}

/** A fixed block of raw symbols, also those that mean nothing: a pair is a length symbol and a distance symbol. */
export const fixedRaw =
  (...symbols: readonly (number | readonly [length: number, distance: number])[]): Block =>
  (out) => {
    start(out, 1, {});
    for (const symbol of symbols) {
      if (typeof symbol === 'number') fixedSymbol(out, symbol);
      else fixedSymbol(out, symbol[0]).code(symbol[1], 5);
    }
    fixedSymbol(out, 256);
  };

export interface DynamicHeader {
  /** How many literal and length symbols, and how many distance symbols, have a length. */
  readonly literals: number;
  readonly distances: number;
  /** The lengths of the code length code, by symbol. */
  readonly own: Readonly<Record<number, number>>;
  /** The code lengths as symbols of that code; a pair is a symbol with its extra bits. */
  readonly lengths: readonly (number | readonly [symbol: number, extra: number])[];
}

/** The canonical codes of some lengths, §3.2.2. */
function canonical(lengths: Readonly<Record<number, number>>): Map<number, [code: number, length: number]> {
  const symbols = Object.entries(lengths)
    .map(([symbol, length]) => ({ symbol: Number(symbol), length }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let last = symbols[0]?.length ?? 0;
  return new Map(
    symbols.map(({ symbol, length }) => {
      code <<= length - last;
      last = length;
      return [symbol, [code++, length]];
    }),
  );
}

const EXTRA_BITS: Readonly<Record<number, number>> = { 16: 2, 17: 3, 18: 7 };

/** §3.2.7: a block with codes of its own, as its header says; `body` writes its symbols. */
export function dynamic(header: DynamicHeader, body: Block = () => {}, options: BlockOptions = {}): Block {
  return (out) => {
    start(out, 2, options)
      .bits(header.literals - 257, 5)
      .bits(header.distances - 1, 5)
      .bits(19 - 4, 4);
    for (const symbol of CODE_LENGTH_ORDER) out.bits(header.own[symbol] ?? 0, 3);
    const ownCodes = canonical(header.own);
    for (const entry of header.lengths) {
      const [symbol, extra] = typeof entry === 'number' ? [entry, 0] : entry;
      out.code(...(ownCodes.get(symbol) ?? [0, 0])).bits(extra, EXTRA_BITS[symbol] ?? 0);
    }
    body(out);
    if (options.final === true) out.align();
  };
}

/** A code length code that says each length in four bits, and repeats none. */
export const PLAIN_LENGTHS: Readonly<Record<number, number>> = Object.fromEntries(
  Array.from({ length: 16 }, (_, length) => [length, 4]),
);

/** A block of these items in the codes of these lengths, by symbol. Items without a code are left out. */
export function coded(
  literalLengths: Readonly<Record<number, number>>,
  distanceLengths: Readonly<Record<number, number>>,
  items: string | readonly Item[],
  options: BlockOptions = {},
): Block {
  const all = (count: number, lengths: Readonly<Record<number, number>>): number[] =>
    Array.from({ length: count }, (_, symbol) => lengths[symbol] ?? 0);
  const literalCodes = canonical(literalLengths);
  const distanceCodes = canonical(distanceLengths);
  const write = (out: BitWriter, codes: Map<number, [number, number]>, symbol: number): BitWriter =>
    out.code(...(codes.get(symbol) ?? [0, 0]));
  const body: Block = (out) => {
    for (const item of typeof items === 'string' ? literals(items) : items) {
      if (typeof item === 'number') {
        write(out, literalCodes, item);
        continue;
      }
      const [length, lengthExtra, lengthBits] = inRanges(LENGTHS, item.length);
      const [distance, distanceExtra, distanceBits] = inRanges(DISTANCES, item.distance);
      write(out, literalCodes, 257 + length).bits(lengthExtra, lengthBits);
      write(out, distanceCodes, distance).bits(distanceExtra, distanceBits);
    }
    write(out, literalCodes, 256);
  };
  const header = {
    literals: 286,
    distances: 30,
    own: PLAIN_LENGTHS,
    lengths: [...all(286, literalLengths), ...all(30, distanceLengths)],
  };
  return dynamic(header, body, options);
}

/** The reserved block type, §3.2.3. */
export const reservedBlock: Block = (out) => start(out, 3, {});

/** The blocks as they are, without an end that a message must have. */
export function raw(...blocks: readonly Block[]): Buffer {
  const out = new BitWriter();
  for (const block of blocks) block(out);
  return out.finish();
}

/** A message of these blocks: it ends with an empty stored block less its last four bytes. RFC 7692 §7.2.1 */
export const deflated = (...blocks: readonly Block[]): Buffer => raw(...blocks, (out) => start(out, 0, {}).align());
