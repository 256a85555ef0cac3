import { deflated, fixed, stored } from '../blocks.js';
import { aBinary, aText, clean, fails } from '../expect.js';
import { continuation, frame, hex, letters, RSV1, squeezed, squeezedFragments, text } from '../input.js';
import { HELLO, inBoth, noTakeover, takeover, zlibs } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// Compressed messages as frames: fragments, RSV1 and what may stand between them. RFC 7692 §6, §7.2.

const hello = hex(HELLO);
const eachByte = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.of(byte));

const SPLITS: readonly { id: string; title: string; payloads: readonly (string | Buffer)[]; reads?: string }[] = [
  { id: 'example', title: 'the example: three bytes, then four', payloads: ['f2 48 cd', 'c9 c9 07 00'] },
  ...hello
    .subarray(1)
    .toJSON()
    .data.map((_, i) => ({
      id: `at-${i + 1}`,
      title: `cut behind byte ${i + 1}`,
      payloads: [hello.subarray(0, i + 1), hello.subarray(i + 1)],
    })),
  { id: 'each-byte', title: 'each byte in a frame of its own', payloads: eachByte(hello) },
  { id: 'empty-first', title: 'an empty frame with RSV1 first', payloads: ['', HELLO] },
  { id: 'empty-last', title: 'an empty frame last', payloads: [HELLO, ''] },
  {
    id: 'empty-many',
    title: 'each byte in a frame of its own, and three empty frames before each and at the end',
    payloads: [...eachByte(hello).flatMap((byte) => ['', '', '', byte]), '', '', ''],
  },
  { id: 'empty-message', title: 'an empty message in two frames', payloads: ['', '00'], reads: '' },
  {
    id: 'empty-message-and-frames',
    title: 'an empty message among empty frames',
    payloads: ['', '', '00', '', ''],
    reads: '',
  },
  {
    id: 'final-alone',
    title: 'a block with BFINAL, its 00 in the next frame',
    payloads: ['f3 48 cd c9 c9 07 00', '00'],
  },
  {
    id: 'final-then-more',
    title: 'a block with BFINAL, and another block in the next frame',
    payloads: [deflated(fixed('Hel', { final: true })).subarray(0, -1), deflated(stored('lo'))],
  },
  {
    id: 'flushed-each',
    title: 'each frame flushed by itself, as a sender does that does not know the end',
    payloads: ['f2 48 05 00 00 00 ff ff', 'ca c9 c9 07 00'],
  },
  {
    id: 'block-each',
    title: 'a stored block in each frame',
    payloads: ['00 02 00 fd ff 48 65', '00 02 00 fd ff 6c 6c', '00 01 00 fe ff 6f', '00'],
  },
  {
    id: 'in-stored-header',
    title: 'cut in the lengths of a stored block',
    payloads: ['00 05 00', 'fa ff 48 65 6c 6c 6f 00'],
  },
  {
    id: 'hundred',
    title: '20000 letters in a hundred frames',
    payloads: ((bytes) =>
      Array.from({ length: 100 }, (_, i) =>
        bytes.subarray(Math.floor((i * bytes.length) / 100), Math.floor(((i + 1) * bytes.length) / 100)),
      ))(zlibs(letters(20_000), { level: 0 })),
    reads: letters(20_000),
  },
];

const split = SPLITS.flatMap(({ id, title, payloads, reads = 'Hello' }): FrameRow[] =>
  inBoth({
    id: `split-${id}`,
    section: 'RFC 7692 §7.2.3.1',
    title,
    input: [...squeezedFragments(1, payloads), squeezed(2, HELLO)],
    expect: clean(aText(reads), aBinary('Hello')),
  }),
);

const RSV1_CODE = 'WS_ERR_UNEXPECTED_RSV_1';
const RSV23_CODE = 'WS_ERR_UNEXPECTED_RSV_2_3';

