// What is exchanged. Both ends know the n-th message of a connection beforehand: its size, its form and every byte of it.
import { crc32 } from 'node:zlib';
import { Random } from './random.mjs';

/** @typedef {'up' | 'down'} Direction `up`: from client to server */

/**
 * @typedef {object} Spec what the n-th message is
 * @property {number} number
 * @property {boolean} isText
 * @property {string | Buffer} content
 * @property {'send' | 'fragments' | 'outgoing' | 'declared'} way how it is sent
 * @property {boolean | undefined} compress
 * @property {number} pieces
 */

const LARGEST = 200 * 1024;
const HEADER_BYTES = 16;
/** Of text in UTF-16: any run of whole cells is well-formed. */
const CELL = 8;
const CELLS = [
  'plain ok',
  'déjà vu ',
  '漢字かな交じり文',
  '🙂 smile',
  '{"a":12}',
  'ascii…it',
  '\u0000\ttabs \n',
  'ÿß€ñ½×÷¿',
];
const BINARY_POOL = makeBinaryPool();
const TEXT_POOL = makeTextPool();
const DIRECTIONS = { up: 1, down: 2 };
const WAYS = /** @type {const} */ (['send', 'send', 'send', 'fragments', 'outgoing', 'declared']);

function makeBinaryPool() {
  const random = new Random(1);
  const pool = Buffer.alloc(4 * LARGEST);
  for (let at = 0; at < pool.length / 2; at++) pool[at] = random.below(256);
  for (let at = pool.length / 2; at < pool.length; at++) pool[at] = random.below(3) === 0 ? random.below(256) : 0x20; // compresses well
  return pool;
}

function makeTextPool() {
  const random = new Random(2);
  return Array.from({ length: LARGEST / CELL }, () => CELLS[random.below(CELLS.length)]).join('');
}

/** Bytes, or for text about so many. @param {Random} random @param {number} largest */
function drawSize(random, largest) {
  const kind = random.below(100);
  if (kind < 6) return 0;
  if (kind < 16) return random.between(1, HEADER_BYTES - 1);
  if (kind < 60) return random.logBetween(HEADER_BYTES, 1024);
  if (kind < 90) return Math.min(largest, random.logBetween(1024, 16 * 1024));
  return Math.min(largest, random.logBetween(16 * 1024, LARGEST));
}

/** The n-th message of a connection in one direction. @param {number} seed @param {number} id @param {Direction} direction @param {number} number @param {number} [largest] @returns {Spec} */
export function messageOf(seed, id, direction, number, largest = LARGEST) {
  const random = new Random(seed, id, DIRECTIONS[direction], number);
  const size = drawSize(random, largest);
  const isText = random.chance(0.5);
  const compress = random.pick([undefined, undefined, true, false]);
  const content = isText ? textOf(random, id, number, size) : binaryOf(random, id, number, size);
  // What is empty has no first write to take its place in the order.
  const way = size === 0 ? 'send' : random.pick(WAYS);
  return { number, isText, content, way, compress, pieces: random.between(2, 6) };
}

/** @param {Random} random @param {number} id @param {number} number @param {number} size */
function binaryOf(random, id, number, size) {
  const start = random.below(BINARY_POOL.length - size);
  const bytes = Buffer.from(BINARY_POOL.subarray(start, start + size));
  if (size >= HEADER_BYTES) {
    bytes.writeUInt32BE(id, 0);
    bytes.writeUInt32BE(number, 4);
    bytes.writeUInt32BE(size, 8);
    bytes.writeUInt32BE(checksum(bytes), 12);
  }
  return bytes;
}

/** The same header as 32 hexadecimal digits. @param {Random} random @param {number} id @param {number} number @param {number} size */
function textOf(random, id, number, size) {
  const cells = Math.ceil(size / 10);
  const start = random.below(TEXT_POOL.length / CELL - cells) * CELL;
  const text = TEXT_POOL.slice(start, start + cells * CELL);
  if (text.length < 2 * HEADER_BYTES) return text;
  const body = text.slice(2 * HEADER_BYTES);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32BE(id, 0);
  header.writeUInt32BE(number, 4);
  header.writeUInt32BE(text.length, 8);
  header.writeUInt32BE(checksum(Buffer.concat([header, Buffer.from(body)])), 12);
  return header.toString('hex') + body;
}

/** Of all but the checksum itself. @param {Buffer} bytes */
function checksum(bytes) {
  return crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, HEADER_BYTES - 4)));
}

/** Compares what comes with what must come, one direction of one connection. */
export class Checker {
  /** Messages that came as they must. */
  count = 0;
  /** The first thing that was wrong; nothing is checked after it. @type {string | undefined} */
  fault = undefined;
  #seed;
  #id;
  /** @type {Direction} */
  #direction;
  #largest;

  /** @param {number} seed @param {number} id @param {Direction} direction @param {number} [largest] */
  constructor(seed, id, direction, largest) {
    this.#seed = seed;
    this.#id = id;
    this.#direction = direction;
    this.#largest = largest;
  }

  /** @param {Buffer | string} data @param {boolean} isText @returns {boolean} false: it is not what it must be */
  accept(data, isText) {
    if (this.fault !== undefined) return false;
    const expected = messageOf(this.#seed, this.#id, this.#direction, this.count, this.#largest);
    const bytes = asBytes(data);
    if (expected.isText === isText && asBytes(expected.content).equals(bytes)) {
      this.count++;
      return true;
    }
    this.fault = `${this.#direction} ${this.count}: ${this.#diagnose(bytes, isText, expected)}`;
    return false;
  }

  /** @param {Buffer} bytes @param {boolean} isText @param {Spec} expected */
  #diagnose(bytes, isText, expected) {
    const what = `${isText ? 'text' : 'binary'} of ${bytes.length} bytes for ${expected.isText ? 'text' : 'binary'} of ${asBytes(expected.content).length}`;
    const header = readHeader(bytes, isText);
    if (header === undefined) return `another message, ${what}`;
    if (!header.isIntact) return `damaged, ${what}`;
    if (header.id !== this.#id) return `a message of connection ${header.id}`;
    if (header.number < this.count) return `message ${header.number} again`;
    return header.number > this.count
      ? `message ${header.number} too early`
      : `message ${header.number}, not as it was sent`;
  }
}

/** @param {Buffer} bytes @param {boolean} isText */
function readHeader(bytes, isText) {
  const length = isText ? 2 * HEADER_BYTES : HEADER_BYTES;
  if (bytes.length < length) return undefined;
  const header = isText ? Buffer.from(bytes.toString('latin1', 0, length), 'hex') : bytes.subarray(0, length);
  if (header.length < HEADER_BYTES) return { id: 0, number: 0, isIntact: false };
  const isIntact = header.readUInt32BE(12) === checksum(Buffer.concat([header, bytes.subarray(length)]));
  return { id: header.readUInt32BE(0), number: header.readUInt32BE(4), isIntact };
}

/** @param {Buffer | string} data */
const asBytes = (data) => (typeof data === 'string' ? Buffer.from(data) : data);
