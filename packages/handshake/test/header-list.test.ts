import { expect, test } from '@jest/globals';
import { assertHeaders, fieldValues, isFieldValue, listsInclude, withoutFields } from '../src/header-list.js';
import { LINE_BREAKERS } from './messages.js';

test('finds every value of a field, in order, in any case, trimmed', () => {
  const headers = ['Host', 'a', 'X-List', ' 1 ', 'host', 'b', 'x-LIST', '2', 'X-Lis', '3', 'X-Lists', '4'];
  expect(fieldValues(headers, 'x-list')).toEqual(['1', '2']);
  expect(fieldValues(headers, 'host')).toEqual(['a', 'b']);
  expect(fieldValues(headers, 'origin')).toEqual([]);
  expect(fieldValues([], 'host')).toEqual([]);
});

test('a name without a value at the end is no field', () => {
  expect(fieldValues(['a', '1', 'host'], 'host')).toEqual([]);
});

test('a value that looks like a name is none', () => {
  expect(fieldValues(['a', 'host', 'b', 'host'], 'host')).toEqual([]);
});

test.each([
  [['upgrade'], true],
  [['UPGRADE'], true],
  [['keep-alive, Upgrade'], true],
  [['keep-alive,Upgrade\t,'], true],
  [['keep-alive', 'Upgrade'], true],
  [['keep-alive'], false],
  [['upgrades'], false],
  [['"upgrade"'], false],
  [['upgrade;q=1'], false],
  [['keep-alive upgrade'], false],
  [[''], false],
  [[], false],
])('%j has the token: %j', (lists, found) => {
  expect(listsInclude(lists, 'upgrade')).toBe(found);
});

test('a field value may be any latin1 text without controls', () => {
  for (let code = 0; code <= 0x1ff; code++) {
    const allowed = code === 9 || (code >= 0x20 && code <= 0xff && code !== 0x7f);
    expect([code, isFieldValue(`a${String.fromCharCode(code)}b`)]).toEqual([code, allowed]);
  }
  expect(isFieldValue('')).toBe(true);
  expect(isFieldValue(1 as unknown as string)).toBe(false);
});

test('headers to be sent: a list, whole pairs, tokens, values on one line', () => {
  expect(() => assertHeaders(['X-A', '', 'X-B', 'b'])).not.toThrow();
  expect(() => assertHeaders(['X-A'])).toThrow(TypeError);
  expect(() => assertHeaders({ 'X-A': 'a' } as unknown as string[])).toThrow(TypeError);
  expect(() => assertHeaders(['X-A', undefined as unknown as string])).toThrow(TypeError);
  expect(() => assertHeaders([undefined as unknown as string, 'a'])).toThrow(TypeError);
  for (const name of ['', ' ', 'X A', 'X-A:', 'X-\u00e4', ...LINE_BREAKERS])
    expect(() => assertHeaders([name, 'a'])).toThrow(TypeError);
  for (const breaker of LINE_BREAKERS) expect(() => assertHeaders(['X-A', `a${breaker}b`])).toThrow(TypeError);
});

test('leaves out fields by name', () => {
  expect(withoutFields(['Host', 'a', 'X', 'b', 'HOST', 'c', 'Y', 'host'], ['host', 'z'])).toEqual([
    'X',
    'b',
    'Y',
    'host',
  ]);
});
