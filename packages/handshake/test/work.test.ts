// Hostile input costs no more than its length: counted in characters that were touched, not in time, so that a slow machine changes
// nothing. Everything in src looks at a character through one of the methods that are counted here.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  checkHost,
  checkOrigin,
  checkUpgradeRequest,
  checkUpgradeResponse,
  clientAddress,
  formatRequest,
  formatResponse,
  parseExtensions,
  parseSubprotocols,
  refusalResponse,
} from '../src/index.js';
import { KEY, REQUEST, requestWith, RESPONSE, responseWith } from './messages.js';

let work = 0;
const restore: (() => void)[] = [];

function meter<Key extends string>(
  prototype: Record<Key, unknown>,
  name: Key,
  cost: (self: string, args: unknown[], result: unknown) => number,
): void {
  const original = prototype[name] as (...args: unknown[]) => unknown;
  prototype[name] = function (this: string, ...args: unknown[]): unknown {
    const result = original.apply(this, args);
    work += cost(this, args, result);
    return result;
  };
  restore.push(() => (prototype[name] = original));
}

const whole = (self: string): number => self.length;
const searched = (self: string, args: unknown[], result: unknown): number =>
  (Number(result) < 0 ? self.length : Number(result)) - Number(args[1] ?? 0) + 1;

beforeAll(() => {
  const text = String.prototype as unknown as Record<string, unknown>;
  meter(text, 'charCodeAt', () => 1);
  meter(text, 'codePointAt', () => 1);
  meter(text, 'slice', (_, __, result) => String(result).length + 1);
  meter(text, 'indexOf', searched);
  for (const name of [
    'includes',
    'split',
    'toLowerCase',
    'toUpperCase',
    'trim',
    'concat',
    'replace',
    'match',
    'padEnd',
    'substring',
    'at',
    'charAt',
  ])
    meter(text, name, whole);
  meter(Array.prototype as unknown as Record<string, unknown>, 'join', (_, __, result) => String(result).length);
});

afterAll(() => {
  for (const undo of restore) undo();
});

const repeat = (unit: string, length: number): string => unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
const distinct = (length: number, comma: string): string =>
  Array.from({ length: Math.ceil(length / 8) }, (_, at) => `p${at}`).join(comma);

