import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { HandshakeRate } from '../src/handshake-rate.js';

/** A clock that stands still. */
function clock(): { now: () => number; pass: (ms: number) => void } {
  let ms = 0;
  return { now: () => ms, pass: (more) => void (ms += more) };
}

test('a burst, then as many as the rate allows; who is refused does not wait longer for it', () => {
  const { now, pass } = clock();
  const rate = new HandshakeRate({ rate: 2, burst: 3 }, now);
  expect([rate.take('a'), rate.take('a'), rate.take('a')]).toEqual([0, 0, 0]);
  expect([rate.wait('a'), rate.take('a'), rate.take('a')]).toEqual([500, 500, 500]);
  expect([rate.wait('b'), rate.take('b')]).toEqual([0, 0]);
  pass(499);
  expect([rate.wait('a'), rate.take('a')]).toEqual([1, 1]);
  pass(1);
  expect([rate.wait('a'), rate.take('a'), rate.take('a')]).toEqual([0, 0, 500]);
});

test('a rate below one a second still has one at first', () => {
  const { now, pass } = clock();
  const rate = new HandshakeRate({ rate: 0.1 }, now);
  expect([rate.take('a'), rate.take('a')]).toEqual([0, 10_000]);
  pass(10_000);
  expect(rate.take('a')).toBe(0);
});

test('who is back to a full bucket is forgotten, and there is a bound', () => {
  const { now, pass } = clock();
  const rate = new HandshakeRate({ rate: 1, burst: 2 }, now, 10);
  for (let i = 0; i < 1000; i++) rate.take(`address ${i}`);
  expect(rate.size).toBe(10);
  pass(2000);
  for (let i = 0; i < 10; i++) rate.take('a');
  expect(rate.size).toBe(1);
});

test('as a simple bucket for each address would have it', () => {
  const moves = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 0, max: 1500 })), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(moves, fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 5 }), (list, perSecond, burst) => {
      const { now, pass } = clock();
      const rate = new HandshakeRate({ rate: perSecond, burst }, now);
      const tokens = new Map<string, number>();
      for (const [key, ms] of list) {
        pass(ms);
        for (const [one, count] of tokens) tokens.set(one, Math.min(burst, count + (ms * perSecond) / 1000));
        const left = tokens.get(key) ?? burst;
        const isOne = left >= 1 - 1e-6; // steps are of 1 / 1000
        expect([rate.wait(key) === 0, rate.take(key) === 0]).toEqual([isOne, isOne]);
        if (isOne) tokens.set(key, left - 1);
      }
    }),
  );
});
