import { Buffer } from 'node:buffer';

/** What one connection gathers before it is flushed, and the last frame on top of that, are one run: where a run goes on in another slab, the first part is copied. */
const SLAB_BYTES = 98_304;

/**
 * Memory that frames are built in, shared by all connections of the process: space is handed out from front to back,
 * and from the front again once nobody has unsent bytes in it.
 */
export interface Slab {
  readonly bytes: Buffer;
  used: number;
  /** Runs that are not written yet. */
  runs: number;
  /** Somebody may still read what was written from here, so none of it is used again. */
  isRetained: boolean;
  /** What was written last. */
  last: Buffer | undefined;
}

/** What a broadcast to thousands fills in one turn is used again for the next: pages that were never touched cost more than the frames in them. */
const MAX_SPARE = 16;
const spare: Slab[] = [];

let current = createSlab();

/** A frame that stands in a slab, and is the same for all connections. */
interface CommonFrame {
  /** What is being sent now, if others are sent it too: it never changes. */
  offered: Uint8Array | undefined;
  /** What stands there. */
  payload: Uint8Array | undefined;
  opcode: number;
  slab: Slab | undefined;
  start: number;
  end: number;
}

/**
 * The one that was built last, once for all who are sent it: where it follows what a connection has there, or that has nothing, it is in its run
 * already. So those who are sent the same messages in a turn have the same run, and nothing is copied for each of them.
 */
export const common: CommonFrame = {
  offered: undefined,
  payload: undefined,
  opcode: 0,
  slab: undefined,
  start: 0,
  end: 0,
};

function createSlab(): Slab {
  return { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0, runs: 0, isRetained: false, last: undefined };
}

/** A slab with room for `byteLength`, which is well below a slab's size. */
export function slabFor(byteLength: number): Slab {
  if (current.used + byteLength > SLAB_BYTES) current = spare.pop() ?? createSlab();
  return current;
}

/** Bytes of a slab, to be written: the same Buffer as last time where they are in the same place, as they are with one small message at a time. */
export function viewOf(slab: Slab, start: number, end: number): Buffer {
  const { bytes, last } = slab;
  if (last !== undefined && last.byteOffset === bytes.byteOffset + start && last.length === end - start) return last;
  return (slab.last = bytes.subarray(start, end));
}

/** A run was written. `isRetained`: its bytes may still be read later. */
export function release(slab: Slab, isRetained: boolean): void {
  slab.runs--;
  slab.isRetained ||= isRetained;
  if (slab.runs > 0) return;
  if (slab === common.slab) common.payload = common.slab = undefined;
  if (slab.isRetained) return;
  slab.used = 0;
  if (slab !== current && spare.length < MAX_SPARE) spare.push(slab);
}
