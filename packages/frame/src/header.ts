import { ProtocolError } from './errors.js';
import { isControl, isOpcode, type Opcode } from './opcode.js';

/** What a frame's header says. RFC 6455 §5.2. */
export interface FrameHead {
  readonly fin: boolean;
  /** RSV1, RSV2 and RSV3 as one number from 0 to 7; RSV1 is 4. */
  readonly rsv: number;
  readonly opcode: Opcode;
  /** The four key octets as a big-endian uint32; `undefined` when MASK is 0. */
  readonly maskingKey: number | undefined;
  /** In bytes, up to 2^53 - 1. */
  readonly payloadLength: number;
}

/** A head and the length of its encoding in bytes, 2 to 14. */
export interface FrameHeader extends FrameHead {
  readonly byteLength: number;
}

/** A head to be sent: `fin` is true, `rsv` 0 and the frame not masked where left out. */
export interface FrameInit {
  readonly opcode: Opcode;
  readonly fin?: boolean | undefined;
  readonly rsv?: number | undefined;
  readonly maskingKey?: number | undefined;
}

/** The least value that a length field of this form may hold in strict mode. §5.2: "the minimal number of bytes". */
export const minimalLength = (length7: number): number => (length7 === 127 ? 0x10000 : length7 === 126 ? 126 : 0);

/**
 * Decodes the header at the start of `bytes`; neither consumes `bytes` nor keeps it. Checks what a header says
 * on its own: rules that need the role, an extension or an earlier frame are the caller's.
 * @param strictLength refuse a length that is not in its shortest form
 * @returns `undefined` while `bytes` ends before the header does
 * @throws {ProtocolError} WS_ERR_INVALID_OPCODE, WS_ERR_EXPECTED_FIN, WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH,
 * WS_ERR_NON_MINIMAL_LENGTH, WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH
 */
export function decodeHeader(bytes: Uint8Array, strictLength = true): FrameHeader | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes[0]!;
  const second = bytes[1]!;

  const fin = (first & 0x80) !== 0;
  const opcode = first & 0x0f;
  const length7 = second & 0x7f;
  if (!isOpcode(opcode)) throw new ProtocolError('WS_ERR_INVALID_OPCODE', `0x${opcode.toString(16)}`);
  if (isControl(opcode) && !fin) throw new ProtocolError('WS_ERR_EXPECTED_FIN'); // §5.5
  if (isControl(opcode) && length7 > 125)
    throw new ProtocolError('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 'over 125 bytes'); // §5.5

  const masked = (second & 0x80) !== 0;
  const keyOffset = length7 === 127 ? 10 : length7 === 126 ? 4 : 2;
  const byteLength = keyOffset + (masked ? 4 : 0);
  if (bytes.length < byteLength) return undefined;

  const payloadLength = length7 === 127 ? uint64(bytes, 2) : length7 === 126 ? uint16(bytes, 2) : length7;
  if (strictLength && payloadLength < minimalLength(length7))
    throw new ProtocolError('WS_ERR_NON_MINIMAL_LENGTH', `${payloadLength} bytes`);
  if (payloadLength > Number.MAX_SAFE_INTEGER)
    throw new ProtocolError('WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', `${payloadLength} bytes`);
  const maskingKey = masked ? uint32(bytes, keyOffset) : undefined;
  return { fin, rsv: (first >> 4) & 0x7, opcode, maskingKey, payloadLength, byteLength };
}

/** Network byte order, as all of §5.2. */
export const uint16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;

export const uint32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;

/** Not exact beyond 2^53, where it is refused. What fits into the lower half stays a small integer to the engine. */
export function uint64(bytes: Uint8Array, at: number): number {
  const high = uint32(bytes, at);
  return high === 0 ? uint32(bytes, at + 4) : high * 2 ** 32 + uint32(bytes, at + 4);
}
