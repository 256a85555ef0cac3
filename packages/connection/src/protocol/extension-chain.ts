import { ProtocolError } from '@ws/frame';
import type { Account } from './account.js';
import type { Extension, Failure, IncomingPiece, OutgoingFragment } from './extension.js';
import { MessageBuffer } from './message-buffer.js';
import { raise } from './settle.js';

type Output = (slice: Uint8Array) => void;
type Done = (error: Failure | null) => void;
type Encoded = (error: Failure | null, payload: Uint8Array, rsv: number) => void;

const NOTHING = new Uint8Array(0);

/** The extensions of one connection in the order agreed: the sender applies them first to last, the receiver last to first. RFC 6455 §9.1 */
export class ExtensionChain {
  readonly #list: readonly Extension[];
  /** All reserved bits that somebody owns. */
  readonly rsv: number;
  readonly #account: Account | undefined;
  #isClosed = false;

  /** @throws {RangeError} when two own the same bit */
  constructor(list: readonly Extension[], account?: Account) {
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
    this.#account = account;
    if (account) for (const extension of list) extension.reportMemory?.((change) => account.add(change));
  }

  get isEmpty(): boolean {
    return this.#list.length === 0;
  }

  /** Does anybody decode a message whose first frame has these bits? */
  decodes(rsv: number): boolean {
    for (const extension of this.#list) if (applies(extension, rsv)) return true;
    return false;
  }

  encode(payload: Uint8Array, fragment: OutgoingFragment, done: Encoded): void {
    const step = (i: number, bytes: Uint8Array, rsv: number): void => {
      const extension = this.#list[i];
      if (extension === undefined) return done(null, bytes, rsv);
      // Behind another one, the payload is not the same for all connections.
      const told = i > 0 && fragment.prepared ? { ...fragment, prepared: undefined } : fragment;
      encodeWith(extension, bytes, told, (error, encoded, bits) => {
        if (error) done(error, NOTHING, 0);
        else step(i + 1, encoded, rsv | bits);
      });
    };
    const [only] = this.#list;
    if (only !== undefined && this.#list.length === 1) encodeWith(only, payload, fragment, done);
    else step(0, payload, 0);
  }

  /**
   * `rsv`: the bits of the message's first frame. Of several that decode a message, the last one gives its output on as the taker wants
   * it; what those before it make of a piece is kept whole, and may be no longer than `remaining`, or than the piece: near its limit a message
   * may still have much that is encoded.
   */
  decode(slice: Uint8Array, piece: IncomingPiece, rsv: number, output: Output, done: Done): void {
    const takers = this.#list.length === 1 ? this.#list : this.#list.filter((extension) => applies(extension, rsv));
    const [first] = takers;
    if (first !== undefined && takers.length === 1) return decodeWith(first, slice, piece, output, done);
    const step = (i: number, bytes: Uint8Array): void => {
      const extension = takers[i];
      if (extension === undefined) return done(null);
      const flow = i === 0 ? piece.flow : undefined;
      const remaining = i === 0 ? piece.remaining : Math.max(piece.remaining, bytes.length);
      const told = { ...piece, length: bytes === slice ? piece.length : undefined, remaining, flow };
      if (i === 0) return decodeWith(extension, bytes, told, output, done);
      const decoded = new MessageBuffer((byteLength) => new Uint8Array(byteLength));
      let excess: Failure | null = null;
      const collect = (part: Uint8Array): void => {
        const length = decoded.byteLength + part.length;
        if (length > remaining) excess ??= new ProtocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', `${length} bytes`);
        else decoded.append(part);
        count(decoded.retainedBytes);
      };
      let counted = 0;
      const count = (retained: number): void => {
        this.#account?.add(retained - counted);
        counted = retained;
      };
      decodeWith(extension, bytes, told, collect, (error) => {
        count(0);
        const failure = error ?? excess;
        if (failure) done(failure);
        else step(i - 1, decoded.takeWhole());
      });
    };
    step(takers.length - 1, slice);
  }

  /** Memory is short. */
  relieve(): void {
    for (const extension of this.#list) guarded(() => extension.relieve?.());
  }

  /** What one of them throws is raised apart: the connection has to come to its end. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const extension of this.#list) guarded(() => extension.close?.());
  }
}

function guarded(act: () => void): void {
  try {
    act();
  } catch (error) {
    raise(error);
  }
}

// An extension's first answer counts and no other. What it throws instead of answering is a failure of its own; what is
// thrown once it has answered comes from further on, and passes.

function encodeWith(extension: Extension, payload: Uint8Array, fragment: OutgoingFragment, done: Encoded): void {
  let isAnswered = false;
  try {
    extension.encode(payload, fragment, (error, encoded, rsv) => {
      if (isAnswered) return;
      isAnswered = true;
      done(error, encoded, rsv);
    });
  } catch (error) {
    if (isAnswered) throw error;
    isAnswered = true;
    done(error as Failure, NOTHING, 0);
  }
}

function decodeWith(extension: Extension, slice: Uint8Array, piece: IncomingPiece, output: Output, done: Done): void {
  let isAnswered = false;
  try {
    extension.decode(slice, piece, output, (error) => {
      if (isAnswered) return;
      isAnswered = true;
      done(error);
    });
  } catch (error) {
    if (isAnswered) throw error;
    isAnswered = true;
    done(error as Failure);
  }
}

const applies = (extension: Extension, rsv: number): boolean => extension.rsv === 0 || (extension.rsv & rsv) !== 0;
