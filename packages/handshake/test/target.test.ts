import { expect, test } from '@jest/globals';
import { parseHost } from '../src/host.js';
import { HandshakeError } from '../src/index.js';
import { readPath } from '../src/target.js';

test.each([
  ['/', 'example.com', '/'],
  ['/chat', 'example.com', '/chat'],
  ['/chat?', 'example.com', '/chat'],
  ['/chat?a=/b?c', 'example.com', '/chat'],
  ['/?a', 'example.com', '/'],
  ['//evil.com/x', 'example.com', '//evil.com/x'],
  ['/http://evil.com/', 'example.com', '/http://evil.com/'],
  ['/%00/..', 'example.com', '/%00/..'],
  ['/__proto__', 'example.com', '/__proto__'],
  ['http://example.com/chat?a', 'example.com', '/chat'],
  ['http://example.com', 'example.com', '/'],
  ['http://example.com?a=/', 'example.com', '/'],
  ['HTTP://EXAMPLE.com/', 'example.COM', '/'],
  ['http://example.com:80/', 'example.com', '/'],
  ['http://example.com/', 'example.com:80', '/'],
  ['https://example.com/', 'example.com:443', '/'],
  ['http://example.com:8080/x', 'example.com:8080', '/x'],
  ['http://[::1]:8080/x', '[::1]:8080', '/x'],
])('path of %j at %j is %j', (target, host, path) => {
  expect(readPath(target, parseHost(host)!)).toBe(path);
});

test.each([
  ['', 'example.com'],
  ['*', 'example.com'],
  ['chat', 'example.com'],
  ['?a', 'example.com'],
  ['example.com:80', 'example.com'],
  ['/a b', 'example.com'],
  ['/a#b', 'example.com'],
  ['/a\0', 'example.com'],
  ['/a\r\nX: y', 'example.com'],
  ['/\u00e4', 'example.com'],
  ['/\u20ac', 'example.com'],
  ['http://169.254.169.254/', 'example.com'],
  ['http://169.254.169.254/latest/meta-data', 'localhost:8080'],
  ['http://example.com:8080/', 'example.com'],
  ['https://example.com/', 'example.com:80'],
  ['http://example.com.evil.com/', 'example.com'],
  ['http://example.com@evil.com/', 'example.com'],
  ['http://user@example.com/', 'example.com'],
  ['http://evil.com\\@example.com/', 'example.com'],
  ['http:///chat', 'example.com'],
  ['http://', 'example.com'],
  ['http:/example.com/', 'example.com'],
  ['http://example.com/#', 'example.com'],
  ['http://example.com/\u00e4', 'example.com'],
  ['ftp://example.com/', 'example.com'],
  ['ws://example.com/', 'example.com'],
  ['://example.com/', 'example.com'],
])('%j at %j is refused', (target, host) => {
  let error: unknown;
  try {
    readPath(target, parseHost(host)!);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'WS_ERR_INVALID_TARGET', status: 400 });
  expect(error).toBeInstanceOf(HandshakeError);
});
