import { totalmem } from 'node:os';
import { expect, test } from '@jest/globals';
import { MemoryBudget, WebSocketServer } from '../src/index.js';
import { defaultMemoryLimit } from '../src/memory-limit.js';

const GiB = 2 ** 30;

test.each([
  ['a container', 2 * GiB, 64 * GiB, GiB / 2],
  ['no constraint, as Linux says it', 2 ** 63, 64 * GiB, 16 * GiB],
  ['no constraint, as others say it', 0, 64 * GiB, 16 * GiB],
  ['a Node that does not know', undefined, 64 * GiB, 16 * GiB],
  ['a limit above what there is', 128 * GiB, 64 * GiB, 16 * GiB],
  ['hardly anything', 3, 64 * GiB, 1],
])('a quarter of what the process may use: %s', (_name, constrained, total, expected) => {
  expect(defaultMemoryLimit(constrained, total)).toBe(expected);
});

test('on this machine', () => {
  const limit = defaultMemoryLimit();
  expect(limit).toBeGreaterThan(0);
  expect(limit).toBeLessThanOrEqual(totalmem() / 4);
  const { memoryLimit } = new WebSocketServer({ noServer: true }).options;
  expect(memoryLimit).toMatchObject({ limit, used: 0, isOver: false, shed: 0 });
});

test('a number is a budget of this server, a budget is shared, 0 and false are none', () => {
  const budget = new MemoryBudget(1000);
  const made = (memoryLimit: MemoryBudget | number | false): unknown =>
    new WebSocketServer({ noServer: true, memoryLimit }).options.memoryLimit;
  expect(made(budget)).toBe(budget);
  expect(made(5)).toMatchObject({ limit: 5 });
  expect(made(5)).not.toBe(made(5));
  for (const none of [0, false, Infinity] as const) expect(made(none)).toBe(false);
});
