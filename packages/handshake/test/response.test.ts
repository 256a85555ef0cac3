import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  checkUpgradeRequest,
  checkUpgradeResponse,
  formatResponse,
  HandshakeError,
  upgradeRequest,
  upgradeResponse,
  type ExtensionOffer,
  type HandshakeErrorCode,
  type SentRequest,
} from '../src/index.js';
import { ACCEPT, charOf, KEY, PROTOTYPE_NAMES, RESPONSE, responseWith } from './messages.js';

const x: ExtensionOffer = { name: 'x', parameters: [] };
const y: ExtensionOffer = { name: 'y', parameters: [['a', '1']] };
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
