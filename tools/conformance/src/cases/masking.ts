import { aBinary, aPing, aText, clean, closes, fails } from '../expect.js';
import {
  binary,
  bytes,
  close,
  closeWith,
  continuation,
  fragments,
  frame,
  letters,
  noise,
  ping,
  pong,
  text,
} from '../input.js';
import { frameTable, type FrameRow } from '../table.js';

// Masking, §5.1 and §5.3.

const KINDS = [
  { name: 'text', piece: text('Hello', { mask: 'wrong' }) },
  { name: 'empty text', piece: text('', { mask: 'wrong' }) },
  { name: 'binary', piece: binary('Hello', { mask: 'wrong' }) },
  { name: 'first fragment', piece: text('Hel', { mask: 'wrong', fin: false }) },
  { name: 'ping', piece: ping('Hello', { mask: 'wrong' }) },
  { name: 'pong', piece: pong('Hello', { mask: 'wrong' }) },
  { name: 'close', piece: close(1000, 'bye', { mask: 'wrong' }) },
  { name: 'empty close', piece: closeWith('', { mask: 'wrong' }) },
] as const;

const direction: FrameRow[] = KINDS.flatMap(({ name, piece }): FrameRow[] => [
  {
    id: `unmasked-${name.replaceAll(' ', '-')}`,
    section: '§5.1',
    title: `an unmasked ${name} frame from a client`,
    role: 'server',
    input: [piece],
    expect: fails(1002, 'WS_ERR_EXPECTED_MASK'),
  },
  {
    id: `masked-${name.replaceAll(' ', '-')}`,
    section: '§5.1',
    title: `a masked ${name} frame from a server`,
    role: 'client',
    input: [piece],
    expect: fails(1002, 'WS_ERR_UNEXPECTED_MASK'),
  },
]);

const mixed: FrameRow[] = [
  {
    id: 'unmasked-continuation',
    section: '§5.1',
    title: 'a masked first fragment, an unmasked second',
    role: 'server',
    input: [text('Hel', { fin: false }), continuation('lo', { mask: 'wrong' })],
    expect: fails(1002, 'WS_ERR_EXPECTED_MASK'),
  },
  {
    id: 'masked-continuation',
    section: '§5.1',
    title: 'an unmasked first fragment, a masked second',
    role: 'client',
    input: [text('Hel', { fin: false }), continuation('lo', { mask: 'wrong' })],
    expect: fails(1002, 'WS_ERR_UNEXPECTED_MASK'),
  },
  {
    id: 'unmasked-second-message',
    section: '§5.1',
    title: 'a good message, then an unmasked one',
    role: 'server',
    input: [text('fine'), text('not masked', { mask: 'wrong' })],
    expect: fails(1002, 'WS_ERR_EXPECTED_MASK', aText('fine')),
  },
  {
    id: 'masked-second-message',
    section: '§5.1',
    title: 'a good message, then a masked one',
    role: 'client',
    input: [text('fine'), text('masked', { mask: 'wrong' })],
    expect: fails(1002, 'WS_ERR_UNEXPECTED_MASK', aText('fine')),
  },
  {
    id: 'unmasked-two-bytes',
    section: '§5.1',
    title: 'the missing MASK bit is seen in the second byte, before any payload',
    role: 'server',
    input: [bytes('82 7d')],
    expect: fails(1002, 'WS_ERR_EXPECTED_MASK'),
    note: 'the RFC sets no moment; ours is: as soon as the byte is there',
  },
  {
    id: 'masked-two-bytes',
    section: '§5.1',
    title: 'the MASK bit is seen in the second byte, before the key',
    role: 'client',
    input: [bytes('82 fd')],
    expect: fails(1002, 'WS_ERR_UNEXPECTED_MASK'),
    note: 'the RFC sets no moment; ours is: as soon as the byte is there',
  },
];

const KEYS = [
  0x00000000, 0xffffffff, 0xff000000, 0x00ff0000, 0x0000ff00, 0x000000ff, 0x01020304, 0x80808080, 0x7fffffff,
  0x80000000,
];

const keys: FrameRow[] = KEYS.map((key) => ({
  id: `key-${key.toString(16).padStart(8, '0')}`,
  section: '§5.3',
  title: `the masking key ${key.toString(16).padStart(8, '0')} on text, binary, ping and close`,
  role: 'server',
  input: [
    text('κόσμε und mehr', { key }),
    binary(noise(67), { key }),
    ping('ping', { key }),
    close(4321, 'Ende', { key }),
  ],
  expect: closes(4321, 'Ende', aText('κόσμε und mehr'), aBinary(noise(67)), aPing('ping')),
}));

/** Around the word sizes in which masks are applied. */
const MASKED_LENGTHS = [
  1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 127, 128, 129, 1023, 1024, 1025,
];

const rotations: FrameRow[] = [
  ...MASKED_LENGTHS.map((length): FrameRow => ({
    id: `length-${length}`,
    section: '§5.3',
    title: `${length} masked bytes, four times with different keys`,
    role: 'server',
    input: KEYS.slice(6).map((key) => binary(noise(length), { key })),
    expect: clean(...KEYS.slice(6).map(() => aBinary(noise(length)))),
  })),
  {
    id: 'key-per-frame',
    section: '§5.3',
    title: 'another key in each frame',
    role: 'server',
    input: KEYS.map((key, i) => text(letters(10 + i), { key })),
    expect: clean(...KEYS.map((_, i) => aText(letters(10 + i)))),
  },
  {
    id: 'key-per-fragment',
    section: '§5.3',
    title: 'another key in each fragment; every fragment starts with the first byte of its key',
    role: 'server',
    input: KEYS.map((key, i) => frame(i === 0 ? 2 : 0, noise(i + 1), { key, fin: i === KEYS.length - 1 })),
    expect: clean(aBinary(Buffer.concat(KEYS.map((_, i) => noise(i + 1))))),
  },
  {
    id: 'odd-fragments',
    section: '§5.3',
    title: 'fragments of 1, 2, 3, 5 and 7 bytes under one key',
    role: 'server',
    input: fragments(2, [1, 2, 3, 5, 7].map(noise)),
    expect: clean(aBinary(Buffer.concat([1, 2, 3, 5, 7].map(noise)))),
  },
  {
    id: 'ping-inside',
    section: '§5.3',
    title: 'a ping with another key between two fragments',
    role: 'server',
    input: [
      text('Hel', { fin: false, key: 0x01020304 }),
      ping('ping', { key: 0x0a0b0c0d }),
      continuation('lo', { key: 0xf0e0d0c0 }),
    ],
    expect: clean(aPing('ping'), aText('Hello')),
  },
  {
    id: 'payload-equals-key',
    section: '§5.3',
    title: 'a payload that is all zero on the wire',
    role: 'server',
    input: [bytes('82 88 61 62 63 64 | 00 00 00 00 00 00 00 00')],
    expect: clean(aBinary('abcdabcd')),
  },
];

export const masking = frameTable('masking', [...direction, ...mixed, ...keys, ...rotations]);
