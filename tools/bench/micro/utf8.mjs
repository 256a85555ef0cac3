// Utf8Validator, in pure code and with node's isUtf8 behind it: ASCII, Latin and CJK text, whole and in pieces that end anywhere.
import { isUtf8 } from 'node:buffer';
import { Utf8Validator } from '@ws/frame';

const TEXTS = { ascii: 'abcdefgh', mixed: 'Grüße, abcdefghijklmnopqrst. ', cjk: '漢字' };
const SIZES = { '16 B': 16, '1 KiB': 1024, '64 KiB': 65_536 };

/** @param {Utf8Validator} validator @param {readonly Uint8Array[]} pieces */
function check(validator, pieces) {
  validator.reset();
  for (const piece of pieces) if (!validator.push(piece)) throw new Error('not valid');
}

/** @type {import('./cases.mjs').Cases} */
export const cases = Object.entries(TEXTS).flatMap(([kind, text]) =>
  Object.entries(SIZES).flatMap(([name, size]) => {
    const bytes = Buffer.from(text.repeat(size)).subarray(0, size);
    const third = Math.ceil(size / 3);
    const pieces = [bytes.subarray(0, third), bytes.subarray(third, 2 * third), bytes.subarray(2 * third)];
    const [pure, fast, inPieces] = [new Utf8Validator(), new Utf8Validator(isUtf8), new Utf8Validator(isUtf8)];
    return [
      { name: `${kind} ${name}, pure`, run: () => check(pure, [bytes]) },
      { name: `${kind} ${name}, isUtf8`, run: () => check(fast, [bytes]) },
      { name: `${kind} ${name}, isUtf8, 3 pieces`, run: () => check(inPieces, pieces) },
    ];
  }),
);
