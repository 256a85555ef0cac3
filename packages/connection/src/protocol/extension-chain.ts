import { ProtocolError } from '@ws/frame';
import type { Extension, Failure, IncomingPiece, OutgoingFragment } from './extension.js';
import { MessageBuffer } from './message-buffer.js';
import { raise } from './settle.js';

type Output = (slice: Uint8Array) => void;
type Done = (error: Failure | null) => void;

const NOTHING = new Uint8Array(0);

/** The extensions of one connection in the order agreed: the sender applies them first to last, the receiver last to first. RFC 6455 §9.1 */
export class ExtensionChain {
  readonly #list: readonly Extension[];
  /** All reserved bits that somebody owns. */
  readonly rsv: number;

  /** @throws {RangeError} when two own the same bit */
  constructor(list: readonly Extension[]) {
    let rsv = 0;
    for (const { name, rsv: bits } of list) {
      if (bits < 0 || bits > 7 || !Number.isInteger(bits)) {
        throw new RangeError(`extension ${name} has rsv ${bits}, expected 0 to 7`);
      }
      if ((rsv & bits) !== 0) throw new RangeError(`extension ${name} claims a reserved bit that another one owns`);
      rsv |= bits;
    }
    this.#list = list;
    this.rsv = rsv;
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /** Does anybody decode a message whose first frame has these bits? */
  decodes(rsv: number): boolean {
    return this.#list.some((extension) => applies(extension, rsv));
  }

  encode(
    payload: Uint8Array,
    fragment: OutgoingFragment,
    done: (error: Failure | null, payload: Uint8Array, rsv: number) => void,
  ): void {
    const step = (i: number, bytes: Uint8Array, rsv: number): void => {
      const extension = this.#list[i];
      if (extension === undefined) return done(null, bytes, rsv);
      // Behind another one, the payload is not the same for all connections.
      const told = i > 0 && fragment.prepared ? { ...fragment, prepared: undefined } : fragment;
      const next = (error: Failure | null, encoded: Uint8Array, bits: number): void => {
        if (error) done(error, NOTHING, 0);
        else step(i + 1, encoded, rsv | bits);
      };
      attempt(
        (answer) => extension.encode(bytes, told, (error, encoded, bits) => answer(() => next(error, encoded, bits))),
        (error) => done(error, NOTHING, 0),
      );
    };
    step(0, payload, 0);
  }

  /** `rsv`: the bits of the message's first frame. */
  decode(slice: Uint8Array, piece: IncomingPiece, rsv: number, output: Output, done: Done): void {
    const takers = this.#list.length === 1 ? this.#list : this.#list.filter((extension) => applies(extension, rsv));
    const step = (i: number, bytes: Uint8Array): void => {
      const extension = takers[i];
      if (extension === undefined) return done(null);
      const decoded = new MessageBuffer((byteLength) => new Uint8Array(byteLength));
      let excess: Failure | null = null;
      const collect = (part: Uint8Array): void => {
        const length = decoded.byteLength + part.length;
        if (length > piece.remaining)
          excess ??= new ProtocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', `${length} bytes`);
        else decoded.append(part);
      };
      const next = (error: Failure | null): void => {
        const failure = error ?? excess;
        if (failure || i === 0) done(failure);
        else step(i - 1, decoded.takeWhole());
      };
      attempt((answer) => {
        const told = bytes === slice ? piece : { ...piece, length: undefined };
        extension.decode(bytes, told, i === 0 ? output : collect, (error) => answer(() => next(error)));
      }, next);
    };
    step(takers.length - 1, slice);
  }

  /** What one of them throws is raised apart: the connection has to come to its end. */
  close(): void {
    for (const extension of this.#list) {
      try {
        extension.close?.();
      } catch (error) {
        raise(error);
      }
    }
  }
}

/**
 * Asks an extension, whose first answer counts and no other. What it throws instead of answering is a failure of its
 * own; what is thrown once it has answered comes from further on, and passes.
 */
function attempt(ask: (answer: (act: () => void) => void) => void, failed: (error: Failure) => void): void {
  let isAnswered = false;
  try {
    ask((act) => {
      if (isAnswered) return;
      isAnswered = true;
      act();
    });
  } catch (error) {
    if (isAnswered) throw error;
    isAnswered = true;
    failed(error as Failure);
  }
}

const applies = (extension: Extension, rsv: number): boolean => extension.rsv === 0 || (extension.rsv & rsv) !== 0;
