import type { DeflateOptions } from '../case.js';
import { fails, opens, opensWith, response } from '../response.js';
import { responseTable, type ResponseRow } from '../table.js';

// What our client offers, and the answers to it that it takes and refuses. RFC 7692 §5.1, §7.1.

const PMD = 'permessage-deflate';
const SERVER = 'server_no_context_takeover';
const CLIENT = 'client_no_context_takeover';
/** What our client offers where it is not told otherwise. */
const OFFER = `${PMD}; client_max_window_bits`;

const PARAMETERS = 'WS_ERR_INVALID_DEFLATE_PARAMETERS';
const UNEXPECTED = 'WS_ERR_UNEXPECTED_EXTENSION';
const GRAMMAR = 'WS_ERR_INVALID_EXTENSIONS';

const OFFERS: readonly { id: string; options: DeflateOptions | boolean; offer: string | null }[] = [
  { id: 'default', options: true, offer: OFFER },
  { id: 'off', options: false, offer: null },
  { id: 'object', options: {}, offer: OFFER },
  { id: 'server-takeover', options: { serverNoContextTakeover: true }, offer: `${OFFER}; ${SERVER}` },
  { id: 'client-takeover', options: { clientNoContextTakeover: true }, offer: `${OFFER}; ${CLIENT}` },
  { id: 'client-bits-true', options: { clientMaxWindowBits: true }, offer: OFFER },
  { id: 'client-bits-false', options: { clientMaxWindowBits: false }, offer: PMD },
  ...[8, 11, 15].flatMap((bits) => [
    { id: `client-bits-${bits}`, options: { clientMaxWindowBits: bits }, offer: `${OFFER}=${bits}` },
    {
      id: `server-bits-${bits}`,
      options: { serverMaxWindowBits: bits },
      offer: `${OFFER}; server_max_window_bits=${bits}`,
    },
  ]),
  {
    id: 'all',
    options: {
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
      serverMaxWindowBits: 10,
      clientMaxWindowBits: 9,
    },
    offer: `${PMD}; ${SERVER}; ${CLIENT}; server_max_window_bits=10; client_max_window_bits=9`,
  },
];

const offers = OFFERS.map(({ id, options, offer }): ResponseRow => ({
  id: `offer-${id}`,
  section: 'RFC 7692 §7.1',
  title: `offered: ${offer ?? 'nothing'}`,
  options: { perMessageDeflate: options },
  request: { headers: { 'sec-websocket-extensions': offer } },
  response: response(),
  expect: opens(),
}));

interface Answer {
  readonly id: string;
  readonly title?: string;
  readonly answer: string | readonly string[];
  readonly options?: DeflateOptions | boolean;
  readonly note?: string;
}

const titled = ({ title, answer, options = true }: Answer): string =>
  title ??
  `answered: ${[answer].flat().join(' | ')}${typeof options === 'object' ? `; ${JSON.stringify(options)}` : ''}`;

const taken = (section: string, answers: readonly (Answer & { answer: string })[]): ResponseRow[] =>
  answers.map((row) => ({
    id: row.id,
    section: `RFC 7692 §${section}`,
    title: titled(row),
    options: { perMessageDeflate: row.options ?? true },
    response: response({ 'Sec-WebSocket-Extensions': row.answer }),
    expect: opensWith(row.answer),
    ...(row.note === undefined ? {} : { note: row.note }),
  }));

const refused = (codes: readonly string[], answers: readonly Answer[]): ResponseRow[] =>
  answers.map((row) => ({
    id: row.id,
    section: 'RFC 7692 §7.1',
    title: titled(row),
    options: { perMessageDeflate: row.options ?? true },
    response: response({ 'Sec-WebSocket-Extensions': row.answer }),
    expect: fails(...codes),
    ...(row.note === undefined ? {} : { note: row.note }),
  }));

const BITS = [8, 9, 10, 11, 12, 13, 14, 15];
const BAD_BITS = ['0', '7', '16', '999', '08', '+9', '-9', '9.0', '0x9', 'a', '99999999999999999999'];

