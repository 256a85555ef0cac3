const SLAB_BYTES = 65_536;

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
}

let current = createSlab();

function createSlab(): Slab {
  return { bytes: Buffer.allocUnsafeSlow(SLAB_BYTES), used: 0, runs: 0, isRetained: false };
}

/** A slab with room for `byteLength`, which is well below a slab's size. */
export function slabFor(byteLength: number): Slab {
  if (current.used + byteLength > SLAB_BYTES) current = createSlab();
  return current;
}

/** A run was written. `isRetained`: its bytes may still be read later. */
export function release(slab: Slab, isRetained: boolean): void {
  slab.runs--;
  slab.isRetained ||= isRetained;
  if (slab.runs === 0 && !slab.isRetained) slab.used = 0;
}
