import { deflated, fixed, match, stored, type Item } from '../blocks.js';
import { aBinary, aText, clean, fails, isCut } from '../expect.js';
import { binary, continuation, frame, letters, RSV1, squeezed, squeezedFragments, text } from '../input.js';
import { HELLO, inBoth, inPieces, noTakeover, randomBytes, takeover } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// Limits on what a compressed message inflates to, RFC 7692 §8 and RFC 6455 §10.4.

const TOO_BIG = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
const RATIO = 'WS_ERR_INFLATION_RATIO';
const TOO_MANY = 'WS_ERR_TOO_MANY_BUFFERED_PARTS';

/** So many times the letter x, in about a 200th of the bytes. */
function xs(length: number): Buffer {
  const items: Item[] = [0x78];
  for (let rest = length - 1; rest > 0;) {
    const size = rest < 3 ? 1 : Math.min(258, rest === 259 || rest === 260 ? 3 : rest);
    items.push(size === 1 ? 0x78 : match(size, 1));
    rest -= size;
  }
  return deflated(fixed(length === 0 ? [] : items));
}

const x = (length: number): string => 'x'.repeat(length);

const atLimit: FrameRow[] = [10, 125, 1000, 65_536, 1_000_000].flatMap((limit): FrameRow[] => [
  ...inBoth(
    {
      id: `exact-${limit}`,
      section: '§10.4',
      title: `a message that inflates to exactly maxPayload, ${limit}`,
      input: [squeezed(1, xs(limit)), squeezed(2, xs(limit))],
      expect: clean(aText(x(limit)), aBinary(x(limit))),
    },
    { maxPayload: limit },
  ),
  ...inBoth(
    {
      id: `over-${limit}`,
      section: '§7.4.1',
      title: `a message that inflates to one byte more than maxPayload, ${limit}`,
      input: [squeezed(1, xs(limit)), squeezed(1, xs(limit + 1)), text('ignored')],
      expect: fails(1009, TOO_BIG, aText(x(limit))),
    },
    { maxPayload: limit },
  ),
]);

const BOMBS = [
  { id: '5-kb', title: '5 KB that inflate to 1 MB', payload: xs(1_000_000) },
  { id: '100-kb', title: '100 KB that inflate to 20 MB', payload: xs(20_000_000) },
  {
    id: 'late',
    title: '60000 stored bytes, then 300 KB that are not there',
    payload: deflated(stored(randomBytes(60_000)), fixed(Array.from({ length: 1200 }, () => match(258, 1)))),
  },
];

const bombs: FrameRow[] = BOMBS.flatMap(({ id, title, payload }): FrameRow[] => [
  ...inBoth(
    {
      id: `bomb-${id}`,
      section: 'RFC 7692 §8',
      title: `${title}; maxPayload 100000`,
      input: [squeezed(1, HELLO), squeezed(2, payload), text('ignored')],
      expect: fails(1009, TOO_BIG, aText('Hello')),
    },
    { maxPayload: 100_000 },
  ),
  ...inBoth(
    {
      id: `bomb-${id}-fragments`,
      section: 'RFC 7692 §8',
      title: `${title}, in ten fragments; maxPayload 100000`,
      input: squeezedFragments(
        2,
        Array.from({ length: 10 }, (_, i) =>
          payload.subarray(Math.floor((i * payload.length) / 10), Math.floor(((i + 1) * payload.length) / 10)),
        ),
      ),
      expect: fails(1009, TOO_BIG),
    },
    { maxPayload: 100_000 },
  ),
]);

/** What a message may have whatever its ratio. */
const UNJUDGED = 65_536;

const ratios: FrameRow[] = [
  {
    id: 'ratio-exact',
    title: 'maxRatio 10: a few bytes that inflate to 64 KiB',
    input: [squeezed(1, xs(UNJUDGED)), squeezed(1, HELLO)],
    expect: clean(aText(x(UNJUDGED)), aText('Hello')),
  },
  {
    id: 'ratio-over',
    title: 'maxRatio 10: a few bytes that inflate to one byte more than 64 KiB',
    input: [squeezed(1, HELLO), squeezed(1, xs(UNJUDGED + 1)), text('ignored')],
    expect: fails(1009, RATIO, aText('Hello')),
  },
  {
    id: 'ratio-over-fragments',
    title: 'maxRatio 10: the same in fragments',
    input: squeezedFragments(1, inPieces(xs(UNJUDGED + 1))),
    expect: fails(1009, RATIO),
  },
  {
    id: 'ratio-bomb',
    title: 'maxRatio 10: 3 KB that inflate to 500 KB',
    input: [squeezed(2, xs(500_000))],
    expect: fails(1009, RATIO),
  },
  {
    id: 'ratio-plain',
    title: 'maxRatio 10 says nothing of messages that are not compressed',
    input: [text(x(5000)), squeezed(2, deflated(stored('')))],
    expect: clean(aText(x(5000)), aBinary('')),
  },
].flatMap((row): FrameRow[] => {
  const shared = { ...row, section: 'RFC 7692 §8', note: 'the option and its code are ours' };
  return [
    { ...shared, ...takeover({}, { maxRatio: 10 }) },
    {
      ...shared,
      ...noTakeover({}, { maxRatio: 10 }),
      id: `${row.id}-alone`,
      title: `${row.title}; no context takeover`,
    },
  ];
});

