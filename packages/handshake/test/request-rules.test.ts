import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isKey } from '../src/accept-key.js';
import { checkUpgradeRequest, formatResponse, refusalResponse, type UpgradeRequest } from '../src/index.js';
import { errorOf, fields, KEY, OFFER, PROTOTYPE_NAMES, REQUEST, requestWith, withField } from './messages.js';

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

test('the size of a head is that of its bytes on the wire, and its headers are counted', () => {
  const text = ['GET / HTTP/1.1', ...pairsOf(REQUEST.headers).map(([name, value]) => `${name}: ${value}`), '', ''];
  const size = text.join('\r\n').length;
  const count = REQUEST.headers.length / 2;
  const check = (options: object): unknown => {
    const decision = checkUpgradeRequest({ ...REQUEST, target: '/' }, options);
    return decision.accepted || decision.error.message;
  };
  expect(check({ maxHeaderSize: size, maxHeaderCount: count })).toBe(true);
  expect(check({ maxHeaderSize: size - 1 })).toContain(`${size} bytes, limit ${size - 1} (RFC 6585 §5)`);
  expect(check({ maxHeaderCount: count - 1 })).toContain(`${count}, limit ${count - 1} (RFC 6585 §5)`);
});

const pairsOf = (list: readonly string[]): [string, string][] =>
  Array.from({ length: list.length / 2 }, (_, at) => [list[2 * at]!, list[2 * at + 1]!]);
