// Frames by hand, right or wrong: nothing of the library is in them. RFC 6455 §5.2.

export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** With which the frames of a peer are masked. */
export const MASKING_KEY = 0x37fa213d;

/** A frame as it was on the wire. */
export interface Frame {
  readonly fin: boolean;
  /** 0 to 7; RSV1 is 4. */
  readonly rsv: number;
  readonly opcode: number;
  readonly maskingKey: number | undefined;
  /** Unmasked. */
  readonly payload: Buffer;
}

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  /** As clients do. @default true */
  readonly masked?: boolean;
  /** A length to write in place of the payload's. */
  readonly announced?: number | bigint;
}

export function frame(opcode: number, payload: string | Uint8Array = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true, announced } = options;
  const body = Buffer.from(payload);
  const length = announced ?? body.length;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (length < 126 ? Number(length) : length < 65_536 ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(Number(length), 2);
  else if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  if (!masked) return Buffer.concat([head, body]);
  const key = Buffer.alloc(4);
  key.writeUInt32BE(MASKING_KEY);
  return Buffer.concat([head, key, exclusiveOr(body, key)]);
}

/** The frame at the start of `bytes`, and where it ends; undefined as long as it is not whole. */
export function firstFrame(bytes: Buffer): { readonly frame: Frame; readonly end: number } | undefined {
  if (bytes.length < 2) return undefined;
  const [first, second] = [bytes.readUInt8(0), bytes.readUInt8(1)];
  const length7 = second & 0x7f;
  const isMasked = (second & 0x80) !== 0;
  const start = 2 + (length7 === 127 ? 8 : length7 === 126 ? 2 : 0) + (isMasked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length = length7 === 127 ? Number(bytes.readBigUInt64BE(2)) : length7 === 126 ? bytes.readUInt16BE(2) : length7;
  const end = start + length;
  if (bytes.length < end) return undefined;
  const key = isMasked ? bytes.subarray(start - 4, start) : undefined;
  const payload = bytes.subarray(start, end);
  return {
    frame: {
      fin: (first & 0x80) !== 0,
      rsv: (first >> 4) & 7,
      opcode: first & 0xf,
      maskingKey: key?.readUInt32BE(),
      payload: key ? exclusiveOr(payload, key) : Buffer.from(payload),
    },
    end,
  };
}

/** Those that are whole. */
export function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let rest = bytes, next = firstFrame(rest); next; next = firstFrame(rest)) {
    frames.push(next.frame);
    rest = rest.subarray(next.end);
  }
  return frames;
}

const exclusiveOr = (bytes: Buffer, key: Buffer): Buffer =>
  Buffer.from(bytes.map((byte, at) => byte ^ (key[at % 4] ?? 0)));
