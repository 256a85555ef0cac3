import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { cleanName, cleanText, MAX_NAME, MAX_TEXT } from '../wording.mjs';

test.each([
  ['Ada', 'Ada'],
  ['  Ada\t\nLovelace ', 'Ada Lovelace'],
  ['e\u0301', '\u00e9'],
  ['a\ud800b', 'a\ufffdb'],
  ['\u202eadA', 'adA'],
  ['\u{1f469}\u200d\u{1f680}', '\u{1f469}\u200d\u{1f680}'],
  ['x'.repeat(24), 'x'.repeat(24)],
  ['x'.repeat(25), undefined],
  ['\u200b\u2066', undefined],
  ['', undefined],
  [null, undefined],
  [['Ada'], undefined],
])('cleanName(%j) is %j', (value, name) => {
  expect(cleanName(value)).toBe(name);
});

test.each([
  [' two\r\nlines\r', 'two\nlines'],
  ['tab\tstays', 'tab\tstays'],
  ['bell\u0007 and escape\u001b[31m go', 'bell and escape[31m go'],
  ['\udc00', '\ufffd'],
  ['x'.repeat(1000), 'x'.repeat(1000)],
  ['x'.repeat(1001), undefined],
  [' \n ', undefined],
  [1, undefined],
])('cleanText(%j) is %j', (value, text) => {
  expect(cleanText(value)).toBe(text);
});

test('what comes out is well formed, bounded, visible and stays as it is when cleaned again', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
      const name = cleanName(value);
      const text = cleanText(value);
      if (name !== undefined) {
        expect(name.length).toBeLessThanOrEqual(MAX_NAME);
        expect(name.trim()).not.toBe('');
        expect(cleanName(name)).toBe(name);
      }
      if (text !== undefined) {
        expect(text.length).toBeLessThanOrEqual(MAX_TEXT);
        expect(text.isWellFormed()).toBe(true);
        expect(cleanText(text)).toBe(text);
      }
    }),
    { numRuns: 500 },
  );
});
