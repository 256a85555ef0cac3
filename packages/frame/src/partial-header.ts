import type { FrameHead } from './header.js';
import type { Opcode } from './opcode.js';
import type { FrameRules } from './rules.js';

/** A header that straddles chunks, taken octet by octet. RFC 6455 §5.2. */
export class PartialHeader {
  readonly #rules: FrameRules;
  #seen = 0;
  #first = 0;
  #second = 0;
  /** Where the extended length ends, and the header. */
  #keyOffset = 2;
  #byteLength = 2;
  #payloadLength = 0;
  #maskingKey = 0;

  constructor(rules: FrameRules) {
    this.#rules = rules;
  }

  /** @returns the head once `octet` completes it @throws {ProtocolError} as soon as an octet breaks a rule */
  add(octet: number): FrameHead | undefined {
    const at = this.#seen++;
    if (at === 0) this.#takeFirst(octet);
    else if (at === 1) this.#takeSecond(octet);
    else if (at < this.#keyOffset) this.#takeLength(octet, this.#keyOffset - at - 1);
    else this.#maskingKey = ((this.#maskingKey << 8) | octet) >>> 0;
    return this.#seen < this.#byteLength ? undefined : this.#head();
  }

  #takeFirst(octet: number): void {
    this.#rules.checkFirst(octet);
    this.#first = octet;
  }

  #takeSecond(octet: number): void {
    this.#rules.checkSecond(this.#first, octet);
    this.#second = octet;
    const length7 = octet & 0x7f;
    if (length7 < 126) this.#payloadLength = length7;
    else this.#keyOffset = length7 === 126 ? 4 : 10;
    this.#byteLength = this.#keyOffset + (octet >= 0x80 ? 4 : 0);
  }

  #takeLength(octet: number, left: number): void {
    this.#payloadLength = this.#payloadLength * 256 + octet;
    this.#rules.checkLength(this.#second & 0x7f, this.#payloadLength, 256 ** left);
  }

  #head(): FrameHead {
    return {
      fin: this.#first >= 0x80,
      rsv: (this.#first >> 4) & 0x7,
      opcode: (this.#first & 0xf) as Opcode,
      maskingKey: this.#second >= 0x80 ? this.#maskingKey : undefined,
      payloadLength: this.#payloadLength,
    };
  }
}
