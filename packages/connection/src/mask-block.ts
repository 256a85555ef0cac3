import { MaskingMemory } from '@ws/frame';

/** A frame of 64 KiB leaves in one write; the block and what is copied into it stay in a core's own cache. */
const BLOCK_BYTES = 131_072;

/**
 * One block of memory in which all clients of the process mask what is large, a piece at a time: where the stream takes a piece at once, which is
 * mostly so, it is hot for the next one. Memory of its own for each message costs more in page faults than masking does.
 */
export class MaskBlock {
  readonly bytes: Buffer;
  readonly #memory: MaskingMemory;

  constructor() {
    this.#memory = new MaskingMemory(BLOCK_BYTES);
    const { buffer, byteOffset, byteLength } = this.#memory.bytes;
    this.bytes = Buffer.from(buffer, byteOffset, byteLength);
  }

  /** Puts as much of `payload` behind `at` as there is room for, masked. @returns where it ends */
  fill(at: number, payload: Uint8Array, from: number, key: number, offset: number): number {
    const room = BLOCK_BYTES - at;
    const isRest = payload.length - from <= room;
    const piece = from === 0 && isRest ? payload : payload.subarray(from, isRest ? payload.length : from + room);
    const end = at + piece.length;
    this.bytes.set(piece, at);
    this.#memory.mask(at, end, key, offset);
    return end;
  }
}

let block: MaskBlock | undefined;
let isLent = false;

/** @returns undefined while a stream has still to write from it */
export function maskBlock(): MaskBlock | undefined {
  return isLent ? undefined : (block ??= new MaskBlock());
}

/** A stream writes from it, and calls this when it is done. */
export function lendBlock(): (error?: Error | null) => void {
  isLent = true;
  return (error) => {
    isLent = false;
    if (error) block = undefined; // who knows what still reads it
  };
}
