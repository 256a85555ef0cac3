import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkUpgradeRequest,
  checkUpgradeResponse,
  formatResponse,
  HandshakeError,
  refusalResponse,
  upgradeRequest,
  upgradeResponse,
  type ExtensionOffer,
  type HandshakeErrorCode,
  type SentRequest,
  type UpgradeOffer,
} from '../src/index.js';
import { ACCEPT, charOf, fields, KEY, LINE_BREAKERS, PROTOTYPE_NAMES, RESPONSE, responseWith } from './messages.js';

const x: ExtensionOffer = { name: 'x', parameters: [] };
const y: ExtensionOffer = { name: 'y', parameters: [['a', '1']] };
const OFFER: UpgradeOffer = {
  version: 13,
  key: KEY,
  host: 'a',
  origin: undefined,
  path: '/',
  protocols: ['chat', 'superchat'],
  extensions: [x, x, y],
};
const HEAD = fields('Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${ACCEPT}`);

test('the 101 of RFC 6455 §1.3', () => {
  expect(upgradeResponse(OFFER)).toEqual({ status: 101, reason: 'Switching Protocols', headers: HEAD });
  expect(upgradeResponse(OFFER, { protocol: 'chat' }).headers).toEqual([...HEAD, 'Sec-WebSocket-Protocol', 'chat']);
});

test('what was chosen, then what the caller adds', () => {
  const { headers } = upgradeResponse(OFFER, {
    protocol: 'superchat',
    extensions: [y, x],
    headers: fields('Set-Cookie: a=b', 'Set-Cookie: c=d'),
  });
  expect(headers).toEqual([
    ...HEAD,
    ...fields(
      'Sec-WebSocket-Protocol: superchat',
      'Sec-WebSocket-Extensions: y; a=1, x',
      'Set-Cookie: a=b',
      'Set-Cookie: c=d',
    ),
  ]);
  expect(upgradeResponse(OFFER, { protocol: '', extensions: [], headers: [] }).headers).toEqual(HEAD);
  expect(upgradeResponse(OFFER, { protocol: undefined, extensions: undefined, headers: undefined }).headers).toEqual(
    HEAD,
  );
});

test("what makes the handshake one cannot be the caller's", () => {
  const theirs = fields(
    'upgrade: h2c',
    'CONNECTION: close',
    'sec-websocket-accept: x',
    'Sec-WebSocket-Protocol: p',
    'Sec-WebSocket-Extensions: e',
    'Content-Length: 5',
    'Transfer-Encoding: chunked',
    'X: y',
  );
  expect(upgradeResponse(OFFER, { headers: theirs }).headers).toEqual([...HEAD, 'X', 'y']);
});

test.each<[what: string, options: object, error: new () => Error]>([
  ['a subprotocol that was not asked for', { protocol: 'other' }, RangeError],
  ['a subprotocol in other case', { protocol: 'CHAT' }, RangeError],
  ['two subprotocols', { protocol: 'chat, superchat' }, TypeError],
  ['a subprotocol that is no text', { protocol: true }, TypeError],
  ['an extension that was not offered', { extensions: [{ name: 'z', parameters: [] }] }, RangeError],
  ['an extension twice', { extensions: [x, x] }, RangeError],
  ['an extension that is no token', { extensions: [{ name: 'x y', parameters: [] }] }, TypeError],
  ['half a header', { headers: ['a'] }, TypeError],
])('a server cannot answer with %s', (_, options, error) => {
  expect(() => upgradeResponse(OFFER, options)).toThrow(error);
});

test('names of Object.prototype were not offered', () => {
  for (const name of PROTOTYPE_NAMES) {
    expect(() => upgradeResponse(OFFER, { protocol: name })).toThrow(RangeError);
    expect(() => upgradeResponse(OFFER, { extensions: [{ name, parameters: [] }] })).toThrow(RangeError);
  }
});

test('nothing that breaks a line gets into an answer', () => {
  for (const breaker of LINE_BREAKERS) {
    const text = `a${breaker}b`;
    expect(() => upgradeResponse({ ...OFFER, protocols: [text] }, { protocol: text })).toThrow(TypeError);
    expect(() => upgradeResponse(OFFER, { extensions: [{ name: text, parameters: [] }] })).toThrow(TypeError);
    expect(() => upgradeResponse(OFFER, { extensions: [{ name: 'x', parameters: [['p', text]] }] })).toThrow(TypeError);
    expect(() => upgradeResponse(OFFER, { headers: ['X', text] })).toThrow(TypeError);
    expect(() => upgradeResponse(OFFER, { headers: [text, 'X'] })).toThrow(TypeError);
    expect(() => refusalResponse(403, { reason: text })).toThrow(TypeError);
    expect(() => refusalResponse(403, { headers: ['X', text] })).toThrow(TypeError);
    expect(() => refusalResponse(403, { headers: [text, 'X'] })).toThrow(TypeError);
  }
});

const PLAIN = ['Content-Type', 'text/plain; charset=utf-8'];

test.each([
  [400, 'Bad Request', []],
  [401, 'Unauthorized', []],
  [403, 'Forbidden', []],
  [404, 'Not Found', []],
  [405, 'Method Not Allowed', ['Allow', 'GET']],
  [426, 'Upgrade Required', ['Upgrade', 'websocket', 'Sec-WebSocket-Version', '13']],
  [429, 'Too Many Requests', ['Retry-After', '5']],
  [500, 'Internal Server Error', []],
  [503, 'Service Unavailable', ['Retry-After', '5']],
])('%j %s with its headers', (status, reason, companions) => {
  const connection = status === 426 ? 'close, Upgrade' : 'close';
  expect(refusalResponse(status)).toEqual({
    status,
    reason,
    headers: ['Connection', connection, ...PLAIN, ...companions, 'Content-Length', String(reason.length)],
    body: reason,
  });
});

test('a status without a phrase of its own', () => {
  expect(refusalResponse(418)).toEqual({
    status: 418,
    reason: '',
    headers: ['Connection', 'close', ...PLAIN, ...fields('Content-Length: 3')],
    body: '418',
  });
});

test('body, reason and headers of the caller', () => {
  expect(refusalResponse(403, { body: 'no \u20ac', reason: 'Nope', headers: ['X', 'y'] })).toEqual({
    status: 403,
    reason: 'Nope',
    headers: ['Connection', 'close', ...PLAIN, ...fields('Content-Length: 6', 'X: y')],
    body: 'no \u20ac',
  });
  expect(refusalResponse(403, { body: '' })).toMatchObject({
    body: '',
    headers: ['Connection', 'close', ...PLAIN, ...fields('Content-Length: 0')],
  });
  expect(refusalResponse(403, { reason: 'Nope' }).body).toBe('Nope');
  expect(refusalResponse(302, { headers: ['Location', '/login'] }).headers).toEqual([
    'Connection',
    'close',
    ...PLAIN,
    ...fields('Content-Length: 5', 'Location: /login'),
  ]);
});

test("the caller's header takes the place of ours, but for the framing", () => {
  const headers = fields(
    'content-TYPE: text/html',
    'retry-after: 60',
    'Connection: keep-alive',
    'Content-Length: 1',
    'Transfer-Encoding: chunked',
  );
  expect(refusalResponse(503, { headers }).headers).toEqual(
    fields('Connection: close', 'Content-Length: 19', 'content-TYPE: text/html', 'retry-after: 60'),
  );
  expect(refusalResponse(426, { headers: ['Sec-WebSocket-Version', '13, 8'] }).headers).toEqual([
    'Connection',
    'close, Upgrade',
    ...PLAIN,
    ...fields('Upgrade: websocket', 'Content-Length: 16', 'Sec-WebSocket-Version: 13, 8'),
  ]);
});

test.each([0, 101, 200, 204, 299, 304, 600, 1000, 400.5, NaN, -400, '400', undefined])('%j is no refusal', (status) => {
  expect(() => refusalResponse(status as number)).toThrow(RangeError);
});

test('a body is text, headers are a list', () => {
  expect(() => refusalResponse(400, { body: 1 as unknown as string })).toThrow(TypeError);
  expect(() => refusalResponse(400, { headers: ['a'] })).toThrow(TypeError);
});

// The other end: what a client makes of an answer.

const SENT: SentRequest = { key: KEY };
const BOTH: SentRequest = { key: KEY, protocols: ['a', 'b'] };
const EXTENDED: SentRequest = { key: KEY, extensions: [x, y] };

test.each<[name: string, response: typeof RESPONSE, sent: SentRequest, protocol: string, extensions: ExtensionOffer[]]>(
  [
    ['the plain one', RESPONSE, SENT, '', []],
    ['nothing asked for, in so many words', RESPONSE, { key: KEY, protocols: [], extensions: [] }, '', []],
    [
      'other cases',
      {
        status: 101,
        headers: ['UPGRADE', 'WebSocket', 'connection', 'UPGRADE', 'sec-websocket-accept', ` ${ACCEPT} `],
      },
      SENT,
      '',
      [],
    ],
    ['Connection as a list', responseWith('Connection', 'keep-alive, Upgrade'), SENT, '', []],
    ['Connection in lines', responseWith('Connection', 'keep-alive', 'Upgrade'), SENT, '', []],
    ['the first subprotocol', responseWith('Sec-WebSocket-Protocol', 'a'), BOTH, 'a', []],
    ['the second subprotocol', responseWith('Sec-WebSocket-Protocol', ' b '), BOTH, 'b', []],
    ['no extension where some were offered', RESPONSE, EXTENDED, '', []],
    [
      'an extension',
      responseWith('Sec-WebSocket-Extensions', 'y; c=2'),
      EXTENDED,
      '',
      [{ name: 'y', parameters: [['c', '2']] }],
    ],
    [
      'both, in lines',
      responseWith('Sec-WebSocket-Extensions', 'y', 'x'),
      EXTENDED,
      '',
      [{ name: 'y', parameters: [] }, x],
    ],
    ['a version, which has no meaning here', responseWith('Sec-WebSocket-Version', '13'), SENT, '', []],
  ],
)('opens: %s', (_, response, sent, protocol, extensions) => {
  expect(checkUpgradeResponse(response, sent)).toEqual({ accepted: true, protocol, extensions });
});

const FAILURES: readonly (readonly [
  name: string,
  response: typeof RESPONSE,
  sent: SentRequest,
  code: HandshakeErrorCode,
])[] = [
  ...[100, 200, 301, 400, 401, 426, 500, 0, 102].map(
    (status) => [`status ${status}`, { ...RESPONSE, status }, SENT, 'WS_ERR_UNEXPECTED_STATUS'] as const,
  ),
  ['no header at all', { status: 101, headers: [] }, SENT, 'WS_ERR_INVALID_UPGRADE'],
  ['no Upgrade', responseWith('Upgrade'), SENT, 'WS_ERR_INVALID_UPGRADE'],
  ...['', 'h2c', 'websocket, h2c', 'websockets', 'websocket/13'].map(
    (value) => [`Upgrade: ${value}`, responseWith('Upgrade', value), SENT, 'WS_ERR_INVALID_UPGRADE'] as const,
  ),
  ['Upgrade twice', responseWith('Upgrade', 'websocket', 'websocket'), SENT, 'WS_ERR_INVALID_UPGRADE'],
  ['no Connection', responseWith('Connection'), SENT, 'WS_ERR_INVALID_CONNECTION'],
  ...['', 'close', 'upgraded'].map(
    (value) => [`Connection: ${value}`, responseWith('Connection', value), SENT, 'WS_ERR_INVALID_CONNECTION'] as const,
  ),
  ['no accept', responseWith('Sec-WebSocket-Accept'), SENT, 'WS_ERR_INVALID_ACCEPT'],
  ['accept twice', responseWith('Sec-WebSocket-Accept', ACCEPT, ACCEPT), SENT, 'WS_ERR_INVALID_ACCEPT'],
  ...['', KEY, ACCEPT.toLowerCase(), `${ACCEPT}=`, `${ACCEPT}, ${ACCEPT}`, `"${ACCEPT}"`].map(
    (value) => [`accept ${value}`, responseWith('Sec-WebSocket-Accept', value), SENT, 'WS_ERR_INVALID_ACCEPT'] as const,
  ),
  ['the accept of another key', RESPONSE, { key: 'AAAAAAAAAAAAAAAAAAAAAA==' }, 'WS_ERR_INVALID_ACCEPT'],
  ['a subprotocol, none asked for', responseWith('Sec-WebSocket-Protocol', 'a'), SENT, 'WS_ERR_UNEXPECTED_SUBPROTOCOL'],
  [
    'an empty subprotocol, none asked for',
    responseWith('Sec-WebSocket-Protocol', ''),
    SENT,
    'WS_ERR_UNEXPECTED_SUBPROTOCOL',
  ],
  ['no subprotocol, some asked for', RESPONSE, BOTH, 'WS_ERR_MISSING_SUBPROTOCOL'],
  ...['', 'c', 'A', 'a, b', 'a,', '"a"', 'constructor', '__proto__'].map(
    (value) =>
      [
        `subprotocol ${value}`,
        responseWith('Sec-WebSocket-Protocol', value),
        BOTH,
        'WS_ERR_INVALID_SUBPROTOCOL',
      ] as const,
  ),
  ['two subprotocols', responseWith('Sec-WebSocket-Protocol', 'a', 'b'), BOTH, 'WS_ERR_INVALID_SUBPROTOCOL'],
  ['the same subprotocol twice', responseWith('Sec-WebSocket-Protocol', 'a', 'a'), BOTH, 'WS_ERR_INVALID_SUBPROTOCOL'],
  ['an extension, none offered', responseWith('Sec-WebSocket-Extensions', 'x'), SENT, 'WS_ERR_UNEXPECTED_EXTENSION'],
  ...['z', 'X', 'x, z', 'constructor', '__proto__'].map(
    (value) =>
      [
        `extension ${value}`,
        responseWith('Sec-WebSocket-Extensions', value),
        EXTENDED,
        'WS_ERR_UNEXPECTED_EXTENSION',
      ] as const,
  ),
  ...['', ',', 'x;', 'x y', 'x; a="', 'x; a="b c"', 'x, x', 'x; a, y, x'].map(
    (value) =>
      [
        `extensions ${value}`,
        responseWith('Sec-WebSocket-Extensions', value),
        EXTENDED,
        'WS_ERR_INVALID_EXTENSIONS',
      ] as const,
  ),
  [
    'an extension twice, in two lines',
    responseWith('Sec-WebSocket-Extensions', 'x', 'x'),
    EXTENDED,
    'WS_ERR_INVALID_EXTENSIONS',
  ],
];

test.each(FAILURES)('fails: %s', (_, response, sent, code) => {
  const decision = checkUpgradeResponse(response, sent);
  if (decision.accepted) throw new Error('accepted');
  expect(decision.error).toBeInstanceOf(HandshakeError);
  expect({ code: decision.error.code, status: decision.error.status, headers: decision.error.headers }).toEqual({
    code,
    status: 0,
    headers: [],
  });
});

test('no subset of the headers is an exception, and only the whole opens', () => {
  for (let subset = 0; subset < 8; subset++) {
    const headers = RESPONSE.headers.filter((_, at) => subset & (1 << (at >> 1)));
    expect(checkUpgradeResponse({ status: 101, headers }, SENT).accepted).toBe(subset === 7);
  }
});

test('any answer is a decision', () => {
  const name = fc.oneof(
    fc.constantFrom(
      'Upgrade',
      'Connection',
      'Sec-WebSocket-Accept',
      'Sec-WebSocket-Protocol',
      'Sec-WebSocket-Extensions',
      ...PROTOTYPE_NAMES,
    ),
    fc.string(),
  );
  const value = fc.oneof(
    fc.constantFrom('websocket', 'Upgrade', ACCEPT, 'a', 'x', 'x; y="1"', ''),
    fc.string({ unit: 'binary' }),
  );
  const extra = fc.array(fc.tuple(name, value), { maxLength: 6 }).map((pairs) => pairs.flat());
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.oneof(fc.constant(101), fc.integer()),
      extra,
      fc.boolean(),
      fc.constantFrom(SENT, BOTH, EXTENDED),
      (status, headers, complete, sent) => {
        const decision = checkUpgradeResponse(
          { status, headers: complete ? [...RESPONSE.headers, ...headers] : headers },
          sent,
        );
        if (decision.accepted) accepted++;
        else expect(decision.error).toBeInstanceOf(HandshakeError);
      },
    ),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(0);
});

test("a caller's mistake is no fault of the peer", () => {
  expect(() => checkUpgradeResponse({ status: 101 } as unknown as typeof RESPONSE, SENT)).toThrow(TypeError);
});

test('both ends agree on every choice', () => {
  const token = fc.string({ unit: charOf('abc-1'), minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(
      fc.uniqueArray(token, { maxLength: 4 }),
      fc.uniqueArray(token, { maxLength: 4 }),
      fc.nat(),
      fc.nat(),
      (protocols, names, one, two) => {
        const extensions = names.map((name) => ({ name, parameters: [[name, true]] as const }));
        const request = upgradeRequest({ host: 'a', target: '/', protocols, extensions });
        const asked = checkUpgradeRequest(request);
        if (!asked.accepted) throw asked.error;
        const protocol = protocols[one % (protocols.length || 1)] ?? '';
        const chosen = asked.offer.extensions.slice(two % (names.length + 1));
        const response = upgradeResponse(asked.offer, { protocol, extensions: chosen });
        expect(formatResponse(response)).toContain('101 Switching Protocols\r\n');
        expect(checkUpgradeResponse(response, { key: request.key, protocols, extensions })).toEqual({
          accepted: true,
          protocol,
          extensions: chosen,
        });
      },
    ),
  );
});
