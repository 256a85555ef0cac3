/** What may come in; `Infinity` is no limit. */
export interface ReceiveLimits {
  /** Bytes of one message, as declared by its frames and again as decoded. */
  readonly maxPayload: number;
  /** Frames of one message. */
  readonly maxFragments: number;
  /** Chunks that one frame arrives in. */
  readonly maxBufferedChunks: number;
}
