import {
  aBinary,
  aPing,
  aPong,
  aText,
  clean,
  closedByUs,
  closeAtMessage,
  closes,
  fails,
  isCut,
  isReset,
} from '../expect.js';
import {
  binary,
  close,
  continuation,
  fragments,
  frame,
  hex,
  letters,
  ping,
  pong,
  squeezed,
  squeezedFragments,
  text,
} from '../input.js';
import { AGAIN, HELLO, inBoth, randomBytes, takeover, zlibs } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// Compressed messages among uncompressed ones and control frames, and what ends in the middle of one. RFC 7692 §6.

const hello = hex(HELLO);

const mixed: FrameRow[] = [
  ...inBoth({
    id: 'plain-messages',
    section: 'RFC 7692 §6',
    title: 'messages that are not compressed, in a session with compression',
    input: [text('one'), binary('two'), text(''), ...fragments(1, ['th', '', 'ree']), binary(randomBytes(70_000))],
    expect: clean(aText('one'), aBinary('two'), aText(''), aText('three'), aBinary(randomBytes(70_000))),
  }),
  ...inBoth({
    id: 'in-turn',
    section: 'RFC 7692 §6',
    title: 'compressed and uncompressed messages in turn',
    input: [
      squeezed(1, HELLO),
      text('plain'),
      ...squeezedFragments(2, ['f2 48 cd', 'c9 c9 07 00']),
      ...fragments(2, ['pla', 'in']),
      squeezed(1, '00'),
      text(''),
      squeezed(1, HELLO),
    ],
    expect: clean(
      aText('Hello'),
      aText('plain'),
      aBinary('Hello'),
      aBinary('plain'),
      aText(''),
      aText(''),
      aText('Hello'),
    ),
  }),
  {
    id: 'looks-compressed',
    section: 'RFC 7692 §6',
    title: 'a message without RSV1 is never inflated, whatever its bytes are',
    ...takeover(),
    input: [binary(hello), squeezed(1, HELLO), binary(hex(AGAIN)), ...fragments(2, [hello, hello])],
    expect: clean(aBinary(hello), aText('Hello'), aBinary(hex(AGAIN)), aBinary(Buffer.concat([hello, hello]))),
  },
  ...inBoth({
    id: 'control-between',
    section: 'RFC 7692 §6.1',
    title: 'control frames between the fragments of a compressed message; they are not compressed',
    input: [
      squeezed(1, 'f2', { fin: false }),
      ping('one'),
      continuation(hello.subarray(1, 4), { fin: false }),
      pong('two'),
      ping(''),
      continuation(hello.subarray(4)),
      ping('three'),
    ],
    expect: clean(aPing('one'), aPong('two'), aPing(''), aText('Hello'), aPing('three')),
  }),
  {
    id: 'control-looks-compressed',
    section: 'RFC 7692 §6.1',
    title: 'the payload of a control frame is taken as it is',
    ...takeover(),
    input: [ping(hello), squeezed(1, HELLO), pong(hex(AGAIN))],
    expect: clean(aPing(hello), aText('Hello'), aPong(hex(AGAIN))),
  },
  ...inBoth({
    id: 'order',
    section: '§5.4',
    title: 'a message that takes long to inflate does not fall behind a short one',
    input: [
      squeezed(1, zlibs(letters(600_000))),
      text('plain'),
      squeezed(1, HELLO),
      ping('p'),
      squeezed(2, zlibs(randomBytes(100_000))),
      squeezed(2, '00'),
      binary('end'),
    ],
    expect: clean(
      aText(letters(600_000)),
      aText('plain'),
      aText('Hello'),
      aPing('p'),
      aBinary(randomBytes(100_000)),
      aBinary(''),
      aBinary('end'),
    ),
  }),
  {
    id: 'hundred-messages',
    section: 'RFC 7692 §7.2',
    title: 'a hundred messages, each of which refers to the one before it',
    ...takeover(),
    input: [squeezed(1, HELLO), ...Array.from({ length: 99 }, () => squeezed(1, AGAIN))],
    expect: clean(...Array.from({ length: 100 }, () => aText('Hello'))),
  },
];

const ends: FrameRow[] = [
  ...inBoth({
    id: 'close-inside',
    section: '§5.5.1',
    title: 'a close frame between two fragments: the message is dropped',
    input: [
      squeezed(1, HELLO),
      squeezed(1, 'f2 48 cd', { fin: false }),
      close(1000, 'enough'),
      continuation('ignored'),
    ],
    expect: closes(1000, 'enough', aText('Hello')),
  }),
  ...inBoth({
    id: 'close-behind',
    section: '§5.5.1',
    title: 'a close frame behind a message that takes long to inflate: the message comes first',
    input: [squeezed(1, zlibs(letters(600_000))), close(4321, 'done')],
    expect: closes(4321, 'done', aText(letters(600_000))),
  }),
  {
    id: 'cut-inside',
    section: '§7.1.5',
    title: 'TCP ends between two fragments: no message',
    ...takeover(),
    input: [squeezed(1, 'f2 48 cd', { fin: false }), continuation('\u00c9', { fin: false })],
    expect: isCut(),
  },
  {
    id: 'reset-inside',
    section: '§7.1.5',
    title: 'TCP is reset between two fragments: no message',
    ...takeover(),
    input: [squeezed(1, 'f2 48 cd', { fin: false })],
    expect: isReset(),
  },
  ...inBoth({
    id: 'fault-behind',
    section: '§7.1.7',
    title: 'a fault behind a message that takes long to inflate: the message comes first',
    input: [squeezed(1, zlibs(letters(600_000))), frame(3)],
    expect: fails(1002, 'WS_ERR_INVALID_OPCODE', aText(letters(600_000))),
  }),
  {
    id: 'ours-at-message',
    section: '§5.5.1',
    title: 'the application closes at a compressed message; those behind it are dropped or not, and no fault',
    ...takeover(),
    app: closeAtMessage(4000, 'enough'),
    input: [squeezed(1, HELLO), close(4000)],
    expect: closedByUs({ code: 4000, reason: 'enough' }, 4000, '', [aText('Hello')]),
  },
];

export const deflateMixed = frameTable('deflate-mixed', [...mixed, ...ends]);
