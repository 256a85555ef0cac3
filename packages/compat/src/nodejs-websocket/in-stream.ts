import { Incoming } from '@ws/connection';
import { readWhole, type Read } from '../whole-read.js';

/** A binary message as it comes in, before its first byte; what is not read of it holds up its connection. Made by hand, it is filled so. */
export class InStream extends Incoming {
  /** Without a size, all that waits. */
  override read(size?: number): Read {
    return readWhole(this, (bytes) => super.read(bytes), size);
  }

  addData(data: Uint8Array): void {
    this.push(data);
  }

  /** The message is complete. */
  end(): void {
    this.push(null);
  }
}
