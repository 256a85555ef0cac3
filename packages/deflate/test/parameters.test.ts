import { expect, test } from '@jest/globals';
import { answer, checkAnswer, DeflateError, offer } from '../src/index.js';
import type { DeflateParameters, NegotiationOptions } from '../src/index.js';
import { BITS, element, NO_BITS, NO_TAKEOVER, PLAIN, written } from './elements.js';

const SERVER_WINDOW = 'server_max_window_bits';
const CLIENT_WINDOW = 'client_max_window_bits';

/** Without takeover of context in the way. */
const TAKEOVER: NegotiationOptions = { serverNoContextTakeover: false, clientNoContextTakeover: false };
const MALFORMED = [
  'server_no_context_takeover=',
  'server_no_context_takeover=1',
  'client_no_context_takeover=true',
  'server_no_context_takeover;server_no_context_takeover',
  'client_no_context_takeover;client_no_context_takeover',
  'server_max_window_bits=10;server_max_window_bits=10',
  'client_max_window_bits=10;client_max_window_bits=11',
  'server_max_window_bits',
  'Server_No_Context_Takeover',
  'unknown',
  'unknown=1',
  'server_no_context_takeover;x-webkit',
  '__proto__',
  'constructor',
  'toString=1',
  ...[SERVER_WINDOW, CLIENT_WINDOW].flatMap((name) => NO_BITS.map((bits) => `${name}=${bits}`)),
];

test.each<[NegotiationOptions | undefined, string]>([
  [undefined, 'client_max_window_bits'],
  [{}, 'client_max_window_bits'],
  [{ clientMaxWindowBits: true }, 'client_max_window_bits'],
  [{ clientMaxWindowBits: false }, ''],
  ...BITS.map(
    (bits) => [{ clientMaxWindowBits: bits }, `client_max_window_bits=${bits}`] as [NegotiationOptions, string],
  ),
  ...BITS.map(
    (bits) =>
      [{ serverMaxWindowBits: bits, clientMaxWindowBits: false }, `server_max_window_bits=${bits}`] as [
        NegotiationOptions,
        string,
      ],
  ),
  [{ serverMaxWindowBits: false, clientMaxWindowBits: false }, ''],
  [{ serverNoContextTakeover: true }, 'server_no_context_takeover; client_max_window_bits'],
  [{ clientNoContextTakeover: true }, 'client_no_context_takeover; client_max_window_bits'],
  [TAKEOVER, 'client_max_window_bits'],
  [
    { clientMaxWindowBits: 9, serverMaxWindowBits: 10, clientNoContextTakeover: true, serverNoContextTakeover: true },
    'server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9',
  ],
])('a client with %j offers "%s"', (options, text) => {
  expect(offer(options).map(written)).toEqual([text]);
});

test('a client with several options offers them in their order', () => {
  expect(offer([{ serverMaxWindowBits: 9 }, {}, { clientMaxWindowBits: false }]).map(written)).toEqual([
    'server_max_window_bits=9; client_max_window_bits',
    'client_max_window_bits',
    '',
  ]);
  expect(offer([])).toEqual([]);
});

/** As ws 8 by default. */
const AS_WS = { serverNoContextTakeover: 'as-offered', clientNoContextTakeover: false } as const;

/** offers, separated by commas; options; the answer and what it comes to, or null for none. */
type ServerVector = [string, NegotiationOptions | undefined, string | null, Partial<DeflateParameters>?];

