import type { FrameRecord } from './frame-log.js';
import type { Failure } from './extension.js';

/** Body of a Close frame; code 1005 is a frame without one. RFC 6455 §5.5.1 */
export interface CloseFrame {
  readonly code: number;
  readonly reason: string;
}

/**
 * Who ended the connection, and for what: `local` and `remote` closed it, by the first Close frame (`local` also where we cut it or gave up connecting);
 * `protocol`: the peer broke a rule; `limit`: it held, sent or lasted more than it may; `timeout`: what was due did not come in time;
 * `shutdown`: our server shuts down; `transport`: the byte stream ended without a Close frame.
 */
export type Initiator = 'local' | 'remote' | 'transport' | 'timeout' | 'protocol' | 'limit' | 'shutdown';

/** How a connection ended. */
export interface CloseInfo {
  /** As in the `'close'` event: the peer's code, 1005 for a Close frame without one, 1006 for none. RFC 6455 §7.1.5 */
  readonly code: number;
  readonly reason: string;
  /** Both Close frames went over the wire. §7.1.4 */
  readonly wasClean: boolean;
  readonly initiator: Initiator;
  readonly sent: CloseFrame | null;
  readonly received: CloseFrame | null;
  /** The peer's offence, or what broke the byte stream: branch on its `code`. */
  readonly error: Failure | (Error & { readonly code?: string }) | null;
  /** What was given to `send` and not to the operating system. */
  readonly bytesUnsent: number;
  /** Ms since the epoch at which the last byte came. */
  readonly lastActivity: number;
  /** The last frames of a connection that did not end cleanly, oldest first; else empty. */
  readonly frames: readonly FrameRecord[];
}
