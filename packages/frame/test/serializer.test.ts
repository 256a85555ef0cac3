import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hex } from '@ws/testing';
import { decodeHeader, encodeFrame, encodeHeader, headerLength, Opcode, writeHeader } from '../src/index.js';
import { byteLoop } from './byte-loop.js';

const KEY = 0x37fa213d;
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

test.each([
  // RFC 6455 §5.7
  ['unmasked text', { opcode: Opcode.Text }, text('Hello'), hex`81 05 48656c6c6f`],
  ['masked text', { opcode: Opcode.Text, maskingKey: KEY }, text('Hello'), hex`81 85 37fa213d 7f9f4d5158`],
  ['first fragment', { opcode: Opcode.Text, fin: false }, text('Hel'), hex`01 03 48656c`],
  ['last fragment', { opcode: Opcode.Continuation }, text('lo'), hex`80 02 6c6f`],
  ['ping', { opcode: Opcode.Ping }, text('Hello'), hex`89 05 48656c6c6f`],
  ['masked pong', { opcode: Opcode.Pong, maskingKey: KEY }, text('Hello'), hex`8a 85 37fa213d 7f9f4d5158`],
  ['256 bytes', { opcode: Opcode.Binary }, new Uint8Array(256), hex`82 7e 0100 ${new Uint8Array(256)}`],
  ['64 KiB', { opcode: Opcode.Binary }, new Uint8Array(65536), hex`82 7f 0000000000010000 ${new Uint8Array(65536)}`],
  ['RSV1', { opcode: Opcode.Text, rsv: 4 }, text(''), hex`c1 00`],
  ['a key of zero', { opcode: Opcode.Binary, maskingKey: 0 }, hex`07`, hex`82 81 00000000 07`],
  [
    'undefined is left out',
    { opcode: Opcode.Text, fin: undefined, rsv: undefined, maskingKey: undefined },
    hex``,
    hex`81 00`,
  ],
])('encodeFrame: %s', (_, head, payload, wire) => {
  const before = payload.slice();
  expect(encodeFrame(head, payload)).toEqual(wire);
  expect(encodeFrame(head, Buffer.from(payload))).toEqual(wire);
  expect(payload).toEqual(before);
});

test('a head that came from decodeHeader can be given back', () => {
  const head = decodeHeader(hex`81 85 37fa213d`)!;
  expect(encodeHeader(head)).toEqual(hex`81 85 37fa213d`);
  expect(encodeFrame(head, text('Hello'))).toEqual(hex`81 85 37fa213d 7f9f4d5158`);
});

test.each([
  [0, 2],
  [125, 2],
  [126, 4],
  [65535, 4],
  [65536, 10],
  [2 ** 53 - 1, 10],
])('a payload of %i bytes has a header of %i, and four for a key', (payloadLength, bytes) => {
  expect(headerLength(payloadLength, false)).toBe(bytes);
  expect(headerLength(payloadLength, true)).toBe(bytes + 4);
});

test('property: a header is decoded to what was encoded, and has the length that was announced', () => {
  const lengths = fc.oneof(fc.nat(200), fc.nat(70_000), fc.maxSafeNat());
  const keys = fc.option(fc.nat(0xffffffff), { nil: undefined });
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.nat(7),
      fc.constantFrom(0, 1, 2),
      lengths,
      keys,
      (fin, rsv, opcode, payloadLength, maskingKey) => {
        const head = { fin, rsv, opcode: opcode as Opcode, payloadLength, maskingKey };
        const bytes = encodeHeader(head);
        expect(bytes).toHaveLength(headerLength(payloadLength, maskingKey !== undefined));
        expect(decodeHeader(bytes)).toEqual({ ...head, byteLength: bytes.length });
      },
    ),
  );
});

test('property: encodeFrame is header and masked payload', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(0xffffffff), (payload, maskingKey) => {
      const head = { opcode: Opcode.Binary, maskingKey };
      const header = encodeHeader({ ...head, payloadLength: payload.length });
      expect(encodeFrame(head, payload)).toEqual(hex`${header} ${byteLoop(payload, maskingKey)}`);
    }),
  );
});

describe('writeHeader', () => {
  test('writes at any offset, touches nothing else and returns where the payload goes', () => {
    for (const payloadLength of [0, 125, 126, 65535, 65536, 2 ** 31, 2 ** 32 + 5, 2 ** 53 - 1]) {
      for (const maskingKey of [undefined, 0, KEY, 0xffffffff]) {
        const header = encodeHeader({ opcode: Opcode.Text, fin: false, rsv: 4, payloadLength, maskingKey });
        for (const at of [0, 1, 7]) {
          const target = new Uint8Array(at + header.length + 3).fill(0xee);
          const end = writeHeader(target, at, false, 4, Opcode.Text, payloadLength, maskingKey);
          expect(end).toBe(at + header.length);
          expect(target).toEqual(hex`${new Uint8Array(at).fill(0xee)} ${header} eeeeee`);
        }
      }
    }
  });

  test.each([
    [0, 9],
    [1, 10],
    [-1, 20],
    [NaN, 20],
  ])('at %p of %i bytes there is no room for 10', (at, size) => {
    const target = new Uint8Array(size);
    expect(() => writeHeader(target, at, true, 0, Opcode.Binary, 65536, undefined)).toThrow(RangeError);
    expect(target).toEqual(new Uint8Array(size));
  });
});

const invalid: [string, object, number][] = [
  ['opcode is 3', { opcode: 3 }, 0],
  ['opcode is 16', { opcode: 16 }, 0],
  ['opcode is -1', { opcode: -1 }, 0],
  ['opcode is 1.5', { opcode: 1.5 }, 0],
  ['opcode is undefined', {}, 0],
  ['rsv is 8', { opcode: 1, rsv: 8 }, 0],
  ['rsv is -1', { opcode: 1, rsv: -1 }, 0],
  ['maskingKey is 4294967296', { opcode: 1, maskingKey: 2 ** 32 }, 0],
  ['maskingKey is -1', { opcode: 1, maskingKey: -1 }, 0],
  ['maskingKey is null', { opcode: 1, maskingKey: null }, 0],
  ['fin is false', { opcode: 9, fin: false }, 0],
  ['payloadLength is 126', { opcode: 8 }, 126],
];
const encodeAnything = encodeHeader as (head: object) => Uint8Array;
const frameAnything = encodeFrame as (head: object, payload: unknown) => Uint8Array;

test.each(invalid)('no frame has a head whose %s', (message, head, payloadLength) => {
  expect(() => encodeAnything({ ...head, payloadLength })).toThrow(RangeError);
  expect(() => encodeAnything({ ...head, payloadLength })).toThrow(message);
  expect(() => frameAnything(head, new Uint8Array(payloadLength))).toThrow(message);
});

test.each([-1, 1.5, NaN, 2 ** 53, Infinity, undefined, '5'])('payloadLength %p has no encoding', (payloadLength) => {
  expect(() => encodeAnything({ opcode: 2, payloadLength })).toThrow(RangeError);
});

test.each([
  undefined,
  null,
  'text',
  5,
  new ArrayBuffer(4),
  new Float32Array(4),
  new DataView(new ArrayBuffer(4)),
  [1, 2],
])('a payload is bytes: not %p', (payload) => {
  expect(() => frameAnything({ opcode: Opcode.Binary }, payload)).toThrow(TypeError);
});