// prettier-ignore
const SERVER: ServerVector[] = [
  // By default neither end takes its context over, asked or not. §7.1.1.1, §7.1.1.2
  ['', undefined, 'server_no_context_takeover; client_no_context_takeover', NO_TAKEOVER],
  ['client_max_window_bits', {}, 'server_no_context_takeover; client_no_context_takeover', NO_TAKEOVER],
  ['server_no_context_takeover', {}, 'server_no_context_takeover; client_no_context_takeover', NO_TAKEOVER],
  ['client_no_context_takeover', {}, 'server_no_context_takeover; client_no_context_takeover', NO_TAKEOVER],
  [
    '',
    { serverNoContextTakeover: true, clientNoContextTakeover: true },
    'server_no_context_takeover; client_no_context_takeover',
    NO_TAKEOVER,
  ],
  // Takeover, where the offer lets us. §7.1.1.1, §7.1.1.2
  ['', TAKEOVER, '', PLAIN],
  ['', { serverNoContextTakeover: false }, 'client_no_context_takeover', { clientNoContextTakeover: true }],
  ['', { clientNoContextTakeover: false }, 'server_no_context_takeover', { serverNoContextTakeover: true }],
  ['server_no_context_takeover', { serverNoContextTakeover: false }, null],
  ['', AS_WS, '', {}],
  ['server_no_context_takeover', AS_WS, 'server_no_context_takeover', { serverNoContextTakeover: true }],
  ['client_no_context_takeover', AS_WS, 'client_no_context_takeover', { clientNoContextTakeover: true }],
  [
    'client_no_context_takeover',
    { clientNoContextTakeover: false },
    'server_no_context_takeover; client_no_context_takeover',
    NO_TAKEOVER,
  ],
  ['server_no_context_takeover', { clientNoContextTakeover: false }, 'server_no_context_takeover', { serverNoContextTakeover: true }],
  ['client_no_context_takeover', { serverNoContextTakeover: false }, 'client_no_context_takeover', { clientNoContextTakeover: true }],
  // The server's window, §7.1.2.1
  ...BITS.flatMap((bits): ServerVector[] => [
    [`server_max_window_bits=${bits}`, TAKEOVER, `server_max_window_bits=${bits}`, { serverMaxWindowBits: bits }],
    [`server_max_window_bits=${bits}`, { ...TAKEOVER, serverMaxWindowBits: bits }, `server_max_window_bits=${bits}`, { serverMaxWindowBits: bits }],
    ['', { ...TAKEOVER, serverMaxWindowBits: bits }, `server_max_window_bits=${bits}`, { serverMaxWindowBits: bits }],
    [`server_max_window_bits=${bits}`, { ...TAKEOVER, serverMaxWindowBits: false }, null],
  ]),
  ['server_max_window_bits=12', { ...TAKEOVER, serverMaxWindowBits: 11 }, 'server_max_window_bits=11', { serverMaxWindowBits: 11 }],
  ['server_max_window_bits=10', { ...TAKEOVER, serverMaxWindowBits: 11 }, null],
  ['', { ...TAKEOVER, serverMaxWindowBits: false }, '', PLAIN],
  // The client's window, §7.1.2.2
  ...BITS.flatMap((bits): ServerVector[] => [
    [`client_max_window_bits=${bits}`, TAKEOVER, `client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }],
    [`client_max_window_bits=${bits}`, { ...TAKEOVER, clientMaxWindowBits: bits }, `client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }],
    ['client_max_window_bits', { ...TAKEOVER, clientMaxWindowBits: bits }, `client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }],
    ['', { ...TAKEOVER, clientMaxWindowBits: bits }, null],
    // Announced, and not answered: nothing is agreed, and the window we keep is a whole one.
    [`client_max_window_bits=${bits}`, { ...TAKEOVER, clientMaxWindowBits: false }, '', PLAIN],
  ]),
  ['client_max_window_bits=12', { ...TAKEOVER, clientMaxWindowBits: 11 }, 'client_max_window_bits=11', { clientMaxWindowBits: 11 }],
  ['client_max_window_bits=10', { ...TAKEOVER, clientMaxWindowBits: 11 }, 'client_max_window_bits=10', { clientMaxWindowBits: 10 }],
  ['client_max_window_bits', { ...TAKEOVER, clientMaxWindowBits: true }, '', PLAIN],
  ['client_max_window_bits=9', { ...TAKEOVER, clientMaxWindowBits: true }, 'client_max_window_bits=9', { clientMaxWindowBits: 9 }],
  ['client_max_window_bits', { ...TAKEOVER, clientMaxWindowBits: false }, '', PLAIN],
  // All four at once, in any order of theirs and one of ours.
  [
    'client_max_window_bits=9; server_max_window_bits=10; client_no_context_takeover; server_no_context_takeover',
    undefined,
    'server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10; client_max_window_bits=9',
    { ...NO_TAKEOVER, serverMaxWindowBits: 10, clientMaxWindowBits: 9 },
  ],
  // What is malformed is declined, and the next offer has its turn. §7.1, §5.1
  ...MALFORMED.flatMap((text): ServerVector[] => [
    [text, TAKEOVER, null],
    [`${text}, client_max_window_bits=12`, TAKEOVER, 'client_max_window_bits=12', { clientMaxWindowBits: 12 }],
  ]),
  ['server_max_window_bits=9, server_max_window_bits=10', { ...TAKEOVER, serverMaxWindowBits: 10 }, 'server_max_window_bits=10', { serverMaxWindowBits: 10 }],
  ['server_no_context_takeover, client_no_context_takeover, ', TAKEOVER, 'client_no_context_takeover', { clientNoContextTakeover: true }],
  ['server_no_context_takeover, server_no_context_takeover; client_max_window_bits, ', TAKEOVER, '', PLAIN],
  [', client_max_window_bits', { ...TAKEOVER, clientMaxWindowBits: 10 }, 'client_max_window_bits=10', { clientMaxWindowBits: 10 }],
  ['client_max_window_bits=8, client_max_window_bits=9', TAKEOVER, 'client_max_window_bits=8', { clientMaxWindowBits: 8 }],
];

// As many values as the test has parameters: jest takes one more for its callback.
const SERVER_ROWS = SERVER.map(([offered, options, text, agreed = {}]) => [offered, options, text, agreed] as const);

test.each(SERVER_ROWS)('a server that is offered "%s" with %j answers %j', (offered, options, text, parameters) => {
  const answered = answer(
    offered.split(',').map((one) => element(one)),
    options,
  );
  if (text === null) expect(answered).toBeUndefined();
  else {
    expect(answered?.parameters).toEqual({ ...PLAIN, ...parameters });
    expect(answered && written(answered.response)).toBe(text);
  }
});

test('a server answers nothing to nothing, and steps over other extensions', () => {
  expect(answer([])).toBeUndefined();
  const others = ['x-webkit-deflate-frame', 'PERMESSAGE-DEFLATE', 'permessage-bzip2'].map((name) => element('', name));
  expect(answer(others)).toBeUndefined();
  const answered = answer([...others, element('server_max_window_bits=9'), element('')], TAKEOVER);
  expect(answered?.response).toEqual(element('server_max_window_bits=9'));
});

type Options = NegotiationOptions | readonly NegotiationOptions[] | undefined;
type ClientVector = [Options, string, Partial<DeflateParameters> | RegExp];

// prettier-ignore
const CLIENT: ClientVector[] = [
  // Nothing agreed, and what a server may say unasked. §7.1.1.1, §7.1.1.2, §7.1.2.1
  [undefined, '', {}],
  [{}, 'server_no_context_takeover', { serverNoContextTakeover: true }],
  [{}, 'client_no_context_takeover', { clientNoContextTakeover: true }],
  [{}, 'server_no_context_takeover; client_no_context_takeover', NO_TAKEOVER],
  [{ serverNoContextTakeover: false }, 'server_no_context_takeover', { serverNoContextTakeover: true }],
  [{ serverMaxWindowBits: false }, 'server_max_window_bits=9', { serverMaxWindowBits: 9 }],
  ...BITS.map((bits): ClientVector => [{}, `server_max_window_bits=${bits}`, { serverMaxWindowBits: bits }]),
  // Demands have to be met. §7.1.1.1, §7.1.2.1
  [{ serverNoContextTakeover: true }, 'server_no_context_takeover', { serverNoContextTakeover: true }],
  [{ serverNoContextTakeover: true }, '', /server_no_context_takeover is missing/],
  [{ serverMaxWindowBits: 10 }, '', /server_max_window_bits is missing/],
  [{ serverMaxWindowBits: 15 }, '', /server_max_window_bits is missing/],
  [{ serverMaxWindowBits: 10 }, 'server_max_window_bits=11', /server_max_window_bits is 11, above 10/],
  [{ serverMaxWindowBits: 10 }, 'server_max_window_bits=10', { serverMaxWindowBits: 10 }],
  [{ serverMaxWindowBits: 10 }, 'server_max_window_bits=9', { serverMaxWindowBits: 9 }],
  // The client's own side: what it announced holds, what it did not offer cannot be asked for. §7.1.1.2, §7.1.2.2
  [{ clientNoContextTakeover: true }, '', { clientNoContextTakeover: true }],
  [{ clientNoContextTakeover: true }, 'client_no_context_takeover', { clientNoContextTakeover: true }],
  [{ clientNoContextTakeover: false }, '', {}],
  [{ clientNoContextTakeover: false }, 'client_no_context_takeover', /client_no_context_takeover is ruled out/],
  ...BITS.flatMap((bits): ClientVector[] => [
    [{}, `client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }],
    [{ clientMaxWindowBits: true }, `client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }],
    [{ clientMaxWindowBits: bits }, `client_max_window_bits=${bits}`, { clientMaxWindowBits: bits }],
    [{ clientMaxWindowBits: bits }, '', { clientMaxWindowBits: bits }],
    [{ clientMaxWindowBits: false }, `client_max_window_bits=${bits}`, /client_max_window_bits was not offered/],
  ]),
  [{ clientMaxWindowBits: 10 }, 'client_max_window_bits=9', { clientMaxWindowBits: 9 }],
  [{ clientMaxWindowBits: 10 }, 'client_max_window_bits=11', /client_max_window_bits is 11, above 10/],
  [{ clientMaxWindowBits: false }, '', {}],
  [{}, 'client_max_window_bits', /client_max_window_bits has no value/],
  // Malformed. §7.1
  ...MALFORMED.map((text): ClientVector => [{}, text, /RFC 7692 §7.1/]),
  [{}, 'unknown', /"unknown" is unknown/],
  [{}, 'client_no_context_takeover;client_no_context_takeover', /"client_no_context_takeover" comes twice/],
  [{}, 'client_no_context_takeover=1', /client_no_context_takeover has a value/],
  [{}, 'server_max_window_bits', /server_max_window_bits is without a value, expected 8 to 15/],
  [{}, 'server_max_window_bits=16', /server_max_window_bits is "16", expected 8 to 15/],
  // Several offers: one that fits is enough, and what all of them that fit announce is kept to.
  [[{ serverNoContextTakeover: true }, {}], '', {}],
  [[{ serverMaxWindowBits: 9 }, { serverMaxWindowBits: 11 }], 'server_max_window_bits=10', { serverMaxWindowBits: 10 }],
  [[{ serverMaxWindowBits: 9 }, { serverMaxWindowBits: 11 }], 'server_max_window_bits=12', /is 12, above 9/],
  [[{ clientMaxWindowBits: false }, { clientMaxWindowBits: 12 }], 'client_max_window_bits=11', { clientMaxWindowBits: 11 }],
  [[{ clientMaxWindowBits: 12 }, { clientMaxWindowBits: 10 }, {}], '', { clientMaxWindowBits: 10 }],
  [[{ clientMaxWindowBits: 10 }, { clientMaxWindowBits: 12 }], 'client_max_window_bits=12', { clientMaxWindowBits: 12 }],
  [[{}, { clientNoContextTakeover: true }], '', { clientNoContextTakeover: true }],
  [[{ clientNoContextTakeover: true, serverMaxWindowBits: 9 }, {}], '', {}],
  [[], '', /nothing was offered/],
];

test.each(CLIENT)('a client that offered %j takes "%s" for %j', (options, text, expected) => {
  const check = (): DeflateParameters => checkAnswer(element(text), options);
  if (!(expected instanceof RegExp)) expect(check()).toEqual({ ...PLAIN, ...expected });
  else {
    expect(check).toThrow(expected);
    expect(check).toThrow(DeflateError);
    expect(check).toThrow(expect.objectContaining({ code: 'WS_ERR_INVALID_DEFLATE_PARAMETERS', closeCode: 1010 }));
  }
});

test('an answer of another extension is none to a client', () => {
  expect(() => checkAnswer(element('', 'permessage-bzip2'))).toThrow(/"permessage-bzip2" is another extension/);
});

const WRONG: [object, new (message: string) => Error, string][] = [
  [{ serverNoContextTakeover: 1 }, TypeError, 'serverNoContextTakeover is 1, expected a boolean'],
  [{ clientNoContextTakeover: 'no' }, TypeError, 'clientNoContextTakeover is "no", expected a boolean'],
  [{ serverMaxWindowBits: 7 }, RangeError, 'serverMaxWindowBits is 7, expected 8 to 15 or false'],
  [{ serverMaxWindowBits: 16 }, RangeError, 'serverMaxWindowBits is 16, expected 8 to 15 or false'],
  [{ serverMaxWindowBits: 8.5 }, RangeError, 'serverMaxWindowBits is 8.5, expected 8 to 15 or false'],
  [{ serverMaxWindowBits: true }, TypeError, 'serverMaxWindowBits is true, expected 8 to 15 or false'],
  [{ serverMaxWindowBits: null }, TypeError, 'serverMaxWindowBits is null, expected 8 to 15 or false'],
  [{ clientMaxWindowBits: 0 }, RangeError, 'clientMaxWindowBits is 0, expected 8 to 15 or a boolean'],
  [{ clientMaxWindowBits: NaN }, RangeError, 'clientMaxWindowBits is NaN, expected 8 to 15 or a boolean'],
  [{ clientMaxWindowBits: '9' }, TypeError, 'clientMaxWindowBits is "9", expected 8 to 15 or a boolean'],
  [{ clientMaxWindowBits: {} }, TypeError, 'clientMaxWindowBits is an object, expected 8 to 15 or a boolean'],
];

test.each(WRONG)('%j is an error of the caller', (options, type, message) => {
  for (const act of [
    () => offer(options),
    () => offer([{}, options]),
    () => answer([], options),
    () => checkAnswer(element(''), options),
    () => checkAnswer(element('unknown'), [{}, options]), // his mistakes go before those of the peer
  ]) {
    expect(act).toThrow(type);
    expect(act).toThrow(message);
  }
});

test('options that are none are an error of the caller', () => {
  for (const options of [null, 1, 'x'] as unknown as NegotiationOptions[]) {
    expect(() => offer(options)).toThrow(/^options is .*, expected an object$/);
    expect(() => answer([], options)).toThrow(TypeError);
  }
});
