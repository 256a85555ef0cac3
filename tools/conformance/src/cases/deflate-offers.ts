import type { DeflateOptions } from '../case.js';
import { BOTH, CLIENT, KEEPS, offerRows, PMD, SERVER } from '../offers.js';
import { requestTable } from '../table.js';

// Offers of permessage-deflate that our server can meet, RFC 7692 §5.1, §7.1.

const takeovers = offerRows('7.1.1', true, [
  {
    id: 'bare',
    offer: PMD,
    answer: BOTH,
    note: 'unasked both parameters are in order (§7.1.1.1, §7.1.1.2): ours does without windows by default',
  },
  {
    id: 'keeps',
    title: 'an offer without parameters to a server that keeps windows',
    offer: PMD,
    answer: PMD,
    options: KEEPS,
  },
  { id: 'server-takeover', offer: `${PMD}; ${SERVER}`, answer: BOTH },
  { id: 'client-takeover', offer: `${PMD}; ${CLIENT}`, answer: BOTH },
  { id: 'both-takeovers', offer: `${PMD}; ${CLIENT}; ${SERVER}`, answer: BOTH },
  {
    id: 'server-true',
    title: 'a server whose own messages stand by themselves',
    offer: PMD,
    answer: `${PMD}; ${SERVER}`,
    options: { serverNoContextTakeover: true, clientNoContextTakeover: false },
  },
  {
    id: 'client-true',
    title: 'a server that wants messages that stand by themselves',
    offer: PMD,
    answer: `${PMD}; ${CLIENT}`,
    options: { serverNoContextTakeover: false, clientNoContextTakeover: true },
  },
  {
    id: 'server-false-demanded',
    title: 'server_no_context_takeover to a server that is told to keep its window',
    offer: `${PMD}; ${SERVER}`,
    answer: null,
    options: KEEPS,
    note: 'ours declines, as the option says, where it could comply',
  },
  {
    id: 'client-false-announced',
    title: 'client_no_context_takeover to a server that does not ask for it: it is taken up',
    offer: `${PMD}; ${CLIENT}`,
    answer: `${PMD}; ${CLIENT}`,
    options: KEEPS,
    note: 'a hint (§7.1.1.2): the client will do so whatever we answer',
  },
]);

const BITS = [8, 9, 10, 11, 12, 13, 14, 15];

const WINDOW_OPTIONS: readonly (readonly [
  options: DeflateOptions,
  offered: string | undefined,
  answered: string | null | undefined,
])[] = [
  ...BITS.flatMap((bits) => [
    [{ serverMaxWindowBits: bits }, undefined, `server_max_window_bits=${bits}`] as const,
    [{ clientMaxWindowBits: bits }, 'client_max_window_bits', `client_max_window_bits=${bits}`] as const,
  ]),
  [{ serverMaxWindowBits: 12 }, 'server_max_window_bits=15', 'server_max_window_bits=12'],
  [{ serverMaxWindowBits: 12 }, 'server_max_window_bits=12', 'server_max_window_bits=12'],
  [{ serverMaxWindowBits: 12 }, 'server_max_window_bits=11', null],
  [{ serverMaxWindowBits: false }, 'server_max_window_bits=15', null],
  [{ serverMaxWindowBits: false }, undefined, undefined],
  // §7.1.2.2: what was not offered must not be answered.
  [{ clientMaxWindowBits: 12 }, undefined, null],
  [{ clientMaxWindowBits: 12 }, 'client_max_window_bits=15', 'client_max_window_bits=12'],
  [{ clientMaxWindowBits: 12 }, 'client_max_window_bits=9', 'client_max_window_bits=9'],
  // §7.1.2.2: the client's own window is announced; whether that is repeated is up to the server.
  [{ clientMaxWindowBits: false }, 'client_max_window_bits=12', undefined],
  [{ clientMaxWindowBits: true }, 'client_max_window_bits=12', 'client_max_window_bits=12'],
];

const withParameter = (parameter: string | undefined): string =>
  parameter === undefined ? PMD : `${PMD}; ${parameter}`;

const windows = offerRows('7.1.2', KEEPS, [
  { id: 'client-bits', offer: `${PMD}; client_max_window_bits`, answer: PMD },
  ...BITS.flatMap((bits) =>
    ['client', 'server'].map((side) => ({
      id: `${side}-bits-${bits}`,
      offer: `${PMD}; ${side}_max_window_bits=${bits}`,
      answer: `${PMD}; ${side}_max_window_bits=${bits}`,
    })),
  ),
  ...WINDOW_OPTIONS.map(([options, offered, answered], i) => ({
    id: `option-bits-${i + 1}`,
    title: `the option ${JSON.stringify(options)}; offered: ${offered ?? 'no window'}`,
    options: { ...KEEPS, ...options },
    offer: withParameter(offered),
    answer: answered === null ? null : withParameter(answered),
  })),
  {
    id: 'both-bits',
    offer: `${PMD}; server_max_window_bits=10; client_max_window_bits=11`,
    answer: `${PMD}; server_max_window_bits=10; client_max_window_bits=11`,
  },
]);

const forms = offerRows('5.1', true, [
  {
    id: 'all-four',
    offer: `${PMD}; ${SERVER}; ${CLIENT}; server_max_window_bits=10; client_max_window_bits=11`,
    answer: `${BOTH}; server_max_window_bits=10; client_max_window_bits=11`,
  },
  {
    id: 'other-order',
    offer: `${PMD}; client_max_window_bits=11; ${CLIENT}; server_max_window_bits=10; ${SERVER}`,
    answer: `${BOTH}; server_max_window_bits=10; client_max_window_bits=11`,
  },
  {
    id: 'quoted',
    offer: `${PMD}; server_max_window_bits="10"`,
    answer: `${PMD}; server_max_window_bits=10`,
    options: KEEPS,
  },
  {
    id: 'quoted-both',
    offer: `${PMD};client_max_window_bits="9" ;server_max_window_bits="15"`,
    answer: `${PMD}; client_max_window_bits=9; server_max_window_bits=15`,
    options: KEEPS,
  },
  {
    id: 'quoted-escaped',
    offer: `${PMD}; server_max_window_bits="1\\0"`,
    answer: `${PMD}; server_max_window_bits=10`,
    options: KEEPS,
  },
  {
    id: 'blanks',
    offer: ` \t${PMD}\t ;  ${SERVER}\t;\tserver_max_window_bits = 10  `,
    answer: `${BOTH}; server_max_window_bits=10`,
  },
  {
    id: 'no-blanks',
    offer: `${PMD};${SERVER};${CLIENT};server_max_window_bits=10`,
    answer: `${BOTH}; server_max_window_bits=10`,
  },
]);

export const deflateOffers = requestTable('deflate-offers', [...takeovers, ...windows, ...forms]);
