import { constants } from 'node:zlib';
import { coded, deflated, fixed, literals, match, stored } from '../blocks.js';
import { aBinary, aText, clean, fails } from '../expect.js';
import { letters, noise, squeezed, text } from '../input.js';
import { AGAIN, HELLO, inBoth, noTakeover, randomBytes, takeover, zlibs } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// What a compressed message may refer to, RFC 7692 §7.2.2, and what zlib makes of long ones.

const MATCHES: readonly { id: string; title: string; payload: Buffer; data: Buffer }[] = [
  {
    id: 'match-overlaps',
    title: 'a match that overlaps itself, of the greatest length',
    payload: deflated(fixed([...literals('a'), match(258, 1), match(3, 1)])),
    data: Buffer.alloc(262, 'a'),
  },
  {
    id: 'match-each-length',
    title: 'matches of all lengths from 3 to 258',
    payload: deflated(fixed([...literals('abc'), ...Array.from({ length: 256 }, (_, i) => match(i + 3, 3))])),
    data: Buffer.alloc(3 + (256 * 261) / 2, 'abc'),
  },
  {
    id: 'match-past-block',
    title: 'a match that reaches over the blocks before it',
    payload: deflated(stored('Hello'), fixed(', '), stored(''), fixed([match(5, 7)])),
    data: Buffer.from('Hello, Hello'),
  },
  {
    id: 'match-farthest',
    title: 'a match at distance 32768',
    payload: deflated(stored(randomBytes(32_768)), fixed([match(258, 32_768)])),
    data: Buffer.concat([randomBytes(32_768), randomBytes(258)]),
  },
  {
    id: 'match-with-codes',
    title: 'matches in codes of the block itself',
    payload: deflated(
      coded({ 97: 2, 98: 2, 257: 3, 285: 3, 256: 2 }, { 1: 1, 3: 1 }, [97, 98, match(3, 2), 97, match(258, 4)]),
    ),
    data: Buffer.from(`ababaa${'abaa'.repeat(65)}`.slice(0, 264)),
  },
];

const matches = MATCHES.flatMap(({ payload, data, ...row }): FrameRow[] =>
  inBoth({
    ...row,
    section: 'RFC 7692 §7.2.2',
    input: [squeezed(2, payload)],
    expect: clean(aBinary(data)),
  }),
);

const PAST_FINAL = deflated(stored('Hello', { final: true }), fixed([match(5, 5)]));

const pastFinal: FrameRow[] = [
  {
    id: 'match-past-final',
    section: 'RFC 7692 §7.2.3.4',
    title: 'a match that reaches over a block with BFINAL, where even messages share a window',
    ...takeover(),
    input: [squeezed(2, PAST_FINAL)],
    expect: clean(aBinary('HelloHello')),
    note: 'RFC 7692 does not say what a final block, which ends a DEFLATE stream, does to the window',
  },
  {
    id: 'match-past-final-alone',
    section: 'RFC 7692 §7.2.3.4',
    title: 'a match that reaches over a block with BFINAL, where each message has a window of its own',
    ...noTakeover(),
    input: [squeezed(2, PAST_FINAL)],
    expect: fails(1007, 'WS_ERR_INVALID_DEFLATE_DATA'),
    note: 'the same gap; ours begins each stream without a window, where it need not keep one',
  },
];

const LONG = letters(100_000);

const ofZlib = [
  { id: 'stored', title: 'stored blocks alone (level 0)', options: { level: 0 } },
  { id: 'fast', title: 'the fastest level', options: { level: 1 } },
  { id: 'best', title: 'the best level', options: { level: 9, memLevel: 9 } },
  { id: 'huffman', title: 'no matches', options: { strategy: constants.Z_HUFFMAN_ONLY } },
  { id: 'rle', title: 'distances of one', options: { strategy: constants.Z_RLE } },
  { id: 'fixed', title: 'fixed codes', options: { strategy: constants.Z_FIXED } },
  { id: 'small-window', title: 'a window of 512 bytes and many blocks', options: { windowBits: 9, memLevel: 1 } },
].flatMap(({ id, title, options }): FrameRow[] =>
  inBoth({
    id: `zlib-${id}`,
    section: 'RFC 7692 §7.2.2',
    title: `100000 letters and 40000 bytes, as zlib writes them: ${title}`,
    input: [squeezed(1, zlibs(LONG, options)), squeezed(2, zlibs(noise(40_000), options)), text('plain')],
    expect: clean(aText(LONG), aBinary(noise(40_000)), aText('plain')),
  }),
);

