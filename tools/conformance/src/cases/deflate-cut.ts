import { constants, inflateRawSync } from 'node:zlib';
import { coded, fixed, raw, stored } from '../blocks.js';
import { aBinary, aText, clean, closes, fails } from '../expect.js';
import { close, hex, squeezed, squeezedFragments } from '../input.js';
import { HELLO, noTakeover, randomBytes, takeover } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// Compressed messages that end in the middle of a block, RFC 7692 §7.2.2: with 00 00 ff ff behind them they are no
// DEFLATE. zlib alone does not mind: it gives what it has got, and takes the tail for a part of the block. Who uses it has to
// see to it; ws 8 does not.

const TAIL = hex('00 00 ff ff');
const DATA = 'WS_ERR_INVALID_DEFLATE_DATA';

interface Cut {
  readonly id: string;
  readonly title: string;
  readonly payload: Buffer;
  /** `false`: in two fragments, and without context takeover. */
  readonly isWhole?: boolean;
}

const CUT: readonly Cut[] = [
  { id: 'fixed', title: 'half a block with fixed codes', payload: hex(HELLO).subarray(0, 4) },
  { id: 'fixed-one-byte', title: 'the first byte of a block with fixed codes', payload: hex(HELLO).subarray(0, 1) },
  {
    id: 'fixed-end',
    title: 'a block with fixed codes whose end is missing',
    payload: raw(fixed('Hello, how are you?', { open: true })),
  },
  { id: 'stored', title: 'half a stored block', payload: raw(stored('Hello', { announced: 10 })) },
  { id: 'stored-header', title: 'half the lengths of a stored block', payload: hex('00 05 00') },
  {
    id: 'codes',
    title: 'half the codes of a block',
    payload: raw(coded({ 97: 1, 256: 1 }, {}, 'aaa')).subarray(0, 60),
  },
  {
    id: 'long',
    title: 'half a stored block behind 60000 bytes',
    payload: raw(stored(randomBytes(60_000)), stored('Hello', { announced: 100 })),
  },
  {
    id: 'second-block',
    title: 'a good block, and half another',
    payload: raw(stored('Hello'), stored('Hello', { announced: 100 })),
  },
  {
    id: 'fragments',
    title: 'half a block with fixed codes, in two frames',
    payload: raw(fixed('Hello, how are you?', { open: true })).subarray(0, 9),
    isWhole: false,
  },
  {
    id: 'fragments-long',
    title: 'half a stored block behind 60000 bytes, in two frames',
    payload: raw(stored(randomBytes(60_000)), stored('Hello', { announced: 100 })),
    isWhole: false,
  },
];

/** @returns what zlib takes it for; undefined: nothing good */
function zlibTakes(payload: Buffer): Buffer | undefined {
  try {
    return inflateRawSync(Buffer.concat([payload, TAIL]), { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

const rows = CUT.map(({ id, title, payload, isWhole = true }): FrameRow => {
  const taken = zlibTakes(payload);
  const half = payload.length >> 1;
  return {
    id,
    section: 'RFC 7692 §7.2.2',
    title,
    ...(isWhole ? takeover() : noTakeover()),
    input: [
      squeezed(1, HELLO),
      ...squeezedFragments(2, isWhole ? [payload] : [payload.subarray(0, half), payload.subarray(half)]),
      squeezed(1, HELLO),
      close(1000),
    ],
    expect: fails(1007, DATA, aText('Hello')),
    ...(taken && {
      alternatives: [{ name: 'as-zlib', expect: closes(1000, '', aText('Hello'), aBinary(taken), aText('Hello')) }],
    }),
  };
});

/** No receiver can tell: with the tail behind it this is a good message. */
const filled: FrameRow = {
  id: 'stored-filled',
  section: 'RFC 7692 §7.2.2',
  title: 'a stored block that lacks four bytes, which are those of the tail',
  ...takeover(),
  input: [squeezed(2, raw(stored('Hello', { announced: 9 }))), squeezed(1, HELLO)],
  expect: clean(aBinary(Buffer.concat([Buffer.from('Hello'), TAIL])), aText('Hello')),
};

export const deflateCut = frameTable('deflate-cut', [...rows, filled]);
