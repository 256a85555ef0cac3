import { TAIL, type Backend, type ContextHolder, type Deflated, type Deflater } from './backend.js';
import { DeflateError } from './errors.js';
import { RSV1, type Encoded, type OutgoingFragment } from './extension.js';
import { looksIncompressible } from './incompressible.js';

export interface CompressionOptions {
  readonly backend: Backend;
  readonly windowBits: number;
  /** May messages refer to those before them? §7.1.1 */
  readonly takeover: boolean;
  /** Bytes from which on a message is compressed. */
  readonly threshold: number;
}

interface Encoding {
  readonly payload: Uint8Array;
  readonly rsv: number;
}

/** Who wants a prepared message that is still being compressed. */
type Waiting = ((encoding: Encoding) => void)[];

/** An empty end of a message: a stored block, of which four octets are left off. §7.2.3.6 */
const EMPTY_BLOCK: Uint8Array = Uint8Array.of(0x00, ...TAIL);

/** With takeover, a few bytes more are worth the window: what is not sent compressed is not in the peer's. */
const SLACK = 16;

/** The sending half: messages on their way out. RFC 7692 §7.2.1 */
export class Compression implements ContextHolder {
  readonly #options: CompressionOptions;
  /** What compresses the message that is open; `undefined` while none is, or for one that goes as it is. */
  #deflater: Deflater | undefined;
  #isWorking = false;
  #isClosed = false;
  /** Is told how many bytes more, or fewer, are held. */
  report: ((change: number) => void) | undefined;

  constructor(options: CompressionOptions) {
    this.#options = options;
  }

  encode(payload: Uint8Array, fragment: OutgoingFragment, done: Encoded): void {
    const { first, fin, prepared } = fragment;
    if (!first) return this.#continue(payload, fin, done);
    this.#deflater = undefined;
    if (this.#isClosed || fragment.compress === false || lengthOf(payload, fragment) < this.#options.threshold) {
      return done(null, payload, 0);
    }
    if (!fin) this.#begin(payload, done);
    else if (payload.length === 0) done(null, payload, 0);
    else if (prepared) this.#share(payload, prepared, done);
    else this.#whole(payload, done);
  }

  held(change: number): void {
    this.report?.(change);
  }