const TEN = { maxPayload: 10 };

const sums: FrameRow[] = [
  ...inBoth(
    {
      id: 'sum-exact',
      section: '§10.4',
      title: 'fragments that inflate to exactly maxPayload together',
      input: [
        squeezed(1, deflated(stored('12345')), { fin: false }),
        continuation(Buffer.from([0, 0, 0xff, 0xff]), { fin: false }),
        continuation(deflated(fixed('67890'))),
      ],
      // The fragments alone are longer than what they inflate to: see `compressed-over`.
      expect: clean(aText('1234567890')),
    },
    { maxPayload: 40 },
  ),
  ...inBoth(
    {
      id: 'sum-over',
      section: '§10.4',
      title: 'fragments each of which inflates to less than maxPayload, and to more together',
      input: squeezedFragments(1, [
        xs(60).subarray(0, -1),
        ...xs(60)
          .subarray(-1)
          .toJSON()
          .data.map((b) => Buffer.of(b)),
      ]),
      expect: fails(1009, TOO_BIG),
    },
    { maxPayload: 59 },
  ),
  ...inBoth(
    {
      id: 'per-message',
      section: '§10.4',
      title: 'each message has its own limit',
      input: Array.from({ length: 20 }, () => squeezed(1, xs(10))),
      expect: clean(...Array.from({ length: 20 }, () => aText(x(10)))),
    },
    TEN,
  ),
  ...[
    { id: 'whole', fin: true },
    { id: 'fragment', fin: false },
  ].map(({ id, fin }): FrameRow => ({
    id: `compressed-over-${id}`,
    section: '§10.4',
    title: `more compressed bytes announced than maxPayload, none sent: ${id}`,
    ...takeover(TEN),
    input: [squeezed(1, HELLO), frame(2, '', { rsv: RSV1, announced: 11, fin })],
    expect: fails(1009, TOO_BIG, aText('Hello')),
    note: 'the RFC sets no moment; ours is at the header, on the compressed length too. So a message that compresses badly may be refused though it would fit: a sender that cares sends it uncompressed',
  })),
  {
    id: 'compressed-sum-over',
    section: '§10.4',
    title: 'the fragment with which the compressed bytes are more than maxPayload is refused at its header',
    ...takeover(TEN),
    input: [squeezed(2, HELLO, { fin: false }), continuation('', { announced: 4, fin: false })],
    expect: fails(1009, TOO_BIG),
  },
  {
    id: 'compressed-huge',
    section: '§10.4',
    title: '4 GiB of compressed bytes announced',
    ...takeover(),
    input: [squeezed(1, HELLO), frame(2, '', { rsv: RSV1, announced: 2 ** 32 })],
    expect: fails(1009, TOO_BIG, aText('Hello')),
  },
  ...inBoth(
    {
      id: 'plain-over',
      section: '§10.4',
      title: 'uncompressed messages have the same limit in a session with compression',
      input: [text(letters(10)), squeezed(1, xs(10)), binary('', { announced: 11 })],
      expect: fails(1009, TOO_BIG, aText(letters(10)), aText(x(10))),
    },
    TEN,
  ),
  {
    id: 'default-server',
    section: '§10.4',
    title: 'the default of servers: 5 KB that inflate to 1 MiB pass',
    role: 'server',
    ...takeover(),
    input: [squeezed(2, xs(1_048_576))],
    expect: clean(aBinary(x(1_048_576))),
  },
  {
    id: 'default-server-over',
    section: '§10.4',
    title: 'the default of servers: one byte more does not',
    role: 'server',
    ...takeover(),
    input: [squeezed(2, xs(1_048_577))],
    expect: fails(1009, TOO_BIG),
    note: 'the default is ours',
  },
  {
    id: 'off',
    section: '§10.4',
    title: 'maxPayload 0 is no limit',
    ...takeover({ maxPayload: 0 }),
    input: [squeezed(2, xs(3_000_000))],
    expect: clean(aBinary(x(3_000_000))),
  },
  ...inBoth(
    {
      id: 'fragments',
      section: '§10.4',
      title: 'maxFragments counts the frames of compressed messages',
      input: [
        ...squeezedFragments(1, ['f2 48', 'cd c9', 'c9 07 00']),
        ...squeezedFragments(1, ['f2 48', 'cd c9', 'c9', '07 00']),
      ],
      expect: fails(1008, TOO_MANY, aText('Hello')),
    },
    { maxFragments: 3 },
  ),
  {
    id: 'many-empty-fragments',
    section: '§10.4',
    title: '10000 empty fragments of a compressed message, then the end of TCP',
    ...takeover(),
    input: [squeezed(1, '', { fin: false }), ...Array.from({ length: 10_000 }, () => continuation('', { fin: false }))],
    expect: isCut(),
  },
];

export const deflateLimits = frameTable('deflate-limits', [...atLimit, ...bombs, ...ratios, ...sums]);
