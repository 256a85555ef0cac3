// The bytes of a stream: known at every position, made and compared without being computed.
import { Buffer } from 'node:buffer';

/** A prime: no multiple of a chunk, so that chunks which changed places or went missing do not match. */
const PERIOD = 1_000_003;
/** Longest piece that is made or compared at once. */
const LONGEST = 4 * 1024 * 1024;

/** xorshift32 @param {number} seed */
function generator(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Does not shrink. */
function noise() {
  const next = generator(0x9e3779b9);
  return Buffer.from(Uint8Array.from({ length: PERIOD }, () => next() >>> 24));
}

/** Lines of a log, which shrink to a fourth or so. */
function log() {
  const next = generator(0x2545f491);
  const words = Array.from({ length: 200 }, () => next().toString(36));
  let text = '';
  while (text.length < PERIOD) {
    text += `{"at":${next() % 1e9},"level":"info","user":"${words[next() % 200]}","text":"${words[next() % 200]} ${words[next() % 200]}"}\n`;
  }
  return Buffer.from(text).subarray(0, PERIOD);
}

/** Bytes of which the one at `position` is known. */
export class Content {
  #twice;

  /** @param {'noise' | 'log'} kind */
  constructor(kind) {
    const period = kind === 'noise' ? noise() : log();
    const copies = Math.ceil(LONGEST / PERIOD) + 1;
    this.#twice = Buffer.concat(Array.from({ length: copies }, () => period));
  }

  /** Not a copy. @param {number} position @param {number} length */
  at(position, length) {
    const start = position % PERIOD;
    return this.#twice.subarray(start, start + length);
  }

  /** @param {number} position @param {Buffer} bytes @throws {Error} naming the first position that differs, and where those bytes belong */
  check(position, bytes) {
    if (this.at(position, bytes.length).equals(bytes)) return;
    const expected = this.at(position, bytes.length);
    const index = bytes.findIndex((byte, offset) => byte !== expected[offset]);
    const belongs = this.#twice.indexOf(bytes.subarray(index, index + 32));
    throw new Error(
      `byte ${position + index} is wrong (piece of ${bytes.length}); what came belongs to ${belongs} of ${PERIOD}`,
    );
  }
}
