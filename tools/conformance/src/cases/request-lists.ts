import { opens, refused, request } from '../request.js';
import { requestTable, type RequestRow } from '../table.js';

// Subprotocols and extension offers, §4.2.2, §9.1.

const PROTOCOL_LISTS: readonly { id: string; lines: string | readonly string[]; chosen: string }[] = [
  { id: 'one', lines: 'chat', chosen: 'chat' },
  { id: 'two', lines: 'chat, superchat', chosen: 'chat' },
  { id: 'no-blanks', lines: 'a,b,c', chosen: 'a' },
  { id: 'many-blanks', lines: ' \ta \t,\t b', chosen: 'a' },
  { id: 'two-lines', lines: ['first', 'second, third'], chosen: 'first' },
  { id: 'all-token-characters', lines: "!#$%&'*+-.^_`|~09azAZ", chosen: "!#$%&'*+-.^_`|~09azAZ" },
  { id: 'constructor', lines: 'constructor, toString', chosen: 'constructor' },
  { id: '__proto__', lines: '__proto__', chosen: '__proto__' },
  { id: 'case-matters', lines: 'Chat, chat', chosen: 'Chat' },
];

const protocols: RequestRow[] = [
  ...PROTOCOL_LISTS.map(({ id, lines, chosen }): RequestRow => ({
    id: `protocol-${id}`,
    section: '§4.2.2',
    title: `Sec-WebSocket-Protocol, ${id}: the first one, where the server names none`,
    request: request({ 'Sec-WebSocket-Protocol': lines }),
    expect: opens({ 'sec-websocket-protocol': chosen }),
  })),
  {
    id: 'protocol-of-list',
    section: '§4.2.2',
    title: 'the first of the client that the server supports',
    options: { protocols: ['c', 'b'] },
    request: request({ 'Sec-WebSocket-Protocol': 'a, b, c' }),
    expect: opens({ 'sec-websocket-protocol': 'b' }),
  },
  {
    id: 'protocol-none-common',
    section: '§4.2.2',
    title: 'no common protocol: accepted, without the header',
    options: { protocols: ['x'] },
    request: request({ 'Sec-WebSocket-Protocol': 'a, b' }),
    expect: opens({ 'sec-websocket-protocol': null }),
  },
  {
    id: 'protocol-other-case',
    section: '§4.2.2',
    title: 'protocols are compared by the letter',
    options: { protocols: ['chat'] },
    request: request({ 'Sec-WebSocket-Protocol': 'CHAT' }),
    expect: opens({ 'sec-websocket-protocol': null }),
  },
  {
    id: 'protocol-none-asked',
    section: '§4.2.2',
    title: 'none asked for: none given',
    options: { protocols: ['chat'] },
    request: request(),
    expect: opens({ 'sec-websocket-protocol': null }),
  },
  ...['a b', 'a;b', '"a"', 'a/b', 'a@b', '(a)', 'a\u00e9', 'a, b c', ',', ''].map((value, i): RequestRow => ({
    id: `protocol-bad-${i + 1}`,
    section: '§4.1',
    title: `Sec-WebSocket-Protocol: "${value}"`,
    request: request({ 'Sec-WebSocket-Protocol': value }),
    expect: refused(400),
  })),
  {
    id: 'protocol-repeated',
    section: '§4.1',
    title: 'the same protocol twice: all MUST be unique',
    request: request({ 'Sec-WebSocket-Protocol': 'a, b, a' }),
    expect: refused(400),
  },
  {
    id: 'protocol-empty-element',
    section: 'RFC 9110 §5.6.1',
    title: 'an empty list element',
    request: request({ 'Sec-WebSocket-Protocol': 'a,,b' }),
    expect: refused([101, 400]),
    note: 'RFC 9110 lets a recipient skip it; the grammar of RFC 6455 has none',
  },
  {
    id: 'protocol-long-blanks',
    section: '§4.1',
    title: '10000 blanks in the list',
    request: request({ 'Sec-WebSocket-Protocol': `b${' '.repeat(10_000)}x` }),
    expect: refused(400),
  },
];

const GOOD_EXTENSIONS = [
  'x-unknown',
  'permessage-deflate',
  'permessage-deflate; client_max_window_bits',
  'x-a; b; c=d; e="f"; g=1, x-h',
  'x-a; b="c\\d"',
  'constructor, __proto__; toString; valueOf=1, hasOwnProperty',
  'x-a ;\tb = c ,\tx-d',
];

const BAD_EXTENSIONS = [
  'x;',
  ';x',
  'x; a=',
  'x; =a',
  'x; a="',
  'x; a="b',
  'x; a="b\\"',
  'x; a="b c"',
  'x; a=""',
  'x; a=b c',
  'x y',
  'x; a="b"c',
  'x@y',
  'x;; a',
  '"x"',
  'x\u00e9',
  '',
  ',',
];

const extensions: RequestRow[] = [
  ...GOOD_EXTENSIONS.map((value, i): RequestRow => ({
    id: `extension-good-${i + 1}`,
    section: '§9.1',
    title: `an offer that is not taken up: ${value}`,
    request: request({ 'Sec-WebSocket-Extensions': value }),
    expect: opens({ 'sec-websocket-extensions': null }),
  })),
  {
    id: 'extension-two-lines',
    section: '§9.1',
    title: 'offers in two header lines',
    request: request({ 'Sec-WebSocket-Extensions': ['x-a; b', 'x-c; d=1'] }),
    expect: opens({ 'sec-websocket-extensions': null }),
  },
  ...BAD_EXTENSIONS.map((value, i): RequestRow => ({
    id: `extension-bad-${i + 1}`,
    section: '§9.1',
    title: `an offer that breaks the grammar: "${value}"`,
    request: request({ 'Sec-WebSocket-Extensions': value }),
    expect: refused(400),
  })),
  {
    id: 'extension-long-quoted',
    section: '§9.1',
    title: 'an unclosed quoted string of 12 KB of escapes',
    request: request({ 'Sec-WebSocket-Extensions': `x; a="${'\\a'.repeat(6000)}` }),
    expect: refused(400),
  },
];

export const requestLists = requestTable('request', [...protocols, ...extensions]);
