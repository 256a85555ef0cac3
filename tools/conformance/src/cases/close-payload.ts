import { aText, closes, fails } from '../expect.js';
import { close, closeWith, hex, text } from '../input.js';
import { frameTable, type FrameRow } from '../table.js';

// What a close frame may hold, §5.5.1, §7.4.

const GOOD_CODES = [
  1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3001, 3999, 4000, 4001, 4999,
];
const BAD_CODES = [0, 1, 125, 999, 1004, 1005, 1006, 1015, 1016, 1100, 1999, 2000, 2999, 5000, 32_768, 65_535];

const codes: FrameRow[] = [
  ...GOOD_CODES.flatMap((code): FrameRow[] => [
    {
      id: `code-${code}`,
      section: '§7.4',
      title: `close ${code} is echoed`,
      input: [close(code)],
      expect: closes(code, ''),
    },
    {
      id: `code-${code}-reason`,
      section: '§7.1.6',
      title: `close ${code} with a reason`,
      input: [text('before'), close(code, 'good bye, κόσμε')],
      expect: closes(code, 'good bye, κόσμε', aText('before')),
    },
  ]),
  ...BAD_CODES.flatMap((code): FrameRow[] => [
    {
      id: `code-${code}`,
      section: '§7.4',
      title: `close ${code} must not travel`,
      input: [close(code)],
      expect: fails(1002, 'WS_ERR_INVALID_CLOSE_CODE'),
    },
    {
      id: `code-${code}-reason`,
      section: '§7.4',
      title: `close ${code} with a reason must not travel`,
      input: [text('before'), close(code, 'good bye')],
      expect: fails(1002, 'WS_ERR_INVALID_CLOSE_CODE', aText('before')),
    },
  ]),
];

const LENGTH = 'WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH';
const UTF8 = 'WS_ERR_INVALID_UTF8';

const payloads: FrameRow[] = [
  {
    id: 'empty',
    section: '§5.5.1',
    title: 'an empty close frame is answered by an empty one; the application sees 1005',
    input: [closeWith('')],
    expect: closes(1005, ''),
  },
  {
    id: 'one-byte',
    section: '§5.5.1',
    title: 'a payload of one byte',
    input: [closeWith(Buffer.from([0x03]))],
    expect: fails(1002, LENGTH),
  },
  {
    id: 'one-byte-zero',
    section: '§5.5.1',
    title: 'a payload of one zero byte',
    input: [closeWith(Buffer.from([0]))],
    expect: fails(1002, LENGTH),
  },
  {
    id: 'three-bytes',
    section: '§5.5.1',
    title: 'a code and a reason of one letter',
    input: [close(1000, 'x')],
    expect: closes(1000, 'x'),
  },
  {
    id: 'reason-122',
    section: '§5.5',
    title: 'a reason of 122 bytes',
    input: [close(1000, 'r'.repeat(122))],
    expect: closes(1000, 'r'.repeat(122)),
  },
  {
    id: 'reason-123',
    section: '§5.5',
    title: 'the longest reason, 123 bytes',
    input: [close(1000, 'r'.repeat(123))],
    expect: closes(1000, 'r'.repeat(123)),
  },
  {
    id: 'reason-123-euros',
    section: '§5.5.1',
    title: 'the longest reason in three-byte code points',
    input: [close(3000, '€'.repeat(41))],
    expect: closes(3000, '€'.repeat(41)),
  },
  {
    id: 'reason-124',
    section: '§5.5',
    title: 'a reason one byte too long',
    input: [close(1000, 'r'.repeat(124))],
    expect: fails(1002, LENGTH),
  },
  {
    id: 'reason-nul',
    section: '§5.5.1',
    title: 'a reason of NUL, BOM and U+10FFFF',
    input: [close(1000, '\u0000\ufeff\u{10ffff}')],
    expect: closes(1000, '\u0000\ufeff\u{10ffff}'),
  },
  ...['ff', '80', 'c0 af', 'c3', 'ce ba cf', 'ed a0 80', 'f4 90 80 80', 'f0 9f 98'].map((reason): FrameRow => ({
    id: `reason-bad-${reason.replaceAll(' ', '')}`,
    section: '§5.5.1',
    title: `a reason that is not UTF-8: ${reason}`,
    input: [close(1000, hex(reason))],
    expect: fails(1007, UTF8),
  })),
  {
    id: 'reason-bad-after-good',
    section: '§5.5.1',
    title: 'a reason whose last byte is not UTF-8',
    input: [close(4000, Buffer.concat([Buffer.alloc(122, 'r'), hex('e2')]))],
    expect: fails(1007, UTF8),
  },
];

export const closePayloads = frameTable('close', [...codes, ...payloads]);
