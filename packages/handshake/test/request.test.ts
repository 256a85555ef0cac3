import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isKey } from '../src/accept-key.js';
import {
  checkUpgradeRequest,
  formatResponse,
  HandshakeError,
  refusalResponse,
  upgradeRequest,
  type HandshakeErrorCode,
  type UpgradeOffer,
  type UpgradeRequest,
  type UpgradeRequestOptions,
} from '../src/index.js';
import { charOf, fields, KEY, LINE_BREAKERS, PROTOTYPE_NAMES, REQUEST, requestWith, withField } from './messages.js';

const OFFER: UpgradeOffer = {
  version: 13,
  key: KEY,
  host: 'server.example.com',
  origin: undefined,
  path: '/chat',
  protocols: [],
  extensions: [],
};

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
  const decision = checkUpgradeRequest(request);
  if (decision.accepted) throw new Error('accepted');
  expect(decision.error).toBeInstanceOf(HandshakeError);
  expect({ code: decision.error.code, status: decision.error.status }).toEqual({ code, status });
});

test.each(['Host', 'Upgrade', 'Connection', 'Sec-WebSocket-Key', 'Sec-WebSocket-Version'])(
  '%s missing, empty, blank: refused',
  (name) => {
    for (const values of [[], [''], [' \t '], ['', '']]) {
      const decision = checkUpgradeRequest(requestWith(name, ...values));
      expect(decision.accepted).toBe(false);
    }
  },
);

test('no subset of the headers is an exception, and only the whole is accepted', () => {
  for (let subset = 0; subset < 32; subset++) {
    const headers = REQUEST.headers.filter((_, at) => subset & (1 << (at >> 1)));
    expect(checkUpgradeRequest({ ...REQUEST, headers }).accepted).toBe(subset === 31);
  }
});

test('two thousand foreign headers make no difference', () => {
  const foreign = Array.from({ length: 4000 }, (_, at) => `x-${at}`);
  expect(checkUpgradeRequest({ ...REQUEST, headers: [...foreign, ...REQUEST.headers, ...foreign] })).toEqual({
    accepted: true,
    offer: OFFER,
  });
  expect(checkUpgradeRequest({ ...REQUEST, headers: foreign })).toMatchObject({
    accepted: false,
    error: { status: 426 },
  });
});

test('names of Object.prototype, wherever a peer can put them', () => {
  for (const name of PROTOTYPE_NAMES) {
    const headers = [
      ...REQUEST.headers,
      name,
      name,
      'Sec-WebSocket-Extensions',
      `${name}; ${name}=${name}`,
      'Sec-WebSocket-Protocol',
      name,
    ];
    expect(checkUpgradeRequest({ ...REQUEST, headers })).toEqual({
      accepted: true,
      offer: { ...OFFER, protocols: [name], extensions: [{ name, parameters: [[name, name]] }] },
    });
  }
});

const errorOf = (request: UpgradeRequest, draft08 = false): HandshakeError => {
  const decision = checkUpgradeRequest(request, { draft08 });
  if (decision.accepted) throw new Error('accepted');
  return decision.error;
};

test('the error carries what the answer needs', () => {
  expect(errorOf({ ...REQUEST, method: 'PUT' }).headers).toEqual(['Allow', 'GET']);
  expect(errorOf(requestWith('Upgrade')).headers).toEqual(fields('Upgrade: websocket', 'Sec-WebSocket-Version: 13'));
  expect(errorOf(requestWith('Sec-WebSocket-Version')).headers).toEqual(['Sec-WebSocket-Version', '13']);
  expect(errorOf(requestWith('Sec-WebSocket-Version'), true).headers).toEqual(['Sec-WebSocket-Version', '13, 8']);
  expect(errorOf(requestWith('Sec-WebSocket-Version', '7')).headers).toEqual(
    fields('Upgrade: websocket', 'Sec-WebSocket-Version: 13'),
  );
  expect(errorOf(requestWith('Sec-WebSocket-Version', '7'), true).headers).toEqual(
    fields('Upgrade: websocket', 'Sec-WebSocket-Version: 13, 8'),
  );
  expect(errorOf(requestWith('Host')).headers).toEqual([]);
});

