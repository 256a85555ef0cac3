import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  HandshakeError,
  formatExtensions,
  negotiateExtensions,
  parseExtensions,
  type ExtensionNegotiator,
  type ExtensionOffer,
} from '../src/index.js';
import { charOf, LINE_BREAKERS, PROTOTYPE_NAMES } from './messages.js';

const foo = { name: 'foo', parameters: [] };

test.each<[string, ExtensionOffer[]]>([
  ['foo', [foo]],
  ['foo, bar', [foo, { name: 'bar', parameters: [] }]],
  ['foo,foo', [foo, foo]],
  [' \tfoo\t ', [foo]],
  [',foo,,', [foo]],
  [', , foo', [foo]],
  ['foo; a', [{ name: 'foo', parameters: [['a', true]] }]],
  ['foo;a;b', [{ name: 'foo', parameters: [['a', true], ['b', true]] }]], // prettier-ignore
  ['foo;a;a=1', [{ name: 'foo', parameters: [['a', true], ['a', '1']] }]], // prettier-ignore
  ['foo;a=1', [{ name: 'foo', parameters: [['a', '1']] }]],
  ['foo ; a = 1 , bar', [{ name: 'foo', parameters: [['a', '1']] }, { name: 'bar', parameters: [] }]], // prettier-ignore
  ['foo;a="1"', [{ name: 'foo', parameters: [['a', '1']] }]],
  ['foo; a = "1" ; b', [{ name: 'foo', parameters: [['a', '1'], ['b', true]] }]], // prettier-ignore
  ['foo;a="\\1\\0"', [{ name: 'foo', parameters: [['a', '10']] }]],
  ['foo;a="x\\yz"', [{ name: 'foo', parameters: [['a', 'xyz']] }]],
  ['foo;a=true', [{ name: 'foo', parameters: [['a', 'true']] }]],
  ['FOO;A=B', [{ name: 'FOO', parameters: [['A', 'B']] }]],
  ['deflate-stream', [{ name: 'deflate-stream', parameters: [] }]], // RFC 6455 §9.1
  ['mux; max-channels=4; flow-control, deflate-stream', [{ name: 'mux', parameters: [['max-channels', '4'], ['flow-control', true]] }, { name: 'deflate-stream', parameters: [] }]], // prettier-ignore
  ['permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate', [{ name: 'permessage-deflate', parameters: [['client_max_window_bits', true], ['server_max_window_bits', '10']] }, { name: 'permessage-deflate', parameters: [] }]], // prettier-ignore
])('%j', (value, offers) => {
  expect(parseExtensions(value)).toEqual(offers);
});

