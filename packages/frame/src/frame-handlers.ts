import type { FrameHead } from './header.js';

/**
 * What the parser calls, synchronously and in wire order. A handler may throw, push, pause and resume: the exception
 * leaves `push` or `resume`, and the next call of either goes on behind what was handed over.
 */
export interface FrameHandlers {
  /** The header is complete, the payload is not. */
  head?(head: FrameHead): void;
  /**
   * The next piece of payload, unmasked, as soon as it is there; an empty one once for an empty frame.
   * `slice` is a view of the chunk (with `preserveInput`, a masked frame's is a copy), `offset` its place in the payload.
   */
  payload?(slice: Uint8Array, offset: number, isLast: boolean): void;
  /** If present, called instead of `payload` for what lies in memory that is lent: `slice` is valid during the call only. Else `payload` gets a copy. */
  lentPayload?(slice: Uint8Array, offset: number, isLast: boolean): void;
  /**
   * If present, called instead of `lentPayload` and `frameEnd`, and of `head`, `lentPayload` and `frameEnd` of the `count` frames behind that: fragments
   * that lie whole in lent memory, their payloads joined in `payload`, which begins at `offset` of the first one's. The others are continuations without
   * reserved bits, of `lengths[0]`, `lengths[1]`, … bytes; the last has `fin`, or not. All of it is valid during the call only, and until it calls a parser.
   */
  lentFragments?(payload: Uint8Array, offset: number, lengths: ArrayLike<number>, count: number, fin: boolean): void;
  /** Whether that may be done with so many fragments, of so many bytes at most; left out: never. */
  joins?(count: number, byteLength: number): boolean;
  frameEnd?(): void;
  /** After the `frameEnd` of a data frame with FIN. */
  messageEnd?(): void;
  /** If present, called instead of `head`, `payload`, `frameEnd` and `messageEnd` for a frame that lies whole inside a chunk; much cheaper. Fragments in lent memory may come by the others all the same. */
  frame?(head: FrameHead, payload: Uint8Array): void;
}
