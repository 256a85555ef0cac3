import type { Extension, Failure, IncomingPiece, OutgoingFragment } from '@ws/connection/protocol';

export const XOR_KINDS = ['none', 'sync', 'late', 'faulty'] as const;
export type XorKind = (typeof XOR_KINDS)[number];

/** What the extension makes of bytes, both ways. */
export const xored = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0x55));

const FAILS_AT = 3;

/** Changes every byte of every message, at once or in a later turn; or breaks, in one of the ways there are. */
export class XorExtension implements Extension {
  readonly name = 'x-xor';
  readonly rsv = 0;
  /** Calls that are not answered. */
  pending = 0;
  readonly #kind: XorKind;
  #calls = 0;

  constructor(kind: XorKind) {
    this.#kind = kind;
  }

  encode(
    payload: Uint8Array,
    _fragment: OutgoingFragment,
    done: (error: Failure | null, payload: Uint8Array, rsv: number) => void,
  ): void {
    const encoded = xored(payload);
    this.#answer((error) => done(error, encoded, 0));
  }

  decode(
    slice: Uint8Array,
    _piece: IncomingPiece,
    output: (slice: Uint8Array) => void,
    done: (error: Failure | null) => void,
  ): void {
    const decoded = xored(slice);
    this.#answer((error) => {
      const half = decoded.length >> 1;
      if (half > 0) output(decoded.subarray(0, half));
      if (error === null && decoded.length > 0) output(decoded.subarray(half));
      done(error);
      if (error !== null) done(null); // the first answer counts
    });
  }

  #answer(act: (error: Failure | null) => void): void {
    const call = ++this.#calls;
    if (this.#kind === 'late') {
      this.pending++;
      setImmediate(() => {
        this.pending--;
        act(null);
      });
    } else if (this.#kind === 'faulty' && call % FAILS_AT === 0) {
      const error = Object.assign(new Error('of the extension'), { code: 'WS_ERR_TEST', closeCode: 1011 });
      if (call % 2 === 0) throw error;
      act(error);
    } else {
      act(null);
    }
  }
}
