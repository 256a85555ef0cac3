import type { Opcode } from '@ws/frame';

// The part of the interface `Extension` of @ws/connection that permessage-deflate meets; it names none of its own types, so that
// this package stands below that one.

export const RSV1 = 4;

export interface OutgoingFragment {
  readonly opcode: typeof Opcode.Text | typeof Opcode.Binary;
  readonly first: boolean;
  readonly fin: boolean;
  /** False: as it is. Anything else leaves it to us. */
  readonly compress: boolean | undefined;
  /** Bytes of the whole message, where they are known before its end. */
  readonly length?: number | undefined;
  /** Set where the same payload goes to several connections: what one of them made of it, the others may use. */
  readonly prepared?: Map<unknown, unknown> | undefined;
}

export interface IncomingPiece {
  readonly first: boolean;
  readonly last: boolean;
  /** Bytes of the whole message, compressed, where that is known. */
  readonly length?: number | undefined;
  /** Bytes that the message may still grow by. */
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

/** What ends the connection. */
export interface Failure extends Error {
  readonly code: string;
  readonly closeCode: number;
}

export type Encoded = (error: Failure | null, payload: Uint8Array, rsv: number) => void;
