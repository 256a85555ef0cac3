import type { FrameHead } from '@ws/frame';
import type { Failure, Flow } from './extension.js';

/** A message of which the first header has come, and nothing else. */
export interface MessageHead {
  readonly isText: boolean;
  /** The header of its first frame. */
  readonly header: FrameHead;
  /** An extension will decode it. */
  readonly isEncoded: boolean;
  /** Bytes of the whole message, if it is in one frame and not encoded. */
  readonly length: number | undefined;
}

/**
 * Takes one message as it comes. Either `end` or `abort` is called, once, and nothing after it. What a sink throws is raised apart, and
 * stops nothing. `isFull` and `whenRoom` are for extensions that decode: that a sink is full stops reading only if its owner holds the connection.
 */
export interface MessageSink extends Flow {
  /** The next bytes, decoded and checked as UTF-8: never none. They may be kept; of an unencoded message they are a view of the chunk. */
  data(piece: Uint8Array): void;
  end(): void;
  /** The message will not come to its end: with its own offence, or `null` where the connection ended, was stopped or failed for something else. */
  abort(error: Failure | null): void;
}