test('a message shows what was seen, cut short and in visible ASCII', () => {
  expect(errorOf({ ...REQUEST, method: 'P\u00e4\r\n' }).message).toBe(
    'request method is not GET: "P???" (RFC 6455 §4.2.1)',
  );
  const { message } = errorOf(requestWith('Sec-WebSocket-Key', 'k'.repeat(60_000)));
  expect(message).toContain(`"${'k'.repeat(40)}"...`);
  expect(message.length).toBeLessThan(200);
});

const DRAFT = requestWith('Sec-WebSocket-Version', '8');
const draftWith = (...headers: string[]): UpgradeRequest => ({ ...DRAFT, headers: [...DRAFT.headers, ...headers] });

test('version 8 only where it is asked for', () => {
  expect(errorOf(DRAFT)).toMatchObject({ code: 'WS_ERR_UNSUPPORTED_VERSION', status: 426 });
  expect(checkUpgradeRequest(DRAFT, {}).accepted).toBe(false);
  expect(checkUpgradeRequest(DRAFT, { draft08: true })).toEqual({ accepted: true, offer: { ...OFFER, version: 8 } });
  expect(checkUpgradeRequest(REQUEST, { draft08: true })).toEqual({ accepted: true, offer: OFFER });
});

test('version 8 says its origin in another header, and no check of Origin is walked around', () => {
  const origin = (...headers: string[]): string | undefined => {
    const decision = checkUpgradeRequest(draftWith(...headers), { draft08: true });
    return decision.accepted ? decision.offer.origin : decision.error.code;
  };
  expect(origin()).toBeUndefined();
  expect(origin('Sec-WebSocket-Origin', 'http://a')).toBe('http://a');
  expect(origin('Origin', 'http://a')).toBe('http://a');
  expect(origin('Origin', 'http://a', 'Sec-WebSocket-Origin', 'http://a')).toBe('http://a');
  expect(origin('Origin', 'http://a', 'Sec-WebSocket-Origin', 'http://b')).toBe('WS_ERR_INVALID_ORIGIN');
  expect(origin('Origin', 'http://a', 'Sec-WebSocket-Origin', '')).toBe('WS_ERR_INVALID_ORIGIN');
  expect(origin('Sec-WebSocket-Origin', 'http://a', 'Sec-WebSocket-Origin', 'http://a')).toBe('WS_ERR_INVALID_ORIGIN');
});

const fieldName = fc.oneof(
  fc.constantFrom(
    'Host',
    'upgrade',
    'Connection',
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Version',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Extensions',
  ),
  fc.constantFrom(
    'Origin',
    'Sec-WebSocket-Origin',
    'Content-Length',
    'Transfer-Encoding',
    'Sec-WebSocket-Accept',
    ...PROTOTYPE_NAMES,
  ),
  fc.string(),
);
const fieldValue = fc.oneof(
  fc.constantFrom(
    'websocket',
    'Upgrade',
    '13',
    '8',
    KEY,
    'a',
    'a, b',
    'a;b="c"',
    'localhost:80',
    'http://a',
    '0',
    '',
    ' , ',
  ),
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 200 }),
);
const headerList = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 12 }).map((pairs) => pairs.flat());
const anyRequest = fc.record({
  method: fc.oneof(fc.constant('GET'), fc.string()),
  target: fc.oneof(fc.constant('/'), fc.webUrl(), fc.string()),
  httpVersion: fc.oneof(fc.constant('1.1'), fc.string()),
  headers: fc.oneof(
    headerList,
    headerList.map((extra) => [...REQUEST.headers, ...extra]),
    fc.tuple(fieldName, fieldValue).map(([name, value]) => withField(REQUEST.headers, name, value)),
  ),
});

