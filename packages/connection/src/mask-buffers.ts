/** Chunks of streams have this size, mostly. */
const SIZE = 65_536;
/** So many are kept, for the whole process. */
const KEPT = 8;

const free: Buffer[] = [];

/** Memory for a masked copy of so many bytes. What a client streams would leave one behind for each chunk: they are used again. */
export function borrow(byteLength: number): Buffer {
  if (byteLength > SIZE || byteLength <= SIZE / 2) return Buffer.allocUnsafeSlow(byteLength);
  return free.pop() ?? Buffer.allocUnsafeSlow(SIZE);
}

/** The bytes are with the operating system. */
export function giveBack(buffer: Buffer): void {
  if (buffer.length === SIZE && free.length < KEPT) free.push(buffer);
}
