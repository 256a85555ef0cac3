import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sha1 } from '../src/sha1.js';

const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

// FIPS 180-4, examples published by NIST
const VECTORS = [
  { message: '', digest: 'da39a3ee5e6b4b0d3255bfef95601890afd80709' },
  { message: 'abc', digest: 'a9993e364706816aba3e25717850c26c9cd0d89d' },
  {
    message: 'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    digest: '84983e441c3bd26ebaae4aa1f95129e5e54670f1',
  },
  { message: 'a'.repeat(1_000_000), digest: '34aa973cd4c4daa4f61eeb2bdbad27316534016f' },
];

test.each(VECTORS)('vector of $message.length bytes', ({ message, digest }) => {
  expect(toHex(sha1(new TextEncoder().encode(message)))).toBe(digest);
});

test('agrees with OpenSSL on every length from 0 to 200', () => {
  for (let length = 0; length <= 200; length++) {
    const message = Uint8Array.from({ length }, (_, at) => (at * 167 + length * 31) & 0xff);
    expect(toHex(sha1(message))).toBe(createHash('sha1').update(message).digest('hex'));
  }
});

test('agrees with OpenSSL on random bytes, and leaves them alone', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (message) => {
      const copy = message.slice();
      expect(toHex(sha1(message))).toBe(createHash('sha1').update(copy).digest('hex'));
      expect(message).toEqual(copy);
    }),
  );
});
