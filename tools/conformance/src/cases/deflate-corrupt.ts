import {
  coded,
  deflated,
  dynamic,
  fixed,
  fixedRaw,
  match,
  PLAIN_LENGTHS,
  raw,
  reservedBlock,
  stored,
} from '../blocks.js';
import { aText, fails } from '../expect.js';
import { hex, ping, squeezed, squeezedFragments, text } from '../input.js';
import { AGAIN, HELLO, inPieces, noTakeover, randomBytes, takeover } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// Compressed messages that are not DEFLATE, RFC 7692 §7.2.2 and RFC 1951, or that do not inflate to what they should.

const DATA = 'WS_ERR_INVALID_DEFLATE_DATA';

const zeros = (count: number): number[] => Array.from<number>({ length: count }).fill(0);
/** Lengths of 256 literals, which are not used. */
const unused = zeros(256);

/** a, the length symbol 257, and then the bit that is no distance code. */
const unusedHalf = dynamic(
  { literals: 258, distances: 1, own: PLAIN_LENGTHS, lengths: [...zeros(97), 1, ...zeros(158), 2, 2, 1] },
  (out) => out.code(0b0, 1).code(0b11, 2).code(0b1, 1),
);

export const CORRUPT: readonly { id: string; section: string; title: string; payload: string | Buffer }[] = [
  {
    id: 'reserved-block',
    section: '3.2.3',
    title: 'a block of the reserved type 11',
    payload: raw(reservedBlock, stored('')),
  },
  { id: 'reserved-final', section: '3.2.3', title: 'a final block of the reserved type', payload: '07 00' },
  {
    id: 'reserved-second',
    section: '3.2.3',
    title: 'a good block, then one of the reserved type',
    payload: deflated(fixed('Hello'), reservedBlock),
  },
  {
    id: 'reserved-behind-final',
    section: '3.2.3',
    title: 'a final block, then one of the reserved type',
    payload: deflated(fixed('Hello', { final: true }), reservedBlock),
  },
  {
    id: 'stored-mismatch',
    section: '3.2.4',
    title: 'the two lengths of a stored block differ',
    payload: '00 05 00 fa fe 48 65 6c 6c 6f 00',
  },
  {
    id: 'stored-same',
    section: '3.2.4',
    title: 'the second length of a stored block is not inverted',
    payload: '00 05 00 05 00 48 65 6c 6c 6f 00',
  },
  {
    id: 'stored-second',
    section: '3.2.4',
    title: 'the lengths of the second stored block differ',
    payload: deflated(stored('Hello'), stored('x', { complement: 0 })),
  },
  {
    id: 'literal-286',
    section: '3.2.6',
    title: 'the length symbol 286, which never occurs',
    payload: deflated(fixedRaw(97, [286, 0])),
  },
  {
    id: 'literal-287',
    section: '3.2.6',
    title: 'the length symbol 287, which never occurs',
    payload: deflated(fixedRaw(97, [287, 0])),
  },
  {
    id: 'distance-30',
    section: '3.2.6',
    title: 'the distance symbol 30, which never occurs',
    payload: deflated(fixedRaw(97, [257, 30])),
  },
  {
    id: 'distance-31',
    section: '3.2.6',
    title: 'the distance symbol 31, which never occurs',
    payload: deflated(fixedRaw(97, [257, 31])),
  },
  {
    id: 'too-far-at-once',
    section: '3.2.5',
    title: 'a match before there is anything',
    payload: deflated(fixed([match(3, 1)])),
  },
  {
    id: 'too-far-by-one',
    section: '3.2.5',
    title: 'a match that begins one byte too early',
    payload: deflated(fixed([...Buffer.from('Hello'), match(3, 6)])),
  },
  {
    id: 'too-far-32768',
    section: '3.2.5',
    title: 'distance 32768 with 32767 bytes before it',
    payload: deflated(stored(randomBytes(32_767)), fixed([match(3, 32_768)])),
  },
  {
    id: 'too-far-again',
    section: '7.2.3.2',
    title: 'the second message of the example as the first one',
    payload: AGAIN,
  },
  {
    id: 'codes-literals-287',
    section: '3.2.7',
    title: '287 literal and length codes',
    payload: deflated(
      dynamic({ literals: 287, distances: 1, own: PLAIN_LENGTHS, lengths: [...zeros(256), 1, ...zeros(30), 0] }),
    ),
  },
  {
    id: 'codes-distances-31',
    section: '3.2.7',
    title: '31 distance codes',
    payload: deflated(
      dynamic({ literals: 257, distances: 31, own: PLAIN_LENGTHS, lengths: [...unused, 1, ...zeros(31)] }),
    ),
  },
  {
    id: 'codes-own-none',
    section: '3.2.7',
    title: 'a code length code without codes',
    payload: deflated(
      dynamic({ literals: 257, distances: 1, own: {}, lengths: [] }, (out) => out.bytes(Buffer.alloc(100))),
    ),
  },
  {
    id: 'codes-own-too-many',
    section: '3.2.7',
    title: 'a code length code with more codes than fit: three of one bit',
    payload: deflated(dynamic({ literals: 257, distances: 1, own: { 0: 1, 1: 1, 2: 1 }, lengths: [] })),
  },
  {
    id: 'codes-own-incomplete',
    section: '3.2.7',
    title: 'a code length code that is incomplete',
    payload: deflated(dynamic({ literals: 257, distances: 1, own: { 0: 2, 1: 2, 18: 2 }, lengths: [] })),
  },
  {
    id: 'codes-own-single',
    section: '3.2.7',
    title: 'a code length code of a single code: that is for distances alone',
    payload: deflated(dynamic({ literals: 257, distances: 1, own: { 1: 1 }, lengths: [...unused.map(() => 1), 1, 1] })),
  },
  {
    id: 'codes-repeat-first',
    section: '3.2.7',
    title: 'the first code length repeats the one before it',
    payload: deflated(dynamic({ literals: 257, distances: 1, own: { 0: 1, 16: 1 }, lengths: [[16, 0]] })),
  },
  {
    id: 'codes-repeat-beyond',
    section: '3.2.7',
    title: 'a repeat of zeros beyond the last code length',
    payload: deflated(
      dynamic({ literals: 257, distances: 1, own: { 1: 1, 18: 1 }, lengths: [[18, 127], [18, 107], 1, [18, 0]] }),
    ),
  },
  {
    id: 'codes-repeat-last-beyond',
    section: '3.2.7',
    title: 'a repeat of the last length beyond the last code length',
    payload: deflated(
      dynamic({
        literals: 257,
        distances: 1,
        own: { 1: 2, 16: 2, 18: 1 },
        lengths: [[18, 127], [18, 107], 1, [16, 0]],
      }),
    ),
  },
  {
    id: 'codes-no-end',
    section: '3.2.7',
    title: 'no code for the end of the block',
    payload: deflated(coded({ 97: 1, 98: 1 }, {}, 'ab')),
  },
  {
    id: 'codes-literals-too-many',
    section: '3.2.7',
    title: 'more literal codes than fit',
    payload: deflated(coded({ 97: 1, 98: 1, 256: 1 }, {}, '')),
  },
  {
    id: 'codes-literals-incomplete',
    section: '3.2.7',
    title: 'an incomplete literal code',
    payload: deflated(coded({ 97: 2, 98: 2, 256: 2 }, {}, 'ab')),
  },
  {
    id: 'codes-distances-too-many',
    section: '3.2.7',
    title: 'more distance codes than fit',
    payload: deflated(coded({ 97: 1, 256: 1 }, { 0: 1, 1: 1, 2: 1 }, 'a')),
  },
  {
    id: 'codes-distances-incomplete',
    section: '3.2.7',
    title: 'an incomplete distance code',
    payload: deflated(coded({ 97: 1, 256: 1 }, { 0: 2, 1: 2 }, 'a')),
  },
  {
    id: 'codes-no-distance',
    section: '3.2.7',
    title: 'a match in a block without distance codes',
    payload: deflated(coded({ 97: 1, 257: 2, 256: 2 }, {}, [97, 97, match(3, 1)])),
  },
  {
    id: 'codes-unused-half',
    section: '3.2.7',
    title: 'the unused half of the only distance code',
    payload: deflated(unusedHalf),
  },
  { id: 'garbage-ff', section: '3.2.3', title: 'bytes ff', payload: Buffer.alloc(100, 0xff) },
  {
    id: 'garbage-text',
    section: '3.2.3',
    title: 'text that was never compressed',
    payload: Buffer.from('Hello, world! This was never compressed.'),
  },
  { id: 'garbage-random', section: '3.2.3', title: 'random bytes', payload: randomBytes(1000, 'garbage') },
  {
    id: 'zlib-header',
    section: '3.2.3',
    title: 'a zlib stream: RFC 7692 has no header',
    payload: '78 9c f3 48 cd c9 c9 07 00 05 8c 01 f5',
  },
  {
    id: 'gzip-header',
    section: '3.2.3',
    title: 'a gzip stream',
    payload: '1f 8b 08 00 00 00 00 00 00 03 f3 48 cd c9 c9 07 00 82 89 d1 f7 05 00 00 00',
  },
  {
    id: 'late',
    section: '3.2.3',
    title: '40000 good bytes, then the reserved type',
    payload: deflated(stored(randomBytes(40_000)), reservedBlock),
  },
];

const corrupt = CORRUPT.flatMap(({ id, section, title, payload }): FrameRow[] => {
  const bytes = typeof payload === 'string' ? hex(payload) : payload;
  const reference = section.startsWith('7') ? `RFC 7692 §${section}` : `RFC 1951 §${section}`;
  return [
    {
      id,
      section: reference,
      title,
      ...takeover(),
      input: [text('fine'), squeezed(2, bytes), text('ignored')],
      expect: fails(1007, DATA, aText('fine')),
    },
    {
      id: `${id}-fragments`,
      section: reference,
      title: `${title}; in many fragments, without context takeover`,
      ...noTakeover(),
      input: [squeezed(1, HELLO), ...squeezedFragments(2, inPieces(bytes)), ping('ignored')],
      expect: fails(1007, DATA, aText('Hello')),
    },
  ];
});

export const deflateCorrupt = frameTable('deflate-corrupt', corrupt);