const window: FrameRow[] = [
  {
    id: 'shared-window',
    section: 'RFC 7692 §7.2.3.2',
    title: 'the second message refers to the first',
    ...takeover(),
    input: [squeezed(1, HELLO), squeezed(1, AGAIN), squeezed(1, AGAIN)],
    expect: clean(aText('Hello'), aText('Hello'), aText('Hello')),
  },
  ...[
    {
      id: 'final',
      title: 'a message that ends with BFINAL',
      between: squeezed(1, 'f3 48 cd c9 c9 07 00 00'),
      is: 'Hello',
    },
    {
      id: 'final-short',
      title: 'one that ends with BFINAL alone',
      between: squeezed(1, 'f3 48 cd c9 c9 07 00'),
      is: 'Hello',
    },
    { id: 'empty', title: 'an empty compressed message', between: squeezed(1, '00'), is: '' },
    {
      id: 'plain',
      title: 'a message that is not compressed, which does not enter the window',
      between: text('World'),
      is: 'World',
    },
    {
      id: 'plain-long',
      title: '40000 bytes that are not compressed',
      between: text(letters(40_000)),
      is: letters(40_000),
    },
  ].map(({ id, title, between, is }): FrameRow => ({
    id: `shared-window-past-${id}`,
    section: 'RFC 7692 §7.2.2',
    title: `a message refers to the window as it was before ${title}`,
    ...takeover(),
    input: [squeezed(1, HELLO), between, squeezed(1, AGAIN)],
    expect: clean(aText('Hello'), aText(is), aText('Hello')),
  })),
  {
    id: 'shared-window-other-type',
    section: 'RFC 7692 §7.2.2',
    title: 'text and binary messages have one window',
    ...takeover(),
    input: [squeezed(1, HELLO), squeezed(2, AGAIN), squeezed(1, AGAIN)],
    expect: clean(aText('Hello'), aBinary('Hello'), aText('Hello')),
  },
  {
    id: 'shared-window-of-many',
    section: 'RFC 7692 §7.2.2',
    title: 'the 33rd message refers to the start of the first, 32768 bytes back',
    ...takeover(),
    input: [
      ...Array.from({ length: 32 }, (_, i) => squeezed(2, deflated(stored(randomBytes(1024, `${i}`))))),
      squeezed(2, deflated(fixed([match(258, 32_768)]))),
    ],
    expect: clean(
      ...Array.from({ length: 32 }, (_, i) => aBinary(randomBytes(1024, `${i}`))),
      aBinary(randomBytes(258, '0')),
    ),
  },
  {
    id: 'shared-window-slides',
    section: 'RFC 7692 §7.2.2',
    title: 'the same after 100000 bytes more than the window holds, and with messages of all sizes',
    ...takeover(),
    input: [
      squeezed(2, zlibs(randomBytes(100_000))),
      ...[1, 10, 100, 1000, 10_000].map((size) => squeezed(2, deflated(stored(randomBytes(size, 'piece'))))),
      squeezed(2, deflated(fixed([match(258, 32_768), match(100, 11_111 + 258)]))),
    ],
    expect: clean(
      aBinary(randomBytes(100_000)),
      ...[1, 10, 100, 1000, 10_000].map((size) => aBinary(randomBytes(size, 'piece'))),
      aBinary(
        Buffer.concat([
          randomBytes(100_000)
            .subarray(100_000 - (32_768 - 11_111))
            .subarray(0, 258),
          randomBytes(1, 'piece'),
          randomBytes(10, 'piece'),
          randomBytes(100, 'piece').subarray(0, 89),
        ]),
      ),
    ),
  },
];

export const deflateWindow = frameTable('deflate-window', [...matches, ...pastFinal, ...ofZlib, ...window]);
