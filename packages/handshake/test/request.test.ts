import { expect, test } from '@jest/globals';
import {
  checkUpgradeRequest,
  HandshakeError,
  type HandshakeErrorCode,
  type UpgradeOffer,
  type UpgradeRequest,
} from '../src/index.js';
import { errorOf, KEY, OFFER, REQUEST, requestWith } from './messages.js';

const GOOD: readonly [name: string, request: UpgradeRequest, difference: Partial<UpgradeOffer>][] = [
  ['the plain one', REQUEST, {}],
  [
    'names in other cases',
    { ...REQUEST, headers: REQUEST.headers.map((text, at) => (at % 2 ? text : text.toUpperCase())) },
    {},
  ],
  ['HTTP/1.2', { ...REQUEST, httpVersion: '1.2' }, {}],
  ['HTTP/1.9', { ...REQUEST, httpVersion: '1.9' }, {}],
  ['a query', { ...REQUEST, target: '/chat?x=1' }, { path: '/chat' }],
  ['absolute form for the same host', { ...REQUEST, target: 'http://server.example.com/a' }, { path: '/a' }],
  ['a port', requestWith('Host', 'localhost:8080'), { host: 'localhost:8080' }],
  ['IPv6', requestWith('Host', '[::1]:8080'), { host: '[::1]:8080' }],
  ['blanks around the host', requestWith('Host', ' localhost\t'), { host: 'localhost' }],
  ['WebSocket in other case', requestWith('Upgrade', 'WebSocket'), {}],
  ['websocket in a list', requestWith('Upgrade', 'h2c, WEBSOCKET'), {}],
  ['websocket in another line', requestWith('Upgrade', 'h2c', 'websocket'), {}],
  ['websocket twice', requestWith('Upgrade', 'websocket', 'websocket'), {}],
  ['Connection as Firefox has it', requestWith('Connection', 'keep-alive, Upgrade'), {}],
  ['Connection without a blank', requestWith('Connection', 'keep-alive,upgrade'), {}],
  ['Connection in two lines', requestWith('Connection', 'keep-alive', 'UPGRADE'), {}],
  ['Connection with empty elements', requestWith('Connection', ',, upgrade ,'), {}],
  ['blanks around the key', requestWith('Sec-WebSocket-Key', `  ${KEY}\t`), {}],
  ['blanks around the version', requestWith('Sec-WebSocket-Version', ' 13 '), {}],
  ['an origin', requestWith('Origin', 'http://a'), { origin: 'http://a' }],
  ['an opaque origin', requestWith('Origin', 'null'), { origin: 'null' }],
  ['an empty origin, which is one', requestWith('Origin', ''), { origin: '' }],
  ['no origin but that of a draft', requestWith('Sec-WebSocket-Origin', 'http://a'), {}],
  ['no body', requestWith('Content-Length', '0'), {}],
  ['no body, said twice', requestWith('Content-Length', '0', '0'), {}],
  ['subprotocols', requestWith('Sec-WebSocket-Protocol', 'b, a'), { protocols: ['b', 'a'] }],
  ['subprotocols in lines', requestWith('Sec-WebSocket-Protocol', 'b', 'c,a'), { protocols: ['b', 'c', 'a'] }],
  ['subprotocols, one line empty', requestWith('Sec-WebSocket-Protocol', '', 'a'), { protocols: ['a'] }],
  [
    'extensions',
    requestWith('Sec-WebSocket-Extensions', 'x; y=1'),
    { extensions: [{ name: 'x', parameters: [['y', '1']] }] },
  ],
  [
    'extensions in lines',
    requestWith('Sec-WebSocket-Extensions', 'x; y', 'x'),
    {
      extensions: [
        { name: 'x', parameters: [['y', true]] },
        { name: 'x', parameters: [] },
      ],
    },
  ],
  ['another key', requestWith('Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAA=='), { key: 'AAAAAAAAAAAAAAAAAAAAAA==' }],
  [
    'unused bits in the key',
    requestWith('Sec-WebSocket-Key', 'AAAAAAAAAAAAAAAAAAAAAB=='),
    { key: 'AAAAAAAAAAAAAAAAAAAAAB==' },
  ],
  ['a name without a value at the end', { ...REQUEST, headers: [...REQUEST.headers, 'Host'] }, {}],
  ['a protocol that GET does not have', { ...REQUEST, protocol: 'websocket' }, {}],
];

