import { expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import { VIOLATIONS, type ViolationCode } from '../src/errors.js';
import {
  decodeClosePayload,
  FrameParser,
  ProtocolError,
  Utf8Validator,
  type FrameParserOptions,
} from '../src/index.js';

interface Vector {
  wire: Uint8Array;
  options?: FrameParserOptions;
  /** Octets of `wire` that decide: with one less there is no error. */
  decided: number;
}

const CLOSE_PAYLOADS: Partial<Record<ViolationCode, Uint8Array>> = {
  WS_ERR_INVALID_CLOSE_CODE: hex`03ed`,
  WS_ERR_INVALID_UTF8: hex`03e8 ff`,
};

/** A row for each way to break the framing rules; those that need more than one frame are the assembler's to find. */
const VECTORS: Record<ViolationCode, Vector[]> = {
  WS_ERR_INVALID_OPCODE: [3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode) => ({
    wire: Uint8Array.of(0x80 | opcode, 0),
    decided: 1,
  })),
  WS_ERR_UNEXPECTED_RSV_1: [
    { wire: hex`c1 00`, decided: 1 },
    { wire: hex`c1 00`, options: { allowedRsv: 3 }, decided: 1 },
    { wire: hex`c9 00`, options: { allowedRsv: 7 }, decided: 1 },
  ],
  WS_ERR_UNEXPECTED_RSV_2_3: [
    { wire: hex`a1 00`, decided: 1 },
    { wire: hex`91 00`, options: { allowedRsv: 6 }, decided: 1 },
    { wire: hex`f1 00`, options: { allowedRsv: 4 }, decided: 1 },
    { wire: hex`a9 00`, options: { allowedRsv: 5 }, decided: 1 },
  ],
  WS_ERR_EXPECTED_FIN: [
    { wire: hex`08 00`, decided: 1 },
    { wire: hex`09 00`, decided: 1 },
    { wire: hex`0a 00`, decided: 1 },
  ],
  WS_ERR_EXPECTED_MASK: [{ wire: hex`81 05`, options: { role: 'server' }, decided: 2 }],
  WS_ERR_UNEXPECTED_MASK: [{ wire: hex`81 85 37fa213d`, options: { role: 'client' }, decided: 2 }],
  WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: [
    { wire: hex`88 7e 007e`, decided: 2 },
    { wire: hex`89 fe 0001 00000000`, options: { strictLength: false }, decided: 2 },
    { wire: hex`8a 7f 0000000000010000`, decided: 2 },
  ],
  WS_ERR_NON_MINIMAL_LENGTH: [
    { wire: hex`82 7e 007d`, decided: 4 },
    { wire: hex`82 fe 0000 00000000`, decided: 4 },
    { wire: hex`82 7f 000000000000ffff`, decided: 8 },
    { wire: hex`82 7f 0000000000000005`, options: { maxFramePayload: 1 }, decided: 8 },
  ],
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: [
    { wire: hex`82 7f 0020000000000000`, decided: 4 }, // 2^53
    { wire: hex`82 7f 0020000000000000`, options: { maxFramePayload: 1 }, decided: 4 },
    { wire: hex`82 7f 0100000000000000`, decided: 3 },
    { wire: hex`82 7f 8000000000000000`, decided: 3 }, // 2^63
    { wire: hex`82 7f 8000000000000000`, options: { strictLength: false }, decided: 3 },
    { wire: hex`82 7f ffffffffffffffff`, decided: 3 }, // 2^64 - 1
  ],
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: [
    { wire: hex`82 05`, options: { maxFramePayload: 4 }, decided: 2 },
    { wire: hex`02 85 00000000`, options: { maxFramePayload: 4, role: 'server' }, decided: 2 },
    { wire: hex`80 7e 0100`, options: { maxFramePayload: 255 }, decided: 3 },
    { wire: hex`82 7e 012c`, options: { maxFramePayload: 299 }, decided: 4 },
    { wire: hex`82 7f 0000000000100001`, options: { maxFramePayload: 0x100000 }, decided: 10 },
    { wire: hex`82 7f 001fffffffffffff`, options: { maxFramePayload: 0x100000 }, decided: 4 },
    { wire: hex`82 7e 0005`, options: { maxFramePayload: 4, strictLength: false }, decided: 4 },
  ],
  WS_ERR_INVALID_CLOSE_CODE: [],
  WS_ERR_INVALID_UTF8: [],
  WS_ERR_TOO_MANY_BUFFERED_PARTS: [],
};

