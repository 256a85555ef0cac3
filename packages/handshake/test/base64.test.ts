import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeBase64, isBase64Code } from '../src/base64.js';

// RFC 4648 §10
test.each([
  ['', ''],
  ['f', 'Zg=='],
  ['fo', 'Zm8='],
  ['foo', 'Zm9v'],
  ['foob', 'Zm9vYg=='],
  ['fooba', 'Zm9vYmE='],
  ['foobar', 'Zm9vYmFy'],
])('encodes %j as %j', (text, encoded) => {
  expect(encodeBase64(new TextEncoder().encode(text))).toBe(encoded);
});

test('agrees with Buffer on random bytes', () => {
  fc.assert(fc.property(fc.uint8Array(), (bytes) => encodeBase64(bytes) === Buffer.from(bytes).toString('base64')));
});

test('knows its 64 characters and no other', () => {
  const found = Array.from({ length: 0x10000 }, (_, code) => String.fromCharCode(code)).filter((char) =>
    isBase64Code(char.charCodeAt(0)),
  );
  expect(found.sort()).toEqual('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.split('').sort());
});
