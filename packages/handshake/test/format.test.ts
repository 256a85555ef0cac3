import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { utf8Octets } from '../src/format.js';
import { formatRequest, formatResponse, refusalResponse, upgradeRequest, upgradeResponse } from '../src/index.js';
import { ACCEPT, KEY, LINE_BREAKERS, REQUEST } from './messages.js';

const OK = { status: 400, reason: 'Bad Request', headers: ['A', 'b'] };

test('a request, line by line', () => {
  expect(formatRequest(upgradeRequest({ host: 'a:1', target: '/b?c', key: KEY, protocols: ['d'] }))).toBe(
    `GET /b?c HTTP/1.1\r\nHost: a:1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${KEY}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: d\r\n\r\n`,
  );
});

test('a response, line by line', () => {
  const offer = {
    version: 13,
    key: KEY,
    host: 'a',
    origin: undefined,
    path: '/',
    protocols: [],
    extensions: [],
  } as const;
  expect(formatResponse(upgradeResponse(offer, { headers: ['X', 'y'] }))).toBe(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${ACCEPT}\r\nX: y\r\n\r\n`,
  );
  expect(formatResponse(refusalResponse(404))).toBe(
    'HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 9\r\n\r\nNot Found',
  );
  expect(formatResponse({ status: 418, reason: '', headers: [] })).toBe('HTTP/1.1 418 \r\n\r\n');
});

test('latin1 and tabs go through as they are, a body may have lines', () => {
  expect(formatResponse({ status: 400, reason: 'n\u00e4\t', headers: ['X', '\u00ff \t'], body: 'a\r\nb' })).toBe(
    'HTTP/1.1 400 n\u00e4\t\r\nX: \u00ff \t\r\n\r\na\r\nb',
  );
});

test('nothing that breaks a line gets into a head', () => {
  for (const breaker of LINE_BREAKERS) {
    const text = `a${breaker}b`;
    expect(() => formatResponse({ ...OK, reason: text })).toThrow(TypeError);
    expect(() => formatResponse({ ...OK, headers: ['A', text] })).toThrow(TypeError);
    expect(() => formatResponse({ ...OK, headers: [text, 'A'] })).toThrow(TypeError);
    expect(() => formatRequest({ ...REQUEST, method: text })).toThrow(TypeError);
    expect(() => formatRequest({ ...REQUEST, target: `/${text}` })).toThrow(TypeError);
    expect(() => formatRequest({ ...REQUEST, headers: ['A', text] })).toThrow(TypeError);
    expect(() => formatRequest({ ...REQUEST, headers: [text, 'A'] })).toThrow(TypeError);
  }
  expect(() => formatResponse({ ...OK, headers: ['A'] })).toThrow(TypeError);
  expect(() => formatRequest({ ...REQUEST, target: '/a b' })).toThrow(TypeError);
  expect(() => formatRequest({ ...REQUEST, target: '' })).toThrow(TypeError);
});

test.each([0, 100, 102, 199, 600, 99, 1000, 400.5, NaN, '400', '400 x\r\n', undefined])(
  'status %j is none to answer with',
  (status) => {
    expect(() => formatResponse({ ...OK, status: status as number })).toThrow(RangeError);
  },
);

test.each([101, 200, 302, 400, 599])('status %j is', (status) => {
  expect(formatResponse({ ...OK, status })).toContain(`HTTP/1.1 ${status} `);
});

test('a head has as many lines as headers, whatever they are', () => {
  const text = fc.string({ unit: 'binary', maxLength: 20 });
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 6 }), (reason, headers) => {
      let head: string;
      try {
        head = formatResponse({ status: 400, reason, headers });
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        return;
      }
      expect(head.split('\r\n')).toHaveLength(headers.length / 2 + 3);
      expect(head.split('\n')).toHaveLength(headers.length / 2 + 3);
    }),
  );
});

test('the body is UTF-8, an octet a character', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) =>
      expect(utf8Octets(text)).toBe(Buffer.from(text, 'utf8').toString('latin1')),
    ),
  );
  expect(utf8Octets('\ud800a\udc00')).toBe(Buffer.from('\ufffda\ufffd', 'utf8').toString('latin1'));
});

test('the length is that of the octets', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (body) => {
      const text = formatResponse(refusalResponse(400, { body }));
      const sent = Buffer.from(text, 'latin1');
      const at = sent.indexOf('\r\n\r\n');
      expect(text).toContain(`\r\nContent-Length: ${sent.length - at - 4}\r\n`);
      expect(sent.subarray(at + 4).toString('utf8')).toBe(Buffer.from(body, 'utf8').toString('utf8'));
    }),
  );
});
