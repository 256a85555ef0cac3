import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { isToken } from '../src/index.js';
import { equalsIgnoringCase, splitList, trimBlanks } from '../src/token.js';
import { charOf } from './messages.js';

const TCHARS = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"; // RFC 9110 §5.6.2

test('every character alone: a token exactly if the RFC lists it', () => {
  for (let code = 0; code <= 0x2ff; code++) {
    const char = String.fromCharCode(code);
    expect([char, isToken(char)]).toEqual([char, TCHARS.includes(char)]);
  }
});

test.each(['', ' ', 'a b', 'a,b', 'a;b', 'a=b', '"a"', 'a\r', '\u0661', '\uff41'])('%j is no token', (text) => {
  expect(isToken(text)).toBe(false);
});

test.each<unknown>([undefined, null, 1, {}, ['a']])('%j is no token', (value) => {
  expect(isToken(value as string)).toBe(false);
});

test('trims spaces and tabs, and nothing else', () => {
  expect(trimBlanks(' \t a b\t ')).toBe('a b');
  expect(trimBlanks('\n a \u00a0')).toBe('\n a \u00a0');
  expect(trimBlanks(' \t ')).toBe('');
  expect(trimBlanks('')).toBe('');
});

test('ignores case in ASCII only', () => {
  expect(equalsIgnoringCase('WebSocket', 'websocket')).toBe(true);
  expect(equalsIgnoringCase('websockets', 'websocket')).toBe(false);
  expect(equalsIgnoringCase('WEBSOC\u212aET', 'websocket')).toBe(false); // the Kelvin sign lower-cases to k
  expect(equalsIgnoringCase('web\u0053ocke\u0054', 'websocket')).toBe(true);
  expect(equalsIgnoringCase('@', '`')).toBe(false); // 0x40 and 0x60 differ by the same bit as A and a
});

test.each([
  ['', []],
  [' , ,\t,', []],
  ['a', ['a']],
  [' a , b,c\t,', ['a', 'b', 'c']],
  ['a b', ['a b']],
])('splits %j', (list, elements) => {
  expect(splitList(list)).toEqual(elements);
});

test('a joined list comes apart again', () => {
  const element = fc.string({ unit: charOf(TCHARS), minLength: 1 });
  fc.assert(
    fc.property(fc.array(element), fc.constantFrom(',', ', ', ' ,\t,'), (list, comma) => {
      expect(splitList(list.join(comma))).toEqual(list);
    }),
  );
});
