import type { HeaderRules, ResponseCase } from '../case.js';
import { opens, response } from '../response.js';
import { responseTable, type ResponseRow } from '../table.js';

// The request that our client makes, and the answers that it takes, §4.1.

const requests: ResponseRow[] = (
  [
    { id: 'plain', title: 'the request', headers: { 'sec-websocket-protocol': null, origin: null } },
    { id: 'target', title: 'the request for a path with a query', target: '/chat/room?x=1&y=%20', headers: {} },
    { id: 'query-only', title: 'the request for a query without a path', target: '/?q', headers: {} },
    {
      id: 'origin',
      title: 'the origin option is the Origin header',
      options: { origin: 'http://example.com' },
      headers: { origin: 'http://example.com' },
    },
    {
      id: 'headers',
      title: 'headers of the caller are sent',
      options: { headers: { 'X-Token': 'abc', Cookie: 'a=b' } },
      headers: { 'x-token': 'abc', cookie: 'a=b' },
    },
  ] satisfies { id: string; title: string; target?: string; options?: ResponseCase['options']; headers: HeaderRules }[]
).map(({ headers, ...row }) => ({
  ...row,
  id: `request-${row.id}`,
  section: '§4.1',
  request: { headers },
  response: response(),
  expect: opens(),
}));

const accepted: ResponseRow[] = [
  {
    id: 'lower-case',
    section: '§4.1',
    title: 'header names in lower case',
    response: response().replace(/^(Upgrade|Connection|Sec-WebSocket-Accept):/gm, (name) => name.toLowerCase()),
    expect: opens(),
  },
  {
    id: 'upper-case-tokens',
    section: '§4.1',
    title: 'tokens in upper case',
    response: response({ Upgrade: 'WebSocket', Connection: 'UPGRADE' }),
    expect: opens(),
  },
  {
    id: 'connection-list',
    section: '§4.1',
    title: 'a Connection list that holds the token',
    response: response({ Connection: 'keep-alive, Upgrade' }),
    expect: opens(),
  },
  {
    id: 'blanks-around-accept',
    section: 'RFC 9112 §5.1',
    title: 'blanks around the accept value',
    response: response({ 'Sec-WebSocket-Accept': ' \t{accept}  ' }),
    expect: opens(),
  },
  {
    id: 'no-reason-phrase',
    section: 'RFC 9112 §4',
    title: 'a status line without a reason',
    response: response({}, 'HTTP/1.1 101 '),
    expect: opens(),
  },
  {
    id: 'other-reason-phrase',
    section: 'RFC 9112 §4',
    title: 'a status line with another reason',
    response: response({}, 'HTTP/1.1 101 WebSocket Protocol Handshake'),
    expect: opens(),
  },
  {
    id: 'other-headers',
    section: '§4.1',
    title: 'headers that mean nothing here',
    response: response({ Server: 'x', Date: 'today', 'Set-Cookie': ['a=b', 'c=d'], 'Sec-WebSocket-Version': '13' }),
    expect: opens(),
  },
  {
    id: 'content-length',
    section: 'RFC 9112 §6.3',
    title: 'a 101 has no body, whatever its Content-Length says',
    response: response({ 'Content-Length': '5' }),
    expect: opens(),
  },
  {
    id: 'transfer-encoding',
    section: 'RFC 9112 §6.3',
    title: 'a 101 has no body, whatever its Transfer-Encoding says',
    response: response({ 'Transfer-Encoding': 'chunked' }),
    expect: opens(),
  },
  {
    id: 'after-100',
    section: 'RFC 9110 §15.2',
    title: 'a 100 Continue before the 101',
    response: `HTTP/1.1 100 Continue\r\n\r\n${response()}`,
    expect: opens(),
  },
  {
    id: 'after-103',
    section: 'RFC 8297',
    title: 'a 103 Early Hints before the 101',
    response: `HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n${response()}`,
    expect: opens(),
  },
  {
    id: 'protocol-first',
    section: '§4.1',
    title: 'the server picks the first subprotocol',
    offered: ['chat', 'superchat'],
    request: { headers: { 'sec-websocket-protocol': 'chat,superchat' } },
    response: response({ 'Sec-WebSocket-Protocol': 'chat' }),
    expect: opens('chat'),
  },
  {
    id: 'protocol-second',
    section: '§4.1',
    title: 'the server picks the second subprotocol',
    offered: ['chat', 'superchat'],
    response: response({ 'Sec-WebSocket-Protocol': 'superchat' }),
    expect: opens('superchat'),
  },
];

export const responsesAccepted = responseTable('response', [...requests, ...accepted]);
