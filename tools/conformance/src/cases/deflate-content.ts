import { deflated, fixed, match, stored } from '../blocks.js';
import { aBinary, aText, clean, fails } from '../expect.js';
import { hex, squeezed, squeezedFragments, text } from '../input.js';
import { AGAIN, HELLO, inBoth, inPieces, noTakeover, randomBytes, takeover, zlibs } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// References to what is not in the window, RFC 7692 §7.1.1, and text that inflates to what is no text, §8.1.

const DATA = 'WS_ERR_INVALID_DEFLATE_DATA';
const UTF8 = 'WS_ERR_INVALID_UTF8';

const window: FrameRow[] = [
  {
    id: 'window-of-before',
    section: 'RFC 7692 §7.1.1',
    title: 'without context takeover: a reference to the message before',
    ...noTakeover(),
    input: [squeezed(1, HELLO), squeezed(1, AGAIN)],
    expect: fails(1007, DATA, aText('Hello')),
  },
  {
    id: 'window-of-before-long',
    section: 'RFC 7692 §7.1.1',
    title: 'without context takeover: a reference to a message of 200000 bytes before',
    ...noTakeover(),
    input: [squeezed(2, zlibs(randomBytes(200_000))), squeezed(2, deflated(fixed([match(258, 32_768)])))],
    expect: fails(1007, DATA, aBinary(randomBytes(200_000))),
  },
  {
    id: 'window-of-plain',
    section: 'RFC 7692 §7.2.2',
    title: 'with context takeover: a reference to an uncompressed message, which is in no window',
    ...takeover(),
    input: [text('Hello'), squeezed(1, AGAIN)],
    expect: fails(1007, DATA, aText('Hello')),
  },
  {
    id: 'window-too-far',
    section: 'RFC 7692 §7.2.2',
    title: 'with context takeover: a reference to one byte before the first message',
    ...takeover(),
    input: [squeezed(1, HELLO), squeezed(1, HELLO), squeezed(1, deflated(fixed([match(3, 11)])))],
    expect: fails(1007, DATA, aText('Hello'), aText('Hello')),
  },
  {
    id: 'window-not-ours',
    section: 'RFC 7692 §7.1.1',
    title: 'with context takeover: what our end sent, compressed, is in no window of the peer',
    ...takeover(),
    input: [
      text('Hello '.repeat(300)),
      squeezed(1, HELLO),
      squeezed(1, deflated(fixed([...Buffer.from('!'), match(6, 7)]))),
    ],
    expect: fails(1007, DATA, aText('Hello '.repeat(300)), aText('Hello')),
  },
];

const BAD_UTF8: readonly { id: string; title: string; bytes: string }[] = [
  { id: 'ff', title: 'a byte that never occurs', bytes: '48 65 ff 6c' },
  { id: 'lone-continuation', title: 'a continuation byte alone', bytes: '48 80 6c' },
  { id: 'cut-short', title: 'a character that is cut short by another', bytes: '48 e2 82 6c' },
  { id: 'cut-at-end', title: 'a character that is cut short by the end', bytes: '48 65 e2 82' },
  { id: 'overlong', title: 'an overlong form', bytes: 'c0 af' },
  { id: 'surrogate', title: 'a surrogate', bytes: 'ed a0 80' },
  { id: 'too-large', title: 'a code point over 10FFFF', bytes: 'f4 90 80 80' },
];

const utf8: FrameRow[] = [
  ...BAD_UTF8.flatMap(({ id, title, bytes }): FrameRow[] => [
    {
      id: `utf8-${id}`,
      section: '§8.1',
      title: `text that inflates to ${title}`,
      ...takeover(),
      input: [squeezed(1, HELLO), squeezed(1, deflated(fixed([...hex(bytes)]))), text('ignored')],
      expect: fails(1007, UTF8, aText('Hello')),
    },
    {
      id: `utf8-${id}-fragments`,
      section: '§8.1',
      title: `text that inflates to ${title}, in fragments`,
      ...noTakeover(),
      input: squeezedFragments(1, inPieces(deflated(fixed([...hex(bytes)])))),
      expect: fails(1007, UTF8),
    },
    {
      id: `utf8-${id}-binary`,
      section: '§8.1',
      title: `a binary message may inflate to ${title}`,
      ...takeover(),
      input: [squeezed(2, deflated(fixed([...hex(bytes)])))],
      expect: clean(aBinary(hex(bytes))),
    },
  ]),
  ...inBoth({
    id: 'utf8-late',
    section: '§8.1',
    title: 'a bad byte at the end of 300000 good ones',
    input: [squeezed(1, zlibs(Buffer.concat([Buffer.alloc(300_000, 'é'), Buffer.of(0xc3)]))), text('ignored')],
    expect: fails(1007, UTF8),
  }),
  ...inBoth({
    id: 'utf8-compressed-bytes',
    section: '§8.1',
    title: 'that the compressed bytes are no UTF-8 does not matter',
    input: [squeezed(1, deflated(fixed('Ünïcödé €😀'))), squeezed(1, deflated(stored('€€€')))],
    expect: clean(aText('Ünïcödé €😀'), aText('€€€')),
  }),
  ...inBoth({
    id: 'utf8-split',
    section: '§8.1',
    title: 'a character across blocks and fragments',
    input: squeezedFragments(1, [
      deflated(stored(hex('f0 9f'))),
      '00 00 ff ff',
      deflated(stored(hex('98'))),
      '00 00 ff ff',
      deflated(stored(hex('80'))),
    ]),
    expect: clean(aText('😀')),
  }),
];

export const deflateContent = frameTable('deflate-content', [...window, ...utf8]);
