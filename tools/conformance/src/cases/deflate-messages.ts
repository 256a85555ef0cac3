import { coded, deflated, fixed, stored } from '../blocks.js';
import { aBinary, aText, clean, fails } from '../expect.js';
import { squeezed, text } from '../input.js';
import { HELLO, inBoth, takeover } from '../sessions.js';
import { frameTable, type FrameRow } from '../table.js';

// Good compressed messages, RFC 7692 §7.2: of which blocks they may be made, and what they may refer to.

interface Payload {
  readonly id: string;
  readonly section: string;
  readonly title: string;
  readonly payload: string | Buffer;
  readonly note?: string;
}

const LENIENT = 'the sender is wrong, but nothing is unclear, and zlib takes it';

/** The text "Hello", by its payload. */
const HELLOS: readonly Payload[] = [
  { id: 'hello', section: '7.2.3.1', title: 'the first example', payload: HELLO },
  { id: 'stored', section: '7.2.3.3', title: 'a stored block', payload: '00 05 00 fa ff 48 65 6c 6c 6f 00' },
  { id: 'final', section: '7.2.3.4', title: 'a block with BFINAL', payload: 'f3 48 cd c9 c9 07 00 00' },
  {
    id: 'two-blocks',
    section: '7.2.3.5',
    title: 'two blocks, an empty one between them',
    payload: 'f2 48 05 00 00 00 ff ff ca c9 c9 07 00',
  },
  {
    id: 'final-stored',
    section: '7.2.3.4',
    title: 'a stored block with BFINAL',
    payload: '01 05 00 fa ff 48 65 6c 6c 6f 00',
  },
  {
    id: 'final-without-end',
    section: '7.2.3.4',
    title: 'a block with BFINAL, without the 00 that has to follow',
    payload: 'f3 48 cd c9 c9 07 00',
    note: LENIENT,
  },
  {
    id: 'final-stored-without-end',
    section: '7.2.3.4',
    title: 'a stored block with BFINAL, without the 00 that has to follow',
    payload: '01 05 00 fa ff 48 65 6c 6c 6f',
    note: LENIENT,
  },
  {
    id: 'final-then-block',
    section: '7.2.3.4',
    title: 'a block with BFINAL, then another one',
    payload: deflated(fixed('Hel', { final: true }), stored('lo')),
  },
  {
    id: 'final-then-final',
    section: '7.2.3.4',
    title: 'two blocks with BFINAL',
    payload: deflated(fixed('He', { final: true }), stored('llo', { final: true })),
  },
  {
    id: 'final-each-letter',
    section: '7.2.3.4',
    title: 'each letter in a block with BFINAL, of all three types',
    payload: deflated(
      fixed('H', { final: true }),
      stored('e', { final: true }),
      coded({ 108: 1, 256: 1 }, {}, 'l', { final: true }),
      fixed('l', { final: true }),
      stored('o', { final: true }),
    ),
  },
  {
    id: 'tail-left-on',
    section: '7.2.1',
    title: 'a message that still has its 00 00 ff ff',
    payload: 'f2 48 cd c9 c9 07 00 00 00 ff ff',
    note: LENIENT,
  },
  { id: 'final-empty-first', section: '7.2.3.4', title: 'an empty block with BFINAL first', payload: `03 00 ${HELLO}` },
  {
    id: 'final-empty-behind',
    section: '7.2.3.4',
    title: 'an empty block with BFINAL behind the text',
    payload: deflated(fixed('Hello'), fixed('', { final: true })),
  },
  {
    id: 'empty-stored-first',
    section: '7.2.1',
    title: 'three empty stored blocks first',
    payload: `00 00 00 ff ff 00 00 00 ff ff 00 00 00 ff ff ${HELLO}`,
  },
  {
    id: 'empty-stored-behind',
    section: '7.2.1',
    title: 'two empty stored blocks behind the text, the second one without its tail',
    payload: 'f2 48 cd c9 c9 07 00 00 00 ff ff 00',
  },
  {
    id: 'empty-fixed-between',
    section: '7.2.1',
    title: 'ten empty blocks with fixed codes in the middle',
    payload: deflated(fixed('Hel'), ...Array.from({ length: 10 }, () => fixed('')), fixed('lo')),
  },
  {
    id: 'block-each-letter',
    section: '7.2.1',
    title: 'each letter in a block of its own, stored and fixed in turn',
    payload: deflated(fixed('H'), stored('e'), fixed('l'), stored('l'), fixed('o')),
  },
  {
    id: 'thousand-blocks',
    section: '7.2.1',
    title: 'a thousand empty blocks first',
    payload: deflated(...Array.from({ length: 1000 }, () => stored('')), fixed('Hello')),
  },
  {
    id: 'codes',
    section: '7.2.1',
    title: 'a block with codes of its own, and none for distances',
    payload: deflated(coded({ 72: 2, 101: 3, 108: 2, 111: 3, 256: 2 }, {}, 'Hello')),
  },
  {
    id: 'codes-one-distance',
    section: '7.2.1',
    title: 'a block with one distance code of one bit, the other half unused (RFC 1951 §3.2.7)',
    payload: deflated(coded({ 72: 2, 101: 3, 108: 2, 111: 3, 256: 2 }, { 4: 1 }, 'Hello')),
  },
  {
    id: 'codes-long',
    section: '7.2.1',
    title: 'codes of 1 to 15 bits',
    payload: deflated(
      coded(
        {
          ...Object.fromEntries(Array.from({ length: 11 }, (_, i) => [i, i + 1])),
          256: 12,
          111: 13,
          108: 14,
          72: 15,
          101: 15,
        },
        {},
        'Hello',
      ),
    ),
  },
  {
    id: 'codes-only-the-end',
    section: '7.2.1',
    title: 'a block whose only code is its end, then the text',
    payload: deflated(coded({ 256: 1 }, {}, ''), fixed('Hello')),
  },
];

