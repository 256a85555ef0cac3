import { expect, test } from '@jest/globals';
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { MessageBytes } from '../src/message-bytes.js';

const text = fc.string({ unit: 'binary', maxLength: 40 }); // no surrogate halves
const cuts = fc.array(fc.nat(200), { maxLength: 12 });

/** `whole` in pieces. */
function pieces<Piece extends string | Buffer>(whole: Piece, at: readonly number[]): Piece[] {
  const places = [0, ...at.map((place) => place % (whole.length + 1)).sort((a, b) => a - b), whole.length];
  return places.slice(1).map((end, i) => (whole as string).slice(places[i], end) as Piece);
}

test('text, cut anywhere, as strings or bytes: all of it, and valid behind each part', () => {
  const property = fc.property(text, cuts, fc.boolean(), (whole, at, asBytes) => {
    const bytes = new MessageBytes(true, true);
    const chunks: (string | Buffer)[] = asBytes ? pieces(Buffer.from(whole), at) : pieces(whole, at);
    const parts = chunks.map((chunk, i) => bytes.take(chunk, 'utf8', i === chunks.length - 1));
    for (const part of parts) expect(isUtf8(part)).toBe(true);
    expect(Buffer.concat(parts).toString()).toBe(whole);
  });
  fc.assert(property);
});

test('any bytes as text: what is not UTF-8 is refused, and what is goes through', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 12 }), cuts, (whole, at) => {
    const bytes = new MessageBytes(true, true);
    const chunks = pieces(Buffer.from(whole), at);
    const take = (): Uint8Array[] => chunks.map((chunk, i) => bytes.take(chunk, 'utf8', i === chunks.length - 1));
    if (isUtf8(whole)) expect(Buffer.concat(take())).toEqual(Buffer.from(whole));
    else expect(take).toThrow('not valid UTF-8');
  });
  fc.assert(property, { numRuns: 500 });
});

test('the first bad byte is one too many', () => {
  for (const bad of [[0xff], [0xc0], [0xe0, 0x80], [0xed, 0xa0], [0xf4, 0x90], [0xf5], [0x80]]) {
    expect(() => new MessageBytes(true, true).take(Buffer.from(bad), 'utf8', false)).toThrow('not valid UTF-8');
  }
});

test('half a surrogate pair that stays alone becomes a replacement character, as Buffer.from has it', () => {
  const alone = new MessageBytes(undefined, true);
  const given = (chunk: string | Buffer, fin: boolean): string =>
    Buffer.from(alone.take(chunk, 'utf8', fin)).toString();
  expect(given('a\ud83d', false)).toBe('a');
  expect(given(Buffer.from('b'), false)).toBe('\ufffdb');
  expect(given('\ud83d', true)).toBe('\ufffd');
  expect(alone.isText).toBe(true);
});
