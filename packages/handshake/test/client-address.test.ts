import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clientAddress, type TrustedProxies } from '../src/index.js';

const PROXY = '10.0.0.1';
const inside = (address: string): boolean => address.startsWith('10.');

const CASES: [forwarded: string[], trusted: TrustedProxies, client: string | undefined][] = [
  [[], 0, PROXY],
  [[], 1, PROXY],
  [['192.0.2.7'], 0, PROXY],
  [['192.0.2.7'], 1, '192.0.2.7'],
  [['203.0.113.9, 192.0.2.7'], 1, '192.0.2.7'],
  [['203.0.113.9, 192.0.2.7'], 2, '203.0.113.9'],
  [['203.0.113.9', '192.0.2.7'], 1, '192.0.2.7'],
  [['203.0.113.9', '192.0.2.7'], 9, '203.0.113.9'],
  [['203.0.113.9,192.0.2.7 ,\t10.0.0.2'], inside, '192.0.2.7'],
  [['10.9.9.9, 192.0.2.7, 10.0.0.2'], inside, '192.0.2.7'],
  [['10.9.9.9, 10.0.0.2'], inside, '10.9.9.9'],
  [['192.0.2.7, , '], 1, '192.0.2.7'],
  [['192.0.2.7:5678'], 1, '192.0.2.7'],
  [['[2001:db8::1]:5678'], 1, '2001:db8::1'],
  [['[2001:DB8::1]'], 1, '2001:db8::1'],
  [['2001:db8::1'], 1, '2001:db8::1'],
  [['fe80::1%eth0'], 1, 'fe80::1'],
  [['::ffff:192.0.2.7'], 1, '192.0.2.7'],
  [['unknown'], 1, PROXY],
  [['192.0.2.7, unknown'], 9, PROXY],
  [['unknown, 192.0.2.7'], 9, '192.0.2.7'],
  [['192.0.2.7:x'], 1, PROXY],
  [['192.0.2.7:'], 1, PROXY],
  [['[2001:db8::1'], 1, PROXY],
  [['[2001:db8::1]x'], 1, PROXY],
  [['"192.0.2.7"'], 1, PROXY],
  [['192.0.2.7\n'], 1, PROXY],
];

test.each(CASES)('X-Forwarded-For %j through %p is %j', (forwarded, trusted, client) => {
  const headers = forwarded.flatMap((value) => ['x-FORWARDED-for', value, 'X-Forwarded-Fo', '6.6.6.6']);
  expect(clientAddress(PROXY, headers, trusted)).toBe(client);
});

test('who has connected is asked for in one form, on a Unix socket as an empty text', () => {
  const asked: [string, number][] = [];
  const trusted = (address: string, hop: number): boolean => asked.push([address, hop]) > 0;
  expect(clientAddress('::ffff:10.0.0.1', ['X-Forwarded-For', '192.0.2.7, 10.0.0.2'], trusted)).toBe('192.0.2.7');
  expect(asked).toEqual([
    ['10.0.0.1', 0],
    ['10.0.0.2', 1],
  ]);
  expect(clientAddress(undefined, ['X-Forwarded-For', '192.0.2.7'], 1)).toBe('192.0.2.7');
  expect(clientAddress(undefined, ['X-Forwarded-For', '192.0.2.7'], (address) => address === '')).toBe('192.0.2.7');
  expect(clientAddress(undefined, [], 1)).toBeUndefined();
  expect(clientAddress('a pipe', [], 1)).toBe('a pipe');
});

test('what a client writes itself changes nothing, behind the proxies that there are', () => {
  const forged = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom(',', ' ', '__proto__')));
  fc.assert(
    fc.property(forged, fc.ipV4(), fc.integer({ min: 0, max: 3 }), (lies, client, more) => {
      const path = [client, ...Array.from({ length: more }, (_, at) => `10.0.1.${at}`)];
      const clean = lies.join(', ');
      fc.pre(!inside(client));
      for (const headers of [
        ['X-Forwarded-For', [clean, ...path].join(', ')],
        ['X-Forwarded-For', clean, 'X-Forwarded-For', path.join(',')],
      ]) {
        expect(clientAddress(PROXY, headers, more + 1)).toBe(client);
        expect(clientAddress(PROXY, headers, inside)).toBe(client);
      }
    }),
  );
});

test('a function is asked a bounded number of times', () => {
  let asked = 0;
  const headers = ['X-Forwarded-For', Array.from({ length: 1000 }, (_, at) => `10.0.${at >> 8}.${at & 255}`).join()];
  const address = clientAddress(PROXY, headers, () => ++asked > 0);
  expect([address, asked]).toEqual(['10.0.3.200', 32]);
});
