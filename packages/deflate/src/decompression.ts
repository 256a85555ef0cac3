import type { Backend, Inflater } from './backend.js';
import { DeflateError } from './errors.js';
import type { Failure, Flow, IncomingPiece } from './extension.js';
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
  /** Compressed bytes that wait for more of them. */
  kept: Uint8Array;
  keptLength: number;
  inflater: Inflater | undefined;
  compressedLength: number;
  length: number;
}

const NOTHING = new Uint8Array(0);
const FIRST_CAPACITY = 256;
/** Bytes to gather of a message that is long, or of which nobody knows yet how long it will be. */
const KEPT_UNKNOWN = 16_384;
/** Output of a message that is given on as it comes, in one piece at most. */
const PART_BYTES = 65_536;
/** A message may have so much whatever its ratio: short ones are often far above the average. */
const UNJUDGED = 65_536;

/**
 * The receiving half: messages on their way in. RFC 7692 §7.2.2
 *
 * A small message is decompressed in one go when it is complete, and what it cost is given back at once: a message that
 * never ends holds no more than the bytes that came of it. A larger one is decompressed piece by piece, and so is one that
 * is given on as it comes.
 */
export class Decompression {
  readonly #options: DecompressionOptions;
  #window: Window | undefined;
  #message: OpenMessage | undefined;
  #isWorking = false;
  #isClosed = false;
  /** Bytes that are being decompressed. */
  #workingBytes = 0;
  /** Is told how many bytes more, or fewer, are held. */
  report: ((change: number) => void) | undefined;
  #reported = 0;

  constructor(options: DecompressionOptions) {
    this.#options = options;
  }

  decode(slice: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    try {
      this.#decode(slice, piece, output, done);
    } finally {
      this.#count();
    }
  }

