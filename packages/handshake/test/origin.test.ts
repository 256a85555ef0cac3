import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { checkOrigin, isOrigin } from '../src/index.js';

// design: "origins: 'same'". Origin, Host, whether they are the same.
const SAME: readonly [origin: string | undefined, host: string | undefined, same: boolean, why: string][] = [
  [undefined, 'example.com', true, 'no browser'],
  [undefined, undefined, true, 'no browser'],
  ['http://example.com', 'example.com', true, 'both without a port'],
  ['http://example.com', 'EXAMPLE.com', true, 'case of the host'],
  ['HTTP://Example.COM', 'example.com', true, 'case of the origin'],
  ['http://example.com', 'example.com:80', true, 'default port of http'],
  ['http://example.com:80', 'example.com', true, 'default port of http'],
  ['https://example.com', 'example.com', true, 'TLS ended by a proxy'],
  ['https://example.com', 'example.com:443', true, 'default port of https'],
  ['https://example.com:443', 'example.com', true, 'default port of https'],
  ['http://example.com:8080', 'example.com:8080', true, 'same port'],
  ['https://example.com:8443', 'example.com:8443', true, 'same port'],
  ['https://example.com:80', 'example.com:80', true, 'same port'],
  ['http://localhost:3000', 'localhost:3000', true, 'development'],
  ['http://127.0.0.1:3000', '127.0.0.1:3000', true, 'an address, the same on both sides'],
  ['http://[::1]:3000', '[::1]:3000', true, 'IPv6'],
  ['http://[2001:DB8::1]', '[2001:db8::1]', true, 'case of IPv6'],
  ['http://xn--bcher-kva.example', 'xn--bcher-kva.example', true, 'punycode'],
  ['http://my_service:1', 'my_service:1', true, 'underscore'],

  ['https://example.com', 'example.com:80', false, 'the default is that of the origin'],
  ['http://example.com', 'example.com:443', false, 'the default is that of the origin'],
  ['http://example.com:443', 'example.com', false, 'the default is that of the origin'],
  ['https://example.com:80', 'example.com', false, 'the default is that of the origin'],
  ['http://example.com:8080', 'example.com', false, 'port'],
  ['http://example.com', 'example.com:8080', false, 'port'],
  ['http://example.com:8080', 'example.com:8081', false, 'port'],
  ['http://evil.com', 'example.com', false, 'another host'],
  ['http://example.com.evil.com', 'example.com', false, 'longer'],
  ['http://evilexample.com', 'example.com', false, 'longer'],
  ['http://sub.example.com', 'example.com', false, 'below'],
  ['http://example.com', 'sub.example.com', false, 'above'],
  ['http://example.com.', 'example.com', false, 'trailing dot'],
  ['http://example.com', 'example.com.', false, 'trailing dot'],
  ['http://localhost', '127.0.0.1', false, 'a name is not its address'],
  ['http://127.0.0.1', 'localhost', false, 'a name is not its address'],
  ['http://2130706433', '127.0.0.1', false, 'decimal address'],
  ['http://0x7f000001', '127.0.0.1', false, 'hexadecimal address'],
  ['http://0x7f.0.0.1', '127.0.0.1', false, 'hexadecimal part'],
  ['http://0177.0.0.1', '127.0.0.1', false, 'octal part'],
  ['http://127.1', '127.0.0.1', false, 'short address'],
  ['http://127.0.0.1.', '127.0.0.1', false, 'address with a dot'],
  ['http://2130706433', '2130706433', false, 'equal, but no browser writes it'],
  ['http://0x7f.1', '0x7f.1', false, 'equal, but no browser writes it'],
  ['http://127.1', '127.1', false, 'equal, but no browser writes it'],
  ['http://[::ffff:127.0.0.1]', '127.0.0.1', false, 'mapped address'],
  ['http://[::ffff:7f00:1]', '127.0.0.1', false, 'mapped address'],
  ['http://[0:0:0:0:0:0:0:1]', '[::1]', false, 'long address'],
  ['http://0.0.0.0', '127.0.0.1', false, 'unspecified address'],
  ['http://[::]', '[::1]', false, 'unspecified address'],
  ['null', 'example.com', false, 'opaque'],
  ['null', 'null', false, 'opaque'],
  ['NULL', undefined, false, 'opaque'],
  ['', 'example.com', false, 'empty is not missing'],
  ['', '', false, 'empty'],
  ['example.com', 'example.com', false, 'no scheme'],
  ['//example.com', 'example.com', false, 'no scheme'],
  ['://example.com', 'example.com', false, 'empty scheme'],
  ['1http://example.com', 'example.com', false, 'scheme begins with a digit'],
  ['ht tp://example.com', 'example.com', false, 'blank in the scheme'],
  ['http:example.com', 'example.com', false, 'no slashes'],
  ['http:/example.com', 'example.com', false, 'one slash'],
  ['http:///example.com', 'example.com', false, 'three slashes'],
  ['http://', '', false, 'no host'],
  ['http://:80', ':80', false, 'no host'],
  ['http://example.com/', 'example.com', false, 'path'],
  ['http://example.com/a', 'example.com', false, 'path'],
  ['http://example.com?', 'example.com', false, 'query'],
  ['http://example.com#', 'example.com', false, 'fragment'],
  ['http://user@example.com', 'example.com', false, 'userinfo'],
  ['http://example.com@evil.com', 'evil.com', false, 'userinfo'],
  ['http://evil.com\\@example.com', 'example.com', false, 'backslash'],
  ['http://example.com:', 'example.com', false, 'empty port'],
  ['http://example.com:080', 'example.com', false, 'port with a zero in front'],
  ['http://example.com:65616', 'example.com:80', false, 'port beyond 16 bits'],
  ['http://example.com http://example.com', 'example.com', false, 'two origins'],
  ['http://example.com, http://example.com', 'example.com', false, 'two origins'],
  ['http://example.com ', 'example.com', false, 'blank'],
  ['http://ex%61mple.com', 'example.com', false, 'percent-encoding'],
  ['http://ex\u00e4mple.com', 'ex\u00e4mple.com', false, 'not ASCII'],
  ['ws://example.com', 'example.com', false, 'no scheme of a page'],
  ['wss://example.com', 'example.com', false, 'no scheme of a page'],
  ['ftp://example.com', 'example.com', false, 'no scheme of a page'],
  ['file://', 'example.com', false, 'no host'],
  ['chrome-extension://abcdef', 'abcdef', false, 'no scheme of a page'],
  ['http://example.com', undefined, false, 'no Host'],
  ['http://example.com', '', false, 'empty Host'],
  ['http://example.com', 'example.com, example.com', false, 'two hosts'],
  ['http://example.com', 'user@example.com', false, 'malformed Host'],
  ['http://example.com', 'http://example.com', false, 'malformed Host'],
];