test.each([
  ['', 'unexpected end at 0'],
  ['  ', 'unexpected end at 2'],
  [' , ,', 'unexpected end at 4'],
  ['foo bar', 'unexpected character at 4'],
  ['foo;', 'unexpected end at 4'],
  ['foo;;a', 'unexpected character at 4'],
  ['foo;,bar', 'unexpected character at 4'],
  ['foo; a b', 'unexpected character at 7'],
  ['foo;=1', 'unexpected character at 4'],
  ['foo;a=', 'unexpected end at 6'],
  ['foo;a=,bar', 'unexpected character at 6'],
  ['foo;a==1', 'unexpected character at 6'],
  ['foo;a=1=2', 'unexpected character at 7'],
  ['foo;a=1 2', 'unexpected character at 8'],
  ['foo=1', 'unexpected character at 3'],
  ['foo/1', 'unexpected character at 3'],
  [';a', 'unexpected character at 0'],
  ['=', 'unexpected character at 0'],
  ['"foo"', 'unexpected character at 0'],
  ['foo;"a"', 'unexpected character at 4'],
  ['foo;a=""', 'unexpected character at 7'],
  ['foo;a="', 'unexpected end at 7'],
  ['foo;a="1', 'unexpected end at 8'],
  ['foo;a="1\\', 'unexpected end at 9'],
  ['foo;a="1\\"', 'unexpected character at 9'],
  ['foo;a="\\""', 'unexpected character at 8'],
  ['foo;a="\\\\"', 'unexpected character at 8'],
  ['foo;a="1 2"', 'unexpected character at 8'],
  ['foo;a="1,2"', 'unexpected character at 8'],
  ['foo;a="1"2', 'unexpected character at 9'],
  ['foo;a="1""2"', 'unexpected character at 9'],
  ['foo;a=1"2"', 'unexpected character at 7'],
  ["foo;a='1 2'", 'unexpected character at 9'],
  ['foo\u00e4', 'unexpected character at 3'],
  ['foo;a=\u00e4', 'unexpected character at 6'],
  ['foo;a="\u00e4"', 'unexpected character at 7'],
  ['foo\r\n', 'unexpected character at 3'],
  ['foo\0', 'unexpected character at 3'],
  ['\u00a0foo', 'unexpected character at 0'],
])('%j breaks the grammar: %s', (value, detail) => {
  let error: unknown;
  try {
    parseExtensions(value);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(HandshakeError);
  expect(error).toMatchObject({ code: 'WS_ERR_INVALID_EXTENSIONS', status: 400, detail });
});

test('names of Object.prototype are names like others', () => {
  for (const name of PROTOTYPE_NAMES) {
    const offers = [{ name, parameters: [[name, true], [name, name]] as const }]; // prettier-ignore
    const text = `${name}; ${name}; ${name}=${name}`;
    expect(parseExtensions(text)).toEqual(offers);
    expect(formatExtensions(offers)).toBe(text);
  }
});

const token = fc.string({ unit: charOf("!#$%&'*+-.^_`|~019AZaz"), minLength: 1, maxLength: 8 });
const parameter = fc.tuple(token, fc.oneof(token, fc.constant(true as const)));
const extension = fc.record({ name: token, parameters: fc.array(parameter, { maxLength: 4 }) });

test('what was formatted parses back', () => {
  fc.assert(
    fc.property(fc.array(extension, { minLength: 1, maxLength: 5 }), (list) =>
      expect(parseExtensions(formatExtensions(list))).toEqual(list),
    ),
  );
});

test('blanks, quotes, escapes and empty elements make no difference', () => {
  const blank = fc.constantFrom('', ' ', '\t', ' \t ');
  const quoted = (value: string): string =>
    `"${value
      .split('')
      .map((char, at) => (at % 2 ? char : `\\${char}`))
      .join('')}"`;
  fc.assert(
    fc.property(fc.array(extension, { minLength: 1, maxLength: 5 }), blank, blank, (list, one, two) => {
      const texts = list.map(({ name, parameters }) =>
        [
          name,
          ...parameters.map(([key, value]) => (value === true ? key : `${key}${two}=${one}${quoted(value)}`)),
        ].join(`${one};${two}`),
      );
      expect(parseExtensions(`${one},${texts.join(`${two},${one},`)}${two}`)).toEqual(list);
    }),
  );
});

test('any text is a list or a HandshakeError', () => {
  const text = fc.string({
    unit: fc.oneof(charOf('ab;,="\\ \t'), fc.string({ minLength: 1, maxLength: 1 })),
  });
  fc.assert(
    fc.property(text, (value) => {
      try {
        const list = parseExtensions(value);
        expect(parseExtensions(formatExtensions(list))).toEqual(list);
      } catch (error) {
        expect(error).toBeInstanceOf(HandshakeError);
      }
    }),
    { numRuns: 2000 },
  );
});

test('formats an empty list as nothing', () => {
  expect(formatExtensions([])).toBe('');
});

test('what is not a token cannot be written', () => {
  for (const bad of [
    '',
    'a b',
    'a;b',
    'a,b',
    'a=b',
    '"a"',
    '\u00e4',
    ...LINE_BREAKERS.map((breaker) => `a${breaker}b`),
    1 as unknown as string,
    false as unknown as string,
    undefined as unknown as string,
  ]) {
    expect(() => formatExtensions([{ name: bad, parameters: [] }])).toThrow(TypeError);
    expect(() => formatExtensions([{ name: 'a', parameters: [[bad, true]] }])).toThrow(TypeError);
    expect(() => formatExtensions([{ name: 'a', parameters: [['a', bad]] }])).toThrow(TypeError);
  }
});

const accepts = (name: string, wanted: string): ExtensionNegotiator => ({
  name,
  accept: (parameters) => (parameters.some(([key]) => key === wanted) ? [['chosen', wanted]] : undefined),
});

test('answers in the order of the offers, the first acceptable one of each name', () => {
  const offers = parseExtensions('b; no, a; x, unknown, b; y, b; y; x, a; x; z');
  expect(negotiateExtensions(offers, [accepts('a', 'x'), accepts('b', 'y'), accepts('c', 'z')])).toEqual([
    { name: 'a', parameters: [['chosen', 'x']] },
    { name: 'b', parameters: [['chosen', 'y']] },
  ]);
});

test('a declined offer leaves nothing behind, and an accepted name is not asked again', () => {
  let asked = 0;
  const once: ExtensionNegotiator = { name: 'a', accept: () => (asked++ === 0 ? undefined : []) };
  expect(negotiateExtensions(parseExtensions('a, a; 2, a; 3'), [once])).toEqual([{ name: 'a', parameters: [] }]);
  expect(asked).toBe(2);
  expect(negotiateExtensions([], [once])).toEqual([]);
  expect(negotiateExtensions(parseExtensions('a'), [])).toEqual([]);
});

test('of two negotiators of one name the first has it', () => {
  expect(negotiateExtensions(parseExtensions('a; x; y'), [accepts('a', 'x'), accepts('a', 'y')])).toEqual([
    { name: 'a', parameters: [['chosen', 'x']] },
  ]);
  expect(negotiateExtensions(parseExtensions('a; y'), [accepts('a', 'x'), accepts('a', 'y')])).toEqual([]);
});

test('offers named like members of Object.prototype meet no negotiator', () => {
  const offers = PROTOTYPE_NAMES.map((name) => ({ name, parameters: [] }));
  expect(negotiateExtensions(offers, [accepts('a', 'x')])).toEqual([]);
  expect(negotiateExtensions(offers, [{ name: '__proto__', accept: () => [] }])).toEqual([
    { name: '__proto__', parameters: [] },
  ]);
});