  #decode(slice: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    if (piece.first) this.#dropMessage();
    const { flow } = piece;
    if (flow) return this.#flowing(flow, slice, piece, output, done);
    const { backend } = this.#options;
    const message = this.#message;
    const length = (message?.keptLength ?? 0) + slice.length;
    const isStreamed = message?.inflater !== undefined || (piece.length ?? length) > backend.syncInflateLimit;
    if (!piece.last && length <= (isStreamed || piece.length === undefined ? KEPT_UNKNOWN : piece.length)) {
      keep((this.#message ??= openMessage()), slice, isStreamed ? undefined : piece.length);
      return done(null);
    }
    if (isStreamed || !piece.last) {
      return this.#stream((this.#message ??= openMessage()), slice, piece, output, done);
    }
    if (message === undefined) return this.#whole(slice, piece, output, done);
    keep(message, slice, piece.length);
    this.#whole(message.kept.subarray(0, message.keptLength), piece, output, done);
  }

  close(): void {
    this.#isClosed = true;
    this.#window = undefined;
    if (this.#isWorking) this.#message?.inflater?.close();
    else this.#dropMessage();
    this.#count();
  }

  /** Nothing is gathered; a message that lies whole in its piece is decompressed without an inflater of its own, if that has room. */
  #flowing(flow: Flow, slice: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    const message = this.#message;
    if (slice.length === 0 && (message === undefined || !piece.last)) return done(null);
    if (message === undefined && piece.last && !flow.isFull) return this.#whole(slice, piece, output, done);
    this.#stream((this.#message ??= openMessage()), slice, piece, output, done);
  }

  #whole(data: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    if (data.length === 0) return this.#end(done, null); // not what §7.2.1 makes, but harmless
    const { backend } = this.#options;
    const allowed = this.#allowedFor(data.length);
    const most = piece.flow ? PART_BYTES : undefined;
    let bytes: Uint8Array | undefined;
    try {
      bytes = backend.inflateSync(data, this.#sharedWindow(), Math.min(piece.remaining, allowed), most);
    } catch (error) {
      return this.#end(done, this.#named(error as DeflateError, allowed < piece.remaining, piece.remaining));
    }
    if (bytes === undefined) {
      this.#message = openMessage();
      return this.#stream(this.#message, data, piece, output, done);
    }
    this.#window?.add(bytes);
    if (bytes.length > 0) output(bytes);
    this.#end(done, null);
  }

  /** What was kept first, then the new piece. */
  #stream(message: OpenMessage, slice: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    const kept = message.kept.subarray(0, message.keptLength);
    message.kept = NOTHING;
    message.keptLength = 0;
    if (kept.length === 0) return this.#inflate(message, slice, piece, output, done);
    const { length } = message;
    this.#inflate(message, kept, { ...piece, last: false }, output, (error) => {
      if (error || this.#isClosed) return done(error);
      const remaining = piece.remaining - (message.length - length);
      this.#inflate(message, slice, { ...piece, remaining }, output, done);
    });
  }

  #inflate(message: OpenMessage, slice: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
    const { last, remaining } = piece;
    message.inflater ??= this.#options.backend.inflater(this.#sharedWindow());
    message.compressedLength += slice.length;
    const maxPayload = message.length + remaining;
    const left = Math.max(0, this.#allowedFor(piece.length ?? message.compressedLength) - message.length);
    this.#isWorking = true;
    this.#workingBytes = slice.length;
    message.inflater.inflate(
      slice,
      last,
      Math.min(remaining, left),
      (bytes) => {
        message.length += bytes.length;
        this.#window?.add(bytes);
        output(bytes);
      },
      (error) => {
        this.#isWorking = false;
        this.#workingBytes = 0;
        const failure = error && this.#named(error, left < remaining, maxPayload);
        const isOver = last && !failure && message.length > this.#allowedFor(message.compressedLength);
        if (last || failure || this.#isClosed) return this.#end(done, isOver ? this.#overRatio() : failure);
        this.#count();
        done(null);
      },
      piece.flow,
    );
  }

  /** Bytes that a message of so many compressed bytes may have. */
  #allowedFor(compressedLength: number): number {
    const { maxRatio } = this.#options;
    return maxRatio === Infinity ? Infinity : Math.max(UNJUDGED, Math.floor(maxRatio * compressedLength));
  }

  /** What all messages share, where they may: made when the first one comes. */
  #sharedWindow(): Window | undefined {
    if (this.#options.takeover) this.#window ??= new Window(this.#options.windowBits);
    return this.#window;
  }

  #end(done: Done, error: Failure | null): void {
    this.#dropMessage();
    this.#count();
    done(error);
  }

  #dropMessage(): void {
    this.#message?.inflater?.close();
    this.#message = undefined;
  }

  #count(): void {
    if (this.report === undefined) return;
    const message = this.#message;
    const inflater = message?.inflater ? (this.#options.backend.inflaterBytes ?? 0) : 0;
    const bytes = (this.#window?.byteLength ?? 0) + (message?.kept.length ?? 0) + inflater + this.#workingBytes;
    if (bytes !== this.#reported) this.report(bytes - this.#reported);
    this.#reported = bytes;
  }

  /** Too long: by which limit? */
  #named(error: DeflateError, isByRatio: boolean, maxPayload: number): DeflateError {
    if (error.code !== 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return error;
    return isByRatio ? this.#overRatio() : new DeflateError(error.code, `more than ${maxPayload} bytes`);
  }

  #overRatio(): DeflateError {
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

/** In memory that grows twofold, up to the length if it is known: pieces of one byte cost no more than large ones. */
function keep(message: OpenMessage, slice: Uint8Array, length = Infinity): void {
  const needed = message.keptLength + slice.length;
  if (needed > message.kept.length) {
    const grown = new Uint8Array(Math.max(needed, Math.min(length, Math.max(2 * message.keptLength, FIRST_CAPACITY))));
    grown.set(message.kept.subarray(0, message.keptLength));
    message.kept = grown;
  }
  message.kept.set(slice, message.keptLength);
  message.keptLength = needed;
}
