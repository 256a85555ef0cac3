import type { AwaitPiece, BytesPiece, FramePiece, Piece, Role } from './case.js';

// Builders for the input column of the table, and the encoder that turns it into bytes. Nothing here comes from
// the packages under test.

/** Bytes from hexadecimal text; blanks and `|` separate. */
export function hex(text: string): Buffer {
  const digits = text.replace(/[\s|]/g, '');
  if (digits.length % 2 !== 0 || /[^0-9a-f]/i.test(digits)) throw new SyntaxError(`not hexadecimal: ${text}`);
  return Buffer.from(digits, 'hex');
}

const toBytes = (data: string | Uint8Array): Uint8Array => (typeof data === 'string' ? Buffer.from(data) : data);

export interface FrameOptions {
  readonly fin?: boolean;
  readonly rsv?: number;
  readonly mask?: 'role' | 'wrong';
  readonly key?: number;
  readonly announced?: bigint | number;
  readonly lengthBits?: 7 | 16 | 64;
}

export function frame(opcode: number, payload: string | Uint8Array = '', options: FrameOptions = {}): FramePiece {
  return {
    kind: 'frame',
    opcode,
    fin: options.fin ?? true,
    rsv: options.rsv ?? 0,
    payload: toBytes(payload),
    mask: options.mask ?? 'role',
    key: options.key,
    announced: options.announced === undefined ? undefined : BigInt(options.announced),
    lengthBits: options.lengthBits,
  };
}

type Builder = (payload?: string | Uint8Array, options?: FrameOptions) => FramePiece;
export const continuation: Builder = (payload, options) => frame(0x0, payload, options);
export const text: Builder = (payload, options) => frame(0x1, payload, options);
export const binary: Builder = (payload, options) => frame(0x2, payload, options);
export const closeWith: Builder = (payload, options) => frame(0x8, payload, options);
export const ping: Builder = (payload, options) => frame(0x9, payload, options);
export const pong: Builder = (payload, options) => frame(0xa, payload, options);

/** A close frame by code and reason; the code may be any 16-bit number, the reason any bytes. */
export function close(code: number, reason: string | Uint8Array = '', options?: FrameOptions): FramePiece {
  return closeWith(Buffer.concat([Buffer.of(code >> 8, code & 0xff), toBytes(reason)]), options);
}

export const bytes = (data: string | Uint8Array): BytesPiece => ({
  kind: 'bytes',
  bytes: typeof data === 'string' ? hex(data) : data,
});

export const awaits = (what: AwaitPiece['what'], count: number): AwaitPiece => ({ kind: 'await', what, count });

/** The same message as frames of the given payloads. */
export function fragments(
  opcode: number,
  payloads: readonly (string | Uint8Array)[],
  options: Omit<FrameOptions, 'fin'> = {},
): FramePiece[] {
  return payloads.map((payload, i) =>
    frame(i === 0 ? opcode : 0x0, payload, { ...options, fin: i === payloads.length - 1 }),
  );
}

/** RSV1 says that a message is compressed. RFC 7692 §6 */
export const RSV1 = 4;

/** One whole message, as it travels compressed. */
export const squeezed = (opcode: 1 | 2, payload: string | Uint8Array, options: FrameOptions = {}): FramePiece =>
  frame(opcode, typeof payload === 'string' ? hex(payload) : payload, { rsv: RSV1, ...options });

/** A compressed message in fragments: RSV1 stands on the first one alone. */
export const squeezedFragments = (opcode: 1 | 2, payloads: readonly (string | Uint8Array)[]): FramePiece[] =>
  payloads.map((payload, i) =>
    frame(i === 0 ? opcode : 0x0, typeof payload === 'string' ? hex(payload) : payload, {
      fin: i === payloads.length - 1,
      rsv: i === 0 ? RSV1 : 0,
    }),
  );

/** Letters that make a shifted or lost piece visible. */
export const letters = (length: number): string => {
  const period = 'The quick brown fox jumps over the lazy dog. 0123456789;';
  return period.repeat(Math.ceil(length / period.length)).slice(0, length);
};

const NOISE = Uint8Array.from({ length: 251 }, (_, i) => (i * 167 + 13) & 0xff);

/** Bytes of all sizes, whose period (251) fits no power of two. */
export const noise = (length: number): Buffer => Buffer.alloc(length, NOISE);

/** The same in sixteen sizes: bytes that are no text and compress well. */
export const coarse = (length: number): Buffer => noise(length).map((byte) => byte & 0xf0) as Buffer;

/** The key of all masked input that names no other: the one of RFC 6455 §5.7. */
const FIXED_KEY = 0x37fa213d;

export function encodeFrame(piece: FramePiece, role: Role): Buffer {
  const length = piece.announced ?? BigInt(piece.payload.length);
  const bits = piece.lengthBits ?? (length < 126n ? 7 : length < 0x10000n ? 16 : 64);
  const masked = (role === 'server') === (piece.mask === 'role');
  const header = Buffer.alloc(2 + (bits === 16 ? 2 : bits === 64 ? 8 : 0) + (masked ? 4 : 0));
  header[0] = (piece.fin ? 0x80 : 0) | (piece.rsv << 4) | piece.opcode;
  header[1] = (masked ? 0x80 : 0) | (bits === 16 ? 126 : bits === 64 ? 127 : Number(length));
  if (bits === 16) header.writeUInt16BE(Number(length), 2);
  if (bits === 64) header.writeBigUInt64BE(length, 2);
  if (!masked) return Buffer.concat([header, piece.payload]);
  const key = header.subarray(header.length - 4);
  key.writeUInt32BE(piece.key ?? FIXED_KEY);
  return Buffer.concat([header, piece.payload.map((byte, i) => byte ^ (key[i % 4] ?? 0))]);
}

export type Step = Buffer | AwaitPiece;

/** The input as runs of bytes, with the places to wait between them. */
export function render(input: readonly Piece[], role: Role): Step[] {
  const out: Step[] = [];
  let run: Uint8Array[] = [];
  const flush = (): void => {
    if (run.length > 0) out.push(Buffer.concat(run));
    run = [];
  };
  for (const piece of input) {
    if (piece.kind === 'frame') run.push(encodeFrame(piece, role));
    else if (piece.kind === 'bytes') run.push(piece.bytes);
    else {
      flush();
      out.push(piece);
    }
  }
  flush();
  return out;
}