  close(): void {
    this.#isClosed = true;
    this.#deflater = undefined;
    if (!this.#isWorking) this.#options.backend.release(this);
  }

  #whole(payload: Uint8Array, done: Encoded): void {
    if (looksIncompressible(payload)) return done(null, payload, 0);
    const { backend, windowBits, takeover } = this.#options;
    const deflater = takeover ? backend.deflater(this, windowBits) : undefined;
    if (deflater === undefined) {
      return compressAlone(backend, windowBits, payload, this, ({ payload: encoded, rsv }) => done(null, encoded, rsv));
    }
    this.#run(deflater, payload, (error, bytes) => {
      const { payload: encoded, rsv } = chosen(payload, error, bytes, SLACK);
      this.#putDown(rsv !== 0); // else the window has what the peer will not see
      done(null, encoded, rsv);
    });
  }

  /** The first of several fragments: they share a window, whatever was agreed for messages. */
  #begin(payload: Uint8Array, done: Encoded): void {
    const { backend, windowBits } = this.#options;
    const deflater = looksIncompressible(payload) ? undefined : backend.deflater(this, windowBits);
    if (deflater === undefined) return done(null, payload, 0);
    this.#deflater = deflater;
    this.#fragment(deflater, payload, false, RSV1, done);
  }

  #continue(payload: Uint8Array, fin: boolean, done: Encoded): void {
    const deflater = this.#deflater;
    if (deflater === undefined) done(null, payload, 0);
    else this.#fragment(deflater, payload, fin, 0, done);
  }

  #fragment(deflater: Deflater, payload: Uint8Array, fin: boolean, rsv: number, done: Encoded): void {
    const finish: Deflated = (error, bytes) => {
      if (fin || error || this.#isClosed) {
        this.#deflater = undefined;
        this.#putDown(this.#options.takeover && !error);
      }
      if (error) done(new DeflateError('WS_ERR_DEFLATE_FAILED', error.message, error), payload, 0);
      else done(null, fin ? withoutTail(bytes) : bytes, rsv);
    };
    if (payload.length === 0) finish(null, fin ? EMPTY_BLOCK : payload);
    else this.#run(deflater, payload, finish);
  }

  #run(deflater: Deflater, payload: Uint8Array, done: Deflated): void {
    let bytes: Uint8Array | undefined;
    try {
      bytes = deflater.deflateSync(payload);
    } catch (error) {
      return done(error as Error, payload);
    }
    if (bytes) return done(null, bytes);
    this.#isWorking = true;
    deflater.deflate(payload, (error, late) => {
      this.#isWorking = false;
      done(error, late);
    });
  }

  #putDown(keepsWindow: boolean): void {
    const { backend } = this.#options;
    if (keepsWindow && !this.#isClosed) backend.rest(this);
    else backend.release(this);
  }

  /** One payload for many connections: compressed by the first of them, alone, so that it fits behind any message. */
  #share(payload: Uint8Array, prepared: Map<unknown, unknown>, done: Encoded): void {
    const { backend, windowBits, takeover } = this.#options;
    const encodings = encodingsOf(prepared, backend);
    const send = ({ payload: encoded, rsv }: Encoding): void => {
      // The peer's window gets what ours has not: our next message must not refer to anything before it.
      if (takeover && rsv !== 0) backend.release(this);
      done(null, encoded, rsv);
    };
    const known = encodings.get(windowBits);
    if (Array.isArray(known)) return void known.push(send);
    if (known) return send(known);
    const waiting: Waiting = [send];
    encodings.set(windowBits, waiting);
    const finish = (encoding: Encoding): void => {
      encodings.set(windowBits, encoding);
      for (const next of waiting) next(encoding);
    };
    if (looksIncompressible(payload)) finish({ payload, rsv: 0 });
    else compressAlone(backend, windowBits, payload, this, finish);
  }
}

/** Of the message, as far as that is known: who does not tell may send any number of fragments. */
const lengthOf = (payload: Uint8Array, { fin, length = Infinity }: OutgoingFragment): number =>
  fin ? payload.length : Math.max(payload.length, length);

function encodingsOf(prepared: Map<unknown, unknown>, backend: Backend): Map<number, Encoding | Waiting> {
  const known = prepared.get(backend) as Map<number, Encoding | Waiting> | undefined;
  if (known) return known;
  const encodings = new Map<number, Encoding | Waiting>();
  prepared.set(backend, encodings);
  return encodings;
}

function compressAlone(
  backend: Backend,
  windowBits: number,
  payload: Uint8Array,
  holder: ContextHolder,
  done: (encoding: Encoding) => void,
): void {
  let bytes: Uint8Array | undefined;
  try {
    bytes = backend.deflateSync(payload, windowBits);
  } catch (error) {
    return done(chosen(payload, error as Error, payload));
  }
  if (bytes) done(chosen(payload, null, bytes));
  else backend.deflate(payload, windowBits, (error, late) => done(chosen(payload, error, late)), holder);
}

/** The compressed form where there is one that is shorter, or longer by less than `slack`: nothing forces us to compress. §6.1 */
function chosen(payload: Uint8Array, error: Error | null, bytes: Uint8Array, slack = 0): Encoding {
  if (error || bytes.length - TAIL.length >= payload.length + slack) return { payload, rsv: 0 };
  return { payload: withoutTail(bytes), rsv: RSV1 };
}

const withoutTail = (bytes: Uint8Array): Uint8Array => bytes.subarray(0, bytes.length - TAIL.length);
