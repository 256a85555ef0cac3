import { BOTH, CLIENT, KEEPS, offerRows, PMD, SERVER } from '../offers.js';
import { opens, refused, request } from '../request.js';
import { requestTable, type RequestRow } from '../table.js';

// Offers that our server declines, so that the next one has its turn, and those that break the grammar, which it
// refuses with 400. RFC 7692 §5.2, §7.1.

const BAD_BITS = [
  '0',
  '1',
  '7',
  '16',
  '99',
  '999',
  '08',
  '015',
  '+9',
  '-9',
  '9.0',
  '1e1',
  '0x9',
  'a',
  '99999999999999999999',
];

const declined = offerRows('7.1', true, [
  ...BAD_BITS.flatMap((bits) => [
    { id: `bad-server-bits-${bits}`, offer: `${PMD}; server_max_window_bits=${bits}`, answer: null },
    { id: `bad-client-bits-${bits}`, offer: `${PMD}; client_max_window_bits=${bits}`, answer: null },
  ]),
  { id: 'bad-server-bits-none', offer: `${PMD}; server_max_window_bits`, answer: null },
  { id: 'bad-quoted', offer: `${PMD}; server_max_window_bits="07"`, answer: null },
  ...[SERVER, CLIENT].flatMap((name) =>
    ['1', 'true', 'false', '"1"', '15'].map((value, i) => ({
      id: `value-of-${name}-${i + 1}`,
      offer: `${PMD}; ${name}=${value}`,
      answer: null,
    })),
  ),
  ...[SERVER, CLIENT, 'server_max_window_bits=10', 'client_max_window_bits=10', 'client_max_window_bits'].map(
    (parameter, i) => ({
      id: `twice-${i + 1}`,
      offer: `${PMD}; ${parameter}; ${parameter}`,
      answer: null,
    }),
  ),
  { id: 'twice-other-value', offer: `${PMD}; server_max_window_bits=10; server_max_window_bits=11`, answer: null },
  { id: 'twice-with-and-without', offer: `${PMD}; client_max_window_bits; client_max_window_bits=11`, answer: null },
  ...['x', 'x=1', 'foo_no_context_takeover', 'max_window_bits=15', 'constructor', '__proto__', 'toString=1', 'mux'].map(
    (parameter, i) => ({ id: `unknown-${i + 1}`, offer: `${PMD}; ${parameter}`, answer: null }),
  ),
  { id: 'unknown-among-good', offer: `${PMD}; ${SERVER}; x; server_max_window_bits=10`, answer: null },
  { id: 'other-extension', offer: 'permessage-bzip2', answer: null },
  { id: 'other-name-longer', offer: 'permessage-deflate2', answer: null },
  { id: 'webkit', offer: 'x-webkit-deflate-frame; max_window_bits=15', answer: null },
  { id: 'option-false', title: 'an offer to a server without the extension', offer: PMD, answer: null, options: false },
]);

const fallBacks = offerRows('5.2', KEEPS, [
  {
    id: 'next',
    title: 'the first offer cannot be met, the second can',
    offer: `${PMD}; server_max_window_bits=10, ${PMD}`,
    answer: `${PMD}; server_max_window_bits=12`,
    options: { ...KEEPS, serverMaxWindowBits: 12 },
  },
  {
    id: 'next-after-unknown',
    offer: `${PMD}; x, ${PMD}; server_max_window_bits=9`,
    answer: `${PMD}; server_max_window_bits=9`,
  },
  { id: 'next-after-twice', offer: `${PMD}; ${SERVER}; ${SERVER}, ${PMD}`, answer: PMD },
  {
    id: 'next-after-bad-bits',
    offer: `${PMD}; server_max_window_bits=999, ${PMD}; client_max_window_bits`,
    answer: PMD,
  },
  {
    id: 'third',
    offer: `${PMD}; ${SERVER}, ${PMD}; ${CLIENT}; ${CLIENT}, ${PMD}; server_max_window_bits=10`,
    answer: `${PMD}; server_max_window_bits=10`,
  },
  {
    id: 'first-wins',
    title: 'of two that can be met, the first',
    offer: `${PMD}; server_max_window_bits=10, ${PMD}; server_max_window_bits=11`,
    answer: `${PMD}; server_max_window_bits=10`,
  },
  { id: 'same-twice', title: 'the same offer twice: one answer', offer: `${PMD}, ${PMD}`, answer: PMD },
  { id: 'none-of-three', offer: `${PMD}; x, ${PMD}; y, ${PMD}; z`, answer: null },
  {
    id: 'other-first',
    offer: `x-mux; limit=4, ${PMD}; server_max_window_bits=11, x-other`,
    answer: `${PMD}; server_max_window_bits=11`,
  },
  {
    id: 'two-lines',
    title: 'offers in two header lines',
    offer: [`${PMD}; server_max_window_bits=7`, `${PMD}; server_max_window_bits=8`],
    answer: `${PMD}; server_max_window_bits=8`,
  },
  {
    id: 'three-lines',
    title: 'offers in three header lines, of two extensions',
    offer: ['x-a; b=c', `x-d, ${PMD}; x`, `${PMD}; ${CLIENT}`],
    answer: BOTH,
    options: true,
  },
  {
    id: 'after-300',
    title: '300 offers that cannot be met, then one that can',
    offer: [...Array.from({ length: 300 }, () => `${PMD}; x`), PMD].join(),
    answer: PMD,
  },
  { id: 'chromium', title: 'what browsers send', offer: `${PMD}; client_max_window_bits`, answer: BOTH, options: true },
]);

const FAULTS = [
  `${PMD};`,
  `;${PMD}`,
  `${PMD}; `,
  `${PMD};; ${SERVER}`,
  `${PMD} ${SERVER}`,
  `${PMD}; server_max_window_bits=`,
  `${PMD}; server_max_window_bits=""`,
  `${PMD}; server_max_window_bits="10`,
  `${PMD}; server_max_window_bits=10"`,
  `${PMD}; server_max_window_bits="10"x`,
  `${PMD}; server_max_window_bits='1 0'`,
  `${PMD}; server_max_window_bits=" 10"`,
  `${PMD}; server_max_window_bits=1 0`,
  `${PMD}; =10`,
  `${PMD}; "${SERVER}"`,
  `"${PMD}"`,
  `${PMD}=1`,
  `${PMD}; ${SERVER}, ${PMD}; server_max_window_bits=`,
  `${PMD}, ;`,
  `x y, ${PMD}`,
];

const faults: RequestRow[] = [
  ...FAULTS.map((offer, i): RequestRow => ({
    id: `grammar-${i + 1}`,
    section: '§9.1',
    title: `an offer that breaks the grammar: ${offer}`,
    options: { perMessageDeflate: true },
    request: request({ 'Sec-WebSocket-Extensions': offer }),
    expect: refused(400),
  })),
  {
    id: 'grammar-second-line',
    section: '§9.1',
    title: 'a good offer in one header line, a broken one in the next',
    options: { perMessageDeflate: true },
    request: request({ 'Sec-WebSocket-Extensions': [PMD, `${PMD};`] }),
    expect: refused(400),
  },
  {
    id: 'no-offer',
    section: 'RFC 7692 §5.1',
    title: 'no offer: nothing is agreed on',
    options: { perMessageDeflate: true },
    request: request(),
    expect: opens({ 'sec-websocket-extensions': null }),
  },
];

export const deflateDeclined = requestTable('deflate-offers', [...declined, ...fallBacks, ...faults]);
