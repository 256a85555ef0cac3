import { constants } from 'node:zlib';
import { coded, deflated, fixed, literals, match, stored } from '../blocks.js';
import { aBinary, aText, clean } from '../expect.js';
import { letters, noise, squeezed, text } from '../input.js';
import { AGAIN, HELLO, inBoth, randomBytes, takeover, zlibs } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// Good compressed messages, RFC 7692 §7.2: of which blocks they may be made, and what they may refer to.

interface Payload {
  readonly id: string;
  readonly section: string;
  readonly title: string;
  readonly payload: string | Buffer;
  readonly note?: string;
}

const LENIENT = 'the sender is wrong, but nothing is unclear, and zlib takes it';

/** The text "Hello", by its payload. */
const HELLOS: readonly Payload[] = [
  { id: 'hello', section: '7.2.3.1', title: 'the first example', payload: HELLO },
  { id: 'stored', section: '7.2.3.3', title: 'a stored block', payload: '00 05 00 fa ff 48 65 6c 6c 6f 00' },
  { id: 'final', section: '7.2.3.4', title: 'a block with BFINAL', payload: 'f3 48 cd c9 c9 07 00 00' },
  {
    id: 'two-blocks',
    section: '7.2.3.5',
    title: 'two blocks, an empty one between them',
    payload: 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00',
  },
  {
    id: 'final-stored',
    section: '7.2.3.4',
    title: 'a stored block with BFINAL',
    payload: '01 05 00 fa ff 48 65 6c 6c 6f 00',
  },
  {
    id: 'final-without-end',
    section: '7.2.3.4',
    title: 'a block with BFINAL, without the 00 that has to follow',
    payload: 'f3 48 cd c9 c9 07 00',
    note: LENIENT,
  },
  {
    id: 'final-stored-without-end',
    section: '7.2.3.4',
    title: 'a stored block with BFINAL, without the 00 that has to follow',
    payload: '01 05 00 fa ff 48 65 6c 6c 6f',
    note: LENIENT,
  },
  {
    id: 'final-then-block',
    section: '7.2.3.4',
    title: 'a block with BFINAL, then another one',
    payload: deflated(fixed('Hel', { final: true }), stored('lo')),
  },
  {
    id: 'final-then-final',
    section: '7.2.3.4',
    title: 'two blocks with BFINAL',
    payload: deflated(fixed('He', { final: true }), stored('llo', { final: true })),
  },
  {
    id: 'final-each-letter',
    section: '7.2.3.4',
    title: 'each letter in a block with BFINAL, of all three types',
    payload: deflated(
      fixed('H', { final: true }),
      stored('e', { final: true }),
      coded({ 108: 1, 256: 1 }, {}, 'l', { final: true }),
      fixed('l', { final: true }),
      stored('o', { final: true }),
    ),
  },
  { id: 'final-empty-first', section: '7.2.3.4', title: 'an empty block with BFINAL first', payload: `03 00 ${HELLO}` },
  {
    id: 'final-empty-behind',
    section: '7.2.3.4',
    title: 'an empty block with BFINAL behind the text',
    payload: deflated(fixed('Hello'), fixed('', { final: true })),
  },
  {
    id: 'empty-stored-first',
    section: '7.2.1',
    title: 'three empty stored blocks first',
    payload: `00 00 00 ff ff 00 00 00 ff ff 00 00 00 ff ff ${HELLO}`,
  },
  {
    id: 'empty-stored-behind',
    section: '7.2.1',
    title: 'two empty stored blocks behind the text, the second one without its tail',
    payload: 'f2 48 cd c9 c9 07 00 00 00 ff ff 00',
  },
  {
    id: 'empty-fixed-between',
    section: '7.2.1',
    title: 'ten empty blocks with fixed codes in the middle',
    payload: deflated(fixed('Hel'), ...Array.from({ length: 10 }, () => fixed('')), fixed('lo')),
  },
  {
    id: 'block-each-letter',
    section: '7.2.1',
    title: 'each letter in a block of its own, stored and fixed in turn',
    payload: deflated(fixed('H'), stored('e'), fixed('l'), stored('l'), fixed('o')),
  },
  {
    id: 'thousand-blocks',
    section: '7.2.1',
    title: 'a thousand empty blocks first',
    payload: deflated(...Array.from({ length: 1000 }, () => stored('')), fixed('Hello')),
  },
  {
    id: 'codes',
    section: '7.2.1',
    title: 'a block with codes of its own, and none for distances',
    payload: deflated(coded({ 72: 2, 101: 3, 108: 2, 111: 3, 256: 2 }, {}, 'Hello')),
  },
  {
    id: 'codes-one-distance',
    section: '7.2.1',
    title: 'a block with one distance code of one bit, the other half unused (RFC 1951 §3.2.7)',
    payload: deflated(coded({ 72: 2, 101: 3, 108: 2, 111: 3, 256: 2 }, { 4: 1 }, 'Hello')),
  },
  {
    id: 'codes-long',
    section: '7.2.1',
    title: 'codes of 1 to 15 bits',
    payload: deflated(
      coded(
        {
          ...Object.fromEntries(Array.from({ length: 11 }, (_, i) => [i, i + 1])),
          256: 12,
          111: 13,
          108: 14,
          72: 15,
          101: 15,
        },
        {},
        'Hello',
      ),
    ),
  },
  {
    id: 'codes-only-the-end',
    section: '7.2.1',
    title: 'a block whose only code is its end, then the text',
    payload: deflated(coded({ 256: 1 }, {}, ''), fixed('Hello')),
  },
];

const hellos = HELLOS.flatMap(({ section, payload, ...row }): FrameRow[] =>
  inBoth({
    ...row,
    section: `RFC 7692 §${section}`,
    input: [squeezed(1, payload)],
    expect: clean(aText('Hello')),
  }),
);

const EMPTIES: readonly Payload[] = [
  { id: 'empty', section: '7.2.3.6', title: 'an empty message', payload: '00' },
  { id: 'empty-fixed', section: '7.2.3.6', title: 'an empty message as zlib flushes it', payload: '02 00' },
  {
    id: 'empty-final',
    section: '7.2.3.4',
    title: 'an empty message as a block with BFINAL',
    payload: '03 00 00',
  },
  { id: 'empty-two-blocks', section: '7.2.1', title: 'an empty message of two blocks', payload: '00 00 00 ff ff 00' },
];

const empties = EMPTIES.flatMap(({ section, payload, ...row }): FrameRow[] =>
  inBoth({
    ...row,
    section: `RFC 7692 §${section}`,
    input: [squeezed(1, payload), squeezed(2, payload), squeezed(1, HELLO)],
    expect: clean(aText(''), aBinary(''), aText('Hello')),
  }),
);

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
    id: 'match-past-final',
    title: 'a match that reaches over a block with BFINAL',
    payload: deflated(stored('Hello', { final: true }), fixed([match(5, 5)])),
    data: Buffer.from('HelloHello'),
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

export const deflateMessages = frameTable('deflate', [...hellos, ...empties, ...matches, ...ofZlib, ...window]);
