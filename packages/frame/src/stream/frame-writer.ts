import { encodeFrame, headerLength, isControl, mask, Opcode, writeHeader } from '../index.js';
import { randomMaskingKey } from './masking-key.js';

/** What is said of a message, or of a control frame, before its first byte. */
export interface OutgoingHead {
  /** The next frame is the message's last. @default false; `writeEnd` sends a final frame whatever this is */
  readonly fin?: boolean | undefined;
  /** @default that of the duplex */
  readonly mask?: boolean | undefined;
  /**
   * Of the message's first frame: the others are continuations. A control opcode makes the next write one control frame
   * with a head of its own, before or in the middle of the message, whose head stays as it is. @default Text
   */
  readonly opcode?: Opcode | undefined;
  /** Payload of the next frame in bytes, to be filled by several writes; 0: as long as what is written. @default 0 */
  readonly length?: number | undefined;
  /** Big-endian uint32, of all frames of the message; turns `mask` on. @default a random one for each frame */
  readonly maskingKey?: number | undefined;
  /** Reserved bits of the message's first frame, RSV1 being 4; those in `allowedRsv` alone. @default 0 */
  readonly rsv?: number | undefined;
}

interface Head {
  fin: boolean;
  mask: boolean;
  opcode: Opcode;
  length: number;
  maskingKey: number | undefined;
  rsv: number;
}

const OPCODES: readonly unknown[] = Object.values(Opcode);
const NOTHING = Buffer.alloc(0);

/** Writes to bytes: which head a frame gets, where frames and messages end. RFC 6455 §5.2, §5.4. */
export class FrameWriter {
  readonly #mask: boolean;
  readonly #allowedRsv: number;
  #head: Head;
  /** Head of a control frame, until it is written. */
  #control: Head | undefined;
  #isOpen = false;
  /** The frame that is being filled: what it still lacks, what it has, and its key. */
  #missing = 0;
  #filled = 0;
  #key: number | undefined;
  #fin = false;

  constructor(maskByDefault: boolean, allowedRsv: number) {
    this.#mask = maskByDefault;
    this.#allowedRsv = allowedRsv;
    this.#head = this.#newHead();
  }

  /** A message has begun and not ended. */
  get isOpen(): boolean {
    return this.#isOpen;
  }
  /** A frame has been begun and lacks bytes: nothing but these may be sent. */
  get isInsideFrame(): boolean {
    return this.#missing > 0;
  }
  /** What the next write sends is a control frame: its opcode. */
  get controlOpcode(): Opcode | undefined {
    return this.#control?.opcode;
  }

  /** Fields that are undefined keep their value. @throws {TypeError | RangeError} and changes nothing */
  writeHead(head: OutgoingHead): void {
    this.#check(head);
    const { opcode } = head;
    if (opcode !== undefined) this.#control = isControl(opcode) ? (this.#control ?? this.#newHead()) : undefined;
    const target = this.#control ?? this.#head;
    const given = Object.entries(head).filter(([, value]) => value !== undefined);
    Object.assign(target, Object.fromEntries(given));
    if (head.maskingKey !== undefined) target.mask = true;
  }

  /** How many bytes the frame would lack if it ended with `byteLength` more. */
  lacking(byteLength: number): number {
    return (this.#missing || this.#head.length || byteLength) - byteLength;
  }

  /**
   * The bytes that carry `chunk`, in new memory: a frame, or more of one. `isEnd`: the message ends with it.
   * @throws {RangeError} longer than was declared; nothing has changed
   */
  write(chunk: Uint8Array, isEnd: boolean): Uint8Array {
    if (this.lacking(chunk.length) < 0)
      throw new RangeError(
        `chunk is ${chunk.length} bytes long, expected at most ${this.#missing || this.#head.length}`,
      );
    if (this.#missing === 0) return this.#begin(chunk, isEnd);
    const more = Buffer.from(chunk);
    if (this.#key !== undefined) mask(more, this.#key, this.#filled);
    this.#fill(chunk.length);
    // The header was sent before it was known that this is the last frame.
    return isEnd && this.#isOpen && this.#missing === 0 ? Buffer.concat([more, this.#begin(NOTHING, true)]) : more;
  }

  /** The control frame that `writeHead` announced. @throws {RangeError} over 125 bytes */
  writeControl(payload: Uint8Array): Uint8Array {
    const { opcode, rsv, mask: isMasked, maskingKey } = this.#control!;
    const frame = encodeFrame(
      { opcode, rsv, maskingKey: isMasked ? (maskingKey ?? randomMaskingKey()) : undefined },
      payload,
    );
    this.#control = undefined;
    return frame;
  }

  /** A control frame of our own accord. */
  control(opcode: Opcode, payload: Uint8Array): Uint8Array {
    return encodeFrame({ opcode, maskingKey: this.#mask ? randomMaskingKey() : undefined }, payload);
  }

  #begin(chunk: Uint8Array, isEnd: boolean): Uint8Array {
    const { fin, mask: isMasked, opcode, length, maskingKey, rsv } = this.#head;
    const isFirst = !this.#isOpen;
    const payloadLength = length || chunk.length;
    this.#key = isMasked ? (maskingKey ?? randomMaskingKey()) : undefined;
    this.#fin = fin || isEnd;
    this.#filled = 0;
    this.#missing = payloadLength;
    this.#isOpen = true;
    const bytes = Buffer.allocUnsafe(headerLength(payloadLength, isMasked) + chunk.length);
    const frameOpcode = isFirst ? opcode : Opcode.Continuation;
    const at = writeHeader(bytes, 0, this.#fin, isFirst ? rsv : 0, frameOpcode, payloadLength, this.#key);
    bytes.set(chunk, at);
    if (this.#key !== undefined) mask(bytes.subarray(at), this.#key);
    this.#fill(chunk.length);
    return bytes;
  }

  #fill(byteLength: number): void {
    this.#filled += byteLength;
    this.#missing -= byteLength;
    if (this.#missing > 0) return;
    this.#head.length = 0;
    if (!this.#fin) return;
    this.#isOpen = false;
    this.#head = this.#newHead();
  }

  #newHead(): Head {
    return { fin: false, mask: this.#mask, opcode: Opcode.Text, length: 0, maskingKey: undefined, rsv: 0 };
  }

  #check({ fin, mask: isMasked, opcode, length, maskingKey, rsv }: OutgoingHead): void {
    for (const [name, value] of Object.entries({ fin, mask: isMasked }))
      if (value !== undefined && typeof value !== 'boolean')
        throw new TypeError(`${name} is ${String(value)}, expected a boolean`);
    if (opcode !== undefined && !OPCODES.includes(opcode))
      throw new RangeError(`opcode is ${String(opcode)}, expected 0, 1, 2, 8, 9 or 10`);
    checkInteger('length', length, Number.MAX_SAFE_INTEGER);
    checkInteger('maskingKey', maskingKey, 0xffffffff);
    checkInteger('rsv', rsv, 7);
    if (rsv !== undefined && (rsv & ~this.#allowedRsv) !== 0)
      throw new RangeError(`rsv is ${rsv}, but allowedRsv is ${this.#allowedRsv}`);
  }
}

function checkInteger(name: string, value: number | undefined, max: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= max)) return;
  throw new RangeError(`${name} is ${String(value)}, expected an integer from 0 to ${max}`);
}

/** @throws {TypeError} for what no payload can be made of */
export function bytesOf(chunk: Uint8Array | string, encoding?: BufferEncoding): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  if (chunk?.[Symbol.toStringTag] !== 'Uint8Array') throw new TypeError('chunk is neither a string nor a Uint8Array');
  return chunk;
}
