import { fails, FAILS_SOMEHOW, response, SWITCHING } from '../response.js';
import { responseTable, type ResponseRow } from '../table.js';

// The answers that our client refuses, §4.1.

const STATUSES = [
  '200 OK',
  '201 Created',
  '204 No Content',
  '301 Moved Permanently',
  '302 Found',
  '400 Bad Request',
  '401 Unauthorized',
  '403 Forbidden',
  '404 Not Found',
  '407 Proxy Authentication Required',
  '426 Upgrade Required',
  '429 Too Many Requests',
  '500 Internal Server Error',
  '503 Service Unavailable',
];

const STATUS = 'WS_ERR_UNEXPECTED_STATUS';
const ACCEPT = 'WS_ERR_INVALID_ACCEPT';
const UPGRADE = 'WS_ERR_INVALID_UPGRADE';
const CONNECTION = 'WS_ERR_INVALID_CONNECTION';
const OTHER_PROTOCOL = 'WS_ERR_UNEXPECTED_SUBPROTOCOL';
const NO_PROTOCOL = 'WS_ERR_MISSING_SUBPROTOCOL';
const BAD_PROTOCOL = 'WS_ERR_INVALID_SUBPROTOCOL';
const EXTENSION = 'WS_ERR_UNEXPECTED_EXTENSION';
const BAD_EXTENSIONS = 'WS_ERR_INVALID_EXTENSIONS';

const statuses: ResponseRow[] = STATUSES.flatMap((status): ResponseRow[] => [
  {
    id: `status-${status.slice(0, 3)}`,
    section: '§4.1',
    title: `${status}, with a body`,
    response: `HTTP/1.1 ${status}\r\nLocation: ws://127.0.0.1:1/\r\n${status.startsWith('204') ? '' : 'Content-Length: 5\r\n'}\r\n${status.startsWith('204') ? '' : 'hello'}`,
    expect: fails(STATUS),
  },
]);

const statusOddities: ResponseRow[] = [
  {
    id: 'status-200-upgrade',
    section: '§4.1',
    title: '200 with all the headers of an acceptance',
    response: response({}, 'HTTP/1.1 200 OK'),
    expect: fails(STATUS),
  },
  {
    id: 'status-400-endless-body',
    section: '§4.1',
    title: '400 with a body that does not end',
    response: 'HTTP/1.1 400 Bad Request\r\nContent-Length: 1000000\r\n\r\nhello',
    expect: fails(STATUS),
  },
  {
    id: 'status-401-chunked',
    section: '§4.1',
    title: '401 with a chunked body',
    response: 'HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    expect: fails(STATUS),
  },
];

