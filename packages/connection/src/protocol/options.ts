import type { FrameHead } from '@ws/frame';
import type { Account } from './account.js';
import type { Extension, Failure } from './extension.js';
import type { Guards } from './guards.js';
import type { MessageHead, MessageSink } from './message-sink.js';
import type { ReceiveLimits } from './receive-limits.js';

/** What the peer did. A `Uint8Array` is a view into the chunk or a buffer of its own; it is not used again. */
export interface ProtocolHandlers {
  message(data: Uint8Array | Uint8Array[], isText: boolean): void;
  /** A message begins, and `Protocol.streams` is set: the answer takes it as it comes. `undefined`: it is collected, for `message`. */
  incoming?(head: MessageHead): MessageSink | undefined;
  /** The header of a frame, of whatever kind, before anything is made of it; while `Protocol.tellsFrames` is set. What it throws comes up by itself. */
  frame?(head: FrameHead): void;
  ping(payload: Uint8Array): void;
  pong(payload: Uint8Array): void;
  /** The first Close frame, in either direction. */
  closing(code: number, reason: string, initiator: 'local' | 'remote'): void;
  /** The peer broke the protocol or a limit; the Close frame is on its way. */
  failure(error: Failure): void;
  /** What had been received is parsed, as far as the user lets it: read on, unless held. */
  ready(): void;
  /** Much of this turn of the event loop went to this connection, or its whole share: asks for `nextTurn()` in the next one. Without this, there is no share. */
  turnUsed?(): void;
  /** `nextDeadline()` has changed. */
  deadline(): void;
}

/** What one core is told. */
export interface ProtocolOptions {
  readonly role: 'server' | 'client';
  /** Ms of a clock that never goes back. */
  readonly now: () => number;
  /** When the connection began, if that was before the core is made. @default now */
  readonly openedAt?: number | undefined;
  /** The same as `now`, where it is enough to be right to within one turn of the event loop. @default now */
  readonly turnTime?: (() => number) | undefined;
  readonly limits: ReceiveLimits;
  /** @default NO_GUARDS */
  readonly guards?: Guards | undefined;
  /** From 0 on, below 1: how much sooner than its time each connection ends that has lived for `maxLifetimeMs`. @default 0 */
  readonly random?: (() => number) | undefined;
  /** Time from our Close frame to the end of the byte stream; `Infinity` waits for ever. */
  readonly closeTimeoutMs: number;
  /** Clients: behind both Close frames the server ends the byte stream first, §7.1.1; false: we end our half then. @default true */
  readonly waitForTcpClose?: boolean | undefined;
  readonly autoPong?: boolean;
  readonly strictLength?: boolean;
  readonly validateUtf8?: boolean;
  readonly extensions?: readonly Extension[];
  /** Most bytes of payload in one frame that is sent. @default Infinity */
  readonly fragmentSize?: number | undefined;
  /** Chunks belong to somebody else: unmask in a copy. */
  readonly preserveInput?: boolean;
  /** A faster check than the one of `@ws/frame`. */
  readonly isUtf8?: ((bytes: Uint8Array) => boolean) | undefined;
  /** Copies `memory[from, to)`, for what is given on of lent memory. @default `slice` of a Uint8Array */
  readonly copy?: ((memory: Uint8Array, from: number, to: number) => Uint8Array) | undefined;
  /** Memory for messages that arrive in pieces; need not be zeroed. */
  readonly allocate?: (byteLength: number) => Uint8Array;
  /** Is told of memory that is held: unfinished messages, what extensions report, and messages that wait to be sent. @default nobody is */
  readonly account?: Account | undefined;
  readonly encodeText?: (text: string) => Uint8Array;
  /** Counts the messages received, in bytes, and the round trips of the heartbeat, in ms. */
  readonly meter?: { message(byteLength: number): void; latency(ms: number): void } | undefined;
}
