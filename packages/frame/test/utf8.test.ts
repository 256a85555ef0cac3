import { describe, expect, test } from '@jest/globals';
import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';
import fc from 'fast-check';
import { hex } from '@ws/testing';
import { Utf8Validator } from '../src/utf8.js';

const MODES = [
  { mode: 'pure', make: () => new Utf8Validator() },
  { mode: 'with isUtf8', make: () => new Utf8Validator(isUtf8) },
];

const VALIDATORS = MODES.map(({ mode, make }) => ({ mode, validator: make() }));

/** Enough ASCII in front that a given `isUtf8` is used, and that words are skipped. */
const LONG = Buffer.alloc(136, 'a');

const SECOND = [0x80, 0x90, 0xa0];
const COMPLETIONS = [
  [],
  ...SECOND.map((second) => [second]),
  ...SECOND.map((second) => [second, 0x80]),
  ...SECOND.map((second) => [second, 0x80, 0x80]),
].map((completion) => Uint8Array.from(completion));

const room = new Uint8Array(2048);

/** Whether some text begins with these bytes: with every kind of completion, Node is asked whether it is one. */
function canGoOn(bytes: Uint8Array): boolean {
  room.set(bytes);
  return COMPLETIONS.some((completion) => {
    room.set(completion, bytes.length);
    return isUtf8(room.subarray(0, bytes.length + completion.length));
  });
}

test('the oracle agrees with a fatal TextDecoder', () => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decodes = (bytes: Uint8Array): boolean => {
    try {
      decoder.decode(bytes);
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5 }), (bytes) => isUtf8(bytes) === decodes(bytes)),
    { numRuns: 2000 },
  );
});

describe.each(MODES)('$mode', ({ make }) => {
  const validator = make();
  /** The verdict on each byte in turn, and whether the text may end. */
  const verdicts = (bytes: Uint8Array): string => {
    validator.reset();
    const each = Array.from(bytes, (byte) => (validator.push(Uint8Array.of(byte)) ? '1' : '0')).join('');
    return `${each} ${validator.end() ? 'end' : 'open'}`;
  };

  test.each([
    ['the empty text', hex``, ' end'],
    ['ASCII', hex`00 7f`, '11 end'],
    ['two bytes', hex`c2 80`, '11 end'],
    ['three bytes', hex`e2 82 ac`, '111 end'],
    ['four bytes', hex`f0 9f 98 80`, '1111 end'],
    ['the last code point', hex`f4 8f bf bf`, '1111 end'],
    ['a byte order mark', hex`ef bb bf`, '111 end'],
    ['noncharacters', hex`ef bf bf`, '111 end'],
    ['an unfinished sequence', hex`61 f0 9f 98`, '1111 open'],
    ['a continuation byte alone', hex`80`, '0 open'],
    ['overlong in two', hex`c0 80`, '00 open'],
    ['overlong in two, c1', hex`c1 bf`, '00 open'],
    ['overlong in three', hex`e0 9f 80`, '100 open'],
    ['overlong in four', hex`f0 8f bf bf`, '1000 open'],
    ['a surrogate', hex`ed a0 80`, '100 open'],
    ['beyond U+10FFFF', hex`f4 90 80 80`, '1000 open'],
    ['five bytes', hex`f8 88 80 80 80`, '00000 open'],
    ['fe and ff', hex`61 fe ff`, '100 open'],
    ['cut by ASCII', hex`e2 82 61`, '110 open'],
    ['cut by another lead', hex`e2 c3 a9`, '100 open'],
  ])('%s', (_, bytes, expected) => {
    expect(verdicts(bytes)).toBe(expected);
    // The same in one piece, short and behind a long text.
    const good = !expected.includes('0');
    for (const piece of [bytes, Buffer.concat([LONG, bytes]), Buffer.concat([bytes, LONG])]) {
      validator.reset();
      const open = expected.endsWith('open') && piece.at(-1) === 0x61;
      expect(validator.push(piece)).toBe(good && !open);
      expect(validator.end()).toBe(good && expected.endsWith('end'));
    }
  });

  test('property: any text in any pieces is valid, and whatever is wrong is seen in the piece that holds it', () => {
    const texts = fc.string({ unit: 'binary', maxLength: 300 }).map((text) => [...Buffer.from(text)]);
    const damage = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 2 });
    const cuts = fc.array(fc.nat(500), { maxLength: 6 });
    fc.assert(
      fc.property(texts, damage, cuts, fc.nat(3), (bytes, bad, at, shift) => {
        for (const [index, value] of bad) if (index < bytes.length) bytes[index] = value;
        const text = new Uint8Array(bytes.length + shift).subarray(shift); // not always at a word border
        text.set(bytes);
        validator.reset();
        let from = 0;
        for (const to of [...at, text.length].sort((a, b) => a - b)) {
          const end = Math.min(to, text.length);
          expect(validator.push(text.subarray(from, end))).toBe(canGoOn(text.subarray(0, end)));
          from = end;
        }
        expect(validator.end()).toBe(isUtf8(text));
      }),
      { numRuns: 300 },
    );
  });

  test('long texts of every kind, with one bad byte anywhere', () => {
    for (const unit of ['a', 'Grüße aus dem Süden, ', '漢字', '😀', 'abcdefghijklmnopqrstuvwxyz€']) {
      const text = Buffer.from(unit.repeat(Math.ceil(600 / unit.length)));
      validator.reset();
      expect(validator.push(text) && validator.end()).toBe(true);
      for (let at = 0; at < text.length; at++) {
        const bad = Buffer.from(text);
        bad[at] = 0xff;
        validator.reset();
        expect(validator.push(bad)).toBe(false);
      }
    }
  });

  test('stays false until reset, which also forgets an open sequence', () => {
    validator.reset();
    expect(validator.push(hex`ff`)).toBe(false);
    expect(validator.push(hex`61`)).toBe(false);
    expect(validator.end()).toBe(false);
    validator.reset();
    expect(validator.push(hex`f4`)).toBe(true);
    validator.reset();
    expect(validator.end()).toBe(true);
    expect(validator.push(hex`c3 a9`)).toBe(true);
  });
});

