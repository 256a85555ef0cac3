import { aBinary, aPing, aText, clean, closes, fails, isCut } from '../expect.js';
import { binary, close, continuation, fragments, frame, letters, noise, ping, text } from '../input.js';
import { frameTable, type FrameRow } from '../table.js';

// Fragmentation, §5.4.

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

/** Good messages by the lengths of their fragments. */
const SHAPES: readonly { name: string; lengths: readonly number[] }[] = [
  { name: 'two', lengths: [3, 2] },
  { name: 'three', lengths: [1, 2, 3] },
  { name: 'empty-first', lengths: [0, 5] },
  { name: 'empty-last', lengths: [5, 0] },
  { name: 'empty-middle', lengths: [2, 0, 3] },
  { name: 'two-empty', lengths: [0, 0] },
  { name: 'ten-empty', lengths: times(10, () => 0) },
  { name: 'empties-around-one', lengths: [0, 0, 1, 0, 0] },
  { name: 'all-length-forms', lengths: [125, 126, 65_535, 65_536, 0, 1] },
  { name: 'growing', lengths: times(20, (i) => i * i) },
  { name: 'big-then-small', lengths: [65_536, 1] },
  { name: 'small-then-big', lengths: [1, 65_536] },
  { name: 'thousand', lengths: times(1000, () => 1) },
  { name: 'thousand-empty', lengths: times(1000, () => 0) },
];

function pieces<T extends string | Buffer>(whole: T, lengths: readonly number[]): T[] {
  let at = 0;
  return lengths.map((length) => whole.slice(at, (at += length)) as T);
}

const good: FrameRow[] = SHAPES.flatMap(({ name, lengths }): FrameRow[] => {
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return [
    {
      id: `text-${name}`,
      section: '§5.4',
      title: `a text message of ${lengths.length} fragments: ${name}`,
      input: fragments(1, pieces(letters(total), lengths)),
      expect: clean(aText(letters(total))),
    },
    {
      id: `binary-${name}`,
      section: '§5.4',
      title: `a binary message of ${lengths.length} fragments: ${name}`,
      input: fragments(2, pieces(noise(total), lengths)),
      expect: clean(aBinary(noise(total))),
    },
  ];
});

const STRAY = 'WS_ERR_INVALID_OPCODE';

const stray: FrameRow[] = [
  { id: 'fin', title: 'with FIN', piece: continuation('stray') },
  { id: 'no-fin', title: 'without FIN', piece: continuation('stray', { fin: false }) },
  { id: 'empty-fin', title: 'empty, with FIN', piece: continuation('') },
  { id: 'empty-no-fin', title: 'empty, without FIN', piece: continuation('', { fin: false }) },
].flatMap(({ id, title, piece }): FrameRow[] => [
  {
    id: `stray-${id}`,
    section: '§5.4',
    title: `a continuation frame with nothing to continue, ${title}`,
    input: [piece, text('ignored')],
    expect: fails(1002, STRAY),
  },
  {
    id: `stray-${id}-after-message`,
    section: '§5.4',
    title: `a continuation frame after a whole message, ${title}`,
    input: [text('whole'), piece],
    expect: fails(1002, STRAY, aText('whole')),
  },
  {
    id: `stray-${id}-after-fragments`,
    section: '§5.4',
    title: `a continuation frame after a fragmented message, ${title}`,
    input: [...fragments(2, ['a', 'b']), piece],
    expect: fails(1002, STRAY, aBinary('ab')),
  },
]);

const nested: FrameRow[] = [
  { outer: 'text', inner: 'text' },
  { outer: 'text', inner: 'binary' },
  { outer: 'binary', inner: 'text' },
  { outer: 'binary', inner: 'binary' },
].flatMap(({ outer, inner }): FrameRow[] =>
  [true, false].map((fin) => ({
    id: `nested-${outer}-${inner}${fin ? '' : '-no-fin'}`,
    section: '§5.4',
    title: `a ${inner} frame ${fin ? 'with' : 'without'} FIN inside a fragmented ${outer} message`,
    input: [
      frame(outer === 'text' ? 1 : 2, 'outer', { fin: false }),
      frame(inner === 'text' ? 1 : 2, 'inner', { fin }),
      continuation('rest'),
    ],
    expect: fails(1002, STRAY),
  })),
);

const sequences: FrameRow[] = [
  {
    id: 'nested-after-continuation',
    section: '§5.4',
    title: 'a text frame after the second fragment of a text message',
    input: [text('a', { fin: false }), continuation('b', { fin: false }), text('c')],
    expect: fails(1002, STRAY),
  },
  {
    id: 'nested-header-only',
    section: '§5.4',
    title: 'a second data frame is refused at its header, before its payload',
    input: [text('a', { fin: false }), text('', { announced: 100 })],
    expect: fails(1002, STRAY),
    note: 'the RFC sets no moment; ours is: at the header',
  },
  {
    id: 'stray-header-only',
    section: '§5.4',
    title: 'a stray continuation is refused at its header, before its payload',
    input: [continuation('', { announced: 100 })],
    expect: fails(1002, STRAY),
    note: 'the RFC sets no moment; ours is: at the header',
  },
  {
    id: 'message-after-message',
    section: '§5.4',
    title: 'fragmented messages one after the other; nothing of one gets into the next',
    input: [...fragments(1, ['ab', 'cd']), ...fragments(2, ['ef', 'gh', '']), ...fragments(1, ['', 'ij'])],
    expect: clean(aText('abcd'), aBinary('efgh'), aText('ij')),
  },
  {
    id: 'alternating',
    section: '§5.4',
    title: 'fragmented and whole messages in turn',
    input: [text('one'), ...fragments(2, ['t', 'w', 'o']), text('three'), ...fragments(1, ['fo', 'ur'])],
    expect: clean(aText('one'), aBinary('two'), aText('three'), aText('four')),
  },
  {
    id: 'ping-between-each',
    section: '§5.4',
    title: 'a ping after each of five fragments',
    input: ['a', 'b', 'c', 'd', 'e'].flatMap((letter, i) => [
      frame(i === 0 ? 1 : 0, letter, { fin: i === 4 }),
      ping(letter),
    ]),
    expect: clean(aPing('a'), aPing('b'), aPing('c'), aPing('d'), aText('abcde'), aPing('e')),
  },
  {
    id: 'unfinished-then-cut',
    section: '§5.4',
    title: 'TCP ends between two fragments: no message',
    input: [text('never', { fin: false }), continuation('finished', { fin: false })],
    expect: isCut(),
  },
  {
    id: 'unfinished-then-close',
    section: '§5.4',
    title: 'a close frame between two fragments is accepted, the message is dropped',
    input: [text('never', { fin: false }), close(1000, 'enough')],
    expect: closes(1000, 'enough'),
  },
  {
    id: 'unfinished-then-close-then-rest',
    section: '§5.5.1',
    title: 'a close frame between two fragments; what follows it is ignored',
    input: [binary('never', { fin: false }), close(4000), continuation('finished')],
    expect: closes(4000, ''),
  },
  {
    id: 'whole-after-empty-start',
    section: '§5.4',
    title: 'an empty first fragment opens a message: another text frame is one too many',
    input: [text('', { fin: false }), text('second')],
    expect: fails(1002, STRAY),
  },
];

export const fragmentation = frameTable('fragmentation', [...good, ...stray, ...nested, ...sequences]);
