import { reading } from '../../src/reading.js';

/** The tests of this folder are those of their name once more, with sockets read as any other stream is: that is the oracle of how they are read otherwise. */
export function readByData(): void {
  reading.isShared = false;
}
