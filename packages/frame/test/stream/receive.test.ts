import { describe, expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import { bench, closed, record, settled, type Said } from './record.js';
import type { FrameDuplexOptions } from '../../src/stream/index.js';

const ENDED: Said = {
  heads: '',
  messages: [],
  rest: '',
  controls: [],
  ended: true,
  error: undefined,
  close: [1006, ''],
};
const FAILED: Said = { ...ENDED, ended: false };

interface Vector {
  name: string;
  wire: Uint8Array;
  options?: FrameDuplexOptions;
  said: Said;
  answer?: string;
}

const CONTROL_INSIDE = hex`01 03 48656c | 89 01 78 | 80 02 6c6f`;

const VECTORS: Vector[] = [
  { name: 'nothing', wire: hex``, said: ENDED },
  { name: 'a message', wire: hex`81 05 48656c6c6f`, said: { ...ENDED, heads: '1! ', messages: ['Hello'] } },
  {
    name: 'a masked one, to a server',
    wire: hex`81 85 37fa213d 7f9f4d5158`,
    options: {},
    said: { ...ENDED, heads: '1! ', messages: ['Hello'] },
  },
  {
    name: 'an empty one between others',
    wire: hex`82 01 61 | 81 00 | 82 01 62`,
    said: { ...ENDED, heads: '2! 1! 2! ', messages: ['a', '', 'b'] },
  },
  {
    name: 'fragments, a ping between them, answered',
    wire: CONTROL_INSIDE,
    said: { ...ENDED, heads: '1 9! 0! ', messages: ['Hello'], controls: ['ping x'] },
    answer: '8a0178',
  },
  {
    name: 'the same with raw, not answered',
    wire: CONTROL_INSIDE,
    options: { role: 'any', raw: true },
    said: { ...ENDED, heads: '1 9! 0! ', messages: ['Hello'], controls: ['ping x'] },
  },
  {
    name: 'a ping of a server, answered masked',
    wire: hex`89 00`,
    options: { role: 'client' },
    said: { ...ENDED, heads: '9! ', controls: ['ping '] },
    answer: '8a80????????',
  },
  { name: 'a pong', wire: hex`8a 01 70`, said: { ...ENDED, heads: 'a! ', controls: ['pong p'] } },
  {
    name: 'a Close frame, answered, and nothing after it',
    wire: hex`82 01 61 | 88 04 03e8 6f6b | 82 01 62`,
    said: { ...ENDED, heads: '2! 8! ', messages: ['a'], controls: ['close 1000 ok'], close: [1000, 'ok'] },
    answer: '880403e86f6b',
  },
  {
    name: 'an empty Close frame',
    wire: hex`88 00`,
    said: { ...ENDED, heads: '8! ', controls: ['close 1005 '], close: [1005, ''] },
    answer: '8800',
  },
  {
    name: 'a Close frame in the middle of a message',
    wire: hex`01 01 61 | 88 02 03e9`,
    said: { ...ENDED, heads: '1 8! ', rest: 'a', controls: ['close 1001 '], close: [1001, ''] },
    answer: '880203e9',
  },
  {
    name: 'a Close frame with raw: not answered, and what follows is parsed',
    wire: hex`88 02 03e8 | 82 01 62`,
    options: { role: 'any', raw: true },
    said: { ...ENDED, heads: '8! 2! ', messages: ['b'], controls: ['close 1000 '], close: [1000, ''] },
  },
  {
    name: 'text with a reserved bit is not checked',
    wire: hex`c1 01 ff`,
    options: { role: 'any', allowedRsv: 4 },
    said: { ...ENDED, heads: '1! ', messages: ['\xff'] },
  },
  {
    name: 'text is not checked with skipUTF8Validation',
    wire: hex`81 01 ff`,
    options: { role: 'any', skipUTF8Validation: true },
    said: { ...ENDED, heads: '1! ', messages: ['\xff'] },
  },
  {
    name: 'text that is whole only over its fragments',
    wire: hex`01 01 c3 | 80 01 a9`,
    said: { ...ENDED, heads: '1 0! ', messages: ['\xc3\xa9'] },
  },
  {
    name: 'longer lengths than needed without strictLength',
    wire: hex`82 7e 0001 61`,
    options: { role: 'any', strictLength: false },
    said: { ...ENDED, heads: '2! ', messages: ['a'] },
  },

  // Offences, RFC 6455: a Close frame with the code of the offence, and nothing after it is parsed.
  ...[
    {
      name: 'a stray continuation',
      wire: hex`80 01 61`,
      heads: '',
      error: 'WS_ERR_INVALID_OPCODE',
      answer: '880203ea',
    },
    {
      name: 'a message inside another',
      wire: hex`01 01 61 | 81 01 62`,
      heads: '1 ',
      rest: 'a',
      error: 'WS_ERR_INVALID_OPCODE',
      answer: '880203ea',
    },
    {
      name: 'a reserved bit on a continuation',
      wire: hex`c2 01 61 | 42 00 | c0 00`,
      options: { role: 'any' as const, allowedRsv: 4 },
      heads: '2! 2 ',
      messages: ['a'],
      error: 'WS_ERR_UNEXPECTED_RSV_1',
      answer: '880203ea',
    },
    {
      name: 'another reserved bit on a continuation',
      wire: hex`02 00 | 90 00`,
      options: { role: 'any' as const, allowedRsv: 1 },
      heads: '2 ',
      error: 'WS_ERR_UNEXPECTED_RSV_2_3',
      answer: '880203ea',
    },
    { name: 'a reserved opcode', wire: hex`83 00`, heads: '', error: 'WS_ERR_INVALID_OPCODE', answer: '880203ea' },
    {
      name: 'an unmasked frame, to a server',
      wire: hex`82 00`,
      options: {},
      heads: '',
      error: 'WS_ERR_EXPECTED_MASK',
      answer: '880203ea',
    },
    {
      name: 'a masked frame, to a client',
      wire: hex`82 80 01020304`,
      options: { mask: true },
      heads: '',
      error: 'WS_ERR_UNEXPECTED_MASK',
      answer: '8882????????????',
    },
    {
      name: 'text that is not UTF-8',
      wire: hex`81 01 ff`,
      heads: '1! ',
      error: 'WS_ERR_INVALID_UTF8',
      answer: '880203ef',
    },
    {
      name: 'text that ends inside a character',
      wire: hex`81 02 61c3`,
      heads: '1! ',
      rest: 'a\xc3',
      error: 'WS_ERR_INVALID_UTF8',
      answer: '880203ef',
    },
    {
      name: 'a frame over maxFramePayload',
      wire: hex`82 04 61626364 | 82 05`,
      options: { role: 'any' as const, maxFramePayload: 4 },
      heads: '2! ',
      messages: ['abcd'],
      error: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      answer: '880203f1',
    },
    {
      name: 'a frame over the limit that is the default',
      wire: hex`82 7f 0000000006400001`,
      heads: '',
      error: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      answer: '880203f1',
    },
    {
      name: 'a Close code that may not travel',
      wire: hex`88 02 03ed`,
      heads: '8! ',
      error: 'WS_ERR_INVALID_CLOSE_CODE',
      answer: '880203ea',
    },
  ].map(({ name, wire, options, answer, ...said }): Vector => {
    const follower = hex`82 01 7a`; // never parsed
    return {
      name,
      wire: hex`${wire}${follower}`,
      options: options ?? { role: 'any' },
      answer,
      said: { ...FAILED, ...said },
    };
  }),

  // The source ends where it may not.
  ...[
    { name: 'inside a header', wire: hex`82`, heads: '' },
    { name: 'inside a payload', wire: hex`82 02 61`, heads: '2! ', rest: 'a' },
    { name: 'between fragments', wire: hex`02 01 61`, heads: '2 ', rest: 'a' },
  ].map(({ wire, name, ...said }): Vector => {
    const error = 'WS_ERR_INCOMPLETE_MESSAGE';
    return { name: `the end ${name}`, wire, said: { ...FAILED, ...said, error } };
  }),
];

/** Bytes that no vector can know: a random masking key, and what it has masked. */
const matches = (wire: string, pattern: string): void => {
  expect(wire).toHaveLength(pattern.length);
  for (let i = 0; i < pattern.length; i++) if (pattern[i] !== '?') expect(wire[i]).toBe(pattern[i]);
};

describe('wire to events, however the wire is cut', () => {
  test.each(VECTORS)('$name', async ({ wire, options, said, answer = '' }) => {
    for (const chunks of everySplit(wire)) {
      const { duplex, peer, wire: answered } = bench(options);
      const heard = record(duplex);
      const end = closed(duplex);
      for (const chunk of chunks) peer.write(chunk);
      peer.end();
      await end;
      await settled();
      expect({ ...heard, rest: '' }).toEqual({ ...said, rest: '' });
      // What was not read when it failed is dropped.
      expect(said.rest.startsWith(heard.rest)).toBe(true);
      if (said.error === undefined) expect(heard.rest).toBe(said.rest);
      matches(answered(), answer);
      expect(duplex.source.destroyed || duplex.source.writableEnded).toBe(true);
    }
  });
});

test('the chunks of the source are not changed', async () => {
  const { duplex, peer } = bench({});
  const wire = hex`82 83 01020304 616263`;
  const copy = wire.slice();
  duplex.resume();
  peer.end(wire);
  await closed(duplex);
  expect(wire).toEqual(copy);
});

test('payload can be read before the frame is complete', async () => {
  const { duplex, peer } = bench();
  peer.write(hex`82 7f 0000000001000000 616263`);
  await settled();
  expect(String(duplex.read())).toBe('abc');
});

test('a message has ended when all of it can be read, and nothing of the next one', async () => {
  const { duplex, peer } = bench();
  const messages: string[] = [];
  // Without a number, Node 26 gives the first chunk only.
  duplex.on('messageEnd', () => messages.push(String(duplex.read(duplex.readableLength))));
  peer.end(hex`02 01 61 | 80 01 62 | 82 01 63`);
  await closed(duplex);
  expect(messages).toEqual(['ab', 'c']);
});

test("'readable' comes before 'messageEnd'", async () => {
  const { duplex, peer } = bench();
  const order: string[] = [];
  duplex.on('readable', () => order.push(String(duplex.read()))).on('messageEnd', () => order.push('end'));
  peer.end(hex`82 01 61 | 82 01 62`);
  await closed(duplex);
  expect(order).toEqual(['a', 'end', 'b', 'end', 'null']);
});

test('bytes given back to the source before are parsed first', async () => {
  const { duplex, peer } = bench();
  duplex.source.unshift(hex`82 02 61`);
  const heard = record(duplex);
  peer.end(hex`62`);
  await closed(duplex);
  expect(heard.messages).toEqual(['ab']);
});
