import { Duplex, type Readable } from 'node:stream';

/** To the compiler as loose as that of `stream.Readable`, which programs assign to a Buffer. */
export type Read = ReturnType<Readable['read']>;

/**
 * Reads, with the `read()` that a stream of bytes has from its class: without a size all that waits. Programs of those years count on that, and read once for each
 * `'readable'`; since Node 26 a `read()` without a size takes the first piece alone. While data flows, it is the stream's own affair.
 */
export function readWhole(stream: Readable, read: (size?: number) => unknown, size?: number): unknown {
  if (size !== undefined || stream.readableFlowing === true || stream.readableLength === 0) return read(size);
  const whole = read(stream.readableLength);
  if (stream.readableLength === 0) read(0); // 'end', where that was the last
  return whole;
}

/** Its `read()`, without a size, gives all that waits. */
export class WholeDuplex extends Duplex {
  override read(size?: number): Read {
    return readWhole(this, (bytes): unknown => super.read(bytes), size);
  }
}
