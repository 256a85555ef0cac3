// SHA-1 as FIPS 180-4 §6.1 has it. Web Crypto's is asynchronous; a handshake needs two blocks of it, at once. It serves as a
// fingerprint of the key here (RFC 6455 §10.8), nothing leans on its resistance to collisions.

const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

/** The message schedule of the block at hand: shared, for no call can meet another. */
const schedule = new Int32Array(80);

const rotateLeft = (word: number, bits: number): number => (word << bits) | (word >>> (32 - bits));

/** The 20 octets of the digest. */
export function sha1(message: Uint8Array): Uint8Array {
  const paddedBytes = Math.ceil((message.length + 1 + LENGTH_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  const padded = new Uint8Array(paddedBytes); // §5.1.1
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(paddedBytes - 8, Math.floor(message.length / 0x2000_0000));
  view.setUint32(paddedBytes - 4, message.length * 8);

  const state = Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0); // §5.3.1
  for (let at = 0; at < paddedBytes; at += BLOCK_BYTES) compress(state, view, at);

  const digest = new Uint8Array(20);
  const out = new DataView(digest.buffer);
  for (let word = 0; word < 5; word++) out.setInt32(word * 4, state[word]!);
  return digest;
}

/** §6.1.2 for one block. */
function compress(state: Int32Array, view: DataView, at: number): void {
  for (let t = 0; t < 16; t++) schedule[t] = view.getInt32(at + t * 4);
  for (let t = 16; t < 80; t++) {
    schedule[t] = rotateLeft(schedule[t - 3]! ^ schedule[t - 8]! ^ schedule[t - 14]! ^ schedule[t - 16]!, 1);
  }

  let a = state[0]!;
  let b = state[1]!;
  let c = state[2]!;
  let d = state[3]!;
  let e = state[4]!;
  for (let t = 0; t < 80; t++) {
    let mixed: number;
    if (t < 20) mixed = ((b & c) | (~b & d)) + 0x5a827999;
    else if (t < 40) mixed = (b ^ c ^ d) + 0x6ed9eba1;
    else if (t < 60) mixed = ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
    else mixed = (b ^ c ^ d) + 0xca62c1d6;
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
