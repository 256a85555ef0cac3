interface Held {
  readonly byteLength: number;
  count: number;
}

/** Bytes that wait on any number of connections at a time, and exist once. What is the same is known by its place in memory. */
export class SharedMemory {
  readonly #known = new Map<ArrayBufferLike, Map<number, Held>>();

  /** @returns bytes that are held more than before */
  hold({ buffer, byteOffset, byteLength }: Uint8Array): number {
    let parts = this.#known.get(buffer);
    if (parts === undefined) this.#known.set(buffer, (parts = new Map<number, Held>()));
    const held = parts.get(byteOffset);
    if (held !== undefined) {
      held.count++;
      return 0;
    }
    parts.set(byteOffset, { byteLength, count: 1 });
    return byteLength;
  }

  /** @returns bytes that are held less */
  release({ buffer, byteOffset }: Uint8Array): number {
    const parts = this.#known.get(buffer);
    const held = parts?.get(byteOffset);
    if (parts === undefined || held === undefined || --held.count > 0) return 0;
    parts.delete(byteOffset);
    if (parts.size === 0) this.#known.delete(buffer);
    return held.byteLength;
  }
}