const BAD_ACCEPTS: readonly { name: string; value: string | readonly string[] | null }[] = [
  { name: 'missing', value: null },
  { name: 'empty', value: '' },
  { name: 'of-another-key', value: 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' },
  { name: 'garbage', value: 'CxYS6+NgJSBG74mdgLvGscRvpns=' },
  { name: 'with-more', value: '{accept}x' },
  { name: 'quoted', value: '"{accept}"' },
  { name: 'twice', value: ['{accept}', '{accept}'] },
  { name: 'list', value: '{accept}, {accept}' },
  { name: 'blank-inside', value: '{accept} {accept}' },
];

const refused: ResponseRow[] = [
  ...BAD_ACCEPTS.map(({ name, value }): ResponseRow => ({
    id: `accept-${name}`,
    section: '§4.1',
    title: `Sec-WebSocket-Accept: ${name}`,
    response: response({ 'Sec-WebSocket-Accept': value }),
    expect: fails(ACCEPT),
  })),
  ...([null, '', 'h2c', 'websocket2', 'web socket'] as const).map((value, i): ResponseRow => ({
    id: `upgrade-${i + 1}`,
    section: '§4.1',
    title: value === null ? '101 without Upgrade' : `Upgrade: "${value}"`,
    response: response({ Upgrade: value }),
    expect: fails(UPGRADE),
  })),
  ...([null, '', 'close', 'keep-alive', 'upgraded', '"upgrade"'] as const).map((value, i): ResponseRow => ({
    id: `connection-${i + 1}`,
    section: '§4.1',
    title: value === null ? '101 without Connection' : `Connection: ${value || '(empty)'}`,
    response: response({ Connection: value }),
    expect: fails(CONNECTION),
  })),
  {
    id: 'bare-101',
    section: '§4.1',
    title: '101 without any header',
    response: `${SWITCHING}\r\n\r\n`,
    expect: fails(UPGRADE, CONNECTION, ACCEPT),
  },
  {
    id: 'protocol-unasked',
    section: '§4.1',
    title: 'a subprotocol, though none was asked for',
    response: response({ 'Sec-WebSocket-Protocol': 'chat' }),
    expect: fails(OTHER_PROTOCOL),
  },
  {
    id: 'protocol-none',
    section: '§4.1',
    title: 'no subprotocol, though some were asked for',
    offered: ['chat', 'superchat'],
    response: response(),
    expect: fails(NO_PROTOCOL),
    note: 'the RFC would go on; ws refuses, as browsers do',
  },
  ...['other', 'CHAT', 'chat, superchat', 'chat superchat', '"chat"', 'constructor'].map((value, i): ResponseRow => ({
    id: `protocol-bad-${i + 1}`,
    section: '§4.1',
    title: `the subprotocol "${value}", asked for: chat, superchat`,
    offered: ['chat', 'superchat'],
    response: response({ 'Sec-WebSocket-Protocol': value }),
    expect: fails(OTHER_PROTOCOL, BAD_PROTOCOL),
  })),
  {
    id: 'protocol-empty',
    section: '§4.1',
    title: 'an empty subprotocol header, asked for: chat',
    offered: ['chat'],
    response: response({ 'Sec-WebSocket-Protocol': '' }),
    expect: fails(OTHER_PROTOCOL, NO_PROTOCOL, BAD_PROTOCOL),
  },
  {
    id: 'protocol-twice',
    section: '§11.3.4',
    title: 'two subprotocol headers',
    offered: ['chat', 'superchat'],
    response: response({ 'Sec-WebSocket-Protocol': ['chat', 'superchat'] }),
    expect: fails(OTHER_PROTOCOL, BAD_PROTOCOL),
  },
  ...['x-unknown', 'permessage-deflate', '__proto__', 'x-a; b=c, x-d'].map((value, i): ResponseRow => ({
    id: `extension-${i + 1}`,
    section: '§4.1',
    title: `an extension that was not offered: ${value}`,
    options: { perMessageDeflate: false },
    response: response({ 'Sec-WebSocket-Extensions': value }),
    expect: fails(EXTENSION),
  })),
  ...['x;', ';', 'x; a="b', 'x y', '"x"'].map((value, i): ResponseRow => ({
    id: `extension-bad-${i + 1}`,
    section: '§9.1',
    title: `an extension header that breaks the grammar: ${value}`,
    response: response({ 'Sec-WebSocket-Extensions': value }),
    expect: fails(BAD_EXTENSIONS, EXTENSION),
  })),
];

const stages: ResponseRow[] = [
  { id: 'garbage', response: 'HELLO WORLD\r\n\r\n', title: 'text that is no HTTP' },
  {
    id: 'garbage-bytes',
    response: Buffer.from([0, 1, 2, 0xff, 0xfe, 13, 10, 13, 10]),
    title: 'bytes that are no HTTP',
  },
  { id: 'garbage-frame', response: Buffer.from('810548656c6c6f', 'hex'), title: 'a frame instead of a response' },
  { id: 'fin-at-once', response: '', then: 'fin' as const, title: 'the end of TCP instead of a response' },
  {
    id: 'fin-half',
    response: response().slice(0, 50),
    then: 'fin' as const,
    title: 'half a response, then the end of TCP',
  },
  { id: 'reset-at-once', response: '', then: 'reset' as const, title: 'a reset instead of a response' },
  {
    id: 'reset-half',
    response: response().slice(0, 50),
    then: 'reset' as const,
    title: 'half a response, then a reset',
  },
  { id: 'bad-header', response: response({ 'X Y': 'z' }), title: 'a header name with a blank' },
  { id: 'nul-in-header', response: response({ 'X-Bad': 'a\u0000b' }), title: 'NUL in a header value' },
  { id: 'header-too-large', response: response({ 'X-Long': 'x'.repeat(20_000) }), title: 'a header of 20 KB' },
  {
    id: 'silence',
    response: '',
    options: { handshakeTimeout: 100 },
    title: 'no response at all: given up after handshakeTimeout',
  },
  {
    id: 'half-then-silence',
    response: response().slice(0, 50),
    options: { handshakeTimeout: 100 },
    title: 'half a response, then nothing: given up after handshakeTimeout',
  },
].map((row): ResponseRow => ({ ...row, section: '§4.1', expect: FAILS_SOMEHOW }));

export const responsesRefused = responseTable('response', [...statuses, ...statusOddities, ...refused, ...stages]);