test('every prefix of up to three bytes fails at its first bad byte, in pieces and in one', () => {
  const memory = Buffer.concat([LONG, new Uint8Array(3)]);
  const failures: string[] = [];
  /** Asks about the first `length` bytes behind the long text. */
  const check = (length: number): boolean => {
    const bytes = memory.subarray(LONG.length, LONG.length + length);
    const expected = canGoOn(bytes);
    for (const { mode, validator } of VALIDATORS) {
      validator.reset();
      const pieces = validator.push(bytes.subarray(0, length - 1)) && validator.push(bytes.subarray(length - 1));
      validator.reset();
      const whole = validator.push(bytes);
      validator.reset();
      const long = validator.push(memory.subarray(0, LONG.length + length));
      if (pieces !== expected || whole !== expected || long !== expected)
        failures.push(`${mode}: ${bytes.toString('hex')}`);
    }
    return expected;
  };
  // What follows a whole character does not depend on which: some of one byte and of two stand for all.
  const goesOn = (length: number): boolean => {
    const [first = 0, second = 0] = memory.subarray(LONG.length);
    if (first < 0x80) return first === 0x41;
    return length < 2 || first >= 0xe0 || second === 0x80 || second === 0xbf;
  };
  const each = (length: number): void => {
    for (let byte = 0; byte < 256; byte++) {
      memory[LONG.length + length - 1] = byte;
      if (check(length) && length < 3 && goesOn(length)) each(length + 1);
    }
  };
  each(1);
  expect(failures).toEqual([]);
});

test('isUtf8 is given complete texts only, without a copy', () => {
  const given: Uint8Array[] = [];
  const validator = new Utf8Validator((bytes) => {
    given.push(bytes);
    return isUtf8(bytes);
  });
  const text = Buffer.concat([LONG, Buffer.from('€'), LONG, Buffer.from('😀')]);
  const first = text.subarray(0, 138); // two bytes of three
  const second = text.subarray(138, text.length - 1);
  expect([first, second, text.subarray(-1)].map((piece) => validator.push(piece))).toEqual([true, true, true]);
  expect(validator.end()).toBe(true);
  expect(given.map((bytes) => bytes.length)).toEqual([136, 136]);
  expect(given.every((bytes) => bytes.buffer === text.buffer)).toBe(true);
});
