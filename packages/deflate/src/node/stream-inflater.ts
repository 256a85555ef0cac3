import { constants, createInflateRaw, type InflateRaw } from 'node:zlib';
import type { Inflater } from '../backend.js';
import type { DeflateError } from '../errors.js';
import type { Window } from '../window.js';
import { endingOf, isComplete, MAX_ENDING } from './ending.js';
import { corrupt, incomplete, MAX_FINAL_BLOCKS, tooLong, tooManyFinalBlocks } from './failures.js';
import type { Limiter } from './limiter.js';

interface Call {
  /** What stands behind the last piece. */
  readonly ending: Uint8Array | undefined;
  readonly limit: number;
  readonly output: (bytes: Uint8Array) => void;
  readonly done: (error: DeflateError | null) => void;
  length: number;
}

/** A message in pieces, decompressed in the thread pool. */
export class StreamInflater implements Inflater {
  readonly #limiter: Limiter;
  readonly #chunkSize: number;
  readonly #window: Window | undefined;
  /** None before the first piece, and behind a final block. */
  #stream: InflateRaw | undefined;
  /** Bytes of output that are the window, and no part of the message. */
  #toSkip = 0;
  #call: Call | undefined;
  #finalBlocks = 0;
  #lastBytes: Uint8Array = Buffer.alloc(0);

  /** @param window what the message may refer to, and where its output is added by whoever gets it */
  constructor(limiter: Limiter, chunkSize: number, window: Window | undefined) {
    this.#limiter = limiter;
    this.#chunkSize = chunkSize;
    this.#window = window;
  }

  inflate(data: Uint8Array, isLast: boolean, limit: number, output: Call['output'], done: Call['done']): void {
    this.#limiter.run((release) => {
      this.#lastBytes = Buffer.concat([this.#lastBytes, data.subarray(-MAX_ENDING)]).subarray(-MAX_ENDING);
      const ending = isLast ? endingOf(this.#lastBytes) : undefined;
      const finish = (error: DeflateError | null): void => {
        this.#call = undefined;
        release();
        done(error);
      };
      this.#call = { ending, limit, output, done: finish, length: 0 };
      const endedBefore = this.#finalBlocks > 0 && this.#stream === undefined && data.length === 0;
      if (endedBefore || (ending === undefined && data.length === 0)) finish(null);
      else this.#tryToWrite(ending ? Buffer.concat([data, ending]) : data);
    });
  }

  close(): void {
    this.#stream?.close();
    this.#stream = undefined;
  }

  /** A step of the limiter must not throw: it may run for somebody else who has ended. */
  #tryToWrite(piece: Uint8Array): void {
    try {
      this.#write(piece);
    } catch (error) {
      this.#fail(corrupt(error as Error));
    }
  }

  #write(piece: Uint8Array): void {
    const data = this.#stream === undefined ? this.#behindWindow(piece) : piece;
    const stream = (this.#stream ??= this.#open());
    const before = stream.bytesWritten;
    const onEnd = (): void => {
      if (stream === this.#stream) this.#finalBlock(data.subarray(stream.bytesWritten - before));
    };
    stream.once('end', onEnd);
    stream.write(data, () => {
      if (stream !== this.#stream) return;
      if (this.#call?.ending === undefined) stream.off('end', onEnd);
      while (stream.read() !== null); // what is not given yet goes to 'data'
      if (this.#call?.ending === undefined) this.#call?.done(null);
      else setImmediate(() => stream === this.#stream && this.#fail(incomplete())); // unless its end is still to be told
    });
  }

  /** §7.2.3.4: what comes behind it is compressed data again, in the window of the session where there is one. */
  #finalBlock(rest: Uint8Array): void {
    this.close();
    const call = this.#call;
    if (call === undefined) return;
    const { ending } = call;
    this.#finalBlocks++;
    if (ending ? isComplete(rest.length, ending) : rest.length === 0) return call.done(null);
    if (ending && rest.length < ending.length) return call.done(incomplete());
    if (this.#finalBlocks > MAX_FINAL_BLOCKS) return call.done(tooManyFinalBlocks());
    this.#tryToWrite(rest);
  }

  /** The window goes in as a block of the data: zlib's own way, a dictionary, is not known to raw streams of every runtime. */
  #behindWindow(data: Uint8Array): Uint8Array {
    const window = this.#window;
    if (window === undefined || window.length === 0) return data;
    this.#toSkip = window.length;
    return Buffer.concat([window.block, data]);
  }

  #open(): InflateRaw {
    const stream = createInflateRaw({ flush: constants.Z_SYNC_FLUSH, chunkSize: this.#chunkSize });
    stream.on('data', (bytes: Buffer) => {
      if (stream === this.#stream) this.#take(bytes);
    });
    stream.on('error', (error) => {
      if (stream === this.#stream) this.#fail(corrupt(error));
    });
    return stream;
  }

  #take(output: Buffer): void {
    const call = this.#call;
    const bytes = output.subarray(this.#toSkip);
    this.#toSkip -= output.length - bytes.length;
    if (call === undefined || bytes.length === 0) return;
    call.length += bytes.length;
    if (call.length > call.limit) return this.#fail(tooLong(call.limit));
    call.output(bytes);
  }

  #fail(error: DeflateError): void {
    this.close();
    this.#call?.done(error);
  }
}
