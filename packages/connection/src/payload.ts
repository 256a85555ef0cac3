import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import type { DeferredPayload } from './protocol/index.js';

const EMPTY = Buffer.alloc(0);

/**
 * What the user gave, as bytes without a copy, or as text. Nothing (`undefined`, `null`) is an empty payload.
 * @throws {TypeError} for what is neither
 */
export function toPayload(data: unknown): Uint8Array | string {
  if (typeof data === 'string') return data;
  if (typeof data === 'number') return String(data);
  if (data === undefined || data === null) return EMPTY;
  if (data instanceof Uint8Array) return data;
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data);
  const bytes = fromObject(data);
  if (bytes === undefined)
    throw new TypeError(`cannot send ${typeof data === 'object' ? 'this object' : `a ${typeof data}`}`);
  return bytes;
}

/** Arrays of bytes, and objects that turn into bytes or text, as `Buffer.from` takes them; never what only has a length. */
function fromObject(data: unknown): Buffer | undefined {
  if (typeof data !== 'object' || data === null || ('length' in data && !Array.isArray(data))) return undefined;
  if (Array.isArray(data) && data.length > 0 && data.every((part) => part instanceof Uint8Array))
    return Buffer.concat(data);
  try {
    return Buffer.from(data as unknown as string);
  } catch {
    return undefined;
  }
}

/** A Blob is read when its turn comes. */
export const fromBlob = (blob: Blob): DeferredPayload => ({
  byteLength: blob.size,
  read(done) {
    blob.arrayBuffer().then(
      (bytes) => done(null, new Uint8Array(bytes)),
      (error: unknown) => done(error instanceof Error ? error : new Error(String(error)), EMPTY),
    );
  },
});

export const payloadLength = (payload: Uint8Array | string | DeferredPayload): number =>
  typeof payload === 'string' ? Buffer.byteLength(payload) : payload.byteLength;