const CASES = Object.entries(VECTORS).flatMap(([code, vectors]) =>
  vectors.map((vector) => ({ code: code as ViolationCode, hex: Buffer.from(vector.wire).toString('hex'), ...vector })),
);

test('every row has a vector, or is found behind the parser', () => {
  expect(Object.keys(VECTORS).sort()).toEqual(Object.keys(VIOLATIONS).sort());
  const behind = Object.entries(VECTORS).filter(([, vectors]) => vectors.length === 0);
  expect(behind.map(([code]) => code)).toEqual([
    'WS_ERR_INVALID_CLOSE_CODE',
    'WS_ERR_INVALID_UTF8',
    'WS_ERR_TOO_MANY_BUFFERED_PARTS', // the assembler of @ws/connection counts
  ]);
});

test.each(Object.entries(CLOSE_PAYLOADS))('%s in a close payload', (code, payload) => {
  expect(() => decodeClosePayload(payload)).toThrow(expect.objectContaining({ code }));
});

test('WS_ERR_INVALID_UTF8 is what a caller of Utf8Validator throws', () => {
  expect(new Utf8Validator().push(hex`ff`)).toBe(false);
  expect(new ProtocolError('WS_ERR_INVALID_UTF8').closeCode).toBe(1007);
});

test.each(CASES)('$code: $hex fails at octet $decided, however it is cut', ({ code, wire, options = {}, decided }) => {
  const parser = new FrameParser(options, {});
  const early = new FrameParser(options, {});
  early.push(wire.slice(0, decided - 1));
  expect(early.error).toBeUndefined();

  for (const length of [decided, wire.length]) {
    for (const pieces of everySplit(wire.slice(0, length))) {
      const split = new FrameParser(options, { frame: () => expect('a frame').toBe('not reported') });
      expect(() => pieces.forEach((piece) => split.push(piece))).toThrow(expect.objectContaining({ code }));
      expect(split.error).toMatchObject({ code, closeCode: VIOLATIONS[code].closeCode });
    }
  }

  expect(() => parser.push(wire.slice())).toThrow(ProtocolError);
});

test.each(CASES)(
  '$code: $hex leaves legal frames before it alone, and nothing is read after it',
  ({ code, wire, options = {} }) => {
    const legal = options.role === 'server' ? hex`82 81 00000000 07` : hex`82 01 07`;
    const seen: number[] = [];
    const parser = new FrameParser(options, { frame: (_, payload) => seen.push(...payload) });
    expect(() => parser.push(hex`${legal} ${wire} ${legal}`)).toThrow(expect.objectContaining({ code }));
    expect(parser.bufferedBytes).toBe(0);
    const { error } = parser;
    parser.push(legal);
    parser.resume();
    expect(parser.error).toBe(error);
    expect(seen).toEqual([7]);
  },
);

test('the close codes and sections of the table', () => {
  const rows = Object.entries(VIOLATIONS).map(([code, row]) => `${code} ${row.closeCode} §${row.section}`);
  expect(rows.sort()).toEqual([
    'WS_ERR_EXPECTED_FIN 1002 §5.5',
    'WS_ERR_EXPECTED_MASK 1002 §5.1',
    'WS_ERR_INVALID_CLOSE_CODE 1002 §7.4',
    'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH 1002 §5.5',
    'WS_ERR_INVALID_OPCODE 1002 §5.2',
    'WS_ERR_INVALID_UTF8 1007 §8.1',
    'WS_ERR_NON_MINIMAL_LENGTH 1002 §5.2',
    'WS_ERR_TOO_MANY_BUFFERED_PARTS 1008 §10.4',
    'WS_ERR_UNEXPECTED_MASK 1002 §5.1',
    'WS_ERR_UNEXPECTED_RSV_1 1002 §5.2',
    'WS_ERR_UNEXPECTED_RSV_2_3 1002 §5.2',
    'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH 1009 §5.2',
    'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH 1009 §10.4',
  ]);
  for (const { message } of Object.values(VIOLATIONS)) expect(Buffer.byteLength(message)).toBeLessThanOrEqual(123);
});

test('a ProtocolError says what, the value and where', () => {
  const error = new ProtocolError('WS_ERR_INVALID_OPCODE', '0x3');
  expect(error).toBeInstanceOf(Error);
  expect(error).toMatchObject({ name: 'ProtocolError', code: 'WS_ERR_INVALID_OPCODE', closeCode: 1002 });
  expect(error.message).toBe('reserved opcode: 0x3 (RFC 6455 §5.2)');
  expect(new ProtocolError('WS_ERR_EXPECTED_FIN').message).toBe('fragmented control frame (RFC 6455 §5.5)');
});
