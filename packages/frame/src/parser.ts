import { ProtocolError, type ViolationCode } from './errors.js';
import { minimalLength, type FrameHead } from './header.js';
import { mask, maskBytes, maskWords, rotateKey, WORDS_PAY_FROM, wordsOf } from './mask.js';
import { isOpcode, type Opcode } from './opcode.js';

export interface FrameParserOptions {
  /** Our end of the connection: a `server` takes masked frames only, a `client` unmasked ones. RFC 6455 §5.1. @default 'any' */
  readonly role?: 'server' | 'client' | 'any' | undefined;
  /** The reserved bits that extensions own, RSV1 being 4. RSV1 is never allowed on control frames (RFC 7692 §6). @default 0 */
  readonly allowedRsv?: number | undefined;
  /** Largest payload of one data frame in bytes, checked on the declared length; 0 or false: no limit. @default false */
  readonly maxFramePayload?: number | false | undefined;
  /** Refuse a length that is not in its shortest form. @default true */
  readonly strictLength?: boolean | undefined;
  /** Unmask in a copy; otherwise inside the chunk that was pushed. @default false */
  readonly preserveInput?: boolean | undefined;
}

/**
 * What the parser calls, synchronously and in wire order. A handler may throw, push, pause and resume: the exception
 * leaves `push` or `resume`, and the next call of either goes on behind what was handed over.
 */
export interface FrameHandlers {
  /** The header is complete, the payload is not. */
  head?(head: FrameHead): void;
  /**
   * The next piece of payload, unmasked, as soon as it is there; an empty one once for an empty frame.
   * `slice` is a view of the chunk (with `preserveInput`, a masked frame's is a copy), `offset` its place in the payload.
   */
  payload?(slice: Uint8Array, offset: number, isLast: boolean): void;
  frameEnd?(): void;
  /** After the `frameEnd` of a data frame with FIN. */
  messageEnd?(): void;
  /** If present, called instead of the four above for a frame that lies whole inside a chunk; much cheaper. */
  frame?(head: FrameHead, payload: Uint8Array): void;
}

/** A chunk that has not had its turn. */
interface Waiting {
  readonly chunk: Uint8Array;
  next: Waiting | undefined;
}

/** What comes next; everything but the header belongs to the frame whose head is `#head`. */
const HEADER = 0;
const PAYLOAD = 1;
const FRAME_END = 2;
const MESSAGE_END = 3;

const NOTHING = new Uint8Array(0);

/**
 * Frames out of a byte stream that is cut anywhere. RFC 6455 §5.2. Checks what one frame says (opcode, RSV, mask,
 * length, rules of control frames) at the byte that decides; the order of frames is the caller's to check. Keeps no
 * payload: a piece is handed over as it arrives, whole frames inside a chunk without a copy.
 */
export class FrameParser {
  readonly #handlers: FrameHandlers;
  readonly #expectMask: boolean | undefined;
  readonly #allowedRsv: number;
  readonly #maxFramePayload: number;
  readonly #strictLength: boolean;
  readonly #preserveInput: boolean;

  #running = false;
  #paused = false;
  #error: ProtocolError | undefined;

  #chunk: Uint8Array = NOTHING;
  #at = 0;
  #words: Int32Array | undefined;
  #firstWaiting: Waiting | undefined;
  #lastWaiting: Waiting | undefined;
  #waitingBytes = 0;

  #phase = HEADER;
  #head: FrameHead | undefined;
  #offset = 0;
  // The header that straddles chunks: octets seen, octets in all, and the fields so far.
  #headerSeen = 0;
  #headerLength = 0;
  #first = 0;
  #second = 0;
  #payloadLength = 0;
  #maskingKey = 0;

  /**
   * @throws {TypeError} for a role there is not
   * @throws {RangeError} for `allowedRsv` or `maxFramePayload` out of range
   */
  constructor(options: FrameParserOptions, handlers: FrameHandlers) {
    const {
      role = 'any',
      allowedRsv = 0,
      maxFramePayload = false,
      strictLength = true,
      preserveInput = false,
    } = options;
    if (role !== 'server' && role !== 'client' && role !== 'any')
      throw new TypeError(`role is ${String(role)}, expected 'server', 'client' or 'any'`);
    if (!(Number.isInteger(allowedRsv) && allowedRsv >= 0 && allowedRsv <= 7))
      throw new RangeError(`allowedRsv is ${allowedRsv}, expected an integer from 0 to 7`);
    if (maxFramePayload !== false && !(maxFramePayload >= 0))
      throw new RangeError(`maxFramePayload is ${String(maxFramePayload)}, expected a non-negative number or false`);
    this.#handlers = handlers;
    this.#expectMask = role === 'any' ? undefined : role === 'server';
    this.#allowedRsv = allowedRsv;
    this.#maxFramePayload = maxFramePayload || Infinity;
    this.#strictLength = strictLength;
    this.#preserveInput = preserveInput;
  }