const hellos = HELLOS.flatMap(({ section, payload, ...row }): FrameRow[] =>
  inBoth({
    ...row,
    section: `RFC 7692 §${section}`,
    input: [squeezed(1, payload)],
    expect: clean(aText('Hello')),
  }),
);

const finals = (count: number): Buffer => deflated(...Array.from({ length: count }, () => fixed('', { final: true })));

const MANY_FINALS: readonly FrameRow[] = [
  {
    id: 'final-ten',
    section: 'RFC 7692 §7.2.3.4',
    title: 'ten empty blocks with BFINAL',
    ...takeover(),
    input: [squeezed(1, finals(10))],
    expect: clean(aText('')),
  },
  {
    id: 'final-thousand',
    section: 'RFC 7692 §8',
    title: 'a thousand empty blocks with BFINAL in two KB',
    ...takeover(),
    input: [squeezed(1, finals(1000)), text('ignored')],
    expect: fails(1007, 'WS_ERR_INVALID_DEFLATE_DATA'),
    note: 'no RFC has a limit; each such block makes ours begin anew, so that so many are an attack',
  },
];

const EMPTIES: readonly Payload[] = [
  { id: 'empty', section: '7.2.3.6', title: 'an empty message', payload: '00' },
  { id: 'empty-fixed', section: '7.2.3.6', title: 'an empty message as zlib flushes it', payload: '02 00' },
  {
    id: 'empty-final',
    section: '7.2.3.4',
    title: 'an empty message as a block with BFINAL',
    payload: '03 00 00',
  },
  {
    id: 'empty-payload',
    section: '7.2.3.6',
    title: 'RSV1 and no payload: not even the 00 of an empty message',
    payload: '',
    note: LENIENT,
  },
  { id: 'empty-two-blocks', section: '7.2.1', title: 'an empty message of two blocks', payload: '00 00 00 ff ff 00' },
];

const empties = EMPTIES.flatMap(({ section, payload, ...row }): FrameRow[] =>
  inBoth({
    ...row,
    section: `RFC 7692 §${section}`,
    input: [squeezed(1, payload), squeezed(2, payload), squeezed(1, HELLO)],
    expect: clean(aText(''), aBinary(''), aText('Hello')),
  }),
);

export const deflateMessages = frameTable('deflate', [...hellos, ...MANY_FINALS, ...empties]);
