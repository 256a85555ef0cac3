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
  if (typeof data === 'object' && (Array.isArray(data) || !('length' in data))) {
    return Buffer.from(data as Parameters<typeof Buffer.from>[0] as string);
  }
  throw new TypeError(`cannot send ${typeof data === 'object' ? 'this object' : `a ${typeof data}`}`);
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