const CASES: Record<string, (length: number) => unknown> = {
  'subprotocols: blanks inside': (n) =>
    checkUpgradeRequest(requestWith('Sec-WebSocket-Protocol', `b${repeat(' ', n)}x`)),
  'subprotocols: blanks alone': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Protocol', repeat(' ', n))),
  'subprotocols: blanks and commas': (n) =>
    checkUpgradeRequest(requestWith('Sec-WebSocket-Protocol', repeat(' \t, ', n))),
  'subprotocols: commas': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Protocol', repeat(',', n))),
  'subprotocols: many': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Protocol', distinct(n, ', '))),
  'subprotocols: many lines': (n) =>
    checkUpgradeRequest(requestWith('Sec-WebSocket-Protocol', ...distinct(n, ',').split(','))),
  'subprotocols: one long': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Protocol', repeat('b', n))),
  'extensions: unclosed quotes with backslashes': (n) =>
    checkUpgradeRequest(requestWith('Sec-WebSocket-Extensions', `a;b="${repeat('\\a', n)}`)),
  'extensions: backslashes': (n) =>
    checkUpgradeRequest(requestWith('Sec-WebSocket-Extensions', `a;b="${repeat('\\', n)}`)),
  'extensions: closed quotes with backslashes': (n) => parseExtensions(`a;b="${repeat('\\a', n)}"`),
  'extensions: many quoted strings': (n) => parseExtensions(`a${repeat(';b="c"', n - (n % 6))}`),
  'extensions: many unclosed quotes': (n) =>
    checkUpgradeRequest(requestWith('Sec-WebSocket-Extensions', repeat('a;b="c,', n))),
  'extensions: blanks': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Extensions', repeat(' ', n))),
  'extensions: blanks inside': (n) =>
    checkUpgradeRequest(requestWith('Sec-WebSocket-Extensions', `a${repeat(' ', n)}x`)),
  'extensions: blanks before an equals sign': (n) => parseExtensions(`a;b${repeat('\t', n)}=${repeat(' ', n)}c`),
  'extensions: many': (n) => parseExtensions(distinct(n, ',')),
  'extensions: many parameters': (n) => parseExtensions(distinct(n, ';')),
  'extensions: commas': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Extensions', repeat(',', n))),
  'extensions: semicolons': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Extensions', repeat('a;', n))),
  'Upgrade: commas': (n) => checkUpgradeRequest(requestWith('Upgrade', repeat(',', n))),
  'Upgrade: blanks': (n) => checkUpgradeRequest(requestWith('Upgrade', repeat(' ', n))),
  'Upgrade: blanks inside': (n) => checkUpgradeRequest(requestWith('Upgrade', `a${repeat(' ', n)}b`)),
  'Connection: many': (n) => checkUpgradeRequest(requestWith('Connection', distinct(n, ', '))),
  'Connection: many lines': (n) => checkUpgradeRequest(requestWith('Connection', ...distinct(n, ',').split(','))),
  'Host: dots': (n) => checkUpgradeRequest(requestWith('Host', repeat('.', n))),
  'Host: colons': (n) => checkUpgradeRequest(requestWith('Host', `[${repeat(':', n)}]`)),
  'Host: digits of a port': (n) => checkUpgradeRequest(requestWith('Host', `a:${repeat('9', n)}`)),
  'key: long': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Key', repeat('A', n))),
  'version: long': (n) => checkUpgradeRequest(requestWith('Sec-WebSocket-Version', repeat('1', n))),
  'Content-Length: long': (n) => checkUpgradeRequest(requestWith('Content-Length', repeat('0', n))),
  'foreign headers: many': (n) =>
    checkUpgradeRequest({
      ...REQUEST,
      headers: [...distinct(n, ',').split(','), ...(Math.ceil(n / 8) % 2 ? ['x'] : []), ...REQUEST.headers],
    }),
  'foreign headers: as long as ours': (n) =>
    checkUpgradeRequest({
      ...REQUEST,
      headers: [...Array.from({ length: (n >> 4) * 2 }, () => 'sec-websocket-keY'), ...REQUEST.headers],
    }),
  'method: long': (n) => checkUpgradeRequest({ ...REQUEST, method: repeat('G', n) }),
  'HTTP version: long': (n) => checkUpgradeRequest({ ...REQUEST, httpVersion: repeat('1.', n) }),
  'target: long': (n) => checkUpgradeRequest({ ...REQUEST, target: repeat('/?', n) }),
  'target: absolute': (n) => checkUpgradeRequest({ ...REQUEST, target: `http://${repeat('a.', n)}/` }),
  'target: long scheme': (n) => checkUpgradeRequest({ ...REQUEST, target: `${repeat('http', n)}://a/` }),
  'origin: dots': (n) => checkOrigin(`http://${repeat('.', n)}`, 'a', 'same'),
  'origin: numbers': (n) => checkOrigin(`http://${repeat('1.', n)}`, repeat('1.', n), 'same'),
  'origin: long scheme': (n) => checkOrigin(`${repeat('a', n)}://a`, 'a', ['http://a']),
  'origin: colons': (n) => checkOrigin(repeat(':', n), 'a', 'same'),
  'origin: slashes': (n) => checkOrigin(repeat('://', n), 'a', 'same'),
  'origin: brackets': (n) => checkOrigin(`http://${repeat('[', n)}`, 'a', 'same'),
  'X-Forwarded-For: commas': (n) => clientAddress('::1', ['X-Forwarded-For', repeat(',', n)], () => true),
  'X-Forwarded-For: many': (n) => clientAddress('::1', ['X-Forwarded-For', repeat('10.0.0.1,', n)], () => true),
  'X-Forwarded-For: many lines': (n) => clientAddress('::1', repeat('X-Forwarded-For,::1,', n).split(','), 1e9),
  'X-Forwarded-For: colons': (n) => clientAddress('::1', ['X-Forwarded-For', repeat(':', n)], 1),
  'X-Forwarded-For: one long zone': (n) => clientAddress('::1', ['X-Forwarded-For', `fe80::1%${repeat('%', n)}`], 1),
  'host rule: long': (n) => checkHost(repeat('a.', n), ['.a', 'b', '.c:1']),
  'answer: long accept': (n) =>
    checkUpgradeResponse(responseWith('Sec-WebSocket-Accept', repeat('A', n)), { key: KEY }),
  'answer: long subprotocol': (n) =>
    checkUpgradeResponse(responseWith('Sec-WebSocket-Protocol', repeat('a', n)), { key: KEY, protocols: ['a'] }),
  'answer: many extensions': (n) =>
    checkUpgradeResponse(responseWith('Sec-WebSocket-Extensions', distinct(n, ',')), {
      key: KEY,
      extensions: parseExtensions(distinct(n, ',')),
    }),
  'answer: unclosed quotes': (n) =>
    checkUpgradeResponse(responseWith('Sec-WebSocket-Extensions', `a;b="${repeat('\\a', n)}`), { key: KEY }),
  'answer: many lines': (n) =>
    checkUpgradeResponse({ ...RESPONSE, headers: [...RESPONSE.headers, ...distinct(n, ',').split(',')] }, { key: KEY }),
  'writing a request': (n) => formatRequest({ ...REQUEST, target: `/${repeat('a', n)}` }),
  'writing a response': (n) =>
    formatResponse(refusalResponse(400, { body: repeat('\u20ac', n), headers: ['X', repeat('a', n)] })),
};

const KIB = 1024;
const MOST_PER_CHARACTER = 40;

test.each(Object.entries(CASES))('%s', (_, run) => {
  const costs = [16, 32, 64].map((kib) => {
    work = 0;
    run(kib * KIB);
    return work;
  }) as [number, number, number];
  expect(costs[2]).toBeLessThan(64 * KIB * MOST_PER_CHARACTER);
  // twice the input, at most twice the work, but for what does not depend on it
  expect(costs[1]).toBeLessThan(costs[0] * 2.2 + 5000);
  expect(costs[2]).toBeLessThan(costs[1] * 2.2 + 5000);
});

test('the meter measures', () => {
  work = 0;
  parseSubprotocols(repeat('b', KIB));
  expect(work).toBeGreaterThan(KIB);
});
