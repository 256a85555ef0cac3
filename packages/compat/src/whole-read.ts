import { Duplex, type Readable } from 'node:stream';

/**
 * The size with which `read()` of a stream of bytes takes all that waits. Programs of those years count on that, and read once for each `'readable'`; since
 * Node 26 a `read()` without a size takes the first piece alone. While data flows, it is the stream's own affair.
 */
export function wholeRead(stream: Readable, size?: number): number | undefined {
  if (size !== undefined || stream.readableFlowing === true || stream.readableLength === 0) return size;
  return stream.readableLength;
}

/** To the compiler as loose as that of `stream.Readable`, which programs assign to a Buffer. */
export type Read = ReturnType<Readable['read']>;

/** Its `read()`, without a size, gives all that waits. */
export class WholeDuplex extends Duplex {
  override read(size?: number): Read {
    return super.read(wholeRead(this, size));
  }
}
