import type { Backend, Inflater } from './backend.js';
import { DeflateError } from './errors.js';
import type { Failure, IncomingPiece } from './extension.js';
import { Window } from './window.js';

export interface DecompressionOptions {
  readonly backend: Backend;
  readonly windowBits: number;
  /** May the peer's messages refer to those before them? §7.1.1 */
  readonly takeover: boolean;
  /** Most bytes of a message for each byte of its compressed form; `Infinity` for no limit. */
  readonly maxRatio: number;
}

type Output = (slice: Uint8Array) => void;
type Done = (error: Failure | null) => void;

/** A message of which the last piece is still to come. */
interface OpenMessage {
  /** Compressed bytes, kept until there are too many to wait with. */
  kept: Uint8Array;
  keptLength: number;
  inflater: Inflater | undefined;
  compressedLength: number;
  length: number;
}

const NOTHING = new Uint8Array(0);
const FIRST_CAPACITY = 256;
/** Bytes to keep of a message of which nobody knows yet how long it will be. */
const KEPT_UNKNOWN = 16_384;

/**
 * The receiving half: messages on their way in. RFC 7692 §7.2.2
 *
 * A small message is decompressed in one go when it is complete, and what it cost is given back at once: a message that
 * never ends holds no more than the bytes that came of it. A larger one is decompressed piece by piece.
 */
export class Decompression {
  readonly #options: DecompressionOptions;
  #window: Window | undefined;
  #message: OpenMessage | undefined;
  #isWorking = false;
  #isClosed = false;

  constructor(options: DecompressionOptions) {
    this.#options = options;
  }

  decode(slice: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    if (piece.first) this.#dropMessage();
    const { backend } = this.#options;
    const message = this.#message;
    if (message?.inflater) return this.#stream(message, message.inflater, slice, piece, output, done);
    const length = (message?.keptLength ?? 0) + slice.length;
    const isSmall = (piece.length ?? length) <= backend.syncInflateLimit;
    if (!isSmall || (piece.length === undefined && !piece.last && length > KEPT_UNKNOWN)) {
      return this.#startStream((this.#message ??= openMessage()), slice, piece, output, done);
    }
    if (!piece.last) {
      keep((this.#message ??= openMessage()), slice);
      return done(null);
    }
    if (message === undefined) return this.#whole(slice, piece, output, done);
    keep(message, slice);
    this.#whole(message.kept.subarray(0, message.keptLength), piece, output, done);
  }

  close(): void {
    this.#isClosed = true;
    this.#window = undefined;
    if (!this.#isWorking) this.#dropMessage();
  }

  #whole(data: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    if (data.length === 0) return this.#end(done, null); // not what §7.2.1 makes, but harmless
    const { backend } = this.#options;
    const limit = this.#limit(piece.remaining, data.length, 0);
    let bytes: Uint8Array | undefined;
    try {
      bytes = backend.inflateSync(data, this.#sharedWindow, limit);
    } catch (error) {
      return this.#end(done, this.#named(error as DeflateError, limit, piece.remaining));
    }
    if (bytes === undefined) {
      const opened = openMessage();
      this.#message = opened;
      return this.#startStream(opened, data, piece, output, done);
    }
    this.#window?.add(bytes);
    if (bytes.length > 0) output(bytes);
    this.#end(done, null);
  }

  #startStream(message: OpenMessage, slice: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    const inflater = this.#options.backend.inflater(this.#sharedWindow);
    const kept = message.kept.subarray(0, message.keptLength);
    message.inflater = inflater;
    message.kept = NOTHING;
    message.keptLength = 0;
    if (kept.length === 0) return this.#stream(message, inflater, slice, piece, output, done);
    const { length } = message;
    this.#stream(message, inflater, kept, { ...piece, last: false }, output, (error) => {
      const remaining = piece.remaining - (message.length - length);
      if (error || this.#isClosed) done(error);
      else this.#stream(message, inflater, slice, { ...piece, remaining }, output, done);
    });
  }

  #stream(
    message: OpenMessage,
    inflater: Inflater,
    slice: Uint8Array,
    { last, remaining }: IncomingPiece,
    output: Output,
    done: Done,
  ): void {
    message.compressedLength += slice.length;
    const limit = this.#limit(remaining, message.compressedLength, message.length);
    this.#isWorking = true;
    inflater.inflate(
      slice,
      last,
      limit,
      (bytes) => {
        message.length += bytes.length;
        this.#window?.add(bytes);
        output(bytes);
      },
      (error) => {
        this.#isWorking = false;
        if (last || error || this.#isClosed) this.#end(done, error && this.#named(error, limit, remaining));
        else done(null);
      },
    );
  }

  /** Bytes of output that may still come. */
  #limit(remaining: number, compressedLength: number, length: number): number {
    const { maxRatio } = this.#options;
    return maxRatio === Infinity ? remaining : Math.min(remaining, Math.floor(maxRatio * compressedLength) - length);
  }

  /** What all messages share, where they may. */
  get #sharedWindow(): Window | undefined {
    if (this.#options.takeover) this.#window ??= new Window(this.#options.windowBits);
    return this.#window;
  }

  #end(done: Done, error: Failure | null): void {
    this.#dropMessage();
    done(error);
  }

  #dropMessage(): void {
    this.#message?.inflater?.close();
    this.#message = undefined;
  }

  /** Too long: by which limit? */
  #named(error: DeflateError, limit: number, remaining: number): DeflateError {
    if (error.code !== 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' || limit === remaining) return error;
    return new DeflateError('WS_ERR_INFLATION_RATIO', `limit ${this.#options.maxRatio}`);
  }
}

const openMessage = (): OpenMessage => ({
  kept: NOTHING,
  keptLength: 0,
  inflater: undefined,
  compressedLength: 0,
  length: 0,
});

/** Twofold, so that pieces of one byte cost no more than large ones. */
function keep(message: OpenMessage, slice: Uint8Array): void {
  const needed = message.keptLength + slice.length;
  if (needed > message.kept.length) {
    const grown = new Uint8Array(Math.max(needed, 2 * message.keptLength, FIRST_CAPACITY));
    grown.set(message.kept.subarray(0, message.keptLength));
    message.kept = grown;
  }
  message.kept.set(slice, message.keptLength);
  message.keptLength = needed;
}
