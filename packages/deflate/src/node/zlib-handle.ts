import {
  constants,
  createDeflateRaw,
  createInflateRaw,
  deflateRawSync,
  type DeflateRaw,
  type InflateRaw,
} from 'node:zlib';

// Node's zlib streams have a handle that works synchronously and keeps its memory, of which only streams that work in the thread pool
// and functions that begin anew with each call are made public. Nothing of it is documented, so `isUsable` has to be asked first.

interface Handle {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
  reset(): void;
  onerror(message: string, errno: number, code: string): void;
}

/** What is inside a zlib stream, in Node 20 to 26 at least. */
interface Internals {
  readonly _handle: Handle;
  /** Room left in the output, and bytes left of the input, after a call. */
  readonly _writeState: Uint32Array;
}

const internalsOf = (stream: DeflateRaw | InflateRaw): Internals => stream as unknown as Internals;

/** So much is compressed or decompressed before it is copied. */
export const SCRATCH_BYTES = 65_536;
const scratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/**
 * Compresses and flushes with the stream's window, at once. Not while the stream itself is at work.
 * @throws when zlib fails; the stream is destroyed then
 */
export function deflateAtOnce(stream: DeflateRaw, data: Uint8Array): Buffer {
  const { _handle: handle, _writeState: state } = internalsOf(stream);
  const parts: Buffer[] = [];
  for (let left = data.length; ; left = state[1]!) {
    handle.writeSync(constants.Z_SYNC_FLUSH, data, data.length - left, left, scratch, 0, SCRATCH_BYTES);
    if (stream.destroyed) throw new Error('zlib failed to compress');
    const part = Buffer.from(scratch.subarray(0, SCRATCH_BYTES - state[0]!));
    if (state[0]! > 0 && parts.length === 0) return part;
    parts.push(part);
    if (state[0]! > 0) return Buffer.concat(parts);
  }
}

/**
 * Decompresses with the stream's window, at once, at most `room` bytes (of {@link SCRATCH_BYTES}). Not while the stream itself is at work.
 * @returns what came of it. Less than `room`: then either all of `data` was read, or a final block ended before the last `unread` bytes
 * @throws zlib's error; the stream is destroyed then
 */
export function inflateAtOnce(
  stream: InflateRaw,
  data: Uint8Array,
  room: number,
): { readonly bytes: Buffer; readonly unread: number } {
  const { _writeState: state } = internalsOf(stream);
  inflateToScratch(stream, data, room);
  return { bytes: Buffer.from(scratch.subarray(0, room - state[0]!)), unread: state[1]! };
}

/** Puts `window` before what follows: a block of compressed data that becomes what may be referred to, and goes nowhere else. */
export const inflateBehind = (stream: InflateRaw, window: Uint8Array): void =>
  inflateToScratch(stream, window, SCRATCH_BYTES);

function inflateToScratch(stream: InflateRaw, data: Uint8Array, room: number): void {
  internalsOf(stream)._handle.writeSync(constants.Z_SYNC_FLUSH, data, 0, data.length, scratch, 0, room);
  if (stream.destroyed) throw stream.errored ?? new Error('zlib failed to decompress');
}

/** Forgets the window. */
export const resetHandle = (stream: DeflateRaw | InflateRaw): void => internalsOf(stream)._handle.reset();

/** One decompressor, used for one message after the other. */
export class InflateHandle {
  readonly #stream = createInflateRaw();
  readonly #handle: Handle;
  readonly #state: Uint32Array;
  #error: Error | undefined;

  constructor() {
    const { _handle, _writeState } = internalsOf(this.#stream);
    this.#handle = _handle;
    this.#state = _writeState;
    this.#handle.onerror = (message, errno, code): void => {
      this.#error = Object.assign(new Error(message), { errno, code });
    };
  }

  /** Begins anew, behind `window`: a block of compressed data that becomes what may be referred to, and goes nowhere else. */
  reset(window?: Uint8Array): void {
    this.#handle.reset();
    if (window) this.run(window, 0, window.length, scratch, 0, SCRATCH_BYTES);
  }

