import { MaskingMemory } from '@ws/frame';
import { raise } from './protocol/settle.js';

/** Two frames of 64 KiB leave in one write; the block and what is copied into it stay in a core's own cache. */
const BLOCK_BYTES = 196_608;
/** So much is not held back until the end of the turn. */
export const HOLD_BELOW = 131_072;

/** Who has frames in the block that he writes at the end of the turn, or when somebody else wants it. */
interface Holder {
  /** What stands there is with his stream then, or lost with it. Nobody is told of it: whoever wants the block is in the midst of sending. */
  leaveBlock(): void;
}

/**
 * One block of memory in which all clients of the process mask what is large, a piece at a time: where the stream takes a piece at once, which is
 * mostly so, it is hot for the next one. Memory of its own for each message costs more in page faults than masking does.
 */
export class MaskBlock {
  readonly bytes: Buffer;
  holder: Holder | undefined;
  /** What stands there is the holder's. */
  used = 0;
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

/** What somebody else holds in it is with his stream then. @returns undefined while a stream has still to write from it */
export function maskBlock(writer: Holder): MaskBlock | undefined {
  if (isLent) return undefined;
  block ??= new MaskBlock();
  if (block.holder === undefined || block.holder === writer) return block;
  try {
    block.holder.leaveBlock();
  } catch (error) {
    raise(error); // it is not the fault of the one who sends
  }
  return isLent || block?.holder !== undefined ? undefined : block;
}

/** @returns what is held in it, for a stream to write: from now on nobody has it, until {@link blockReturned} */
export function lendBlock({ bytes, used }: MaskBlock): Buffer {
  isLent = true;
  dropHeld();
  return bytes.subarray(0, used);
}

export function blockReturned(error?: Error | null): void {
  isLent = false;
  if (error) block = undefined; // who knows what still reads it
}

/** What is held in it is not written. */
export function dropHeld(): void {
  if (block === undefined) return;
  block.holder = undefined;
  block.used = 0;
}
