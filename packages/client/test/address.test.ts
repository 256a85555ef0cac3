import { expect, test } from '@jest/globals';
import { upgradeRequest } from '@ws/handshake';
import fc from 'fast-check';
import { parseAddress, resolveLocation } from '../src/address.js';

const ADDRESSES = [
  // WS-050, NW-008: schemes, default ports, the path that is left out
  {
    from: 'ws://example.com',
    href: 'ws://example.com/',
    host: 'example.com',
    port: 80,
    authority: 'example.com',
    target: '/',
    secure: false,
  },
  {
    from: 'wss://example.com',
    href: 'wss://example.com/',
    host: 'example.com',
    port: 443,
    authority: 'example.com',
    target: '/',
    secure: true,
  },
  {
    from: 'http://example.com/a',
    href: 'ws://example.com/a',
    host: 'example.com',
    port: 80,
    authority: 'example.com',
    target: '/a',
    secure: false,
  },
  {
    from: 'https://example.com?q=1',
    href: 'wss://example.com/?q=1',
    host: 'example.com',
    port: 443,
    authority: 'example.com',
    target: '/?q=1',
    secure: true,
  },
  // B-18: the port belongs into Host unless it is the scheme's
  {
    from: 'ws://example.com:8080/a/b?c=d&e',
    href: 'ws://example.com:8080/a/b?c=d&e',
    host: 'example.com',
    port: 8080,
    authority: 'example.com:8080',
    target: '/a/b?c=d&e',
    secure: false,
  },
  {
    from: 'ws://example.com:80/',
    href: 'ws://example.com/',
    host: 'example.com',
    port: 80,
    authority: 'example.com',
    target: '/',
    secure: false,
  },
  {
    from: 'wss://example.com:80/',
    href: 'wss://example.com:80/',
    host: 'example.com',
    port: 80,
    authority: 'example.com:80',
    target: '/',
    secure: true,
  },
  {
    from: 'https://example.com:443/',
    href: 'wss://example.com/',
    host: 'example.com',
    port: 443,
    authority: 'example.com',
    target: '/',
    secure: true,
  },
  {
    from: 'ws://[::1]:9/',
    href: 'ws://[::1]:9/',
    host: '::1',
    port: 9,
    authority: '[::1]:9',
    target: '/',
    secure: false,
  },
  {
    from: 'ws://127.1:9/',
    href: 'ws://127.0.0.1:9/',
    host: '127.0.0.1',
    port: 9,
    authority: '127.0.0.1:9',
    target: '/',
    secure: false,
  },
  {
    from: 'WS://EXAMPLE.com/ü?ü',
    href: 'ws://example.com/%C3%BC?%C3%BC',
    host: 'example.com',
    port: 80,
    authority: 'example.com',
    target: '/%C3%BC?%C3%BC',
    secure: false,
  },
  {
    from: 'ws://exa\nmple.com/a\r\nb',
    href: 'ws://example.com/ab',
    host: 'example.com',
    port: 80,
    authority: 'example.com',
    target: '/ab',
    secure: false,
  },
];

test.each(ADDRESSES)('WS-050 NW-008 $from', ({ from, ...expected }) => {
  const wanted = { ...expected, socketPath: undefined, credentials: undefined };
  expect(parseAddress(from)).toEqual(wanted);
  const url = new URL(from);
  expect(parseAddress(url)).toEqual(wanted);
  expect(url.href).toBe(new URL(from).href); // the caller's URL is left as it was
});

const SOCKETS = [
  { from: 'ws+unix:/run/a.sock', socketPath: '/run/a.sock', target: '/' },
  { from: 'ws+unix:/run/a.sock:/chat?x=y:z', socketPath: '/run/a.sock', target: '/chat?x=y:z' },
  { from: 'ws+unix:/run/a.sock?x', socketPath: '/run/a.sock', target: '/?x' },
  { from: 'wss+unix:/run/a.sock:/chat', socketPath: '/run/a.sock', target: '/chat' },
  { from: 'ws+unix:///run/a.sock:/chat', socketPath: '/run/a.sock', target: '/chat' },
  { from: 'ws+unix:run/a.sock:/chat', socketPath: 'run/a.sock', target: '/chat' },
  { from: 'ws+unix:/run/a b%3Ac.sock:/', socketPath: '/run/a b:c.sock', target: '/' },
  { from: 'ws+unix:/run/100%.sock', socketPath: '/run/100%.sock', target: '/' },
];

test.each(SOCKETS)('WS-050 $from', ({ from, socketPath, target }) => {
  const address = parseAddress(from);
  const secure = from.startsWith('wss');
  expect(address).toMatchObject({ socketPath, target, secure, host: 'localhost', authority: 'localhost' });
});