test('any request is an offer or an error whose answer can be written', () => {
  let accepted = 0;
  fc.assert(
    fc.property(anyRequest, fc.boolean(), (request, draft08) => {
      const decision = checkUpgradeRequest(request, { draft08 });
      if (decision.accepted) {
        accepted++;
        expect(isKey(decision.offer.key)).toBe(true);
        expect(new Set(decision.offer.protocols).size).toBe(decision.offer.protocols.length);
        expect(decision.offer.path.length).toBeGreaterThan(0);
      } else {
        const { status, headers, message } = decision.error;
        expect(status).toBeGreaterThanOrEqual(400);
        expect(
          formatResponse(refusalResponse(status, { body: message, headers })).startsWith(`HTTP/1.1 ${status} `),
        ).toBe(true);
      }
    }),
    { numRuns: 3000 },
  );
  expect(accepted).toBeGreaterThan(0);
});

test("a caller's mistake is no fault of the peer", () => {
  expect(() =>
    checkUpgradeRequest({ method: 'GET', target: '/', httpVersion: '1.1' } as unknown as UpgradeRequest),
  ).toThrow(TypeError);
});

// The other end: what a client sends.

const ASK: UpgradeRequestOptions = { host: 'example.com:8080', target: '/chat?x=1', key: KEY };

