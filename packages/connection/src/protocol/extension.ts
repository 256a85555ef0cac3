import type { Opcode } from '@ws/frame';

/** A frame on its way out, before the extension has seen it. */
export interface OutgoingFragment {
  /** Type of the message, also on its later fragments. */
  readonly opcode: typeof Opcode.Text | typeof Opcode.Binary;
  readonly first: boolean;
  readonly fin: boolean;
  /** What the caller of `send` asked for; `undefined` leaves it to the extension. */
  readonly compress: boolean | undefined;
  /** Bytes of the whole message, where they are known before its end. */
  readonly length?: number | undefined;
  /**
   * Set for a whole message that goes to several connections alike: a place that all of them share, in which an extension may keep what it
   * made of the payload, under a key of its own. What it keeps must fit behind any other message of any connection.
   */
  readonly prepared?: Map<unknown, unknown> | undefined;
}

/** A piece of a message on its way in. Pieces come as they arrive and do not follow frame borders. */
export interface IncomingPiece {
  readonly opcode: typeof Opcode.Text | typeof Opcode.Binary;
  readonly first: boolean;
  /** Nothing of this message follows. */
  readonly last: boolean;
  /** Bytes of the whole message as it comes in, as its frames declare it: from the beginning of its last frame on. */
  readonly length?: number | undefined;
  /** Bytes that this message may still grow by; more output than that is over `maxPayload`. */
  readonly remaining: number;
  /** Set for a message that is given on as it comes: what can be decoded of a piece is wanted at once, and no faster than it is taken. */
  readonly flow?: Flow | undefined;
}

/** How fast the taker of a message takes it. */
export interface Flow {
  /** Nothing more for now: whoever has more to give waits for `whenRoom`. */
  readonly isFull: boolean;
  /** Calls back once, when there is room, or when nothing is wanted any more. */
  whenRoom(proceed: () => void): void;
}

/** What ends a connection that the peer, or an extension, has broken. */
export interface Failure extends Error {
  readonly code: string;
  /** Status code for the Close frame. RFC 6455 §7.4. */
  readonly closeCode: number;
}

/**
 * An extension of the protocol as one connection uses it, RFC 6455 §9: it changes the payload of data frames on their
 * way and owns reserved bits. Control frames never pass through it.
 *
 * Both methods answer through their callback, at once or later, and exactly once a call; the connection keeps order and
 * makes no second call of the same method before that. An error is a {@link Failure}: the connection is failed with its
 * `closeCode`.
 */
export interface Extension {
  /** Registered name, as in `Sec-WebSocket-Extensions`. */
  readonly name: string;
  /** The reserved bits it owns, 0 to 7 (RSV1 is 4). With 0 it sees every incoming message, else those that carry one of its bits. */
  readonly rsv: number;
  /** `payload` belongs to the caller and is not to be changed; `done` gets what to send, and the bits to set on this frame. */
  encode(
    payload: Uint8Array,
    fragment: OutgoingFragment,
    done: (error: Failure | null, payload: Uint8Array, rsv: number) => void,
  ): void;
  /**
   * `slice` is valid until `done`; `output` takes pieces of the decoded message, any number of times, before `done`. They are given away:
   * whoever gets the message may keep and change them.
   */
  decode(
    slice: Uint8Array,
    piece: IncomingPiece,
    output: (slice: Uint8Array) => void,
    done: (error: Failure | null) => void,
  ): void;
  /** Called once, before all else, where somebody keeps account of memory: `report` is to be told of each change, in bytes, of what is held for this connection. */
  reportMemory?(report: (change: number) => void): void;
  /** Memory is short: free what can be made again. */
  relieve?(): void;
  /** The connection is gone: free what it held. */
  close?(): void;
}
