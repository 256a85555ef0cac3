// SHA-1 as FIPS 180-4 §6.1 has it. Web Crypto's is asynchronous; a handshake needs two blocks of it, at once. It serves as a
// fingerprint of the key here (RFC 6455 §10.8): nothing leans on its resistance to collisions.
// Words are built from octets by hand: typed arrays and views made for each call cost more than the rounds do.

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;
const DIGEST_BYTES = 20;

const INITIAL = new Int32Array([0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]); // §5.3.1

/** The hash so far, and the message schedule of the block at hand: shared, for one call ends before another begins. */
const state = new Int32Array(5);
const schedule = new Int32Array(80);
/** And room for a message of two blocks at most, which is every handshake's. */
const shortMessage = new Uint8Array(2 * BLOCK_BYTES);

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/** The 20 octets of the digest. */
export function sha1(message: Uint8Array): Uint8Array {
  const padded = pad(message);
  state.set(INITIAL);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) compress(padded, at);

  const digest = new Uint8Array(DIGEST_BYTES);
  for (let at = 0; at < DIGEST_BYTES; at++) digest[at] = state[at >> 2]! >> (24 - (at & 3) * 8);
  return digest;
}

/** A one bit, zeros, and the length in bits as a 64-bit number, up to a whole block. §5.1.1. */
function pad(message: Uint8Array): Uint8Array {
  const blocks = Math.ceil((message.length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const padded = blocks === 2 ? shortMessage.fill(0) : new Uint8Array(blocks * BLOCK_BYTES);
  padded.set(message);
  padded[message.length] = 0x80;
  for (let at = padded.length - 1, bits = message.length * 8; bits > 0; at--, bits = Math.floor(bits / 256)) {
    padded[at] = bits % 256;
  }
  return padded;
}

/** One block into the state. §6.1.2. */
function compress(padded: Uint8Array, at: number): void {
  for (let t = 0; t < 16; t++, at += 4) {
    schedule[t] = (padded[at]! << 24) | (padded[at + 1]! << 16) | (padded[at + 2]! << 8) | padded[at + 3]!;
  }
  for (let t = 16; t < 80; t++) {
    schedule[t] = rotateLeft(schedule[t - 3]! ^ schedule[t - 8]! ^ schedule[t - 14]! ^ schedule[t - 16]!, 1);
  }

  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let t = 0; t < 80; t++) {
    let mixed: number; // §4.1.1 and §4.2.1: a function and a constant for each quarter of the rounds
    if (t < 20) mixed = ((d ^ (b & (c ^ d))) + 0x5a827999) | 0;
    else if (t < 40) mixed = ((b ^ c ^ d) + 0x6ed9eba1) | 0;
    else if (t < 60) mixed = (((b & c) | (d & (b | c))) + 0x8f1bbcdc) | 0;
    else mixed = ((b ^ c ^ d) + 0xca62c1d6) | 0;
    const next = (rotateLeft(a, 5) + mixed + e + schedule[t]!) | 0;
    e = d;
    d = c;
    c = rotateLeft(b, 30);
    b = a;
    a = next;
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
  state[4]! += e;
}
