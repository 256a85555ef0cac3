import { KEY, opens, request } from '../request.js';
import { requestTable, type RequestRow } from '../table.js';

// The opening handshakes that our server takes, §4.2.

const accepted: RequestRow[] = [
  {
    id: 'example',
    section: '§1.3',
    title: 'the example of the RFC: its key, its accept value',
    request: request({}, 'GET /chat HTTP/1.1'),
    expect: opens({
      'sec-websocket-accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
      'sec-websocket-protocol': null,
      'sec-websocket-extensions': null,
    }),
  },
  {
    id: 'lower-case',
    section: '§4.2.1',
    title: 'header names and tokens in lower case',
    request: request({ Connection: 'upgrade' }).replace(/^[\w-]+:/gm, (name) => name.toLowerCase()),
    expect: opens(),
  },
  {
    id: 'upper-case',
    section: '§4.2.1',
    title: 'header names and tokens in upper case',
    request: request({ Connection: 'UPGRADE', Upgrade: 'WEBSOCKET' }).replace(/^[\w-]+:/gm, (name) =>
      name.toUpperCase(),
    ),
    expect: opens(),
  },
  ...['keep-alive, Upgrade', 'keep-alive,upgrade', 'Upgrade,keep-alive', 'a,\tupgrade ,b', 'Keep-Alive , Upgrade'].map(
    (value, i): RequestRow => ({
      id: `connection-list-${i + 1}`,
      section: '§4.2.1',
      title: `Connection: ${value.replace('\t', '(tab)')}`,
      request: request({ Connection: value }),
      expect: opens(),
    }),
  ),
  {
    id: 'connection-twice',
    section: 'RFC 9110 §5.3',
    title: 'the Connection list in two header lines',
    request: request({ Connection: ['keep-alive', 'Upgrade'] }),
    expect: opens(),
  },
  {
    id: 'blanks-around-values',
    section: 'RFC 9112 §5.1',
    title: 'blanks and tabs around values',
    request: request({
      'Sec-WebSocket-Key': ` \t ${KEY} \t`,
      Upgrade: '   websocket  ',
      'Sec-WebSocket-Version': '\t13 ',
    }),
    expect: opens(),
  },
  {
    id: 'no-blank-after-colon',
    section: 'RFC 9112 §5.1',
    title: 'no blank after the colons',
    request: request().replaceAll(': ', ':'),
    expect: opens(),
  },
  {
    id: 'other-headers',
    section: '§4.2.1',
    title: 'headers that mean nothing here',
    request: request({ Cookie: 'a=b', 'User-Agent': 'x', 'Sec-WebSocket-Key1': 'hixie', 'X-Empty': '' }),
    expect: opens(),
  },
  {
    id: 'names-of-object-prototype',
    section: '§4.2.1',
    title: 'headers named like members of Object.prototype',
    request: request({ constructor: 'x', ['__proto__ '.trim()]: 'y', toString: 'z', hasOwnProperty: '1' }),
    expect: opens(),
  },
  {
    id: 'content-length-0',
    section: 'RFC 9110 §8.6',
    title: 'Content-Length: 0',
    request: request({ 'Content-Length': '0' }),
    expect: opens(),
  },
  {
    id: 'leading-empty-line',
    section: 'RFC 9112 §2.2',
    title: 'an empty line before the request line',
    request: `\r\n${request()}`,
    expect: opens(),
  },
  {
    id: 'query',
    section: '§4.2.1',
    title: 'a target with a query, every path served',
    request: request({}, 'GET /any/path?a=1&b=%20%F0%9F HTTP/1.1'),
    expect: opens(),
  },
  {
    id: 'long-target',
    section: '§4.2.1',
    title: 'a target of 8000 bytes',
    request: request({}, `GET /${'x'.repeat(8000)} HTTP/1.1`),
    expect: opens(),
  },
  {
    id: 'path-served',
    section: '§4.2.2',
    title: 'the path that the server serves',
    options: { path: '/chat' },
    request: request({}, 'GET /chat HTTP/1.1'),
    expect: opens(),
  },
  {
    id: 'path-served-query',
    section: '§4.2.2',
    title: 'the path that the server serves, with a query',
    options: { path: '/chat' },
    request: request({}, 'GET /chat?room=1 HTTP/1.1'),
    expect: opens(),
  },
  {
    id: 'absolute-own-host',
    section: 'RFC 9112 §3.2.2',
    title: 'a target in absolute form that names our host',
    request: request({}, 'GET http://example.com/chat HTTP/1.1'),
    expect: opens(),
  },
  {
    id: 'absolute-own-host-served-path',
    section: 'RFC 9112 §3.2.2',
    title: 'a target in absolute form with the path that is served',
    options: { path: '/chat' },
    request: request({}, 'GET http://example.com/chat?x=y HTTP/1.1'),
    expect: opens(),
  },
];

export const requestsAccepted = requestTable('request', accepted);
