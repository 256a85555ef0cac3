import { aBinary, aPing, aPong, aText, clean, closes, fails, isCut } from '../expect.js';
import { awaits, binary, close, continuation, fragments, frame, letters, noise, ping, pong, text } from '../input.js';
import { frameTable, type FrameRow } from '../table.js';

// Limits, §10.4, §7.4.1. Sizes are checked on what a header announces, before the payload comes.

const TOO_BIG = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH';
const TOO_MANY = 'WS_ERR_TOO_MANY_BUFFERED_PARTS';

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

const TEN = { maxPayload: 10 };

const payload: FrameRow[] = [
  {
    id: 'payload-exact',
    section: '§10.4',
    title: 'a message of exactly maxPayload',
    options: TEN,
    input: [text(letters(10)), binary(noise(10))],
    expect: clean(aText(letters(10)), aBinary(noise(10))),
  },
  {
    id: 'payload-one-over',
    section: '§7.4.1',
    title: 'a message one byte over maxPayload',
    options: TEN,
    input: [text(letters(11))],
    expect: fails(1009, TOO_BIG),
  },
  ...[11, 125, 126, 65_535, 65_536, 2 ** 32].map((announced): FrameRow => ({
    id: `payload-announced-${announced}`,
    section: '§10.4',
    title: `${announced} bytes announced, none sent`,
    options: TEN,
    input: [text('fine'), binary('', { announced })],
    expect: fails(1009, TOO_BIG, aText('fine')),
    note: 'the RFC sets no moment; ours is: at the header',
  })),
  {
    id: 'payload-fragments-exact',
    section: '§10.4',
    title: 'fragments that add up to maxPayload',
    options: TEN,
    input: fragments(1, [letters(10).slice(0, 4), '', letters(10).slice(4), '']),
    expect: clean(aText(letters(10))),
  },
  {
    id: 'payload-fragments-over',
    section: '§10.4',
    title: 'fragments that add up to one byte more',
    options: TEN,
    input: fragments(2, [noise(5), noise(6)]),
    expect: fails(1009, TOO_BIG),
  },
  {
    id: 'payload-fragments-announced',
    section: '§10.4',
    title: 'the fragment that would be over the limit is refused at its header',
    options: TEN,
    input: [binary(noise(5), { fin: false }), continuation('', { announced: 6, fin: false })],
    expect: fails(1009, TOO_BIG),
    note: 'the RFC sets no moment; ours is: at the header',
  },
  {
    id: 'payload-fragments-one-by-one',
    section: '§10.4',
    title: 'the eleventh of eleven one-byte fragments',
    options: TEN,
    input: fragments(
      1,
      times(11, () => 'x'),
    ),
    expect: fails(1009, TOO_BIG),
  },
  {
    id: 'payload-is-per-message',
    section: '§10.4',
    title: 'many messages of maxPayload each',
    options: TEN,
    input: times(5, (i) => [text(letters(10)), ...fragments(2, [noise(i), noise(10 - i)])]).flat(),
    expect: clean(...times(5, (i) => [aText(letters(10)), aBinary(Buffer.concat([noise(i), noise(10 - i)]))]).flat()),
  },
  {
    id: 'payload-counts-bytes',
    section: '§10.4',
    title: 'four three-byte characters are twelve bytes',
    options: TEN,
    input: [text('€€€€')],
    expect: fails(1009, TOO_BIG),
  },
  {
    id: 'payload-not-control',
    section: '§10.4',
    title: 'control frames are not messages: 125 bytes pass a limit of ten',
    options: TEN,
    input: [ping(noise(125)), awaits('pong', 1), pong(noise(125)), close(1000, 'r'.repeat(123))],
    expect: closes(1000, 'r'.repeat(123), aPing(noise(125)), aPong(noise(125))),
  },
  {
    id: 'payload-control-inside',
    section: '§10.4',
    title: 'control frames between fragments do not count',
    options: TEN,
    input: [text(letters(5), { fin: false }), ping(noise(100)), continuation(letters(5))],
    expect: clean(aPing(noise(100)), aText(letters(5) + letters(5))),
  },
  {
    id: 'payload-one',
    section: '§10.4',
    title: 'maxPayload 1: empty and one-byte messages pass',
    options: { maxPayload: 1 },
    input: [text(''), text('a'), binary('b'), text('cd')],
    expect: fails(1009, TOO_BIG, aText(''), aText('a'), aBinary('b')),
  },
  {
    id: 'payload-zero-is-off',
    section: '§10.4',
    title: 'maxPayload 0 is no limit: a message over the default of servers',
    options: { maxPayload: 0 },
    input: [binary(noise(1_048_577))],
    expect: clean(aBinary(noise(1_048_577))),
  },
  {
    id: 'payload-false-is-off',
    section: '§10.4',
    title: 'maxPayload false is no limit either',
    options: { maxPayload: false },
    input: [binary(noise(1_048_577))],
    expect: clean(aBinary(noise(1_048_577))),
    note: 'false is a form of ours',
  },
  {
    id: 'payload-default-server',
    section: '§10.4',
    title: 'the default of servers: 1 MiB passes',
    role: 'server',
    input: [binary(noise(1_048_576))],
    expect: clean(aBinary(noise(1_048_576))),
  },
  {
    id: 'payload-default-server-over',
    section: '§10.4',
    title: 'the default of servers: 1 MiB and one byte, announced',
    role: 'server',
    input: [binary('', { announced: 1_048_577 })],
    expect: fails(1009, TOO_BIG),
    note: 'the default is ours',
  },
  {
    id: 'payload-default-server-fragments',
    section: '§10.4',
    title: 'the default of servers: 1 MiB and one byte in fragments',
    role: 'server',
    input: fragments(2, [noise(600_000), noise(448_577)]),
    expect: fails(1009, TOO_BIG),
    note: 'the default is ours',
  },
  {
    id: 'payload-default-client',
    section: '§10.4',
    title: 'the default of clients: 100 MiB, announced, may come',
    role: 'client',
    input: [binary('', { announced: 104_857_600 })],
    expect: isCut(),
  },
  {
    id: 'payload-default-client-over',
    section: '§10.4',
    title: 'the default of clients: 100 MiB and one byte, announced',
    role: 'client',
    input: [binary('', { announced: 104_857_601 })],
    expect: fails(1009, TOO_BIG),
  },
];

