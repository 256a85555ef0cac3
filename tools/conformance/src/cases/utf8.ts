import { aBinary, aPing, aText, clean, fails } from '../expect.js';
import { binary, continuation, fragments, hex, letters, ping, text } from '../input.js';
import { frameTable, type FrameRow } from '../table.js';

// Text must be UTF-8: §5.6, §8.1, RFC 3629.

const ERROR = 'WS_ERR_INVALID_UTF8';

const VALID: readonly { name: string; data: string }[] = [
  { name: 'u+0000', data: '\u0000' },
  { name: 'u+007f', data: '\u007f' },
  { name: 'u+0080', data: '\u0080' },
  { name: 'u+07ff', data: '\u07ff' },
  { name: 'u+0800', data: '\u0800' },
  { name: 'u+0fff', data: '\u0fff' },
  { name: 'u+1000', data: '\u1000' },
  { name: 'u+d7ff', data: '\ud7ff' },
  { name: 'u+e000', data: '\ue000' },
  { name: 'u+fffd', data: '\ufffd' },
  { name: 'u+fffe', data: '\ufffe' },
  { name: 'u+ffff', data: '\uffff' },
  { name: 'u+10000', data: '\u{10000}' },
  { name: 'u+3ffff', data: '\u{3ffff}' },
  { name: 'u+40000', data: '\u{40000}' },
  { name: 'u+fffff', data: '\u{fffff}' },
  { name: 'u+100000', data: '\u{100000}' },
  { name: 'u+10ffff', data: '\u{10ffff}' },
  { name: 'byte-order-mark', data: '\ufeffafter' },
  { name: 'greek', data: 'κόσμε' },
  { name: 'emoji', data: '👩‍👩‍👧‍👦 and 👍🏽' },
  { name: 'all-lengths', data: 'a¢€𐍈 a¢€𐍈' },
];

const valid: FrameRow[] = VALID.flatMap(({ name, data }): FrameRow[] => {
  const bytes = Buffer.from(data);
  const singles = Array.from(bytes, (byte) => Buffer.from([byte]));
  return [
    {
      id: `valid-${name}`,
      section: '§8.1',
      title: `${name} in one frame`,
      input: [text(data)],
      expect: clean(aText(data)),
    },
    ...(singles.length > 1
      ? [
          {
            id: `valid-${name}-split`,
            section: '§5.6',
            title: `${name}, each byte in a frame of its own`,
            input: fragments(1, singles),
            expect: clean(aText(data)),
          },
        ]
      : []),
  ];
});

/** Bytes that end at the first one that no good text could have in that place. */
const INVALID: readonly { name: string; bytes: string }[] = [
  { name: 'lone-80', bytes: '80' },
  { name: 'lone-bf', bytes: 'bf' },
  { name: 'continuation-after-2', bytes: 'c3 a9 80' },
  { name: 'continuation-after-4', bytes: 'f0 9f 98 80 80' },
  { name: 'lead-2-then-ascii', bytes: 'c3 28' },
  { name: 'lead-2-then-lead-2', bytes: 'c3 c3' },
  { name: 'lead-3-then-ascii', bytes: 'e2 28' },
  { name: 'lead-3-one-then-ascii', bytes: 'e2 82 28' },
  { name: 'lead-3-one-then-lead', bytes: 'e2 82 e2' },
  { name: 'lead-4-then-ascii', bytes: 'f0 28' },
  { name: 'lead-4-one-then-ascii', bytes: 'f0 90 28' },
  { name: 'lead-4-two-then-ascii', bytes: 'f0 90 8c 28' },
  { name: 'overlong-c0', bytes: 'c0' },
  { name: 'overlong-c1', bytes: 'c1' },
  { name: 'overlong-3-slash', bytes: 'e0 80' },
  { name: 'overlong-3-max', bytes: 'e0 9f' },
  { name: 'overlong-4-slash', bytes: 'f0 80' },
  { name: 'overlong-4-max', bytes: 'f0 8f' },
  { name: 'surrogate-d800', bytes: 'ed a0' },
  { name: 'surrogate-dbff', bytes: 'ed af' },
  { name: 'surrogate-dc00', bytes: 'ed b0' },
  { name: 'surrogate-dfff', bytes: 'ed bf' },
  { name: 'above-10ffff', bytes: 'f4 90' },
  { name: 'above-13ffff', bytes: 'f4 bf' },
  { name: 'lead-f5', bytes: 'f5' },
  { name: 'lead-f7', bytes: 'f7' },
  { name: 'lead-f8-five', bytes: 'f8' },
  { name: 'lead-fb', bytes: 'fb' },
  { name: 'lead-fc-six', bytes: 'fc' },
  { name: 'lead-fd', bytes: 'fd' },
  { name: 'byte-fe', bytes: 'fe' },
  { name: 'byte-ff', bytes: 'ff' },
];

const invalid: FrameRow[] = INVALID.flatMap(({ name, bytes }): FrameRow[] => {
  const bad = hex(bytes);
  const before = Buffer.from('κό');
  return [
    {
      id: `invalid-${name}`,
      section: '§8.1',
      title: `${bytes} in a whole frame`,
      input: [text('fine'), text(Buffer.concat([before, bad, Buffer.from('after')]))],
      expect: fails(1007, ERROR, aText('fine')),
    },
    {
      id: `fail-fast-${name}`,
      section: '§8.1',
      title: `${bytes} in a frame whose rest never comes`,
      input: [text(Buffer.concat([before, bad]), { announced: 100 })],
      expect: fails(1007, ERROR),
      note: 'the RFC sets no moment; ours is: at the first bad byte',
    },
    {
      id: `invalid-${name}-split`,
      section: '§5.6',
      title: `${bytes}, each byte in a frame of its own, the last frame never`,
      input: Array.from(Buffer.concat([before, bad]), (byte, i) =>
        (i === 0 ? text : continuation)(Buffer.from([byte]), { fin: false }),
      ),
      expect: fails(1007, ERROR),
      note: 'the RFC sets no moment; ours is: at the first bad byte',
    },
  ];
});

