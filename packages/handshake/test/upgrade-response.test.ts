import { expect, test } from '@jest/globals';
import { refusalResponse, upgradeResponse, type ExtensionOffer, type UpgradeOffer } from '../src/index.js';
import { ACCEPT, fields, KEY, LINE_BREAKERS, PROTOTYPE_NAMES } from './messages.js';

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