const FIVE = { maxFragments: 5 };

const parts: FrameRow[] = [
  {
    id: 'fragments-exact',
    section: '§10.4',
    title: 'a message of exactly maxFragments frames',
    options: FIVE,
    input: fragments(1, ['a', 'b', 'c', 'd', 'e']),
    expect: clean(aText('abcde')),
  },
  {
    id: 'fragments-one-over',
    section: '§10.4',
    title: 'one frame more than maxFragments',
    options: FIVE,
    input: fragments(1, ['a', 'b', 'c', 'd', 'e', 'f']),
    expect: fails(1008, TOO_MANY),
  },
  {
    id: 'fragments-empty-count',
    section: '§10.4',
    title: 'empty fragments count',
    options: FIVE,
    input: fragments(2, ['a', '', '', '', '', '']),
    expect: fails(1008, TOO_MANY),
  },
  {
    id: 'fragments-per-message',
    section: '§10.4',
    title: 'each message has its own count',
    options: FIVE,
    input: times(4, () => [...fragments(1, ['a', 'b', 'c', 'd', 'e']), text('whole')]).flat(),
    expect: clean(...times(4, () => [aText('abcde'), aText('whole')]).flat()),
  },
  {
    id: 'fragments-not-control',
    section: '§10.4',
    title: 'control frames between fragments do not count',
    options: FIVE,
    input: times(5, (i) => [frame(i === 0 ? 1 : 0, 'x', { fin: i === 4 }), ping(`${i}`), pong(`${i}`)]).flat(),
    expect: clean(...times(4, (i) => [aPing(`${i}`), aPong(`${i}`)]).flat(), aText('xxxxx'), aPing('4'), aPong('4')),
  },
  {
    id: 'fragments-one',
    section: '§10.4',
    title: 'maxFragments 1: whole messages pass, a second frame does not',
    options: { maxFragments: 1 },
    input: [text('whole'), text('a', { fin: false }), continuation('b')],
    expect: fails(1008, TOO_MANY, aText('whole')),
  },
  {
    id: 'fragments-zero-is-off',
    section: '§10.4',
    title: 'maxFragments 0 is no limit',
    options: { maxFragments: 0 },
    input: fragments(
      2,
      times(2000, (i) => noise(i % 3)),
    ),
    expect: clean(aBinary(Buffer.concat(times(2000, (i) => noise(i % 3))))),
  },
  {
    id: 'fragments-default',
    section: '§10.4',
    title: 'the default: 131072 frames pass',
    input: fragments(
      2,
      times(131_072, (i) => (i % 4096 === 0 ? 'x' : '')),
    ),
    expect: clean(aBinary('x'.repeat(32))),
  },
  {
    id: 'fragments-default-over',
    section: '§10.4',
    title: 'the default: a flood of 131073 empty fragments',
    input: times(131_073, (i) => frame(i === 0 ? 2 : 0, '', { fin: false })),
    expect: fails(1008, TOO_MANY),
    note: 'the default is ours',
  },
];

export const limits = frameTable('limits', [...payload, ...parts]);