  /**
   * Parses the next bytes of the stream. They belong to the parser until it has handed them over: while it is paused
   * or called from one of its own handlers, the chunk waits.
   * @throws {ProtocolError} the peer broke the framing rules; `error` is set and later input ignored
   */
  push(chunk: Uint8Array): void {
    if (chunk?.[Symbol.toStringTag] !== 'Uint8Array') throw new TypeError('chunk is not a Uint8Array');
    if (this.#error !== undefined) return;
    if (this.bufferedBytes === 0 && !this.#paused && !this.#running) this.#open(chunk);
    else this.#enqueue(chunk);
    this.#run();
  }

  /** Stops before the next handler call; what is left of the chunk, and chunks pushed meanwhile, are kept. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on, synchronously unless called from a handler. @throws {ProtocolError} as `push` */
  resume(): void {
    this.#paused = false;
    this.#run();
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Bytes of pushed chunks that have not been parsed. */
  get bufferedBytes(): number {
    return this.#chunk.length - this.#at + this.#waitingBytes;
  }

  /** What ended the parsing, if something did. */
  get error(): ProtocolError | undefined {
    return this.#error;
  }

  #open(chunk: Uint8Array): void {
    this.#chunk = chunk;
    this.#at = 0;
    this.#words = undefined;
  }

  #enqueue(chunk: Uint8Array): void {
    const waiting: Waiting = { chunk, next: undefined };
    if (this.#lastWaiting === undefined) this.#firstWaiting = waiting;
    else this.#lastWaiting.next = waiting;
    this.#lastWaiting = waiting;
    this.#waitingBytes += chunk.length;
  }

  /** The next chunk's turn. Without one, nothing of the old chunk is held. */
  #nextChunk(): boolean {
    const waiting = this.#firstWaiting;
    this.#open(waiting === undefined ? NOTHING : waiting.chunk);
    if (waiting === undefined) return false;
    this.#waitingBytes -= waiting.chunk.length;
    this.#firstWaiting = waiting.next;
    if (waiting.next === undefined) this.#lastWaiting = undefined;
    return true;
  }

  #run(): void {
    if (this.#running) return;
    this.#running = true;
    try {
      while (!this.#paused && (this.#step() || this.#nextChunk()));
    } finally {
      this.#running = false;
    }
  }

  #fail(code: ViolationCode, detail?: string): never {
    this.#error = new ProtocolError(code, detail);
    this.#firstWaiting = this.#lastWaiting = undefined;
    this.#waitingBytes = 0;
    this.#open(NOTHING);
    throw this.#error;
  }

  /** Goes on by at most one handler call, state first. @returns false if that takes more bytes */
  #step(): boolean {
    switch (this.#phase) {
      case HEADER:
        return this.#headerSeen === 0 ? this.#parseFrames() : this.#collectHeader();
      case PAYLOAD:
        return this.#parsePayload();
      case FRAME_END: {
        const { fin, opcode } = this.#head!;
        this.#phase = fin && opcode < 0x8 ? MESSAGE_END : HEADER;
        this.#head = undefined;
        this.#handlers.frameEnd?.();
        return true;
      }
      default:
        this.#phase = HEADER;
        this.#handlers.messageEnd?.();
        return true;
    }
  }

