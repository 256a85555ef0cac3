import { describe, expect, test } from '@jest/globals';
import { hex } from '@ws/testing';
import { decodeHeader, encodeHeader, ProtocolError } from '../src/index.js';

const KEY = 0x37fa213d;

const VECTORS = [
  // RFC 6455 §5.7
  { name: 'unmasked text', wire: hex`81 05`, opcode: 0x1, maskingKey: undefined, payloadLength: 5 },
  { name: 'masked text', wire: hex`81 85 | 37fa213d`, opcode: 0x1, maskingKey: KEY, payloadLength: 5 },
  { name: 'first fragment', wire: hex`01 03`, fin: false, opcode: 0x1, maskingKey: undefined, payloadLength: 3 },
  { name: 'last fragment', wire: hex`80 02`, opcode: 0x0, maskingKey: undefined, payloadLength: 2 },
  { name: 'unmasked ping', wire: hex`89 05`, opcode: 0x9, maskingKey: undefined, payloadLength: 5 },
  { name: 'masked pong', wire: hex`8a 85 | 37fa213d`, opcode: 0xa, maskingKey: KEY, payloadLength: 5 },
  { name: '256 bytes', wire: hex`82 7e 0100`, opcode: 0x2, maskingKey: undefined, payloadLength: 256 },
  { name: '64 KiB', wire: hex`82 7f 0000000000010000`, opcode: 0x2, maskingKey: undefined, payloadLength: 65536 },
  // the borders of the three forms
  { name: 'empty close', wire: hex`88 00`, opcode: 0x8, maskingKey: undefined, payloadLength: 0 },
  { name: '125', wire: hex`82 fd | ffffffff`, opcode: 0x2, maskingKey: 0xffffffff, payloadLength: 125 },
  { name: '126', wire: hex`82 fe 007e | 00000000`, opcode: 0x2, maskingKey: 0, payloadLength: 126 },
  { name: '127', wire: hex`82 7e 007f`, opcode: 0x2, maskingKey: undefined, payloadLength: 127 },
  { name: '65535', wire: hex`82 fe ffff | 80000001`, opcode: 0x2, maskingKey: 0x80000001, payloadLength: 65535 },
  { name: '2^31', wire: hex`82 7f 0000000080000000`, opcode: 0x2, maskingKey: undefined, payloadLength: 2 ** 31 },
  { name: '2^32', wire: hex`82 ff 0000000100000000 | 37fa213d`, opcode: 0x2, maskingKey: KEY, payloadLength: 2 ** 32 },
  {
    name: '2^53 - 1',
    wire: hex`82 7f 001fffffffffffff`,
    opcode: 0x2,
    maskingKey: undefined,
    payloadLength: 2 ** 53 - 1,
  },
  // reserved bits belong to extensions: no business of a header on its own
  { name: 'RSV1', wire: hex`c2 01`, rsv: 4, opcode: 0x2, maskingKey: undefined, payloadLength: 1 },
  { name: 'RSV2', wire: hex`a2 01`, rsv: 2, opcode: 0x2, maskingKey: undefined, payloadLength: 1 },
  { name: 'RSV3', wire: hex`92 01`, rsv: 1, opcode: 0x2, maskingKey: undefined, payloadLength: 1 },
];

describe.each(VECTORS)('$name', ({ wire, fin = true, rsv = 0, opcode, maskingKey, payloadLength }) => {
  const head = { fin, rsv, opcode, maskingKey, payloadLength };

  test('is decoded, asks for more when cut, leaves what follows alone', () => {
    for (let n = 0; n < wire.length; n++) expect(decodeHeader(wire.subarray(0, n))).toBeUndefined();
    expect(decodeHeader(hex`${wire} ff ff`)).toEqual({ ...head, byteLength: wire.length });
  });

  test('is decoded anywhere in memory', () => {
    const at3 = hex`ffffff ${wire}`.subarray(3);
    expect(decodeHeader(at3)).toEqual({ ...head, byteLength: wire.length });
  });

  test('is what the head encodes to', () => {
    expect(encodeHeader(head as Parameters<typeof encodeHeader>[0])).toEqual(wire);
  });
});

test.each([
  ['WS_ERR_INVALID_OPCODE', hex`83 00`],
  ['WS_ERR_INVALID_OPCODE', hex`87 00`],
  ['WS_ERR_INVALID_OPCODE', hex`8b 00`],
  ['WS_ERR_INVALID_OPCODE', hex`8f 00`],
  ['WS_ERR_EXPECTED_FIN', hex`08 00`],
  ['WS_ERR_EXPECTED_FIN', hex`09 00`],
  ['WS_ERR_EXPECTED_FIN', hex`0a 80`],
  ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', hex`89 7e`],
  ['WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH', hex`88 ff`],
  ['WS_ERR_NON_MINIMAL_LENGTH', hex`82 7e 0000`],
  ['WS_ERR_NON_MINIMAL_LENGTH', hex`82 7e 007d`],
  ['WS_ERR_NON_MINIMAL_LENGTH', hex`82 7f 0000000000000000`],
  ['WS_ERR_NON_MINIMAL_LENGTH', hex`82 7f 000000000000ffff`],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', hex`82 7f 0020000000000000`],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', hex`82 7f 8000000000000000`],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', hex`82 7f 8000000000000001`],
  ['WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', hex`82 7f ffffffffffffffff`],
])('%s', (code, wire) => {
  const decode = () => decodeHeader(wire);
  expect(decode).toThrow(ProtocolError);
  expect(decode).toThrow(expect.objectContaining({ code }));
});

test('strictLength: false takes longer forms, but not longer lengths', () => {
  expect(decodeHeader(hex`82 7e 0005`, false)).toMatchObject({ payloadLength: 5, byteLength: 4 });
  expect(decodeHeader(hex`82 7f 0000000000000005`, false)).toMatchObject({ payloadLength: 5, byteLength: 10 });
  expect(() => decodeHeader(hex`82 7f 8000000000000000`, false)).toThrow(
    expect.objectContaining({ code: 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH', closeCode: 1009 }),
  );
});
