import type { DeflateError } from './errors.js';
import type { Flow } from './extension.js';
import type { Window } from './window.js';

/** What each flush ends with; it is left off at the end of a message, and put back by the receiver. RFC 7692 §7.2.1, §7.2.2 */
export const TAIL: Uint8Array = Uint8Array.of(0x00, 0x00, 0xff, 0xff);

/** Answers once, at once or later; the bytes are the receiver's to keep. */
export type Deflated = (error: Error | null, bytes: Uint8Array) => void;

/** A compressor with a window of its own that goes on from one call to the next, unless `Backend.rest` came in between. */
export interface Deflater {
  /** Compresses and flushes, at once; the result ends with {@link TAIL}. `undefined`: too much to do at once, or not possible here. */
  deflateSync(data: Uint8Array): Uint8Array | undefined;
  deflate(data: Uint8Array, done: Deflated): void;
}

/** A decompressor for one message that comes in pieces. */
export interface Inflater {
  /**
   * Takes the next piece of the message; with `last`, the tail belongs behind it. The output is given in pieces, which are the
   * receiver's to keep; more than `limit` bytes of it are an error. No second call before `done`.
   * @param flow of a message that is given on as it comes: while it is full, nothing is decompressed
   */
  inflate(
    data: Uint8Array,
    last: boolean,
    limit: number,
    output: (bytes: Uint8Array) => void,
    done: (error: DeflateError | null) => void,
    flow?: Flow,
  ): void;
  /** At any time, and more than once. A call that is under way is answered all the same, also one that waits for room. */
  close(): void;
}

/** Whoever has a compressor with a window. */
export interface ContextHolder {
  /** So many bytes more are held for him; fewer, if negative: also when he loses it to somebody else. */
  held?(change: number): void;
}

/** What compresses and decompresses: DEFLATE (RFC 1951) without headers, with flushes. `@ws/deflate/node` has one on node:zlib. */
export interface Backend {
  /** Compresses a message that refers to nothing before it, at once; the result ends with {@link TAIL}. `undefined`: it is for `deflate`. */
  deflateSync(data: Uint8Array, windowBits: number): Uint8Array | undefined;
  /** @param holder for whom memory is held meanwhile */
  deflate(data: Uint8Array, windowBits: number, done: Deflated, holder?: ContextHolder): void;
  /** The compressor of `holder`, with its window, or a new one. It stays the holder's until `rest` or `release`. `undefined`: there are none left. */
  deflater(holder: ContextHolder, windowBits: number): Deflater | undefined;
  /** The holder does nothing for now: its compressor may be given to another one, who needs it more. */
  rest(holder: ContextHolder): void;
  /** The holder is done with its compressor: the next one it gets begins with an empty window. */
  release(holder: ContextHolder): void;
  /** Frees compressors that nobody is using at this moment. */
  dropIdle?(): void;

  /** Compressed bytes of a message up to which it is worth waiting for its end, and to use `inflateSync` then. */
  readonly syncInflateLimit: number;
  /**
   * Decompresses a whole message, given without its tail, at once.
   * @param window what it may refer to
   * @param most bytes that are wanted in one piece
   * @returns `undefined` if it is for an `inflater`, being too large compressed or decompressed
   * @throws {DeflateError} WS_ERR_INVALID_DEFLATE_DATA; WS_ERR_UNSUPPORTED_MESSAGE_LENGTH beyond `limit` bytes
   */
  inflateSync(data: Uint8Array, window: Window | undefined, limit: number, most?: number): Uint8Array | undefined;
  inflater(window: Window | undefined): Inflater;
  /** Bytes that one of these takes, at most. @default 0: not counted */
  readonly inflaterBytes?: number;
}