const TRUNCATED = ['c3', 'df', 'e2', 'e2 82', 'ed 9f', 'f0', 'f0 9f', 'f0 9f 98', 'f4 8f bf'];

const truncated: FrameRow[] = TRUNCATED.flatMap((bytes): FrameRow[] => {
  const name = bytes.replaceAll(' ', '');
  return [
    {
      id: `truncated-${name}`,
      section: '§8.1',
      title: `text that ends after ${bytes}`,
      input: [text(Buffer.concat([Buffer.from('text '), hex(bytes)]))],
      expect: fails(1007, ERROR),
    },
    {
      id: `truncated-${name}-empty-end`,
      section: '§8.1',
      title: `text that ends after ${bytes}, with an empty last fragment`,
      input: [text(hex(bytes), { fin: false }), continuation('')],
      expect: fails(1007, ERROR),
    },
  ];
});

const sequences: FrameRow[] = [
  {
    id: 'split-e-acute',
    section: '§5.6',
    title: 'é in two frames is one letter',
    input: [text(hex('c3'), { fin: false }), continuation(hex('a9'))],
    expect: clean(aText('é')),
  },
  {
    id: 'split-with-empties',
    section: '§5.6',
    title: 'a code point with empty frames between its bytes',
    input: fragments(1, [hex('f0'), '', hex('9f'), '', '', hex('98'), hex('80'), '']),
    expect: clean(aText('😀')),
  },
  {
    id: 'split-with-ping',
    section: '§5.6',
    title: 'a ping with bad UTF-8 between the bytes of a code point',
    input: [text(hex('f0 9f'), { fin: false }), ping(hex('ff')), continuation(hex('98 80'))],
    expect: clean(aPing(hex('ff')), aText('😀')),
  },
  {
    id: 'state-is-per-message',
    section: '§8.1',
    title: 'a message that ends well leaves nothing behind for the next',
    input: [...fragments(1, [hex('e2 82'), hex('ac')]), text('plain'), text('€')],
    expect: clean(aText('€'), aText('plain'), aText('€')),
  },
  {
    id: 'continuation-of-nothing',
    section: '§8.1',
    title: 'the second half of a code point cannot stand in the next message',
    input: [text(hex('e2 82')), text(hex('ac'))],
    expect: fails(1007, ERROR),
  },
  {
    id: 'bad-second-fragment-fail-fast',
    section: '§8.1',
    title: 'a code point broken by the second fragment, whose rest never comes',
    input: [text(hex('ce'), { fin: false }), continuation('a', { announced: 60_000 })],
    expect: fails(1007, ERROR),
    note: 'the RFC sets no moment; ours is: at the first bad byte',
  },
  {
    id: 'bad-at-start-of-megabyte',
    section: '§8.1',
    title: 'the first byte of a frame that announces a megabyte',
    input: [text(hex('ff'), { announced: 1_000_000 })],
    expect: fails(1007, ERROR),
    note: 'the RFC sets no moment; ours is: at the first bad byte',
  },
  {
    id: 'bad-at-end-of-long-text',
    section: '§8.1',
    title: 'the last byte of 64 KiB',
    input: [text(Buffer.concat([Buffer.from(letters(65_535)), hex('c3')]))],
    expect: fails(1007, ERROR),
  },
  {
    id: 'bad-in-middle-of-long-text',
    section: '§8.1',
    title: 'a byte in the middle of 40 KiB of Greek, whose rest never comes',
    input: [text(Buffer.concat([Buffer.from('κόσμε'.repeat(2000)), hex('c0')]), { announced: 40_000 })],
    expect: fails(1007, ERROR),
    note: 'the RFC sets no moment; ours is: at the first bad byte',
  },
  {
    id: 'long-greek',
    section: '§8.1',
    title: '70000 bytes of three-byte code points',
    input: [text('€'.repeat(23_334))],
    expect: clean(aText('€'.repeat(23_334))),
  },
  {
    id: 'long-greek-split-anywhere',
    section: '§5.6',
    title: 'three-byte code points in fragments of 1000 bytes',
    input: fragments(
      1,
      Array.from({ length: 12 }, (_, i) => Buffer.from('€'.repeat(4000)).subarray(i * 1000, (i + 1) * 1000)),
    ),
    expect: clean(aText('€'.repeat(4000))),
  },
  {
    id: 'binary-is-not-checked',
    section: '§5.6',
    title: 'the same bytes in a binary message',
    input: [binary(hex('c0 af ed a0 80 ff fe'))],
    expect: clean(aBinary(hex('c0 af ed a0 80 ff fe'))),
  },
  {
    id: 'binary-fragments-are-not-checked',
    section: '§5.6',
    title: 'the same bytes in a fragmented binary message',
    input: fragments(2, [hex('c0 af'), hex('ed'), hex('a0 80 ff fe')]),
    expect: clean(aBinary(hex('c0 af ed a0 80 ff fe'))),
  },
  {
    id: 'validation-off',
    section: '§8.1',
    title: 'skipUTF8Validation: the bytes go through as they are',
    options: { skipUTF8Validation: true },
    input: [text(hex('c0 af ff')), ...fragments(1, [hex('ed a0'), hex('80')])],
    expect: clean(aText(hex('c0 af ff')), aText(hex('ed a0 80'))),
    note: 'an option of ws: whoever sets it takes the duty over',
  },
];

export const utf8 = frameTable('utf8', [...valid, ...invalid, ...truncated, ...sequences]);