  /**
   * @returns bytes written to `output`. Less than there is room for: then either all input was read, or a final block ended before
   * the last `unread` bytes.
   * @throws zlib's error; nothing more can be done with this object then
   */
  run(input: Uint8Array, from: number, to: number, output: Uint8Array, outputOffset: number, room: number): number {
    this.#handle.writeSync(constants.Z_SYNC_FLUSH, input, from, to - from, output, outputOffset, room);
    if (this.#error) throw this.#error;
    return room - this.#state[0]!;
  }

  /** zlib has found a fault in the data. */
  get isBroken(): boolean {
    return this.#error !== undefined;
  }

  /** Bytes of the input that the last `run` did not read. */
  get unread(): number {
    return this.#state[1]!;
  }

  close(): void {
    this.#stream.close();
  }
}

let usable: boolean | undefined;

/** Does the handle work here as we take it to? Tried out once, when somebody asks. */
export function isUsable(): boolean {
  usable ??= works();
  return usable;
}

function works(): boolean {
  try {
    return isCalledAsWeDo() && deflatesAsPublicly() && inflates();
  } catch {
    return false;
  }
}

/** Not `instanceof`: Node's arrays may be of another realm than ours. */
const isTyped = (value: unknown, type: string): boolean =>
  ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === `[object ${type}]`;

const SAMPLE = Buffer.from('Are the internals what they were? Are the internals what they were?');

/** With wrong arguments a call could end the process, so at first we only look at how Node itself makes it. */
function isCalledAsWeDo(): boolean {
  const stream = createDeflateRaw({ level: 1 }) as DeflateRaw & { _processChunk?(data: Buffer, flush: number): Buffer };
  const { _handle: handle, _writeState: state } = internalsOf(stream);
  if (!isTyped(state, 'Uint32Array') || state.length !== 2) return false;
  if (typeof stream._processChunk !== 'function' || typeof handle.reset !== 'function') return false;
  const original = handle.writeSync.bind(handle);
  let seen: unknown[] = [];
  let left = -1;
  handle.writeSync = (...args): void => {
    seen = args;
    original(...args);
    left = state[0]!;
  };
  const result = stream._processChunk(SAMPLE, constants.Z_SYNC_FLUSH);
  const [flush, input, inputOffset, inputLength, output, outputOffset, outputLength] = seen;
  return (
    seen.length === 7 &&
    flush === constants.Z_SYNC_FLUSH &&
    input === SAMPLE &&
    inputOffset === 0 &&
    inputLength === SAMPLE.length &&
    isTyped(output, 'Uint8Array') &&
    outputOffset === 0 &&
    outputLength === left + result.length
  );
}

function deflatesAsPublicly(): boolean {
  const expected = deflateRawSync(SAMPLE, { level: 1, finishFlush: constants.Z_SYNC_FLUSH });
  const stream = createDeflateRaw({ level: 1 });
  const first = deflateAtOnce(stream, SAMPLE);
  const second = deflateAtOnce(stream, SAMPLE);
  resetHandle(stream);
  const third = deflateAtOnce(stream, SAMPLE);
  stream.close();
  return first.equals(expected) && second.length < first.length && third.equals(expected);
}

function inflates(): boolean {
  const expected = deflateRawSync(SAMPLE, { level: 1, finishFlush: constants.Z_SYNC_FLUSH });
  const final = deflateRawSync(SAMPLE, { dictionary: Buffer.from('before') });
  const output = Buffer.alloc(256);
  const inflater = new InflateHandle();
  for (const [input, unread] of [
    [expected, 0],
    [Buffer.concat([final, TWO_BYTES]), 2],
  ] as const) {
    inflater.reset(stored('before'));
    const written = inflater.run(input, 0, input.length, output, 1, 255);
    if (inflater.unread !== unread || !output.subarray(1, 1 + written).equals(SAMPLE)) return false;
  }
  inflater.reset();
  if (inflater.run(expected, 0, expected.length, output, 0, 10) !== 10) return false;
  inflater.reset();
  try {
    inflater.run(RESERVED_BLOCK, 0, 1, output, 0, 256);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'Z_DATA_ERROR';
  } finally {
    inflater.close();
  }
}

/** A block of text as it is. */
const stored = (text: string): Buffer =>
  Buffer.concat([Buffer.from([0, text.length, 0, ~text.length & 0xff, 0xff]), Buffer.from(text)]);

const TWO_BYTES = Buffer.from([1, 2]);
/** BTYPE 11, RFC 1951 §3.2.3. */
const RESERVED_BLOCK = Buffer.from([0x06]);
