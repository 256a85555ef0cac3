import { aBinary, aPing, aText, clean } from '../expect.js';
import { binary, coarse, fragments, letters, ping, squeezed, text } from '../input.js';
import { HELLO, inBoth, noTakeover, randomBytes, takeover, zlibs } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// What our end makes of the messages that it sends, RFC 7692 §7.2.1. Every reply is inflated by the decoder of this
// tool; RSV bits, lost tails and windows are checked in all rows, here also which messages are compressed at all.

const SIZES = [1024, 1025, 8191, 8192, 8193, 16_383, 16_384, 16_385, 32_768, 65_535, 65_536, 65_537, 131_072, 500_000];

const sizes: FrameRow[] = SIZES.flatMap((size): FrameRow[] =>
  inBoth({
    id: `letters-${size}`,
    section: 'RFC 7692 §7.2.1',
    title: `${size} letters, and as many bytes`,
    input: [text(letters(size)), binary(coarse(size)), text(letters(size))],
    expect: clean(
      aText(letters(size), 'compressed'),
      aBinary(coarse(size), 'compressed'),
      aText(letters(size), 'compressed'),
    ),
  }),
);

const thresholds: FrameRow[] = [
  {
    id: 'threshold-default',
    section: 'RFC 7692 §6.1',
    title: 'without context takeover messages of less than 1024 bytes are sent as they are',
    ...noTakeover(),
    input: [
      text(letters(1023)),
      text(letters(1024)),
      text('x'),
      binary(Buffer.alloc(1023)),
      binary(Buffer.alloc(1024)),
    ],
    expect: clean(
      aText(letters(1023), 'plain'),
      aText(letters(1024), 'compressed'),
      aText('x', 'plain'),
      aBinary(Buffer.alloc(1023), 'plain'),
      aBinary(Buffer.alloc(1024), 'compressed'),
    ),
    note: 'the number is that of ws 8',
  },
  {
    id: 'threshold-100',
    section: 'RFC 7692 §6.1',
    title: 'threshold 100',
    ...noTakeover({}, { threshold: 100 }),
    input: [
      text('a'.repeat(99)),
      text('a'.repeat(100)),
      text('a'.repeat(101)),
      text('é'.repeat(49)),
      text('é'.repeat(50)),
    ],
    expect: clean(
      aText('a'.repeat(99), 'plain'),
      aText('a'.repeat(100), 'compressed'),
      aText('a'.repeat(101), 'compressed'),
      aText('é'.repeat(49), 'plain'),
      aText('é'.repeat(50), 'compressed'),
    ),
    note: 'bytes, not characters',
  },
  {
    id: 'threshold-of-takeover',
    section: 'RFC 7692 §6.1',
    title: 'with context takeover the threshold does not count: what came before may help',
    ...takeover(),
    input: [text('a'.repeat(100)), text('a'.repeat(100))],
    expect: clean(aText('a'.repeat(100), 'compressed'), aText('a'.repeat(100), 'compressed')),
    note: 'as ws 8',
  },
  {
    id: 'threshold-always',
    section: 'RFC 7692 §6.1',
    title: "thresholdMode 'always': it counts with context takeover too",
    ...takeover({}, { thresholdMode: 'always' }),
    input: [text(letters(1023)), text(letters(1024)), text(letters(1023))],
    expect: clean(aText(letters(1023), 'plain'), aText(letters(1024), 'compressed'), aText(letters(1023), 'plain')),
    note: 'the option is ours',
  },
  ...inBoth({
    id: 'incompressible',
    section: 'RFC 7692 §6.1',
    title: 'bytes that do not compress are sent as they are, and the next message is compressed again',
    input: [
      binary(randomBytes(4096)),
      binary(randomBytes(20_000)),
      binary(randomBytes(200_000)),
      ...Array.from({ length: 40 }, () => text(letters(2000))),
      text('at last'),
    ],
    expect: clean(
      aBinary(randomBytes(4096), 'plain'),
      aBinary(randomBytes(20_000), 'plain'),
      aBinary(randomBytes(200_000), 'plain'),
      ...Array.from({ length: 39 }, () => aText(letters(2000))),
      aText(letters(2000), 'compressed'),
      aText('at last'),
    ),
    note: 'RSV1 says of each message whether it is compressed; that these are not is ours. How soon it is tried again is left open here',
  }),
];

const small: FrameRow[] = [
  { id: 'takeover', session: takeover() },
  { id: 'takeover-0', session: takeover({}, { threshold: 0 }) },
  { id: 'alone', session: noTakeover() },
  { id: 'alone-0', session: noTakeover({}, { threshold: 0 }) },
].flatMap(({ id, session }): FrameRow[] => [
  {
    id: `empty-${id}`,
    section: 'RFC 7692 §7.2.3.6',
    title: `a small message, an empty one, a small one: ${id}`,
    ...session,
    input: [text('a'.repeat(50)), text(''), text('a'.repeat(50)), binary(''), squeezed(1, HELLO), squeezed(1, '00')],
    expect: clean(aText('a'.repeat(50)), aText(''), aText('a'.repeat(50)), aBinary(''), aText('Hello'), aText('')),
  },
  {
    id: `lengths-${id}`,
    section: 'RFC 7692 §7.2.1',
    title: `all lengths from 0 to 150: ${id}`,
    ...session,
    input: Array.from({ length: 151 }, (_, i) => text(letters(i))),
    expect: clean(...Array.from({ length: 151 }, (_, i) => aText(letters(i)))),
  },
]);

