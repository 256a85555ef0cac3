import { expect, test } from '@jest/globals';
import { zlibBackend } from '../src/node/backend.js';
import { TurnBudget } from '../src/node/turn-budget.js';
import { codec, decode, encode, json, NO_TAKEOVER, PATHS } from './codec.js';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('of large messages 128 KiB a turn, of small ones any number', async () => {
  const turn = new TurnBudget();
  for (let i = 0; i < 100; i++) turn.spend(16_384);
  expect(turn.allows(100_000)).toBe(true);
  turn.spend(100_000);
  expect(turn.allows(100_000)).toBe(true);
  turn.spend(100_000);
  expect([turn.allows(16_385), turn.allows(16_384)]).toEqual([false, true]);
  await nextTurn();
  expect(turn.allows(100_000)).toBe(true);
});

test.each(PATHS)('$path: what is over it is for the thread pool, and comes out the same', async ({ fastPath }) => {
  await nextTurn();
  const backend = zlibBackend({ fastPath, concurrencyLimit: 7 });
  const [large, small] = [json(20_000), json(2000)];
  const results = Array.from({ length: 9 }, () => backend.deflateSync(large, 15));
  expect(results.map((bytes) => bytes !== undefined)).toEqual([...Array.from({ length: 7 }, () => true), false, false]);
  expect(backend.deflateSync(small, 15)).toBeDefined();
  const compressed = results[0]!.subarray(0, -4);
  expect(compressed.length).toBeLessThan(8192);
  const [first, second] = [codec({ backend, parameters: NO_TAKEOVER }), codec({ backend })];
  for (const end of [first, second]) {
    const [frame] = await encode(end, large);
    expect((await decode(codec({ backend, parameters: NO_TAKEOVER }), [frame!.payload])).bytes.equals(large)).toBe(
      true,
    );
  }
});