test.each(GOOD)('accepts %s', (_, request, difference) => {
  expect(checkUpgradeRequest(request)).toEqual({ accepted: true, offer: { ...OFFER, ...difference } });
});

type Row = readonly [name: string, request: UpgradeRequest, status: number, code: HandshakeErrorCode];

const BAD: readonly Row[] = [
  ...['POST', 'HEAD', 'get', 'OPTIONS', 'CONNECT', 'GET ', '', '__proto__'].map(
    (method) => [`method ${JSON.stringify(method)}`, { ...REQUEST, method }, 405, 'WS_ERR_INVALID_METHOD'] as const,
  ),
  ['extended CONNECT, for now', { ...REQUEST, method: 'CONNECT', protocol: 'websocket' }, 405, 'WS_ERR_INVALID_METHOD'],
  ...['1.0', '0.9', '2.0', '3.0', '2', '1', '', '1.', '1.x', '1.10', '11.1', '01.1', '1,1', '1.1 '].map(
    (httpVersion) =>
      [
        `HTTP version ${JSON.stringify(httpVersion)}`,
        { ...REQUEST, httpVersion },
        400,
        'WS_ERR_INVALID_HTTP_VERSION',
      ] as const,
  ),
  ['no header at all', { ...REQUEST, headers: [] }, 426, 'WS_ERR_UPGRADE_REQUIRED'],
  ['no Upgrade', requestWith('Upgrade'), 426, 'WS_ERR_UPGRADE_REQUIRED'],
  ...['', 'h2c', 'websockets', 'websocket/13', 'web socket', '"websocket"', 'web\u017focket'].map(
    (value) => [`Upgrade: ${value}`, requestWith('Upgrade', value), 400, 'WS_ERR_INVALID_UPGRADE'] as const,
  ),
  ['no Connection', requestWith('Connection'), 400, 'WS_ERR_INVALID_CONNECTION'],
  ...['', 'keep-alive', 'close', 'upgrades', 'keep-alive upgrade'].map(
    (value) => [`Connection: ${value}`, requestWith('Connection', value), 400, 'WS_ERR_INVALID_CONNECTION'] as const,
  ),
  ['no Host', requestWith('Host'), 400, 'WS_ERR_INVALID_HOST'],
  ['two Hosts', requestWith('Host', 'a', 'b'), 400, 'WS_ERR_INVALID_HOST'],
  ['the same Host twice', requestWith('Host', 'a', 'a'), 400, 'WS_ERR_INVALID_HOST'],
  ...['', 'a, b', 'a b', 'a/b', 'u@a', 'http://a', 'a:b', 'a:99999', '\u00e4'].map(
    (value) => [`Host: ${value}`, requestWith('Host', value), 400, 'WS_ERR_INVALID_HOST'] as const,
  ),
  ...[
    '',
    '*',
    'chat',
    '/a b',
    '/#',
    'http://169.254.169.254/',
    'https://server.example.com.evil/',
    'server.example.com:80',
  ].map((target) => [`target ${target}`, { ...REQUEST, target }, 400, 'WS_ERR_INVALID_TARGET'] as const),
  ...['1', '00', '-0', '', '0, 0', 'x'].map(
    (value) =>
      [`Content-Length: ${value}`, requestWith('Content-Length', value), 400, 'WS_ERR_UNEXPECTED_BODY'] as const,
  ),
  ['Content-Length: 0 and 5', requestWith('Content-Length', '0', '5'), 400, 'WS_ERR_UNEXPECTED_BODY'],
  ...['chunked', 'identity', ''].map(
    (value) =>
      [`Transfer-Encoding: ${value}`, requestWith('Transfer-Encoding', value), 400, 'WS_ERR_UNEXPECTED_BODY'] as const,
  ),
  ['no version', requestWith('Sec-WebSocket-Version'), 400, 'WS_ERR_INVALID_VERSION'],
  ['two versions', requestWith('Sec-WebSocket-Version', '13', '8'), 400, 'WS_ERR_INVALID_VERSION'],
  ['the same version twice', requestWith('Sec-WebSocket-Version', '13', '13'), 400, 'WS_ERR_INVALID_VERSION'],
  ...['', '13, 8', '13.0', '-13', '0x0d', 'thirteen', '\u0661\u0663'].map(
    (value) =>
      [`version ${value}`, requestWith('Sec-WebSocket-Version', value), 400, 'WS_ERR_INVALID_VERSION'] as const,
  ),
  ...['0', '7', '8', '12', '14', '25', '255', '013', '99999999999999999999'].map(
    (value) =>
      [`version ${value}`, requestWith('Sec-WebSocket-Version', value), 426, 'WS_ERR_UNSUPPORTED_VERSION'] as const,
  ),
  ['no key', requestWith('Sec-WebSocket-Key'), 400, 'WS_ERR_INVALID_KEY'],
  ['two keys', requestWith('Sec-WebSocket-Key', KEY, 'AAAAAAAAAAAAAAAAAAAAAA=='), 400, 'WS_ERR_INVALID_KEY'],
  ['the same key twice', requestWith('Sec-WebSocket-Key', KEY, KEY), 400, 'WS_ERR_INVALID_KEY'],
  ...[
    '',
    'x',
    `${KEY}, ${KEY}`,
    KEY.slice(1),
    `A${KEY}`,
    'AAAAAAAAAAAAAAAAAAAAAAA=',
    '!AAAAAAAAAAAAAAAAAAAAA==',
    '\u00e4AAAAAAAAAAAAAAAAAAAAA==',
  ].map((value) => [`key ${value}`, requestWith('Sec-WebSocket-Key', value), 400, 'WS_ERR_INVALID_KEY'] as const),
  ['two origins', requestWith('Origin', 'http://a', 'http://b'), 400, 'WS_ERR_INVALID_ORIGIN'],
  ['the same origin twice', requestWith('Origin', 'http://a', 'http://a'), 400, 'WS_ERR_INVALID_ORIGIN'],
  ...['', ' ', ',', 'a b', 'a;b', 'a,a', '"a"', `b${' '.repeat(1000)}x`].map(
    (value) =>
      [
        `subprotocols ${value.slice(0, 9)}`,
        requestWith('Sec-WebSocket-Protocol', value),
        400,
        'WS_ERR_INVALID_SUBPROTOCOL',
      ] as const,
  ),
  [
    'a subprotocol twice, in two lines',
    requestWith('Sec-WebSocket-Protocol', 'a', 'a'),
    400,
    'WS_ERR_INVALID_SUBPROTOCOL',
  ],
  ...['', ',', 'a;', 'a b', 'a;b=', 'a;b="c', 'a;b="c d"', 'a=1'].map(
    (value) =>
      [
        `extensions ${value}`,
        requestWith('Sec-WebSocket-Extensions', value),
        400,
        'WS_ERR_INVALID_EXTENSIONS',
      ] as const,
  ),
  [
    'a quoted string over two lines',
    requestWith('Sec-WebSocket-Extensions', 'a;b="c', 'd"'),
    400,
    'WS_ERR_INVALID_EXTENSIONS',
  ],
  // hixie-75 and -76 have neither version nor key; they learn what would be understood
  [
    'hixie-75',
    {
      ...REQUEST,
      headers: [
        'Upgrade',
        'WebSocket',
        'Connection',
        'Upgrade',
        'Host',
        'a',
        'Origin',
        'http://a',
        'WebSocket-Protocol',
        'x',
      ],
    },
    400,
    'WS_ERR_INVALID_VERSION',
  ],
  [
    'hixie-76',
    {
      ...REQUEST,
      headers: [
        'Upgrade',
        'WebSocket',
        'Connection',
        'Upgrade',
        'Host',
        'a',
        'Origin',
        'http://a',
        'Sec-WebSocket-Key1',
        '4 @1  46546xW%0l 1 5',
        'Sec-WebSocket-Key2',
        '12998 5 Y3 1  .P00',
      ],
    },
    400,
    'WS_ERR_INVALID_VERSION',
  ],
];

test.each(BAD)('refuses %s', (_, request, status, code) => {
  const error = errorOf(request);
  expect(error).toBeInstanceOf(HandshakeError);
  expect({ code: error.code, status: error.status }).toEqual({ code, status });
});
