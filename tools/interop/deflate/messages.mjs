// The messages of a cell: the same for the same seed wherever they are made, in Node.js or in a page.

/** @typedef {{ readonly binary: boolean, readonly bytes: Uint8Array<ArrayBuffer> }} Message */

/** Beyond the 16 KiB up to which our codec works on the main thread, beyond 65 535 bytes; 1000 messages stay below 8 MiB. */
const SIZE_LIMIT = 80 * 1024;

/**
 * Sizes are log-uniform from 1 byte up: one from each of `count` equal parts of the logarithm's range, in random order.
 * Half of the messages are text that looks like JSON, half are random bytes.
 * @param {string} seed
 * @param {number} count
 * @returns {Message[]}
 */
export function makeMessages(seed, count) {
  const next = makeRandom(seed);
  const parts = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = next() % (i + 1);
    [parts[i], parts[j]] = [at(parts, j), at(parts, i)];
  }
  return parts.map((part) => {
    const size = Math.floor(SIZE_LIMIT ** ((part + next() / 2 ** 32) / count));
    const binary = part % 2 === 1;
    return { binary, bytes: binary ? randomBytes(size, next) : jsonBytes(size, next) };
  });
}

/**
 * The generator sfc32 of Chris Doty-Humphrey, its state filled from a text by FNV-1a.
 * @param {string} seed
 * @returns {() => number} the next number, an integer from 0 to 2^32 - 1
 */
function makeRandom(seed) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
  let a = hash;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let counter = 1;
  const next = () => {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let i = 0; i < 16; i++) next();
  return next;
}

/** @param {number} size @param {() => number} next */
function randomBytes(size, next) {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 4) {
    const word = next();
    bytes[i] = word;
    bytes[i + 1] = word >>> 8;
    bytes[i + 2] = word >>> 16;
    bytes[i + 3] = word >>> 24;
  }
  return bytes;
}

const WORDS = 'alpha bravo charlie delta echo foxtrot größe naïve ångström señor 東京 大阪 да нет 🙂 🚀'.split(' ');
const encoder = new TextEncoder();

/** Cut to its size; spaces stand for a character that the cut went through. @param {number} size @param {() => number} next */
function jsonBytes(size, next) {
  const word = () => at(WORDS, next() % WORDS.length);
  let text = '[';
  while (text.length < size) {
    const day = String(1 + (next() % 28)).padStart(2, '0');
    text += `{"id":${next()},"name":"${word()} ${word()}","at":"2024-02-${day}T10:00:00Z",`;
    text += `"tags":["${word()}","${word()}"],"active":${next() % 2 === 0},"score":${(next() % 1000) / 1000}},`;
  }
  const whole = encoder.encode(text);
  const bytes = whole.slice(0, size);
  for (let i = size; i > 0 && isContinuation(whole[i]); i--) bytes[i - 1] = 0x20;
  return bytes;
}

/** @param {number | undefined} byte of UTF-8 */
const isContinuation = (byte) => byte !== undefined && (byte & 0xc0) === 0x80;

/** @template T @param {readonly T[]} list @param {number} index @returns {T} */
const at = (list, index) => /** @type {T} */ (list[index]);
