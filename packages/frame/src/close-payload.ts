import { CloseCode, isValidCloseCode } from './close-code.js';
import { ProtocolError } from './errors.js';
import { Utf8Validator } from './utf8.js';

/** §5.5: a control frame carries at most 125 bytes, two of which are the code. */
const MAX_REASON_BYTES = 123;

/**
 * The body of a Close frame; empty without a code. RFC 6455 §5.5.1.
 * @throws {TypeError} a reason without a code, or one that is neither text nor UTF-8 bytes; a code that is not a number
 * @throws {RangeError} a code that may not travel; a reason over 123 bytes
 */
export function encodeClosePayload(code?: number, reason: string | Uint8Array = ''): Uint8Array {
  const bytes = typeof reason === 'string' ? new TextEncoder().encode(reason) : reason;
  if (bytes?.[Symbol.toStringTag] !== 'Uint8Array') throw new TypeError('reason is neither a string nor a Uint8Array');
  if (code === undefined) {
    if (bytes.length > 0) throw new TypeError('reason is given without a code');
    return new Uint8Array(0);
  }
  if (typeof code !== 'number')
    throw new TypeError(`code is ${typeof code === 'string' ? JSON.stringify(code) : String(code)}, expected a number`);
  if (!isValidCloseCode(code))
    throw new RangeError(`code is ${code}, expected 1000 to 1003, 1007 to 1014 or 3000 to 4999`);
  if (bytes.length > MAX_REASON_BYTES)
    throw new RangeError(`reason is ${bytes.length} bytes long, expected at most ${MAX_REASON_BYTES}`);
  if (!isUtf8(bytes)) throw new TypeError('reason is not valid UTF-8');
  const payload = new Uint8Array(2 + bytes.length);
  payload[0] = code >>> 8;
  payload[1] = code;
  payload.set(bytes, 2);
  return payload;
}

/**
 * Reads the body of a Close frame; an empty one is code 1005 with no reason. RFC 6455 §5.5.1, §7.1.5.
 * @throws {ProtocolError} WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH, WS_ERR_INVALID_CLOSE_CODE, WS_ERR_INVALID_UTF8
 */
export function decodeClosePayload(payload: Uint8Array): { code: number; reason: string } {
  if (payload.length === 0) return { code: CloseCode.NoStatus, reason: '' };
  if (payload.length === 1) throw new ProtocolError('WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', '1 byte of Close body');
  const code = (payload[0]! << 8) | payload[1]!;
  if (!isValidCloseCode(code)) throw new ProtocolError('WS_ERR_INVALID_CLOSE_CODE', `${code}`);
  const reason = payload.subarray(2);
  if (!isUtf8(reason)) throw new ProtocolError('WS_ERR_INVALID_UTF8', 'close reason');
  return { code, reason: reason.length === 0 ? '' : new TextDecoder('utf-8', { ignoreBOM: true }).decode(reason) };
}

function isUtf8(bytes: Uint8Array): boolean {
  const validator = new Utf8Validator();
  return validator.push(bytes) && validator.end();
}
