import { aText, fails } from '../expect.js';
import { continuation, frame, text } from '../input.js';
import { frameTable, type FrameRow } from '../table.js';

// Reserved opcodes and RSV bits, §5.2. No extension is negotiated in any of these.

const RESERVED_OPCODES = [0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf];

const OPCODE = 'WS_ERR_INVALID_OPCODE';

const opcodes: FrameRow[] = RESERVED_OPCODES.flatMap((opcode): FrameRow[] => {
  const name = opcode.toString(16);
  return [
    {
      id: `opcode-${name}`,
      section: '§5.2',
      title: `opcode 0x${name}, empty`,
      input: [frame(opcode)],
      expect: fails(1002, OPCODE),
    },
    {
      id: `opcode-${name}-payload`,
      section: '§5.2',
      title: `opcode 0x${name} with a payload, after a message`,
      input: [text('fine'), frame(opcode, 'payload'), text('ignored')],
      expect: fails(1002, OPCODE, aText('fine')),
    },
    {
      id: `opcode-${name}-inside`,
      section: '§5.2',
      title: `opcode 0x${name} between two fragments, without FIN`,
      input: [text('Hel', { fin: false }), frame(opcode, '', { fin: false }), continuation('lo')],
      expect: fails(1002, opcode >= 0x8 ? [OPCODE, 'WS_ERR_EXPECTED_FIN'] : OPCODE),
    },
  ];
});

const RSV1 = 'WS_ERR_UNEXPECTED_RSV_1';
const RSV23 = 'WS_ERR_UNEXPECTED_RSV_2_3';

const codesFor = (rsv: number): string | string[] => (rsv === 4 ? RSV1 : rsv < 4 ? RSV23 : [RSV1, RSV23]);

const KINDS = [
  { name: 'text', opcode: 0x1, payload: 'Hello' },
  { name: 'binary', opcode: 0x2, payload: 'Hello' },
  { name: 'close', opcode: 0x8, payload: Buffer.from([3, 232]) },
  { name: 'ping', opcode: 0x9, payload: 'Hello' },
  { name: 'pong', opcode: 0xa, payload: '' },
];

const bits: FrameRow[] = [1, 2, 3, 4, 5, 6, 7].flatMap((rsv) => [
  ...KINDS.map(({ name, opcode, payload }): FrameRow => ({
    id: `rsv-${rsv}-${name}`,
    section: '§5.2',
    title: `RSV bits ${rsv.toString(2).padStart(3, '0')} on a ${name} frame`,
    input: [text('fine'), frame(opcode, payload, { rsv })],
    expect: fails(1002, codesFor(rsv), aText('fine')),
  })),
  {
    id: `rsv-${rsv}-continuation`,
    section: '§5.2',
    title: `RSV bits ${rsv.toString(2).padStart(3, '0')} on a continuation frame`,
    input: [text('Hel', { fin: false }), continuation('lo', { rsv })],
    expect: fails(1002, codesFor(rsv)),
  },
  {
    id: `rsv-${rsv}-first-fragment`,
    section: '§5.2',
    title: `RSV bits ${rsv.toString(2).padStart(3, '0')} on the first fragment`,
    input: [text('Hel', { fin: false, rsv }), continuation('lo')],
    expect: fails(1002, codesFor(rsv)),
  },
]);

export const reserved = frameTable('reserved', [...opcodes, ...bits]);
