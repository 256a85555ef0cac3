import { expect, test } from '@jest/globals';
import { toPayload } from '../src/payload.js';

class Liar extends Uint8Array {
  override get length(): number {
    return 64;
  }
  override get byteLength(): number {
    return 64;
  }
}

test('a view counts by its own bytes, whatever its class says about them', () => {
  expect(toPayload(Liar.of(1, 2, 3))).toEqual(Uint8Array.of(1, 2, 3));
  expect(toPayload(new Liar(Uint8Array.of(0, 1, 2, 3).buffer, 2))).toEqual(Uint8Array.of(2, 3));
});

test('Buffers are given on as they are', () => {
  const buffer = Buffer.from('abc');
  expect(toPayload(buffer)).toBe(buffer);
});

test('an empty view of memory that was given away is empty, and can be copied from', () => {
  const bytes = Buffer.from(new ArrayBuffer(8));
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  const payload = toPayload(bytes) as Uint8Array;
  expect(() => new Uint8Array(8).set(payload)).not.toThrow();
});

test.each([Object.create(Uint8Array.prototype), Object.create(Buffer.prototype), new Proxy(new Uint8Array(8), {})])(
  'what looks like a view and is none: TypeError',
  (fake) => expect(() => toPayload(fake)).toThrow(expect.objectContaining({ name: 'TypeError' })),
);

test('an object that is no bytes: the error says what to do', () =>
  expect(() => toPayload({ a: 1 })).toThrow(/^cannot send this object; .*JSON\.stringify/));

test.each([{}, true, 1n, Symbol('x'), new Map(), { length: 1 }])('what cannot be sent has the code of Node', (data) => {
  expect(() => toPayload(data)).toThrow(expect.objectContaining({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' }));
});

test.each([undefined, null, false])('%p is an empty payload', (data) => {
  expect(toPayload(data)).toEqual(Buffer.alloc(0));
});

test('a String object is the bytes of its text', () => {
  expect(toPayload(Object('é'))).toEqual(Buffer.from('é'));
});
