import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hex } from '@ws/testing';
import { decodeClosePayload, encodeClosePayload, isValidCloseCode, ProtocolError } from '../src/index.js';

test('no code is no payload, and no payload is 1005', () => {
  expect(encodeClosePayload()).toEqual(new Uint8Array(0));
  expect(encodeClosePayload(undefined, '')).toEqual(new Uint8Array(0));
  expect(decodeClosePayload(new Uint8Array(0))).toEqual({ code: 1005, reason: '' });
});

test.each([
  { code: 1000, reason: '', wire: hex`03e8` },
  { code: 1001, reason: 'bye', wire: hex`03e9 627965` },
  { code: 4999, reason: 'é', wire: hex`1387 c3a9` },
  { code: 3000, reason: '\ufeffmark', wire: hex`0bb8 efbbbf 6d61726b` },
])('$code $reason', ({ code, reason, wire }) => {
  expect(encodeClosePayload(code, reason)).toEqual(wire);
  expect(encodeClosePayload(code, new TextEncoder().encode(reason))).toEqual(wire);
  expect(decodeClosePayload(wire)).toEqual({ code, reason });
  expect(decodeClosePayload(Buffer.from(wire))).toEqual({ code, reason });
});

test('property: what was encoded is decoded', () => {
  const codes = fc.integer({ min: 1000, max: 4999 }).filter(isValidCloseCode);
  const reasons = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((reason) => Buffer.byteLength(reason) <= 123);
  fc.assert(
    fc.property(codes, reasons, (code, reason) => {
      expect(decodeClosePayload(encodeClosePayload(code, reason))).toEqual({ code, reason });
    }),
  );
});

test('property: any payload is read, or breaks one of the three rules', () => {
  const rules = ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 'WS_ERR_INVALID_CLOSE_CODE', 'WS_ERR_INVALID_UTF8'];
  const payloads = fc.oneof(
    fc.uint8Array({ maxLength: 125 }),
    fc.uint8Array({ maxLength: 20 }).map((reason) => Uint8Array.of(3, 0xe8, ...reason)),
  );
  fc.assert(
    fc.property(payloads, (payload) => {
      try {
        const { code, reason } = decodeClosePayload(payload);
        if (payload.length > 0) expect(encodeClosePayload(code, reason)).toEqual(payload);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
        expect(rules).toContain(error.code);
      }
    }),
  );
});

test.each([
  ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', 1002, hex`03`],
  ['WS_ERR_INVALID_CLOSE_CODE', 1002, hex`0000`],
  ['WS_ERR_INVALID_CLOSE_CODE', 1002, hex`03e7`],
  ['WS_ERR_INVALID_CLOSE_CODE', 1002, hex`03ec`],
  ['WS_ERR_INVALID_CLOSE_CODE', 1002, hex`03ed 6869`],
  ['WS_ERR_INVALID_CLOSE_CODE', 1002, hex`03f7`],
  ['WS_ERR_INVALID_CLOSE_CODE', 1002, hex`1388`],
  ['WS_ERR_INVALID_CLOSE_CODE', 1002, hex`ffff`],
  ['WS_ERR_INVALID_UTF8', 1007, hex`03e8 ff`],
  ['WS_ERR_INVALID_UTF8', 1007, hex`03e8 61e282`],
])('%s', (code, closeCode, payload) => {
  expect(() => decodeClosePayload(payload)).toThrow(expect.objectContaining({ code, closeCode }));
});

test('a reason has room for 123 bytes, not characters', () => {
  expect(encodeClosePayload(1000, 'a'.repeat(123))).toHaveLength(125);
  expect(encodeClosePayload(1000, 'é'.repeat(61))).toHaveLength(124);
  expect(() => encodeClosePayload(1000, 'a'.repeat(124))).toThrow(RangeError);
  expect(() => encodeClosePayload(1000, 'é'.repeat(62))).toThrow('reason is 124 bytes long, expected at most 123');
  expect(() => encodeClosePayload(1000, new Uint8Array(124))).toThrow(RangeError);
});

test.each([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536, -1, 1000.5, NaN])(
  'code %p may not be sent',
  (code) => {
    expect(() => encodeClosePayload(code)).toThrow(RangeError);
    expect(() => encodeClosePayload(code)).toThrow(`code is ${code}`);
  },
);

const encodeAnything = encodeClosePayload as (code?: unknown, reason?: unknown) => Uint8Array;

test.each([
  ['a code that is no number', '1000', '', 'code is "1000"'],
  ['a code that is null', null, '', 'code is null'],
  ['a reason without a code', undefined, 'why', 'reason'],
  ['bytes without a code', undefined, hex`61`, 'reason'],
  ['bytes that are not UTF-8', 1000, hex`ff`, 'reason is not valid UTF-8'],
  ['bytes that end in the middle', 1000, hex`c3`, 'reason is not valid UTF-8'],
  ['a number', 1000, 5, 'reason'],
  ['null', 1000, null, 'reason'],
  ['an ArrayBuffer', 1000, new ArrayBuffer(4), 'reason'],
  ['a view of something else', 1000, new Float32Array(4), 'reason'],
  ['a DataView', 1000, new DataView(new ArrayBuffer(4)), 'reason'],
])('TypeError for %s', (_, code, reason, message) => {
  expect(() => encodeAnything(code, reason)).toThrow(TypeError);
  expect(() => encodeAnything(code, reason)).toThrow(message);
});

test('half a surrogate pair becomes U+FFFD, as in every text that is encoded', () => {
  expect(decodeClosePayload(encodeClosePayload(1000, '\ud800'))).toEqual({ code: 1000, reason: '\ufffd' });
});
