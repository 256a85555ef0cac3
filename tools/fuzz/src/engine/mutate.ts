import type { Random } from '../random.js';
import type { Target } from '../target.js';

/** Values at which lengths, counts and signs change. */
const EDGES = [0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 100, 124, 125, 126, 127, 128, 129, 252, 253, 254, 255];

/** One change after another, on bytes of which it knows nothing. */
function havoc(input: Uint8Array, other: Uint8Array, words: readonly Uint8Array[], random: Random): Uint8Array {
  let bytes = input;
  for (let changes = 1 + random.below(1 << random.below(4)); changes > 0; changes--)
    bytes = change(bytes, other, words, random);
  return bytes;
}

function change(bytes: Uint8Array, other: Uint8Array, words: readonly Uint8Array[], random: Random): Uint8Array {
  const at = random.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + 1 + random.below(1 << random.below(8)));
  switch (random.below(11)) {
    case 0:
      return written(bytes, at, [(bytes[at] ?? 0) ^ (1 << random.below(8))]);
    case 1:
      return written(bytes, at, [random.pick(EDGES)]);
    case 2:
      return written(bytes, at, [((bytes[at] ?? 0) + random.below(9) - 4) & 0xff]);
    case 3:
      return written(bytes, at, [random.below(256)]);
    case 4:
      return replaced(bytes, at, to, []);
    case 5:
      return replaced(bytes, at, at, random.bytes(1 + random.below(4)));
    case 6: // repeated
      return replaced(bytes, at, at, bytes.subarray(at, to));
    case 7: // many times
      return replaced(bytes, at, at, repeated(bytes.subarray(at, to), 1 + random.below(40)));
    case 8:
      return words.length === 0 ? bytes : replaced(bytes, at, random.oneIn(2) ? at : to, random.pick(words));
    case 9: {
      const from = random.below(other.length + 1);
      const piece = other.subarray(from, from + 1 + random.below(1 << random.below(10)));
      return replaced(bytes, at, random.oneIn(2) ? at : to, piece);
    }
    default: // the beginning of the one, the end of the other
      return replaced(bytes, at, bytes.length, other.subarray(random.below(other.length + 1)));
  }
}

export function replaced(bytes: Uint8Array, from: number, to: number, by: ArrayLike<number>): Uint8Array {
  const result = new Uint8Array(from + by.length + bytes.length - to);
  result.set(bytes.subarray(0, from));
  result.set(by, from);
  result.set(bytes.subarray(to), from + by.length);
  return result;
}

function written(bytes: Uint8Array, at: number, values: readonly number[]): Uint8Array {
  return replaced(bytes, at, Math.min(bytes.length, at + values.length), values);
}

function repeated(bytes: Uint8Array, times: number): Uint8Array {
  const result = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i++) result.set(bytes, i * bytes.length);
  return result;
}

/** The next input: by the target's own knowledge as often as without. */
export function mutated(
  target: Target,
  input: Uint8Array,
  other: Uint8Array,
  words: readonly Uint8Array[],
  random: Random,
): Uint8Array {
  let bytes = input;
  const kind = target.mutate === undefined ? 0 : random.below(4);
  if (kind > 0 && target.mutate) bytes = target.mutate(bytes, other, random);
  if (kind <= 1) bytes = havoc(bytes, other, words, random);
  return bytes.subarray(0, target.maxLength);
}

/** Literals of the code as an input may hold them. */
export function wordsOf(literals: Iterable<string | number>): Uint8Array[] {
  const words: Uint8Array[] = [];
  for (const literal of literals) {
    if (typeof literal === 'string') {
      if (literal.length > 1 && literal.length <= 32 && !literal.includes(' '))
        words.push(Buffer.from(literal, 'utf8'));
    } else if (Number.isSafeInteger(literal) && literal > 0) words.push(...numberWords(literal));
  }
  return words;
}

function numberWords(value: number): Uint8Array[] {
  const text = Buffer.from(String(value));
  if (value < 256) return [Uint8Array.of(value), text];
  const wide = Buffer.alloc(8);
  wide.writeBigUInt64BE(BigInt(value));
  return [wide.subarray(value < 0x10000 ? 6 : value < 2 ** 32 ? 4 : 0), text];
}