const CREDENTIALS = [
  { from: 'ws://user:pass@h', text: 'user:pass' },
  { from: 'ws://user@h', text: 'user:' },
  { from: 'ws://:pass@h', text: ':pass' },
  { from: 'ws://us%65r:p%40ss%3A%2f@h', text: 'user:p@ss:/' },
  { from: 'ws://ü:%C3%BC@h', text: 'ü:ü' },
  { from: 'ws://a%:%zz%4@h', text: 'a%:%zz%4' },
];

test.each(CREDENTIALS)('WS-050 credentials of $from', ({ from, text }) => {
  expect(Buffer.from(parseAddress(from).credentials ?? []).toString()).toBe(text);
});

const BAD = [
  '',
  'example.com',
  '/relative',
  'ws://',
  'ws://exa mple',
  'ws://h:65536',
  'ws://a,b/',
  'ws://a!b/',
  'ws://./',
  'ftp://h/',
  'data:text/plain,x',
  'ws://h/#fragment',
  'ws://h/#',
  'ws+unix:',
  'ws+unix::/target',
  'ws+unix:/a.sock#x',
  'ws+unix:/a.sock:target',
  'ws+unix:/a%00.sock',
  'ws+unix://host/a.sock',
  'ws+unix:a.sock:/with space',
  'ws://us%0d%0aer@h',
  'ws://user:%00@h',
];

test.each(BAD)('NW-008 SyntaxError: %j', (address) => {
  expect(() => parseAddress(address)).toThrow(
    expect.objectContaining({ name: 'SyntaxError', code: 'WS_ERR_INVALID_URL' }),
  );
});

test('any text gives a request line that is one line, or a SyntaxError', () => {
  const scheme = fc.constantFrom('ws://', 'wss://', 'ws+unix:', 'http://h/', 'ws://h/', 'ws+unix:a:/', '');
  fc.assert(
    fc.property(scheme, fc.string({ unit: 'binary' }), (start, rest) => {
      try {
        const { target, authority, href } = parseAddress(start + rest);
        expect(target).toMatch(/^\/[!-~]*$/);
        expect(authority).toMatch(/^[!-~]+$/);
        expect(parseAddress(href).href).toBe(href);
        expect(() => upgradeRequest({ host: authority, target })).not.toThrow();
      } catch (error) {
        expect(error).toMatchObject({ name: 'SyntaxError', code: 'WS_ERR_INVALID_URL' });
      }
    }),
    { numRuns: 2000 },
  );
});

const LOCATIONS = [
  { from: 'ws://h:1/a/b?c', location: 'd', href: 'ws://h:1/a/d' },
  { from: 'ws://h:1/a/b?c', location: '/d?e', href: 'ws://h:1/d?e' },
  { from: 'ws://h:1/a/b?c', location: '?e', href: 'ws://h:1/a/b?e' },
  { from: 'ws://h:1/a', location: '//other/d', href: 'ws://other/d' },
  { from: 'wss://h:1/a', location: '//other/d', href: 'wss://other/d' },
  { from: 'ws://h:1/a', location: 'http://other/', href: 'ws://other/' },
  { from: 'ws://h:1/a', location: 'https://other/', href: 'wss://other/' },
  { from: 'ws://h:1/a', location: 'ws+unix:/run/a.sock:/x', href: 'ws+unix:/run/a.sock:/x' },
  { from: 'ws://u:p@h:1/a', location: '/b', href: 'ws://u:p@h:1/b' },
  { from: 'ws://u:p@h:1/a', location: 'ws://h:1/b', href: 'ws://h:1/b' },
  { from: 'ws+unix:/run/a.sock:/x/y', location: 'z', href: 'ws+unix:/run/a.sock:/x/z' },
  { from: 'ws+unix:/run/a.sock', location: '/z?q', href: 'ws+unix:/run/a.sock:/z?q' },
  { from: 'wss+unix:/run/a%3A.sock?a:b', location: '/z', href: 'wss+unix:/run/a%3A.sock:/z' },
  { from: 'ws+unix:/run/a.sock', location: 'ws://h/z', href: 'ws://h/z' },
];

test.each(LOCATIONS)('$location from $from', ({ from, location, href }) => {
  expect(resolveLocation(location, parseAddress(from)).href).toBe(href);
});

test.each([
  ['ws://h/', 'ftp://h/'],
  ['ws://h/', 'mailto:x'],
  ['ws://h/', 'ws://'],
  ['ws://h/', '/x#y'],
  ['ws://h/', '#'],
  ['ws+unix:/run/a.sock', '//other/x'],
  ['ws+unix:/run/a.sock', '/x#y'],
])('SyntaxError: from %s to %s', (from, location) => {
  expect(() => resolveLocation(location, parseAddress(from))).toThrow(
    expect.objectContaining({ name: 'SyntaxError', code: 'WS_ERR_INVALID_URL' }),
  );
});
