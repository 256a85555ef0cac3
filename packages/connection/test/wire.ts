import { Duplex } from 'node:stream';

/** One end of a byte stream in memory that passes on chunks of given sizes, and can be cut behind any byte. */
export class WireEnd extends Duplex {
  peer: WireEnd | undefined;
  /** Bytes that this end still passes on; then both ends are destroyed. */
  budget = Infinity;
  readonly #sizes: readonly number[];
  #next = 0;
  #taken: (() => void) | undefined;

  /** @param sizes of the chunks that the peer gets, over and over; none: as they are written */
  constructor(sizes: readonly number[]) {
    super({ highWaterMark: 1024 });
    this.#sizes = sizes;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    process.nextTick(() => this.#pass(Buffer.from(chunk), callback));
  }

  override _final(callback: () => void): void {
    process.nextTick(() => this.peer?.push(null));
    callback();
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error);
    const { peer } = this;
    if (peer && !peer.destroyed) process.nextTick(() => peer.destroy());
  }

  #pass(bytes: Buffer, callback: () => void): void {
    const { peer } = this;
    if (peer === undefined) return callback();
    let rest = bytes;
    while (rest.length > 0 && !peer.destroyed && !this.destroyed) {
      const size = this.#sizes.length === 0 ? rest.length : (this.#sizes[this.#next++ % this.#sizes.length] ?? 1);
      const part = rest.subarray(0, Math.min(size, this.budget));
      rest = rest.subarray(part.length);
      this.budget -= part.length;
      const hasRoom = part.length === 0 || peer.push(part);
      if (this.budget === 0) {
        this.destroy();
        peer.destroy();
      } else if (!hasRoom) {
        const behind = rest;
        peer.#taken = () => this.#pass(behind, callback);
        return;
      }
    }
    callback();
  }
}

export function wire(sizes: readonly number[] = []): [near: WireEnd, far: WireEnd] {
  const [near, far] = [new WireEnd(sizes), new WireEnd(sizes)];
  near.peer = far;
  far.peer = near;
  return [near, far];
}
