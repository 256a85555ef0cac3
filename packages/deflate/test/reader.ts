import { constants, deflateRawSync } from 'node:zlib';
import type { DeflateError } from '../src/errors.js';
import type { Flow } from '../src/extension.js';
import { zlibBackend } from '../src/node/backend.js';
import type { PerMessageDeflate } from '../src/permessage-deflate.js';
import { PATHS } from './codec.js';

/** Takes a message as it comes: full above `capacity` bytes that nobody has taken. */
export class Reader implements Flow {
  readonly capacity: number;
  /** At most, parts that were given since the reader was last asked whether it is full. */
  mostAtOnce = 0;
  /** Bytes of the largest part. */
  largest = 0;
  #sinceAsked = 0;
  #untaken: Uint8Array[] = [];
  #taken: Uint8Array[] = [];
  #waiting: (() => void) | undefined;

  constructor(capacity = Infinity) {
    this.capacity = capacity;
  }

  get isFull(): boolean {
    this.#sinceAsked = 0;
    return this.untaken > this.capacity;
  }
  get untaken(): number {
    return this.#untaken.reduce((sum, { length }) => sum + length, 0);
  }
  get isAwaited(): boolean {
    return this.#waiting !== undefined;
  }
  /** All that came. */
  get bytes(): Buffer {
    return Buffer.concat([...this.#taken, ...this.#untaken]);
  }

  whenRoom(proceed: () => void): void {
    if (this.#waiting) throw new Error('somebody waits already');
    this.#waiting = proceed;
  }

  readonly output = (part: Uint8Array): void => {
    this.#untaken.push(part);
    this.largest = Math.max(this.largest, part.length);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#sinceAsked);
  };

  /** Takes what is there, and calls back who waits. */
  take(): void {
    this.#taken.push(...this.#untaken);
    this.#untaken = [];
    this.wake();
  }

  wake(): void {
    const proceed = this.#waiting;
    this.#waiting = undefined;
    proceed?.();
  }
}

export interface PieceOptions {
  readonly first?: boolean;
  readonly last?: boolean;
  readonly length?: number | undefined;
  readonly remaining?: number;
}

/** One piece of a message that is given on as it comes. */
export interface Decoding {
  /** Undefined while it is not answered. */
  readonly error: DeflateError | null | undefined;
  readonly answered: Promise<DeflateError | null>;
}

export function give(end: PerMessageDeflate, slice: Uint8Array, reader: Reader, options: PieceOptions = {}): Decoding {
  const { first = false, last = false, length, remaining = Infinity } = options;
  const { promise, resolve, reject } = deferred<DeflateError | null>();
  const decoding: { error: DeflateError | null | undefined; answered: Promise<DeflateError | null> } = {
    error: undefined,
    answered: promise,
  };
  end.decode(slice, { first, last, length, remaining, flow: reader }, reader.output, (failure) => {
    if (decoding.error !== undefined) return reject(new Error('answered twice'));
    decoding.error = failure as DeflateError | null;
    // Not at once: a second answer is to be seen.
    setImmediate(() => resolve(decoding.error as DeflateError | null));
  });
  return decoding;
}

function deferred<T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: Error): void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((yes, no) => ([resolve, reject] = [yes, no]));
  return { promise, resolve, reject };
}

/** As a sender would. */
export const compressed = (data: Uint8Array): Buffer =>
  deflateRawSync(data, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** Some turns of the event loop: whoever does not go on for so long waits for something else. */
export async function turns(count = 30): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets the event loop turn until `isDone`; a test that waits in vain fails. */
export async function until(isDone: () => boolean): Promise<void> {
  for (let i = 0; !isDone(); i++) {
    if (i > 100_000) throw new Error('waited in vain');
    await turns(1);
  }
}

/** Small pieces at once, large ones by the thread pool; and all by the thread pool. */
export const BACKENDS = PATHS.flatMap(({ path, fastPath }) => [
  { name: path, backend: zlibBackend({ fastPath }) },
  { name: `${path}, thread pool`, backend: zlibBackend({ fastPath, syncInflateLimit: 0 }) },
]);
