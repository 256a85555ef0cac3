// How an input is cut into TCP segments, and who listens on our end.

/**
 * - `whole`: each run of bytes in one piece
 * - `bytes`: one byte at a time (see `LONG`)
 * - `random`: pieces of random size, the same in every run
 * - `glued`: in one piece with the handshake before it
 * - `bare`: as `whole`, while nobody listens to any event of our end
 */
export type Mode = 'whole' | 'bytes' | 'random' | 'glued' | 'bare';

export const MODES: readonly Mode[] = ['whole', 'bytes', 'random', 'glued', 'bare'];

/** Longer runs are cut into single bytes only at their first and last `EDGE` bytes, and into `STRIDE`s between. */
export const LONG = 4096;
export const EDGE = 200;
/** Prime, so that the cuts meet frame borders at changing places. */
const STRIDE = 997;
/** In very long runs the strides are longer: at most this many. */
const MAX_STRIDES = 128;

export function* singleBytes(run: Buffer): Generator<Buffer> {
  const long = run.length > LONG;
  const stride = Math.max(STRIDE, Math.ceil(run.length / MAX_STRIDES) | 1);
  for (let at = 0; at < run.length;) {
    const inside = long && at >= EDGE && at < run.length - EDGE;
    const size = inside ? Math.min(stride, run.length - EDGE - at) : 1;
    yield run.subarray(at, at + size);
    at += size;
  }
}

/** A small generator with a seed (mulberry32): runs must repeat, quality matters little. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const seedOf = (text: string): number => {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
};

function* randomPieces(run: Buffer, seedText: string): Generator<Buffer> {
  const next = random(seedOf(seedText));
  const most = Math.max(3, Math.ceil(run.length / 6));
  for (let at = 0; at < run.length;) {
    const size = 1 + Math.floor(next() ** 2 * most);
    yield run.subarray(at, at + size);
    at += size;
  }
}

export function cut(run: Buffer, mode: Mode, seedText: string): Iterable<Buffer> {
  if (mode === 'bytes') return singleBytes(run);
  if (mode === 'random') return randomPieces(run, seedText);
  return run.length > 0 ? [run] : [];
}