test('builds the request of RFC 6455 §4.1', () => {
  expect(
    upgradeRequest({
      ...ASK,
      origin: 'http://example.com',
      protocols: ['b', 'a'],
      extensions: [
        {
          name: 'x',
          parameters: [
            ['y', '1'],
            ['z', true],
          ],
        },
      ],
      headers: fields('X-A: 1', 'X-A: 2'),
    }),
  ).toEqual({
    method: 'GET',
    target: '/chat?x=1',
    httpVersion: '1.1',
    key: KEY,
    headers: fields(
      'Host: example.com:8080',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${KEY}`,
      'Sec-WebSocket-Version: 13',
      'Origin: http://example.com',
      'Sec-WebSocket-Protocol: b, a',
      'Sec-WebSocket-Extensions: x; y=1; z',
      'X-A: 1',
      'X-A: 2',
    ),
  });
});

test('leaves out what was not asked for, and makes its own key', () => {
  const { key, headers } = upgradeRequest({ host: '[::1]', target: '/' });
  expect(isKey(key)).toBe(true);
  expect(headers).toEqual(
    fields(
      'Host: [::1]',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${key}`,
      'Sec-WebSocket-Version: 13',
    ),
  );
  expect(upgradeRequest({ host: '[::1]', target: '/' }).key).not.toBe(key);
  const none = {
    protocols: undefined,
    extensions: undefined,
    origin: undefined,
    headers: undefined,
    version: undefined,
    key,
  };
  expect(upgradeRequest({ host: '[::1]', target: '/', ...none }).headers).toEqual(headers);
});

test('version 8 has the origin in the header of the draft', () => {
  const { headers } = upgradeRequest({ ...ASK, version: 8, origin: 'http://a' });
  expect(headers.slice(8)).toEqual(fields('Sec-WebSocket-Version: 8', 'Sec-WebSocket-Origin: http://a'));
});

test("Host and Origin can be the caller's, what makes the handshake one cannot", () => {
  const theirs = fields(
    'hOST: other.example',
    'origin: http://b',
    'Upgrade: h2c',
    'connection: close',
    'sec-websocket-KEY: x',
    'Sec-WebSocket-Version: 7',
  );
  const more = fields(
    'Sec-WebSocket-Protocol: p',
    'Sec-WebSocket-Extensions: e',
    'Sec-WebSocket-Accept: a',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'Cookie: c',
  );
  const copy = [...theirs, ...more];
  const { headers } = upgradeRequest({ ...ASK, origin: 'http://a', headers: copy });
  expect(headers).toEqual(
    fields(
      'Host: other.example',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${KEY}`,
      'Sec-WebSocket-Version: 13',
      'Origin: http://b',
      'Cookie: c',
    ),
  );
  expect(copy).toEqual([...theirs, ...more]);
});

test('a server takes what a client built', () => {
  const token = fc.string({ unit: charOf("ab.-_1!#$%&'*+^`|~"), minLength: 1, maxLength: 6 });
  const options = fc.record({
    version: fc.constantFrom(13 as const, 8 as const),
    origin: fc.option(fc.constantFrom('http://a', 'null'), { nil: undefined }),
    protocols: fc.uniqueArray(token, { maxLength: 4 }),
    extensions: fc.array(
      fc.record({
        name: token,
        parameters: fc.array(fc.tuple(token, fc.oneof(token, fc.constant(true as const))), { maxLength: 3 }),
      }),
      { maxLength: 3 },
    ),
  });
  fc.assert(
    fc.property(options, (asked) => {
      const request = upgradeRequest({ host: 'a:1', target: '/p?q', ...asked });
      expect(checkUpgradeRequest(request, { draft08: true })).toEqual({
        accepted: true,
        offer: { ...asked, key: request.key, host: 'a:1', path: '/p' },
      });
    }),
  );
});

const REFUSED: readonly (readonly [what: string, options: object, error: new () => Error])[] = [
  ...[undefined, 1, '', 'a b', 'a/b', 'u@a', 'http://a', 'a:99999', 'a,b'].map(
    (host) => [`host ${String(host)}`, { host }, TypeError] as const,
  ),
  ...[undefined, 1, '', '*', 'chat', 'http://a/', '/a b', '/#a', '/\u00e4'].map(
    (target) => [`target ${String(target)}`, { target }, TypeError] as const,
  ),
  ...['', 'x', `${KEY}=`, 1, null].map((key) => [`key ${String(key)}`, { key }, TypeError] as const),
  ...[7, 0, 14, '13', null].map((version) => [`version ${String(version)}`, { version }, RangeError] as const),
  ...[['a', 'a'], [''], ['a b'], ['a,b'], [1]].map(
    (protocols) => [`protocols ${protocols.join()}`, { protocols }, SyntaxError] as const,
  ),
  ['protocols that are no list', { protocols: 'a' }, TypeError],
  ['an extension that is no token', { extensions: [{ name: 'a b', parameters: [] }] }, TypeError],
  ['half a header', { headers: ['a'] }, TypeError],
  ['headers that are no list', { headers: { a: 'b' } }, TypeError],
  ['two Hosts', { headers: ['Host', 'a', 'host', 'a'] }, TypeError],
  ['two Origins', { headers: ['Origin', 'a', 'ORIGIN', 'a'] }, TypeError],
  ['origin that is no text', { origin: 1 }, TypeError],
];

test.each(REFUSED)('a client cannot send %s', (_, options, error) => {
  expect(() => upgradeRequest({ ...ASK, ...options })).toThrow(error);
});

const INPUTS: readonly [
  name: string,
  build: (text: string) => Partial<UpgradeRequestOptions>,
  error: new () => Error,
][] = [
  ['host', (host) => ({ host }), TypeError],
  ['target', (text) => ({ target: `/${text}` }), TypeError],
  ['key', (text) => ({ key: `${KEY.slice(0, 20)}${text}==` }), TypeError],
  ['origin', (origin) => ({ origin }), TypeError],
  ['protocols', (text) => ({ protocols: [text] }), SyntaxError],
  ['extension names', (name) => ({ extensions: [{ name, parameters: [] }] }), TypeError],
  ['extension parameters', (text) => ({ extensions: [{ name: 'a', parameters: [[text, true]] }] }), TypeError],
  ['extension values', (text) => ({ extensions: [{ name: 'a', parameters: [['a', text]] }] }), TypeError],
  ['header names', (text) => ({ headers: [text, 'a'] }), TypeError],
  ['header values', (text) => ({ headers: ['a', text] }), TypeError],
  ['values of Host', (text) => ({ headers: ['Host', text] }), TypeError],
  ['values of headers that are left out', (text) => ({ headers: ['Upgrade', text] }), TypeError],
];

test.each(INPUTS)('nothing that breaks a line gets into %s', (_, build, error) => {
  for (const breaker of LINE_BREAKERS) {
    expect(() => upgradeRequest({ ...ASK, ...build(`a${breaker}b`) })).toThrow(error);
    expect(() => upgradeRequest({ ...ASK, ...build(`a${breaker}`) })).toThrow(error);
    expect(() => upgradeRequest({ ...ASK, ...build(breaker) })).toThrow(error);
  }
});
