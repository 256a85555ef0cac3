import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { inflateRawSync } from 'node:zlib';
import { Window } from '../src/window.js';

test('holds the last bytes of all that was added, as bytes and as a stored block', () => {
  const parts = fc.array(fc.uint8Array({ maxLength: 700 }), { maxLength: 12 });
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 10 }), parts, (bits, added) => {
      const window = new Window(bits);
      let all = Buffer.alloc(0);
      for (const part of added) {
        window.add(part);
        all = Buffer.concat([all, part]);
        const expected = all.subarray(Math.max(0, all.length - 2 ** bits));
        expect(Buffer.from(window.bytes)).toEqual(Buffer.from(expected));
        expect(window.length).toBe(expected.length);
        expect(inflateRawSync(window.block, { finishFlush: 2 })).toEqual(Buffer.from(expected));
        const copy = window.copy();
        expect([Buffer.from(copy.bytes), copy.size]).toEqual([Buffer.from(expected), window.size]);
      }
    }),
  );
});

test('memory follows what was added, and ends at the size', () => {
  const window = new Window(15);
  expect(window.byteLength).toBe(0);
  window.add(new Uint8Array(10));
  expect(window.byteLength).toBeLessThan(300);
  for (let i = 0; i < 100; i++) window.add(new Uint8Array(5000));
  expect(window.byteLength).toBe(32_768 + 5);
  expect(window.length).toBe(32_768);
});

test('a copy stands alone', () => {
  const window = new Window(8);
  window.add(Buffer.from('before'));
  const copy = window.copy();
  window.add(Buffer.from('after'));
  expect(Buffer.from(copy.bytes).toString()).toBe('before');
});
