// The second opinion: a frame decoder that shares no line with the packages under test. It judges nothing; it only
// says what stands in the bytes.

export interface BackFrame {
  readonly fin: boolean;
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly key: number;
  readonly payload: Buffer;
  /** Was the length in its shortest form? */
  readonly minimal: boolean;
}

export class FrameReader {
  readonly frames: BackFrame[] = [];
  /** Bytes that are no whole frame yet. */
  rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    for (let used = this.#one(); used > 0; used = this.#one()) this.rest = this.rest.subarray(used);
  }

  /** @returns how many bytes the frame at the start takes; 0 if it is not whole */
  #one(): number {
    const bytes = this.rest;
    if (bytes.length < 2) return 0;
    const first = bytes.readUInt8(0);
    const second = bytes.readUInt8(1);
    const marker = second & 0x7f;
    const masked = second >= 0x80;
    const lengthBytes = marker === 126 ? 2 : marker === 127 ? 8 : 0;
    const start = 2 + lengthBytes + (masked ? 4 : 0);
    if (bytes.length < start) return 0;
    const length =
      lengthBytes === 2 ? bytes.readUInt16BE(2) : lengthBytes === 8 ? Number(bytes.readBigUInt64BE(2)) : marker;
    if (bytes.length < start + length) return 0;
    const key = masked ? bytes.readUInt32BE(start - 4) : 0;
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (masked) payload.forEach((byte, i) => (payload[i] = byte ^ ((key >>> (24 - 8 * (i % 4))) & 0xff)));
    this.frames.push({
      fin: first >= 0x80,
      rsv: (first >> 4) & 7,
      opcode: first & 15,
      masked,
      key,
      payload,
      minimal: lengthBytes === 0 || length > (lengthBytes === 2 ? 125 : 0xffff),
    });
    return start + length;
  }
}
