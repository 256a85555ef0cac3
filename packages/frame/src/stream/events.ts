import type { FrameHead } from '../index.js';

/** Events of a FrameDuplex, beside those of every Duplex. */
export interface FrameDuplexEvents {
  /** A header is complete, of whatever frame; its payload follows. */
  head: [head: FrameHead];
  /** All of a message can be read; nothing of the next one can yet. */
  messageEnd: [];
  ping: [payload: Buffer];
  pong: [payload: Buffer];
  /** The peer's Close frame; 1005 if it is empty. */
  closing: [code: number, reason: string];
  /** The last event: code and reason of the peer's Close frame, 1006 if there was none. */
  close: [code: number, reason: string];
}

export type Listener<Name extends keyof FrameDuplexEvents> = (...args: FrameDuplexEvents[Name]) => void;
