import { deflated, fixed, match, stored } from '../blocks.js';
import { aBinary, aText, clean, fails } from '../expect.js';
import { binary, letters, squeezed, text } from '../input.js';
import { PMD } from '../offers.js';
import { randomBytes, session, windows, zlibs } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// Window sizes, RFC 7692 §7.1.2: what may be referred to, and what our end refers to. All replies are read with the
// window that was agreed on, so that a distance beyond it fails the row.

const DATA = 'WS_ERR_INVALID_DEFLATE_DATA';
const BITS = [8, 9, 10, 11, 12, 13, 14, 15];

/** A text with repeats at all distances up to 32 KiB, also such as lie just beyond a smaller window. */
function tempting(bits: number): string {
  const secret = randomBytes(200, `${bits}`).toString('hex');
  const gaps = [200, 2 ** bits - 400, 2 ** bits - 399, 2 ** bits, 2 ** bits + 1, 3 * 2 ** bits, 30_000];
  return gaps.map((gap, i) => secret + letters(Math.max(0, gap) + i)).join('');
}

const sizes = BITS.flatMap((bits): FrameRow[] => {
  const size = 2 ** bits;
  const data = randomBytes(size, `${bits}`);
  const more = randomBytes(size + 1000, `more ${bits}`);
  return [
    {
      id: `${bits}-within-message`,
      section: 'RFC 7692 §7.2.2',
      title: `a reference ${size} bytes back, in the same message`,
      ...windows(bits, false),
      input: [squeezed(2, deflated(stored(data), fixed([match(258, size)])))],
      expect: clean(aBinary(Buffer.concat([data, Buffer.concat([data, data]).subarray(0, 258)]))),
    },
    {
      id: `${bits}-next-message`,
      section: 'RFC 7692 §7.2.2',
      title: `a reference ${size} bytes back, to the start of the message before`,
      ...windows(bits, true),
      input: [squeezed(2, deflated(stored(data))), squeezed(2, deflated(fixed([match(258, size), 0x21])))],
      expect: clean(
        aBinary(data),
        aBinary(Buffer.concat([Buffer.concat([data, data]).subarray(0, 258), Buffer.from('!')])),
      ),
    },
    {
      id: `${bits}-slid`,
      section: 'RFC 7692 §7.2.2',
      title: `the same after ${size + 1000} bytes, of which the window holds the last ones`,
      ...windows(bits, true),
      input: [
        squeezed(2, deflated(stored(more))),
        binary('plain'),
        squeezed(2, deflated(stored(data.subarray(0, 10)), fixed([match(200, size)]))),
      ],
      expect: clean(
        aBinary(more),
        aBinary('plain'),
        aBinary(Buffer.concat([data.subarray(0, 10), more.subarray(1010, 1210)])),
      ),
    },
    ...[true, false].map((keeps): FrameRow => ({
      id: `${bits}-reply${keeps ? '' : '-alone'}`,
      section: 'RFC 7692 §7.2.1',
      title: `what our end compresses stays within ${size} bytes${keeps ? '' : '; no context takeover'}`,
      ...windows(bits, keeps),
      input: [
        text(tempting(bits)),
        squeezed(1, zlibs(tempting(bits), { windowBits: Math.max(9, bits), level: bits === 8 ? 0 : 9 })),
        text(letters(5000)),
      ],
      expect: clean(
        aText(tempting(bits), 'compressed'),
        aText(tempting(bits), 'compressed'),
        aText(letters(5000), 'compressed'),
      ),
    })),
    {
      id: `${bits}-other-side`,
      section: 'RFC 7692 §7.1.2',
      title: `only the other end has a window of ${size} bytes`,
      role: 'server',
      ...session(
        { serverNoContextTakeover: false, clientNoContextTakeover: false, clientMaxWindowBits: bits },
        {
          offer: 'permessage-deflate; client_max_window_bits',
          answer: `permessage-deflate; client_max_window_bits=${bits}`,
        },
      ),
      input: [
        squeezed(2, deflated(stored(data))),
        squeezed(2, deflated(fixed([match(258, size)]))),
        text(tempting(bits)),
      ],
      expect: clean(
        aBinary(data),
        aBinary(Buffer.concat([data, data]).subarray(0, 258)),
        aText(tempting(bits), 'compressed'),
      ),
    },
    {
      id: `${bits}-our-side`,
      section: 'RFC 7692 §7.1.2',
      title: `only our client has a window of ${size} bytes`,
      role: 'client',
      ...session({}, { offer: 'permessage-deflate', answer: `permessage-deflate; client_max_window_bits=${bits}` }),
      input: [
        text(tempting(bits)),
        squeezed(2, deflated(stored(randomBytes(32_768)))),
        squeezed(2, deflated(fixed([match(258, 32_768)]))),
      ],
      expect: clean(aText(tempting(bits), 'compressed'), aBinary(randomBytes(32_768)), aBinary(randomBytes(258))),
    },
  ];
});

/** What lies beyond the window that was agreed on: senders must not refer to it, and receivers need not have it. */
const beyond = [8, 9, 10, 11, 12, 13, 14].flatMap((bits): FrameRow[] => {
  const size = 2 ** bits;
  const data = randomBytes(size + 100, `${bits}`);
  return [
    {
      id: `${bits}-beyond-next-message`,
      section: 'RFC 7692 §7.1.2',
      title: `a reference ${size + 1} bytes back, into the message before`,
      ...windows(bits, true),
      input: [squeezed(2, deflated(stored(data))), squeezed(2, deflated(fixed([match(3, size + 1)])))],
      expect: fails(1007, DATA, aBinary(data)),
      note: 'the sender breaks the agreement; a receiver may have kept more. Ours keeps what was agreed on, and no more',
    },
    {
      id: `${bits}-beyond-within-message`,
      section: 'RFC 7692 §7.1.2',
      title: `a reference ${size + 1} bytes back, in the same message`,
      ...windows(bits, false),
      input: [squeezed(2, deflated(stored(data), fixed([match(3, size + 1)])))],
      expect: clean(aBinary(Buffer.concat([data, data.subarray(99, 102)]))),
      note: 'the sender breaks the agreement; what it means is clear, and a receiver that has the message at hand anyway may take it. zlib checks distances against what it has, not against its window',
    },
  ];
});

const announced: FrameRow[] = [8, 9, 12].map((bits) => ({
  id: `${bits}-announced`,
  section: 'RFC 7692 §7.1.2.2',
  title: `a client that has offered client_max_window_bits=${bits} keeps to it, though the answer does not repeat it`,
  role: 'client',
  ...session(
    { clientMaxWindowBits: bits },
    {
      offer: PMD,
      answer: PMD,
      binding: `${PMD}; client_max_window_bits=${bits}`,
    },
  ),
  input: [text(tempting(bits)), text(tempting(bits))],
  expect: clean(aText(tempting(bits), 'compressed'), aText(tempting(bits), 'compressed')),
}));

const announcedTakeover: FrameRow = {
  id: 'announced-takeover',
  section: 'RFC 7692 §7.1.1.2',
  title: 'a client that has offered client_no_context_takeover keeps to it, though the answer does not repeat it',
  role: 'client',
  ...session(
    { clientNoContextTakeover: true },
    { offer: PMD, answer: PMD, binding: `${PMD}; client_no_context_takeover` },
  ),
  input: [text(letters(5000)), text(letters(5000))],
  expect: clean(aText(letters(5000), 'compressed'), aText(letters(5000), 'compressed')),
};

export const deflateBits = frameTable('deflate-bits', [...sizes, ...beyond, ...announced, announcedTakeover]);
