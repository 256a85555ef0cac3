import { ProtocolError, type ViolationCode } from './errors.js';
import { minimalLength } from './header.js';
import { isOpcode } from './opcode.js';

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
  /** Copies `memory[from, to)`, for what has to be kept of lent memory. @default `slice` of a Uint8Array */
  readonly copy?: ((memory: Uint8Array, from: number, to: number) => Uint8Array) | undefined;
}

/** What one frame may say, octet by octet: each check is made at the first octet that decides it. */
export class FrameRules {
  /** The MASK bit that the peer must send; -1 where both are fine. */
  readonly #maskBit: number;
  readonly #maxFramePayload: number;
  /** Up to here the seven bits of length break no rule. */
  readonly #plainLength: number;
  readonly #allowedRsv: number;
  readonly #strictLength: boolean;
  /** The rule that was broken; there is no second one. */
  violation: ProtocolError | undefined;

  constructor({ role = 'any', allowedRsv = 0, maxFramePayload = false, strictLength = true }: FrameParserOptions) {
    if (role !== 'server' && role !== 'client' && role !== 'any')
      throw new TypeError(`role is ${String(role)}, expected 'server', 'client' or 'any'`);
    if (!Number.isInteger(allowedRsv) || allowedRsv < 0 || allowedRsv > 7)
      throw new RangeError(`allowedRsv is ${String(allowedRsv)}, expected an integer from 0 to 7`);
    if (maxFramePayload !== false && !(typeof maxFramePayload === 'number' && maxFramePayload >= 0))
      throw new RangeError(`maxFramePayload is ${String(maxFramePayload)}, expected a non-negative number or false`);
    if (typeof strictLength !== 'boolean')
      throw new TypeError(`strictLength is ${String(strictLength)}, expected a boolean`);
    this.#maskBit = role === 'any' ? -1 : role === 'server' ? 0x80 : 0;
    this.#maxFramePayload = maxFramePayload || Infinity;
    this.#plainLength = Math.min(this.#maxFramePayload, 125);
    this.#allowedRsv = allowedRsv;
    this.#strictLength = strictLength;
  }

  /** FIN, RSV and opcode. Nearly every frame leaves at the first line: small enough to be inlined, it saves 5 ns of 40. */
  checkFirst(first: number): void {
    if ((first & 0x77) > 0x2 || (first & 0x88) === 0x08) this.#examineFirst(first);
  }

  #examineFirst(first: number): void {
    const opcode = first & 0x0f;
    this.#checkRsv((first >> 4) & 0x7, opcode >= 0x8);
    if (!isOpcode(opcode)) this.#fail('WS_ERR_INVALID_OPCODE', `0x${opcode.toString(16)}`);
    if (first < 0x80 && opcode >= 0x8) this.#fail('WS_ERR_EXPECTED_FIN'); // §5.5
  }

  #checkRsv(rsv: number, control: boolean): void {
    const unexpected = rsv & ~(control ? this.#allowedRsv & 0x3 : this.#allowedRsv); // RFC 7692 §6: no RSV1 there
    if ((unexpected & 0x3) !== 0) this.#fail('WS_ERR_UNEXPECTED_RSV_2_3');
    if (unexpected !== 0) this.#fail('WS_ERR_UNEXPECTED_RSV_1');
  }

  /** MASK and the seven bits of length; inlined as `checkFirst` is. */
  checkSecond(first: number, second: number): void {
    if ((second & 0x80) !== this.#maskBit || (second & 0x7f) > this.#plainLength) this.#examineSecond(first, second);
  }

  /** A data frame with this second octet and length breaks none of the rules that depend on options. */
  isWithin(second: number, payloadLength: number): boolean {
    return (this.#maskBit === -1 || (second & 0x80) === this.#maskBit) && payloadLength <= this.#maxFramePayload;
  }

  #examineSecond(first: number, second: number): void {
    if (this.#maskBit !== -1 && (second & 0x80) !== this.#maskBit)
      this.#fail(this.#maskBit === 0 ? 'WS_ERR_UNEXPECTED_MASK' : 'WS_ERR_EXPECTED_MASK'); // §5.1
    const length7 = second & 0x7f;
    const control = (first & 0x8) !== 0; // its limit is the protocol's, not ours
    if (control && length7 > 125) this.#fail('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 'over 125 bytes'); // §5.5
    if (!control && length7 <= 125) this.#checkLimit(length7);
  }

  /**
   * An extended length, or its first octets: it is at least `high * unit` and less than `(high + 1) * unit`.
   * Only data frames have one.
   */
  checkLength(length7: number, high: number, unit: number): void {
    const least = high * unit;
    if (this.#strictLength && least + unit <= minimalLength(length7))
      this.#fail('WS_ERR_NON_MINIMAL_LENGTH', `${least} bytes`);
    if (least > Number.MAX_SAFE_INTEGER) this.#fail('WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', `${least} bytes`);
    this.#checkLimit(least);
  }

  #checkLimit(payloadLength: number): void {
    if (payloadLength > this.#maxFramePayload)
      this.#fail(
        'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
        `${payloadLength} bytes, expected at most ${this.#maxFramePayload}`,
      );
  }

  #fail(code: ViolationCode, detail?: string): never {
    this.violation = new ProtocolError(code, detail);
    throw this.violation;
  }
}
