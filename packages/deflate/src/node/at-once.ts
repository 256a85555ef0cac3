import {
  constants,
  createDeflateRaw,
  deflateRawSync,
  inflateRawSync,
  type DeflateRaw,
  type InflateRaw,
} from 'node:zlib';
import type { Window } from '../window.js';
import { endingOf, isComplete, MAX_ENDING } from './ending.js';
import { corrupt, incomplete, MAX_FINAL_BLOCKS, tooLong, tooManyFinalBlocks } from './failures.js';
import { deflateAtOnce, InflateHandle, resetHandle } from './zlib-handle.js';
import type { ZlibSettings } from './zlib-options.js';

/** Small messages, on the main thread. */
export interface AtOnce {
  /** Refers to nothing before it; ends with the tail. */
  deflate(data: Uint8Array, windowBits: number): Uint8Array;
  /** As `Backend.inflateSync`; `most` is not above `syncOutputLimit`. */
  inflate(data: Uint8Array, window: Window | undefined, limit: number, most: number): Uint8Array | undefined;
}

/** With one compressor for each size of window and one decompressor, used for everybody in turn. */
export class HandleAtOnce implements AtOnce {
  readonly #settings: ZlibSettings;
  readonly #deflaters: (DeflateRaw | undefined)[] = [];
  #inflater: InflateHandle | undefined;
  readonly #input: Buffer;
  readonly #output: Buffer;

  constructor(settings: ZlibSettings) {
    this.#settings = settings;
    this.#input = Buffer.allocUnsafeSlow(settings.syncInflateLimit + MAX_ENDING);
    this.#output = Buffer.allocUnsafeSlow(settings.syncOutputLimit + 1);
  }

  deflate(data: Uint8Array, windowBits: number): Uint8Array {
    const { level, memLevel, strategy } = this.#settings;
    let deflater = this.#deflaters[windowBits];
    if (deflater === undefined) {
      deflater = createDeflateRaw({ windowBits, level, memLevel, strategy }).on('error', () => {}); // it is thrown, too
      this.#deflaters[windowBits] = deflater;
    }
    try {
      resetHandle(deflater);
      return deflateAtOnce(deflater, data);
    } catch (error) {
      this.#deflaters[windowBits] = undefined;
      throw error;
    }
  }

  inflate(data: Uint8Array, window: Window | undefined, limit: number, most: number): Uint8Array | undefined {
    const inflater = (this.#inflater ??= new InflateHandle());
    try {
      return this.#inflateWith(inflater, data, window, limit, Math.min(limit, most));
    } catch (error) {
      if (!inflater.isBroken) throw error;
      inflater.close();
      this.#inflater = undefined;
      throw corrupt(error as Error);
    }
  }

  #inflateWith(
    inflater: InflateHandle,
    data: Uint8Array,
    window: Window | undefined,
    limit: number,
    most: number,
  ): Uint8Array | undefined {
    const input = this.#input;
    const output = this.#output;
    const ending = endingOf(data);
    const end = data.length + ending.length;
    input.set(data);
    input.set(ending, data.length);
    let behind: Window | undefined;
    let length = 0;
    begin(inflater, window);
    for (let from = 0, finals = 1; ; finals++) {
      const start = length;
      length += inflater.run(input, from, end, output, start, most + 1 - start);
      if (length > most) {
        if (most < limit) return undefined;
        throw tooLong(limit);
      }
      const { unread } = inflater;
      if (isComplete(unread, ending)) return Buffer.from(output.subarray(0, length));
      if (unread < ending.length) throw incomplete();
      if (finals > MAX_FINAL_BLOCKS) throw tooManyFinalBlocks();
      behind ??= window?.copy();
      behind?.add(output.subarray(start, length));
      from = end - unread;
      begin(inflater, behind);
    }
  }
}

/** The window goes in as a block of the data, which costs less than a decompressor for each connection. */
const begin = (inflater: InflateHandle, window: Window | undefined): void =>
  inflater.reset(window && window.length > 0 ? window.block : undefined);

/** With nothing but what Node documents. */
export class PublicAtOnce implements AtOnce {
  readonly #settings: ZlibSettings;

  constructor(settings: ZlibSettings) {
    this.#settings = settings;
  }

  deflate(data: Uint8Array, windowBits: number): Uint8Array {
    const { level, memLevel, strategy } = this.#settings;
    const chunkSize = data.length + 64; // more than incompressible data needs
    return deflateRawSync(data, {
      windowBits,
      level,
      memLevel,
      strategy,
      chunkSize,
      finishFlush: constants.Z_SYNC_FLUSH,
    });
  }

  inflate(data: Uint8Array, window: Window | undefined, limit: number, wanted: number): Uint8Array | undefined {
    const most = Math.min(limit, wanted);
    let behind: Window | undefined;
    let whole: Buffer | undefined;
    const ending = endingOf(data);
    let rest: Uint8Array = Buffer.concat([data, ending]);
    for (let finals = 1; ; finals++) {
      const room = most - (whole?.length ?? 0);
      const inflated = inflatePublicly(rest, behind ?? window, room);
      if (inflated === undefined) {
        if (most < limit) return undefined;
        throw tooLong(limit);
      }
      const { buffer, unread } = inflated;
      whole = whole ? Buffer.concat([whole, buffer]) : buffer;
      rest = rest.subarray(rest.length - unread);
      if (isComplete(unread, ending)) return whole;
      if (unread < ending.length) throw incomplete();
      if (finals > MAX_FINAL_BLOCKS) throw tooManyFinalBlocks();
      behind ??= window?.copy();
      behind?.add(buffer);
    }
  }
}

/** @returns `undefined` for more than `room` bytes */
function inflatePublicly(
  data: Uint8Array,
  window: Window | undefined,
  room: number,
): { buffer: Buffer; unread: number } | undefined {
  // As a block of the data, as above: a dictionary is not known to raw streams of every runtime.
  const known = window?.length ?? 0;
  const input = window && known > 0 ? Buffer.concat([window.block, data]) : data;
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: Math.max(known + room, 1), info: true };
  try {
    const { buffer, engine } = inflateRawSync(input, options) as unknown as { buffer: Buffer; engine: InflateRaw };
    if (buffer.length > known + room) return undefined;
    return {
      buffer: known > 0 ? Buffer.from(buffer.subarray(known)) : buffer,
      unread: input.length - engine.bytesWritten,
    };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    throw corrupt(error as Error);
  }
}
