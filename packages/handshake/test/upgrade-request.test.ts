import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isKey } from '../src/accept-key.js';
import { checkUpgradeRequest, upgradeRequest, type UpgradeRequestOptions } from '../src/index.js';
import { charOf, fields, KEY, LINE_BREAKERS } from './messages.js';

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