const good = [
  ...taken('7.1.1', [
    { id: 'bare', answer: PMD },
    { id: 'server-takeover', answer: `${PMD}; ${SERVER}` },
    { id: 'client-takeover', answer: `${PMD}; ${CLIENT}` },
    { id: 'both-takeovers', answer: `${PMD}; ${CLIENT}; ${SERVER}` },
    { id: 'server-takeover-offered', answer: `${PMD}; ${SERVER}`, options: { serverNoContextTakeover: true } },
    { id: 'client-takeover-offered', answer: `${PMD}; ${CLIENT}`, options: { clientNoContextTakeover: true } },
    {
      id: 'client-takeover-ignored',
      answer: PMD,
      options: { clientNoContextTakeover: true },
      note: 'what the client said was a hint (§7.1.1.2); it may go without its window all the same',
    },
  ]),
  ...taken('7.1.2', [
    ...BITS.flatMap((bits) => [
      { id: `client-bits-${bits}`, answer: `${PMD}; client_max_window_bits=${bits}` },
      { id: `server-bits-${bits}`, answer: `${PMD}; server_max_window_bits=${bits}` },
    ]),
    { id: 'client-bits-same', answer: `${PMD}; client_max_window_bits=10`, options: { clientMaxWindowBits: 10 } },
    { id: 'client-bits-below', answer: `${PMD}; client_max_window_bits=9`, options: { clientMaxWindowBits: 10 } },
    { id: 'client-bits-ignored', answer: PMD, options: { clientMaxWindowBits: 10 } },
    { id: 'server-bits-same', answer: `${PMD}; server_max_window_bits=10`, options: { serverMaxWindowBits: 10 } },
    { id: 'server-bits-below', answer: `${PMD}; server_max_window_bits=9`, options: { serverMaxWindowBits: 10 } },
    {
      id: 'all-four',
      answer: `${PMD}; client_max_window_bits=10; server_max_window_bits=11; ${CLIENT}; ${SERVER}`,
    },
  ]),
  ...taken('5.1', [
    { id: 'quoted', answer: `${PMD}; server_max_window_bits="10"; client_max_window_bits="9"` },
    { id: 'blanks', answer: `  ${PMD} ;\t${SERVER}  ;client_max_window_bits\t=  11 ` },
    { id: 'no-blanks', answer: `${PMD};${SERVER};client_max_window_bits=11` },
  ]),
];

const bad = [
  ...refused(
    [PARAMETERS],
    [
      ...BAD_BITS.flatMap((bits) => [
        { id: `bad-server-bits-${bits}`, answer: `${PMD}; server_max_window_bits=${bits}` },
        { id: `bad-client-bits-${bits}`, answer: `${PMD}; client_max_window_bits=${bits}` },
      ]),
      { id: 'bad-server-bits-none', answer: `${PMD}; server_max_window_bits` },
      {
        id: 'bad-client-bits-none',
        title: 'client_max_window_bits without a value: good in an offer alone',
        answer: `${PMD}; client_max_window_bits`,
      },
      ...[SERVER, CLIENT].flatMap((name) =>
        ['1', 'true', '"x"'].map((value, i) => ({
          id: `value-of-${name}-${i + 1}`,
          answer: `${PMD}; ${name}=${value}`,
        })),
      ),
      ...[SERVER, CLIENT, 'server_max_window_bits=10', 'client_max_window_bits=10'].map((parameter, i) => ({
        id: `twice-${i + 1}`,
        answer: `${PMD}; ${parameter}; ${parameter}`,
      })),
      { id: 'twice-other-value', answer: `${PMD}; server_max_window_bits=10; server_max_window_bits=9` },
      ...['x', 'x=1', 'constructor', '__proto__=1', 'max_window_bits=10'].map((parameter, i) => ({
        id: `unknown-${i + 1}`,
        answer: `${PMD}; ${parameter}`,
      })),
      { id: 'unknown-among-good', answer: `${PMD}; ${SERVER}; x; client_max_window_bits=10` },
      {
        id: 'client-bits-not-offered',
        answer: `${PMD}; client_max_window_bits=15`,
        options: { clientMaxWindowBits: false },
      },
      { id: 'client-bits-above', answer: `${PMD}; client_max_window_bits=11`, options: { clientMaxWindowBits: 10 } },
      { id: 'server-bits-missing', answer: PMD, options: { serverMaxWindowBits: 10 } },
      { id: 'server-bits-above', answer: `${PMD}; server_max_window_bits=11`, options: { serverMaxWindowBits: 10 } },
      { id: 'server-takeover-missing', answer: PMD, options: { serverNoContextTakeover: true } },
      {
        id: 'client-takeover-unwanted',
        answer: `${PMD}; ${CLIENT}`,
        options: { clientNoContextTakeover: false },
        note: 'the RFC lets a client do as it is told; the option of ws 8 says no to it',
      },
    ],
  ),
  ...refused(
    [PARAMETERS, UNEXPECTED, GRAMMAR],
    [
      { id: 'elements-two', title: 'the extension twice', answer: `${PMD}, ${PMD}` },
      { id: 'elements-two-lines', title: 'the extension in two header lines', answer: [PMD, `${PMD}; ${SERVER}`] },
    ],
  ),
  ...refused(
    [UNEXPECTED],
    [
      {
        id: 'elements-other',
        title: 'an extension that was not offered, behind one that was',
        answer: `${PMD}, x-mux`,
      },
      {
        id: 'elements-other-first',
        title: 'an extension that was not offered, before one that was',
        answer: `x-mux, ${PMD}`,
      },
      { id: 'elements-other-name', answer: 'permessage-deflate2' },
      { id: 'not-offered', answer: PMD, options: false },
    ],
  ),
  ...refused(
    [GRAMMAR, UNEXPECTED],
    [
      `${PMD};`,
      `;${PMD}`,
      `${PMD}; server_max_window_bits=`,
      `${PMD}; server_max_window_bits="10`,
      `${PMD}; ${SERVER} ${CLIENT}`,
      `${PMD}, ;`,
      `"${PMD}"`,
      `${PMD}; server_max_window_bits=""`,
    ].map((answer, i) => ({ id: `grammar-${i + 1}`, answer })),
  ),
];

export const deflateAnswers = responseTable('deflate-answers', [...offers, ...good, ...bad]);
