import { createHash } from 'node:crypto';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isKey } from '../src/accept-key.js';
import { acceptFor, generateKey } from '../src/index.js';
import { ACCEPT, KEY } from './messages.js';

test('the example of RFC 6455 §1.3', () => {
  expect(acceptFor(KEY)).toBe(ACCEPT);
});

test('agrees with OpenSSL on any key of latin1 text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      const key = Buffer.from(bytes).toString('latin1');
      const expected = createHash('sha1')
        .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`, 'latin1')
        .digest('base64');
      expect(acceptFor(key)).toBe(expected);
    }),
  );
});

test('a key beyond latin1 is a mistake', () => {
  for (const char of ['\u0100', '\u20ac']) expect(() => acceptFor(`dGhlIHNhbXBsZSBub25jZ${char}==`)).toThrow(TypeError);
  expect(acceptFor('\u00ff')).toHaveLength(28);
});

test('fresh keys are 16 bytes each, in canonical base64, and differ', () => {
  const keys = new Set(Array.from({ length: 1000 }, generateKey));
  expect(keys.size).toBe(1000);
  for (const key of keys) {
    expect(isKey(key)).toBe(true);
    const bytes = Buffer.from(key, 'base64');
    expect(bytes).toHaveLength(16);
    expect(bytes.toString('base64')).toBe(key);
  }
});

test('what decodes to 16 bytes is a key', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 40 }),
      (bytes) => isKey(Buffer.from(bytes).toString('base64')) === (bytes.length === 16),
    ),
    { numRuns: 500 },
  );
});

test.each([
  { key: KEY, valid: true },
  { key: '////////////////////Aw==', valid: true },
  { key: '++++++++++++++++++++++==', valid: true },
  { key: 'AAAAAAAAAAAAAAAAAAAAAB==', valid: true }, // a bit that no byte uses
  { key: '', valid: false },
  { key: '==', valid: false },
  { key: 'AAAAAAAAAAAAAAAAAAAAA===', valid: false },
  { key: 'AAAAAAAAAAAAAAAAAAAAAAA=', valid: false },
  { key: 'AAAAAAAAAAAAAAAAAAAAAAAA', valid: false },
  { key: 'AAAAAAAAAAAAAAAAAAAAAA=A', valid: false },
  { key: 'AAAAAAAAAAAAAAAAAAAAAA', valid: false },
  { key: 'AAAAAAAAAAAAAAAAAAAAAA== ', valid: false },
  { key: ' AAAAAAAAAAAAAAAAAAAAA==', valid: false },
  { key: 'AAAAAAAAAAA=AAAAAAAAAA==', valid: false },
  { key: 'AAAAAAAAAA-_AAAAAAAAAA==', valid: false },
  { key: 'AAAAAAAAAA\u0141AAAAAAAAAAA==', valid: false },
  { key: 16 as unknown as string, valid: false },
])('key $key: $valid', ({ key, valid }) => {
  expect(isKey(key)).toBe(valid);
});
