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
}

/** What ends the connection. */
export interface Failure extends Error {
  readonly code: string;
  readonly closeCode: number;
}

export type Encoded = (error: Failure | null, payload: Uint8Array, rsv: number) => void;
