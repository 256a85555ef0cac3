import { constants, createInflateRaw, type InflateRaw, type ZlibOptions } from 'node:zlib';
import { resetHandle } from './zlib-handle.js';

/** A decompressor of zlib: a stream, used for one message after the other. It is in nobody's context; its user says in whose he is. */
export class Inflation {
  readonly stream: InflateRaw;
  /** Who gets what comes out of the thread pool. */
  onBytes: ((bytes: Buffer) => void) | undefined;
  onError: ((error: Error) => void) | undefined;

  constructor(chunkSize: number) {
    const options: ZlibOptions & { readonly readableHighWaterMark: number } = {
      flush: constants.Z_SYNC_FLUSH,
      chunkSize,
      readableHighWaterMark: chunkSize, // what it has in store while nobody has room
    };
    this.stream = createInflateRaw(options);
    this.stream.on('data', (bytes: Buffer) => this.onBytes?.(bytes));
    this.stream.on('error', (error) => this.onError?.(error));
  }

  close(): void {
    this.onBytes = undefined;
    this.onError = undefined;
    this.stream.close();
  }
}

/** To make one takes longer than to decompress a small message with it. */
const KEPT = 4;

/** Decompressors for those who need one for a while. A few that nobody needs are kept, where zlib's handle is usable. */
export class InflationPool {
  readonly #create: () => Inflation;
  readonly #free: Inflation[] = [];

  constructor(create: () => Inflation) {
    this.#create = create;
  }

  take(): Inflation {
    const free = this.#free.pop();
    if (free === undefined) return this.#create();
    resetHandle(free.stream);
    return free;
  }

  /** Not while it is at work, nor at its end. */
  giveBack(inflation: Inflation): void {
    if (this.#free.length >= KEPT) return inflation.close();
    inflation.onBytes = undefined;
    inflation.onError = undefined;
    this.#free.push(inflation);
  }

  /** Frees those that are kept. */
  clear(): void {
    for (const inflation of this.#free.splice(0)) inflation.close();
  }
}
