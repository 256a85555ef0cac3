import { encodeClosePayload, encodeFrame, Opcode } from '@ws/frame';

type Data = string | Uint8Array;

/** Frames as bytes, made one at a time. `masked` is for those of a client; `first` and `fin` say whether a message begins and ends with it. */
export const frame = {
  createTextFrame: (data: string, masked = false): Buffer => encode(Opcode.Text, data, masked),
  createBinaryFrame: (data: Uint8Array, masked = false, first = true, fin = true): Buffer =>
    encode(first ? Opcode.Binary : Opcode.Continuation, data, masked, fin),
  /** @throws {RangeError} for a code that may not travel, or a reason over 123 bytes */
  createCloseFrame: (code?: number, reason?: string, masked = false): Buffer =>
    encode(Opcode.Close, closePayload(code, reason), masked),
  /** @throws {RangeError} for more than 125 bytes */
  createPingFrame: (data: Data = '', masked = false): Buffer => encode(Opcode.Ping, data, masked),
  /** @throws {RangeError} for more than 125 bytes */
  createPongFrame: (data: Data = '', masked = false): Buffer => encode(Opcode.Pong, data, masked),
};

/**
 * Without a code, or with 1005, it is empty.
 * @throws {RangeError} for a code that may not travel, or a reason over 123 bytes
 */
export const closePayload = (code?: number, reason?: string): Uint8Array =>
  code === undefined || code === 1005 ? encodeClosePayload() : encodeClosePayload(code, reason);

function encode(opcode: Opcode, data: Data, masked: boolean, fin = true): Buffer {
  const maskingKey = masked ? crypto.getRandomValues(new Uint32Array(1))[0] : undefined;
  const payload = typeof data === 'string' ? Buffer.from(data) : data;
  return Buffer.from(encodeFrame({ opcode, fin, maskingKey }, payload).buffer);
}
