/** Smaller ones are left to the collector. */
const INTERIM_FROM = 1_048_576;

/** Runtimes that do not know the option leave it out, and what they make is left to the collector. */
const ResizableBuffer = ArrayBuffer as unknown as new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer;

/** Memory for the beginning of a long message, for nobody to see: unlike other memory it can be given back at once. @returns undefined for what is not worth it */
export function interimBlock(byteLength: number): Uint8Array | undefined {
  if (byteLength < INTERIM_FROM) return undefined;
  return new Uint8Array(new ResizableBuffer(byteLength, { maxByteLength: byteLength }));
}

/** Gives it back. */
export function freeInterim({ buffer }: Uint8Array): void {
  (buffer as { resize?(length: number): void }).resize?.(0);
}
