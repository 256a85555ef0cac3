import { Duplex, Readable } from 'node:stream';

/**
 * How much `read()` takes of a stream of bytes: all that waits, as programs of those years have it, which read once for each `'readable'`. Since Node 26
 * it takes the first piece of it. While data flows, it is the stream's own affair.
 */
export function wholeRead(stream: Readable, size?: number): number | undefined {
  if (size !== undefined || stream.readableFlowing === true || stream.readableLength === 0) return size;
  return stream.readableLength;
}

/** Its `read()`, without a size, gives all that waits. */
export class WholeReadable extends Readable {
  override read(size?: number): unknown {
    return super.read(wholeRead(this, size));
  }
}

/** As {@link WholeReadable}. */
export class WholeDuplex extends Duplex {
  override read(size?: number): unknown {
    return super.read(wholeRead(this, size));
  }
}