const bits: FrameRow[] = [
  {
    id: 'rsv1-continuation',
    section: 'RFC 7692 §6.1',
    title: 'RSV1 on the second frame of a compressed message',
    ...takeover(),
    input: [squeezed(1, 'f2 48 cd', { fin: false }), continuation(hello.subarray(3), { rsv: RSV1 })],
    expect: fails(1002, RSV1_CODE),
  },
  {
    id: 'rsv1-third',
    section: 'RFC 7692 §6.1',
    title: 'RSV1 on the third frame of a compressed message, which is empty',
    ...takeover(),
    input: [
      squeezed(1, 'f2 48 cd', { fin: false }),
      continuation(hello.subarray(3), { fin: false }),
      continuation('', { rsv: RSV1 }),
    ],
    expect: fails(1002, RSV1_CODE),
  },
  {
    id: 'rsv1-late',
    section: 'RFC 7692 §6.1',
    title: 'RSV1 on the second frame of a message that began without it',
    ...takeover(),
    input: [text('Hel', { fin: false }), continuation(hello, { rsv: RSV1 })],
    expect: fails(1002, RSV1_CODE),
  },
  {
    id: 'rsv1-stray',
    section: 'RFC 7692 §6.1',
    title: 'a continuation frame with RSV1 and nothing to continue',
    ...takeover(),
    input: [squeezed(1, HELLO), continuation(hello, { rsv: RSV1 })],
    expect: fails(1002, [RSV1_CODE, 'WS_ERR_INVALID_OPCODE'], aText('Hello')),
  },
  {
    id: 'rsv1-nested',
    section: '§5.4',
    title: 'a compressed message inside a compressed one',
    ...takeover(),
    input: [squeezed(1, 'f2 48 cd', { fin: false }), squeezed(1, HELLO)],
    expect: fails(1002, 'WS_ERR_INVALID_OPCODE'),
  },
  {
    id: 'plain-nested',
    section: '§5.4',
    title: 'an uncompressed message inside a compressed one',
    ...takeover(),
    input: [squeezed(1, 'f2 48 cd', { fin: false }), text('plain')],
    expect: fails(1002, 'WS_ERR_INVALID_OPCODE'),
  },
  ...[
    { name: 'ping', opcode: 0x9, payload: hello },
    { name: 'empty-ping', opcode: 0x9, payload: '' },
    { name: 'pong', opcode: 0xa, payload: hello },
    { name: 'close', opcode: 0x8, payload: Buffer.of(3, 232) },
    { name: 'empty-close', opcode: 0x8, payload: '' },
  ].flatMap(({ name, opcode, payload }): FrameRow[] => [
    {
      id: `rsv1-${name}`,
      section: 'RFC 7692 §6.1',
      title: `a control frame with RSV1: ${name}`,
      ...takeover(),
      input: [squeezed(1, HELLO), frame(opcode, payload, { rsv: RSV1 })],
      expect: fails(1002, RSV1_CODE, aText('Hello')),
    },
    {
      id: `rsv1-${name}-inside`,
      section: 'RFC 7692 §6.1',
      title: `a control frame with RSV1 between two fragments: ${name}`,
      ...noTakeover(),
      input: [squeezed(1, 'f2 48 cd', { fin: false }), frame(opcode, payload, { rsv: RSV1 })],
      expect: fails(1002, RSV1_CODE),
    },
  ]),
  ...[1, 2, 3, 5, 6, 7].flatMap((rsv): FrameRow[] => [
    {
      id: `rsv-${rsv}-text`,
      section: '§5.2',
      title: `RSV bits ${rsv.toString(2).padStart(3, '0')} on a text frame: only RSV1 has a meaning`,
      ...takeover(),
      input: [squeezed(1, HELLO), frame(1, hello, { rsv })],
      expect: fails(1002, RSV23_CODE, aText('Hello')),
    },
    {
      id: `rsv-${rsv}-continuation`,
      section: '§5.2',
      title: `RSV bits ${rsv.toString(2).padStart(3, '0')} on a continuation frame`,
      ...takeover(),
      input: [squeezed(1, 'f2 48 cd', { fin: false }), continuation(hello.subarray(3), { rsv })],
      expect: fails(1002, rsv > 4 ? [RSV23_CODE, RSV1_CODE] : RSV23_CODE),
    },
  ]),
  ...[
    { id: 'text', input: [squeezed(1, HELLO)] },
    { id: 'binary', input: [squeezed(2, HELLO)] },
    { id: 'empty', input: [squeezed(1, '')] },
    { id: 'fragment', input: squeezedFragments(1, ['f2 48 cd', 'c9 c9 07 00']) },
  ].map(({ id, input }): FrameRow => ({
    id: `not-agreed-${id}`,
    section: 'RFC 7692 §6',
    title: `a compressed message (${id}), though the handshake agreed on nothing`,
    options: { perMessageDeflate: true },
    input: [text('plain'), ...input],
    expect: fails(1002, RSV1_CODE, aText('plain')),
    note: 'our server would, but the request offers nothing; our client offers, but the answer takes nothing up',
  })),
];

export const deflateFrames = frameTable('deflate-frames', [...split, ...bits]);