  /** The straight-line path: headers that lie whole inside the chunk, and frames if somebody listens for them. */
  #parseFrames(): boolean {
    const chunk = this.#chunk;
    const end = chunk.length;
    while (this.#at < end && !this.#paused) {
      let at = this.#at;
      const first = chunk[at]!;
      this.#checkFirst(first);
      if (at + 1 === end) return this.#collectHeader();
      const second = chunk[at + 1]!;
      this.#checkSecond(first, second);
      const length7 = second & 0x7f;
      let payloadLength = length7;
      at += 2;
      if (length7 >= 126) {
        const bytes = length7 === 126 ? 2 : 8;
        if (at + bytes > end) return this.#collectHeader();
        payloadLength =
          length7 === 126 ? (chunk[at]! << 8) | chunk[at + 1]! : uint32(chunk, at) * 2 ** 32 + uint32(chunk, at + 4);
        at += bytes;
      }
      this.#checkLength(first, length7, payloadLength, 1);
      let maskingKey: number | undefined;
      if (second >= 0x80) {
        if (at + 4 > end) return this.#collectHeader();
        maskingKey = uint32(chunk, at);
        at += 4;
      }
      const head: FrameHead = {
        fin: first >= 0x80,
        rsv: (first >> 4) & 0x7,
        opcode: (first & 0xf) as Opcode,
        maskingKey,
        payloadLength,
      };
      this.#at = at;
      if (this.#handlers.frame === undefined || payloadLength > end - at) {
        this.#begin(head);
        return true;
      }
      this.#at = at + payloadLength;
      this.#handlers.frame(head, this.#take(at, at + payloadLength, maskingKey, 0));
    }
    return this.#paused; // stopped, but not for want of bytes
  }

  #begin(head: FrameHead): void {
    this.#head = head;
    this.#offset = 0;
    this.#phase = PAYLOAD;
    this.#handlers.head?.(head);
  }

  #parsePayload(): boolean {
    const { payloadLength, maskingKey } = this.#head!;
    const offset = this.#offset;
    const from = this.#at;
    const left = payloadLength - offset;
    const here = Math.min(left, this.#chunk.length - from);
    if (here === 0 && left > 0) return false;
    this.#at = from + here;
    this.#offset = offset + here;
    if (here === left) this.#phase = FRAME_END;
    const handlers = this.#handlers;
    if (handlers.payload !== undefined)
      handlers.payload(this.#take(from, from + here, maskingKey, offset), offset, here === left);
    return true;
  }

  /** The payload in `[from, to)` of the chunk, unmasked. */
  #take(from: number, to: number, maskingKey: number | undefined, offset: number): Uint8Array {
    const chunk = this.#chunk;
    if (maskingKey === undefined) return chunk.subarray(from, to);
    if (this.#preserveInput) {
      const copy = Uint8Array.prototype.slice.call(chunk, from, to); // a Buffer's own `slice` does not copy
      mask(copy, maskingKey, offset);
      return copy;
    }
    const key = rotateKey(maskingKey, offset);
    // Whatever follows in the chunk is masked too, so its length decides whether the words pay.
    if (this.#words === undefined && chunk.length - from >= WORDS_PAY_FROM) this.#words = wordsOf(chunk);
    if (this.#words === undefined) maskBytes(chunk, from, to, key);
    else maskWords(chunk, this.#words, from, to, key);
    return chunk.subarray(from, to);
  }

  /** A header that straddles chunks, octet by octet. */
  #collectHeader(): boolean {
    const chunk = this.#chunk;
    while (this.#at < chunk.length) {
      this.#takeHeaderOctet(chunk[this.#at++]!);
      if (this.#headerSeen < 2 || this.#headerSeen < this.#headerLength) continue;
      this.#headerSeen = 0;
      this.#begin({
        fin: this.#first >= 0x80,
        rsv: (this.#first >> 4) & 0x7,
        opcode: (this.#first & 0xf) as Opcode,
        maskingKey: this.#second >= 0x80 ? this.#maskingKey : undefined,
        payloadLength: this.#payloadLength,
      });
      return true;
    }
    return false;
  }

  #takeHeaderOctet(octet: number): void {
    const index = this.#headerSeen++;
    if (index === 0) {
      this.#checkFirst(octet);
      this.#first = octet;
      return;
    }
    if (index === 1) {
      this.#checkSecond(this.#first, octet);
      const length7 = octet & 0x7f;
      this.#second = octet;
      this.#payloadLength = length7 < 126 ? length7 : 0;
      this.#headerLength = (length7 === 127 ? 10 : length7 === 126 ? 4 : 2) + (octet >= 0x80 ? 4 : 0);
      if (length7 < 126) this.#checkLength(this.#first, length7, length7, 1);
      return;
    }
    const lengthLeft = this.#headerLength - (this.#second >= 0x80 ? 4 : 0) - index - 1;
    if (lengthLeft >= 0) {
      this.#payloadLength = this.#payloadLength * 256 + octet;
      this.#checkLength(this.#first, this.#second & 0x7f, this.#payloadLength, 256 ** lengthLeft);
    } else {
      this.#maskingKey = ((this.#maskingKey << 8) | octet) >>> 0;
    }
  }

  #checkFirst(first: number): void {
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) this.#checkRsv((first >> 4) & 0x7, opcode >= 0x8);
    if (!isOpcode(opcode)) this.#fail('WS_ERR_INVALID_OPCODE', `0x${opcode.toString(16)}`);
    if (first < 0x80 && opcode >= 0x8) this.#fail('WS_ERR_EXPECTED_FIN'); // §5.5
  }

  #checkRsv(rsv: number, control: boolean): void {
    const unexpected = rsv & ~(control ? this.#allowedRsv & 0x3 : this.#allowedRsv); // RFC 7692 §6: no RSV1 there
    if ((unexpected & 0x3) !== 0) this.#fail('WS_ERR_UNEXPECTED_RSV_2_3');
    if (unexpected !== 0) this.#fail('WS_ERR_UNEXPECTED_RSV_1');
  }

  #checkSecond(first: number, second: number): void {
    if (this.#expectMask !== undefined && second >= 0x80 !== this.#expectMask)
      this.#fail(this.#expectMask ? 'WS_ERR_EXPECTED_MASK' : 'WS_ERR_UNEXPECTED_MASK'); // §5.1
    if ((second & 0x7f) > 125 && (first & 0x8) !== 0)
      this.#fail('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 'over 125 bytes'); // §5.5
  }

  /** `high` is the length or its first octets, and the length is below `(high + 1) * unit`. */
  #checkLength(first: number, length7: number, high: number, unit: number): void {
    const least = high * unit;
    if (length7 >= 126) {
      if (this.#strictLength && least + unit <= minimalLength(length7))
        this.#fail('WS_ERR_NON_MINIMAL_LENGTH', `${least} bytes`);
      if (least > Number.MAX_SAFE_INTEGER) this.#fail('WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', `${least} bytes`);
    }
    if (least > this.#maxFramePayload && (first & 0x8) === 0)
      this.#fail('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', `${least} bytes, expected at most ${this.#maxFramePayload}`);
  }
}

const uint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
