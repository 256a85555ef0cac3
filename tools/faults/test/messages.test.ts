// What is exchanged, and the check of it.
import { describe, expect, test } from '@jest/globals';
import { Checker, messageOf, type Spec } from '../lib/messages.mjs';

const sent = Array.from({ length: 400 }, (_, number) => messageOf(9, 77, 'up', number));
const bytesOf = ({ content }: Spec) => Buffer.from(content);
/** The first from `from` on that is long enough to have a header. */
const long = (from: number, isText: boolean) =>
  sent.findIndex((spec, number) => number >= from && spec.isText === isText && spec.content.length >= 64);

function checkUntil(number: number) {
  const checker = new Checker(9, 77, 'up');
  for (const spec of sent.slice(0, number)) expect(checker.accept(bytesOf(spec), spec.isText)).toBe(true);
  return checker;
}

test('there are empty ones, tiny ones and large ones, text and binary, and every way to send', () => {
  const sizes = sent.map((spec) => bytesOf(spec).length);
  expect(sizes).toContain(0);
  expect(sizes.some((size) => size > 0 && size < 16)).toBe(true);
  expect(Math.max(...sizes)).toBeGreaterThan(100_000);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(260 * 1024);
  expect(new Set(sent.map(({ way }) => way)).size).toBe(4);
  expect(sent.filter(({ isText }) => isText).length).toBeGreaterThan(100);
});

test('text is well-formed', () => {
  const texts = sent.flatMap(({ content }) => (typeof content === 'string' ? [content] : []));
  expect(texts.map((text) => Buffer.from(text).toString())).toEqual(texts);
});

test('what was sent is accepted as Buffer and as string', () => {
  const checker = checkUntil(sent.length);
  expect(checker.count).toBe(sent.length);
  expect(checker.fault).toBeUndefined();
  const strings = new Checker(9, 77, 'up');
  for (const { content, isText } of sent) expect(strings.accept(content, isText)).toBe(true);
});

describe.each([
  ['text', true],
  ['binary', false],
])('%s', (_name, isText) => {
  const at = long(20, isText);
  const spec = sent[at]!;

  test.each(['first', 'middle', 'last'])('damaged at its %s byte', (where) => {
    const bytes = bytesOf(spec);
    const index = { first: 0, middle: bytes.length >> 1, last: bytes.length - 1 }[where]!;
    bytes[index] = bytes[index]! ^ 1;
    const checker = checkUntil(at);
    expect(checker.accept(bytes, isText)).toBe(false);
    expect(checker.fault).toMatch(/damaged|another message/);
    expect(checker.accept(bytesOf(spec), isText)).toBe(false); // nothing counts behind it
    expect(checker.count).toBe(at);
  });

  test('cut short, and with a byte too many', () => {
    const bytes = bytesOf(spec);
    for (const wrong of [bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from('x')])])
      expect(checkUntil(at).accept(wrong, isText)).toBe(false);
  });

  test('lost: the next one comes in its place', () => {
    const next = long(at + 1, isText);
    const checker = checkUntil(at);
    checker.accept(bytesOf(sent[next]!), isText);
    expect(checker.fault).toMatch(`message ${next} too early`);
  });

  test('twice', () => {
    const checker = checkUntil(at + 1);
    checker.accept(bytesOf(spec), isText);
    expect(checker.fault).toMatch(`message ${at} again`);
  });

  test('as the other type, or of another connection', () => {
    expect(checkUntil(at).accept(bytesOf(spec), !isText)).toBe(false);
    const foreign = Array.from({ length: 50 }, (_, number) => messageOf(9, 78, 'up', number)).find(
      (other) => other.isText === isText && other.content.length >= 64,
    );
    const checker = checkUntil(at);
    checker.accept(bytesOf(foreign!), isText);
    expect(checker.fault).toMatch('a message of connection 78');
  });
});