const orders: FrameRow[] = [
  ...inBoth({
    id: 'order',
    section: '§5.4',
    title: 'large and small messages in turn come back in their order',
    input: [300_000, 0, 20_000, 1, 70_000, 2000, 500_000, 10].flatMap((size) => [
      text(letters(size)),
      binary(coarse(size)),
      binary(randomBytes(Math.min(size, 100_000))),
    ]),
    expect: clean(
      ...[300_000, 0, 20_000, 1, 70_000, 2000, 500_000, 10].flatMap((size) => [
        aText(letters(size)),
        aBinary(coarse(size)),
        aBinary(randomBytes(Math.min(size, 100_000))),
      ]),
    ),
  }),
  ...inBoth({
    id: 'many',
    section: 'RFC 7692 §7.2.1',
    title: '300 messages at once',
    input: Array.from({ length: 300 }, (_, i) => text(letters(1000 + i))),
    expect: clean(...Array.from({ length: 300 }, (_, i) => aText(letters(1000 + i)))),
  }),
  ...inBoth({
    id: 'fragmented-input',
    section: '§5.4',
    title: 'how the input was fragmented or compressed does not show in the echo',
    input: [
      ...fragments(1, [letters(3000), letters(3000)]),
      squeezed(1, zlibs(letters(6000))),
      ping('p'),
      ...fragments(2, [coarse(3000), '', coarse(3000)]),
    ],
    expect: clean(
      aText(letters(3000) + letters(3000), 'compressed'),
      aText(letters(6000), 'compressed'),
      aPing('p'),
      aBinary(Buffer.concat([coarse(3000), coarse(3000)]), 'compressed'),
    ),
  }),
  ...inBoth({
    id: 'utf8',
    section: '§8.1',
    title: 'text of characters of two to four bytes',
    input: [text('é€😀'.repeat(1000)), text('😀'.repeat(10_000))],
    expect: clean(aText('é€😀'.repeat(1000), 'compressed'), aText('😀'.repeat(10_000), 'compressed')),
  }),
];

const LONG = letters(50_000);

/** A message that the application sends in fragments: RSV1 on the first one alone, §6.1, and one window for all. */
const inFragments: FrameRow[] = [
  { id: 'two', fragments: 2, messages: [letters(3000), letters(3001), letters(2)] },
  { id: 'hundred', fragments: 100, messages: [LONG, letters(3000), letters(50)] },
  { id: 'some-empty', fragments: 7, messages: [letters(3), '', letters(9)] },
  { id: 'incompressible', fragments: 3, messages: [randomBytes(30_000).toString('latin1'), LONG] },
].flatMap(({ id, fragments: count, messages }) =>
  inBoth({
    id: `in-fragments-${id}`,
    section: 'RFC 7692 §6.1',
    title: `the application answers in ${count} fragments: ${id}`,
    app: { kind: 'echoes', fragments: count },
    input: messages.flatMap((message, i) => [text(message), ...(i === 0 ? [squeezed(1, HELLO)] : [])]),
    expect: clean(...messages.flatMap((message, i) => [aText(message), ...(i === 0 ? [aText('Hello')] : [])])),
  }),
);

const uncompressed: FrameRow[] = [
  ...inBoth({
    id: 'compress-false',
    section: 'RFC 7692 §6.1',
    title: 'the application asks for no compression',
    app: { kind: 'echoes', compress: false },
    input: [text(LONG), squeezed(1, HELLO), text('')],
    expect: clean(aText(LONG, 'plain'), aText('Hello', 'plain'), aText('', 'plain')),
  }),
  ...inBoth({
    id: 'compress-false-in-fragments',
    section: 'RFC 7692 §6.1',
    title: 'the application asks for no compression, in fragments',
    app: { kind: 'echoes', compress: false, fragments: 5 },
    input: [text(LONG), squeezed(1, HELLO)],
    expect: clean(aText(LONG, 'plain'), aText('Hello', 'plain')),
  }),
  {
    id: 'compress-not-agreed',
    section: 'RFC 7692 §6',
    title: 'the application asks for compression that was not agreed on',
    options: { perMessageDeflate: true },
    app: { kind: 'echoes', compress: true },
    input: [text(LONG)],
    expect: clean(aText(LONG)),
  },
];

export const deflateReplies = frameTable('deflate-replies', [
  ...sizes,
  ...thresholds,
  ...small,
  ...orders,
  ...inFragments,
  ...uncompressed,
]);
