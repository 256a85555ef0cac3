import { SHARED_BYTES } from './reading.js';

/** So much of a buffer a part of it may keep from being freed, and is charged for it: more than one chunk from the network is the user's own. */
const CHUNK_BYTES = SHARED_BYTES;

interface Held {
  readonly byteLength: number;
  count: number;
}

/** The parts of one buffer that wait. */
interface Parts {
  readonly byOffset: Map<number, Held>;
  /** Bytes of all of them. */
  byteLength: number;
  /** What they keep in memory. */
  retained: number;
}

/** Bytes that wait on any number of connections at a time, and exist once. What is the same is known by its place in memory; all of a chunk is kept for a part of it. */
export class SharedMemory {
  readonly #known = new Map<ArrayBufferLike, Parts>();

  /** @returns bytes that are held more than before */
  hold({ buffer, byteOffset, byteLength }: Uint8Array): number {
    let parts = this.#known.get(buffer);
    if (parts === undefined)
      this.#known.set(buffer, (parts = { byOffset: new Map<number, Held>(), byteLength: 0, retained: 0 }));
    const held = parts.byOffset.get(byteOffset);
    if (held !== undefined) {
      held.count++;
      return 0;
    }
    parts.byOffset.set(byteOffset, { byteLength, count: 1 });
    return changeBy(byteLength, parts, buffer);
  }

  /** @returns bytes that are held less */
  release({ buffer, byteOffset }: Uint8Array): number {
    const parts = this.#known.get(buffer);
    const held = parts?.byOffset.get(byteOffset);
    if (parts === undefined || held === undefined || --held.count > 0) return 0;
    parts.byOffset.delete(byteOffset);
    if (parts.byOffset.size === 0) this.#known.delete(buffer);
    return -changeBy(-held.byteLength, parts, buffer);
  }
}

/** @returns bytes that are retained more than before */
function changeBy(byteLength: number, parts: Parts, buffer: ArrayBufferLike): number {
  const before = parts.retained;
  parts.byteLength += byteLength;
  const chunk = parts.byOffset.size === 0 ? 0 : Math.min(buffer.byteLength, CHUNK_BYTES);
  parts.retained = Math.max(parts.byteLength, chunk);
  return parts.retained - before;
}