test('the table has its rows', () => {
  expect(SAME.length).toBeGreaterThanOrEqual(80);
});

test.each(SAME)("'same': Origin %j, Host %j: %j, %s", (origin, host, same) => {
  expect(checkOrigin(origin, host, 'same')).toBe(same);
});

const LIST = [
  'https://app.example.com',
  'http://LOCALHOST:80',
  'http://127.0.0.1:5173',
  'chrome-extension://abcdef',
  'null',
  'https://path.example/',
  '*',
  'example.org',
];

test.each([
  [undefined, true],
  ['https://app.example.com', true],
  ['https://APP.example.com:443', true],
  ['http://localhost', true],
  ['http://127.0.0.1:5173', true],
  ['chrome-extension://abcdef', true],
  ['http://app.example.com', false], // the scheme counts
  ['https://app.example.com:8443', false],
  ['https://sub.app.example.com', false],
  ['https://localhost', false],
  ['https://localhost:80', false],
  ['http://127.0.0.1', false],
  ['chrome-extension://abcdefg', false],
  ['moz-extension://abcdef', false],
  ['null', false],
  ['https://path.example', false],
  ['https://path.example/', false],
  ['*', false],
  ['https://example.org', false],
  ['example.org', false],
  ['', false],
])('list: Origin %j: %j', (origin, accepted) => {
  expect(checkOrigin(origin, 'whatever.example', LIST)).toBe(accepted);
});

test("'any' accepts everything, an empty list no browser", () => {
  for (const origin of [undefined, 'null', '', 'http://evil.com', '\0']) {
    expect(checkOrigin(origin, undefined, 'any')).toBe(true);
    expect(checkOrigin(origin, 'a', [])).toBe(origin === undefined);
  }
});

test.each([
  ['https://example.com', true],
  ['http://[::1]:8080', true],
  ['tauri://localhost', true],
  ['https://example.com/', false],
  ['example.com', false],
  ['null', false],
  ['*', false],
  ['', false],
  [1 as unknown as string, false],
])('%j is a whole origin: %j', (text, whole) => {
  expect(isOrigin(text)).toBe(whole);
});

// The oracle: the URL parser of the WHATWG standard, which is the one that browsers build their Origin with.
test('an origin that a browser would send is the same as its own host, and no other', () => {
  const label = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const url = fc
    .tuple(
      fc.constantFrom('http', 'https'),
      fc.oneof(
        fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
        fc.ipV4(),
      ),
      fc.option(fc.nat(65535)),
    )
    .map(([scheme, name, port]) => new URL(`${scheme}://${name}${port === null ? '' : `:${port}`}/path`));
  fc.assert(
    fc.property(url, url, (one, other) => {
      expect(checkOrigin(one.origin, one.host, 'same')).toBe(true);
      expect(checkOrigin(one.origin, one.host.toUpperCase(), 'same')).toBe(true);
      expect(checkOrigin(one.origin, 'elsewhere.example', [one.origin])).toBe(true);
      expect(checkOrigin(one.origin, other.host, 'same')).toBe(
        new URL(`${one.protocol}//${other.host}`).host === one.host,
      );
    }),
  );
});

test('no text is an exception', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.boolean(), (origin, host, prefixed) => {
      for (const rule of ['same', 'any', [origin]] as const)
        expect(typeof checkOrigin(prefixed ? `http://${origin}` : origin, host, rule)).toBe('boolean');
    }),
  );
});

test.each([undefined, 'https://a.example', 'Same', {}])(
  'the rule %p is the caller’s mistake, with and without an origin',
  (rule) => {
    for (const origin of [undefined, 'https://a.example']) {
      expect(() => checkOrigin(origin, 'a.example', rule as never)).toThrow(TypeError);
    }
  },
);
