import { expect, test } from '@jest/globals';
import { ExtensionChain } from '../../src/protocol/extension-chain.js';
import type { Extension, IncomingPiece } from '../../src/protocol/index.js';

/** Gives each byte on as a part of its own, as fast as it is wanted. */
function byteByByte(name: string, rsv: number, told: [string, IncomingPiece][]): Extension {
  return {
    name,
    rsv,
    encode: (payload, _fragment, done) => done(null, payload, rsv),
    decode(slice, piece, output, done) {
      told.push([name, piece]);
      let at = 0;
      const giveOn = (): void => {
        while (at < slice.length) {
          output(slice.slice(at, ++at));
          if (piece.flow?.isFull) return piece.flow.whenRoom(giveOn);
        }
        done(null);
      };
      giveOn();
    },
  };
}

test('of several, the one that gives to the taker gives what he has room for; those before it are not held up', () => {
  const told: [string, IncomingPiece][] = [];
  const chain = new ExtensionChain([
    byteByByte('last', 1, told),
    byteByByte('second', 2, told),
    byteByByte('first', 4, told),
  ]);
  const taken: number[] = [];
  let proceed: (() => void) | undefined;
  const flow = { isFull: true, whenRoom: (next: () => void) => void (proceed = next) };
  const piece = { opcode: 2, first: true, last: true, length: 3, remaining: 100, flow } as const;
  let answers = 0;
  const output = (part: Uint8Array): void => void taken.push(...part);
  chain.decode(Uint8Array.of(1, 2, 3), piece, 7, output, () => answers++);
  expect(told.map(([name, { flow: given }]) => [name, given])).toEqual([
    ['first', undefined],
    ['second', undefined],
    ['last', flow],
  ]);
  for (const expected of [[1], [1, 2], [1, 2, 3]]) {
    expect([taken, answers]).toEqual([expected, 0]);
    const next = proceed;
    proceed = undefined;
    next?.();
  }
  expect([proceed, answers]).toEqual([undefined, 1]);
});

test.each([
  ['the only one', [4]],
  ['the only one that decodes this message', [1, 4]],
])('%s is told of the taker', (_what, bits) => {
  const told: [string, IncomingPiece][] = [];
  const chain = new ExtensionChain(bits.map((rsv) => byteByByte('x', rsv, told)));
  const flow = { isFull: false, whenRoom: () => undefined };
  const piece = { opcode: 2, first: true, last: false, remaining: 100, flow } as const;
  chain.decode(
    Uint8Array.of(1, 2, 3),
    piece,
    4,
    () => undefined,
    () => undefined,
  );
  expect(told).toEqual([['x', piece]]);
});

test('near the limit of a message, what is still encoded may be longer than what is left of it', () => {
  const shrinking: Extension = {
    name: 'last',
    rsv: 1,
    encode: (payload, _fragment, done) => done(null, payload, 1),
    decode(slice, { remaining }, output, done) {
      output(slice.slice(0, remaining));
      done(null);
    },
  };
  const told: [string, IncomingPiece][] = [];
  const chain = new ExtensionChain([shrinking, byteByByte('first', 2, told)]);
  const piece = { opcode: 2, first: false, last: true, remaining: 1 } as const;
  const happened: unknown[] = [];
  chain.decode(
    Uint8Array.of(1, 2, 3),
    piece,
    3,
    (part) => happened.push([...part]),
    (error) => happened.push(error),
  );
  expect(happened).toEqual([[1], null]);
  expect(told).toMatchObject([['first', { remaining: 3 }]]);
});
