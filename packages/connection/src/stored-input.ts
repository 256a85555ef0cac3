import type { Duplex } from 'node:stream';
import { isHeard } from './stream-listeners.js';

/** What a stream keeps in store while nobody reads it: many small chunks, perhaps, each of which is objects of a hundred times its size. One takes their place. */
export class StoredInput {
  readonly #duplex: Duplex;
  /** What it had in store at the last look, in one chunk. */
  #gathered = 0;
  #isGathering = false;

  constructor(duplex: Duplex) {
    this.#duplex = duplex;
  }

  /** What the stream tells is not news. */
  get isGathering(): boolean {
    return this.#isGathering;
  }

  /** The stream has been read from. */
  restart(): void {
    this.#gathered = 0;
  }

  gather(): void {
    const duplex = this.#duplex;
    const { readableLength, readableHighWaterMark } = duplex;
    if (isHeard(duplex)) return; // they would hear it now, and again when it is read
    if (!duplex.isPaused() || duplex.destroyed || readableLength === this.#gathered || readableLength === 0) return;
    const isFull = readableLength >= readableHighWaterMark;
    if (isFull && this.#gathered >= readableHighWaterMark) return; // each look has it read one chunk more
    this.#gathered = readableLength;
    const pieces: Buffer[] = [];
    this.#isGathering = true;
    for (let left = readableLength; left > 0;) {
      // Without a number, Node 26 gives the first chunk only; a number above the mark would raise the mark, at each look.
      const piece = duplex.read(Math.min(left, readableHighWaterMark)) as Buffer | null;
      if (piece === null) break;
      pieces.push(piece);
      left -= piece.length;
    }
    this.#isGathering = false;
    if (pieces.length > 0) duplex.unshift(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
  }
}
