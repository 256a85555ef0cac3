import type { FrameInit } from './header.js';
import { mask } from './mask.js';
import { isControl, isOpcode } from './opcode.js';

/** Bytes of a header in its shortest form: 2, 4, 6, 8, 10 or 14. RFC 6455 §5.2. */
export function headerLength(payloadLength: number, masked: boolean): number {
  return (payloadLength < 126 ? 2 : payloadLength < 0x10000 ? 4 : 10) + (masked ? 4 : 0);
}

/**
 * Writes a header into the caller's memory, the length in its shortest form. Made for the send path: the values
 * are taken as they are, see `encodeHeader` for one that checks them.
 * @param maskingKey big-endian uint32; `undefined` for a frame that is not masked. The payload is the caller's to mask.
 * @returns the offset behind the header
 * @throws {RangeError} the header does not fit behind `at`; nothing was written
 */
export function writeHeader(
  target: Uint8Array,
  at: number,
  fin: boolean,
  rsv: number,
  opcode: number,
  payloadLength: number,
  maskingKey: number | undefined,
): number {
  const masked = maskingKey !== undefined;
  if (!(at >= 0 && at + headerLength(payloadLength, masked) <= target.length))
    throw new RangeError(
      `a header of ${headerLength(payloadLength, masked)} bytes does not fit at ${at} of ${target.length}`,
    );
  const maskBit = masked ? 0x80 : 0;
  target[at++] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  if (payloadLength < 126) {
    target[at++] = maskBit | payloadLength;
  } else if (payloadLength < 0x10000) {
    target[at++] = maskBit | 126;
    target[at++] = payloadLength >>> 8;
    target[at++] = payloadLength;
  } else {
    target[at++] = maskBit | 127;
    at = writeUint32(target, at, Math.floor(payloadLength / 2 ** 32));
    at = writeUint32(target, at, payloadLength);
  }
  return masked ? writeUint32(target, at, maskingKey) : at;
}

function writeUint32(target: Uint8Array, at: number, value: number): number {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
  return at + 4;
}

/**
 * The header of a legal frame, length in its shortest form.
 * @throws {RangeError} for a head that no frame may have: the message names the field
 */
export function encodeHeader(head: FrameInit & { readonly payloadLength: number }): Uint8Array {
  checkHead(head, head.payloadLength);
  const bytes = new Uint8Array(headerLength(head.payloadLength, head.maskingKey !== undefined));
  writeHeader(bytes, 0, head.fin ?? true, head.rsv ?? 0, head.opcode, head.payloadLength, head.maskingKey);
  return bytes;
}

/**
 * A whole frame in new memory, masked where `head` has a key. `payload` is not changed.
 * @throws {RangeError} for a head that no frame may have: the message names the field
 */
export function encodeFrame(head: FrameInit, payload: Uint8Array): Uint8Array {
  if (payload?.[Symbol.toStringTag] !== 'Uint8Array') throw new TypeError('payload is not a Uint8Array');
  checkHead(head, payload.length);
  const { opcode, fin = true, rsv = 0, maskingKey } = head;
  const frame = new Uint8Array(headerLength(payload.length, maskingKey !== undefined) + payload.length);
  const at = writeHeader(frame, 0, fin, rsv, opcode, payload.length, maskingKey);
  frame.set(payload, at);
  if (maskingKey !== undefined) mask(frame.subarray(at), maskingKey);
  return frame;
}

function checkHead({ opcode, fin = true, rsv = 0, maskingKey }: FrameInit, payloadLength: number): void {
  if (!isInteger(opcode, 0xf) || !isOpcode(opcode))
    throw new RangeError(`opcode is ${String(opcode)}, expected 0, 1, 2, 8, 9 or 10`);
  if (!isInteger(rsv, 7)) throw new RangeError(`rsv is ${rsv}, expected an integer from 0 to 7`);
  if (maskingKey !== undefined && !isInteger(maskingKey, 0xffffffff))
    throw new RangeError(`maskingKey is ${maskingKey}, expected an integer from 0 to 2^32 - 1`);
  if (!isInteger(payloadLength, Number.MAX_SAFE_INTEGER))
    throw new RangeError(`payloadLength is ${payloadLength}, expected an integer from 0 to 2^53 - 1`);
  if (!isControl(opcode)) return;
  if (!fin) throw new RangeError('fin is false, but control frames cannot be fragmented'); // §5.5
  if (payloadLength > 125)
    throw new RangeError(`payloadLength is ${payloadLength}, but control frames carry at most 125 bytes`); // §5.5
}

const isInteger = (value: number, max: number): boolean => Number.isInteger(value) && value >= 0 && value <= max;
