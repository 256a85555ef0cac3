import { expect, test } from '@jest/globals';
import { isCanonicalName, parseHost } from '../src/host.js';
import { checkHost, isHostEntry } from '../src/index.js';

test.each([
  ['example.com', 'example.com', undefined],
  ['EXAMPLE.com:8080', 'example.com', 8080],
  ['example.com:', 'example.com', undefined],
  ['example.com:0', 'example.com', 0],
  ['example.com:65535', 'example.com', 65535],
  ['my_service-1.local~x', 'my_service-1.local~x', undefined],
  ['127.0.0.1:80', '127.0.0.1', 80],
  ['[::1]', '[::1]', undefined],
  ['[::]:1', '[::]', 1],
  ['[2001:DB8::1]:443', '[2001:db8::1]', 443],
  ['[1:2:3:4:5:6:7:8]', '[1:2:3:4:5:6:7:8]', undefined],
  ['[1:2:3:4:5:6:1.2.3.4]', '[1:2:3:4:5:6:1.2.3.4]', undefined],
  ['[::ffff:127.0.0.1]', '[::ffff:127.0.0.1]', undefined],
  ['[1::]', '[1::]', undefined],
  ['[1:2:3:4:5:6:7::]', '[1:2:3:4:5:6:7::]', undefined],
])('%j is a host', (text, name, port) => {
  expect(parseHost(text)).toEqual({ name, port });
});

test.each([
  '',
  '.',
  '.example.com',
  'a..b',
  'a..',
  ':80',
  ' example.com',
  'example.com ',
  'a b',
  'example.com:x',
  'example.com:-1',
  'example.com:+80',
  'example.com:080',
  'example.com:65536',
  'example.com:100000',
  'example.com:8e1',
  'example.com:80:80',
  'example.com/',
  'example.com?',
  'example.com#',
  'user@example.com',
  'user:pass@example.com',
  'a,b',
  'ex%61mple.com',
  'example.com\\',
  'ex\u00e4mple.com',
  'example\u3002com',
  '\u212aelvin',
  '\0',
  '[',
  '[]',
  '[::1',
  '::1',
  '[::1]80',
  '[::1]x',
  '[:::]',
  '[1::2::3]',
  '[1:2:3:4:5:6:7]',
  '[1:2:3:4:5:6:7:8:9]',
  '[1:2:3:4:5:6:7:8::]',
  '[12345::]',
  '[g::]',
  '[:1]',
  '[1:]',
  '[::1%25eth0]',
  '[v1.x]',
  '[1.2.3.4]',
  '[1.2.3.4::]',
  '[::1.2.3]',
  '[::1.2.3.256]',
  '[::01.2.3.4]',
  `[${'0'.repeat(50)}::]`,
])('%j is none', (text) => {
  expect(parseHost(text)).toBeUndefined();
});

test.each([
  ['example.com', true],
  ['localhost', true],
  ['127.0.0.1', true],
  ['255.255.255.255', true],
  ['1.2.3.4.example', true],
  ['0xabc.example', true],
  ['[::1]', true],
  ['2130706433', false],
  ['0x7f000001', false],
  ['0x', false],
  ['a.0x', false],
  ['0x7f.1', false],
  ['127.1', false],
  ['127.0.0.01', false],
  ['0177.0.0.1', false],
  ['127.0.0.1.', false],
  ['127.0.0.256', false],
  ['1.2.3.4.5', false],
  ['example.1', false],
])('a browser writes %j: %j', (name, canonical) => {
  expect(isCanonicalName(name)).toBe(canonical);
});

const RULES = [
  'localhost',
  '127.0.0.1:3000',
  '.example.com',
  '[::1]',
  '.port.example:8443',
  'Upper.Example',
  '.0.0.2',
  'bad entry',
  '.',
  '',
];

test.each([
  ['localhost', true],
  ['LOCALHOST:1234', true],
  ['127.0.0.1:3000', true],
  ['127.0.0.1', false],
  ['127.0.0.1:3001', false],
  ['example.com', true],
  ['a.example.com', true],
  ['a.b.Example.com:99', true],
  ['badexample.com', false],
  ['example.com.evil.net', false],
  ['example.com.', false],
  ['[::1]:5', true],
  ['[0:0:0:0:0:0:0:1]', false],
  ['port.example:8443', true],
  ['x.port.example:8443', true],
  ['x.port.example', false],
  ['upper.example', true],
  ['10.0.0.2', false], // a domain rule is no address range
  ['bad entry', false],
  ['evil.net', false],
  ['localhost@evil.net', false],
  ['', false],
  [undefined, false],
])('host %j is one of ours: %j', (host, ours) => {
  expect(checkHost(host, RULES)).toBe(ours);
});

test('an empty list has no host', () => {
  expect(checkHost('localhost', [])).toBe(false);
});

test('a list that is none is the caller’s mistake', () => {
  expect(() => checkHost('localhost', 'localhost' as never)).toThrow(TypeError);
  expect(() => checkHost('localhost', undefined as never)).toThrow(TypeError);
});

test('an entry of a list of hosts is a host, or a domain', () => {
  for (const entry of ['localhost', 'localhost:8080', '[::1]', '.example.com', '.example.com:443'])
    expect([entry, isHostEntry(entry)]).toEqual([entry, true]);
  for (const entry of ['', '.', '..example.com', '*.example.com', 'https://example.com', 'a b', 1, undefined])
    expect([entry, isHostEntry(entry as string)]).toEqual([entry, false]);
});
