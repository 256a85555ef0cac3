import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HandshakeError, isToken, parseSubprotocols, selectSubprotocol } from '../src/index.js';
import { assertSubprotocols } from '../src/subprotocol.js';
import { charOf, LINE_BREAKERS, PROTOTYPE_NAMES } from './messages.js';

const MOST = Array.from({ length: 64 }, (_, index) => `p${index}`);

test.each([
  ['chat', ['chat']],
  ['chat, superchat', ['chat', 'superchat']],
  ['a,b\t,\tc ', ['a', 'b', 'c']],
  [',a,, b,', ['a', 'b']], // empty elements do not count, RFC 9110 §5.6.1.2
  ['a,A', ['a', 'A']], // compared case-sensitively
  ['v1.json.example.com', ['v1.json.example.com']],
  [MOST.join(), MOST],
])('%j', (value, names) => {
  expect(parseSubprotocols(value)).toEqual(names);
});

test.each([
  '',
  ' \t',
  ',',
  ', ,',
  'a b',
  'a;b',
  'a, b c',
  '"a"',
  'a=1',
  'a/1',
  'a\0',
  '\u00e4',
  'a,a',
  'a, b, a',
  '__proto__,__proto__',
  Array.from({ length: 65 }, (_, index) => `p${index}`).join(),
])('%j is no list of subprotocols', (value) => {
  let error: unknown;
  try {
    parseSubprotocols(value);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(HandshakeError);
  expect(error).toMatchObject({ code: 'WS_ERR_INVALID_SUBPROTOCOL', status: 400 });
});

test('names of Object.prototype are names like others', () => {
  expect(parseSubprotocols(PROTOTYPE_NAMES.join(', '))).toEqual(PROTOTYPE_NAMES);
  for (const name of PROTOTYPE_NAMES) {
    expect(selectSubprotocol([name], ['chat'])).toBeUndefined();
    expect(selectSubprotocol(['chat'], [name], 'server')).toBeUndefined();
    expect(selectSubprotocol([name], [name])).toBe(name);
  }
});

test('any text is a list of distinct tokens or a HandshakeError', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.oneof(charOf('ab,, '), fc.string({ minLength: 1, maxLength: 1 })) }), (value) => {
      try {
        const names = parseSubprotocols(value);
        expect(names.length).toBeGreaterThan(0);
        expect(new Set(names).size).toBe(names.length);
        expect(names.every(isToken)).toBe(true);
        expect(parseSubprotocols(names.join(', '))).toEqual(names);
      } catch (error) {
        expect(error).toBeInstanceOf(HandshakeError);
      }
    }),
    { numRuns: 1000 },
  );
});

test("the client's order decides, unless the server's is to", () => {
  expect(selectSubprotocol(['a', 'b', 'c'], ['c', 'b'])).toBe('b');
  expect(selectSubprotocol(['a', 'b', 'c'], ['c', 'b'], 'client')).toBe('b');
  expect(selectSubprotocol(['a', 'b', 'c'], ['c', 'b'], 'server')).toBe('c');
  expect(selectSubprotocol(['a'], ['b'])).toBeUndefined();
  expect(selectSubprotocol([], ['b'])).toBeUndefined();
  expect(selectSubprotocol(['a'], [])).toBeUndefined();
  expect(selectSubprotocol(['A'], ['a'])).toBeUndefined();
});

test('a client may ask for distinct tokens only', () => {
  expect(() => assertSubprotocols([])).not.toThrow();
  expect(() => assertSubprotocols(['a', 'A', 'b.c'])).not.toThrow();
  for (const bad of [
    ['a', 'a'],
    [''],
    ['a b'],
    ['a,b'],
    ['\u00e4'],
    [1 as unknown as string],
    [undefined as unknown as string],
    ...LINE_BREAKERS.map((breaker) => [`a${breaker}b`]),
  ]) {
    expect(() => assertSubprotocols(bad)).toThrow(SyntaxError);
  }
  expect(() => assertSubprotocols('a' as unknown as string[])).toThrow(TypeError);
});

test('lists that are none are the caller’s mistake', () => {
  expect(() => selectSubprotocol('a, b' as never, ['a'])).toThrow(TypeError);
  expect(() => selectSubprotocol(['a'], 'a' as never)).toThrow(TypeError);
});
