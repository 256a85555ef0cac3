import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import type { DeferredPayload } from './protocol/index.js';

// Stands for each empty view, also for those of memory that was given away: nobody can copy from these.
const EMPTY = Buffer.alloc(0);

/**
 * What the user gave, as bytes without a copy, or as text. Nothing (`undefined`, `null`, `false`) is an empty payload, as in ws 8.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE for what is neither
 */
export function toPayload(data: unknown): Uint8Array | string {
  if (typeof data === 'string') return data;
  if (typeof data === 'number') return String(data);
  if (data === undefined || data === null || data === false) return EMPTY;
  if (data instanceof Uint8Array) return isPlain(data) ? (data.length === 0 ? EMPTY : data) : ownBytes(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (types.isAnyArrayBuffer(data)) return new Uint8Array(data);
  const bytes = fromObject(data);
  if (bytes === undefined) throw cannotSend(data);
  return bytes;
}

function cannotSend(data: unknown): TypeError {
  const what =
    typeof data === 'object'
      ? 'this object; text and bytes can be sent, an object as JSON.stringify makes it text'
      : `a ${typeof data}`;
  return Object.assign(new TypeError(`cannot send ${what}`), { code: 'ERR_INVALID_ARG_TYPE' }); // Node's own, by which programs for ws go
}

const BUFFER: unknown = Buffer.prototype;
const BYTES: unknown = Uint8Array.prototype;

/** Whether its `length` is the true one: a subclass may say what it likes, and would get bytes of somebody else's sent. */
function isPlain(data: Uint8Array): boolean {
  const prototype: unknown = Object.getPrototypeOf(data);
  return prototype === BUFFER || prototype === BYTES;
}

const TYPED_ARRAY = Object.getPrototypeOf(Uint8Array.prototype) as object;
/** @throws {TypeError} for what is a view by its prototype alone, or has no memory any more */
function ownBytes(data: Uint8Array): Uint8Array {
  const own = (name: string): unknown => Reflect.get(TYPED_ARRAY, name, data);
  return new Uint8Array(own('buffer') as ArrayBuffer, own('byteOffset') as number, own('byteLength') as number);
}

/** Arrays of bytes, and objects that turn into bytes or text, as `Buffer.from` takes them; never what only has a length. */
function fromObject(data: unknown): Buffer | undefined {
  if (types.isStringObject(data)) return Buffer.from(String(data));
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
