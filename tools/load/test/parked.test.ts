import { expect, test } from '@jest/globals';
import { parked, STATES } from '../lib/parked.mjs';

const MiB = 2 ** 20;

test('attackers that park stay below memoryLimit, and who behaves feels little', async () => {
  const connections = 6 * Object.keys(STATES).length;
  const { before, during, after, healthy } = await parked({
    memoryLimit: 8 * MiB,
    connections,
    seconds: 3,
    healthy: 5,
  });
  expect(during.shed).toBeGreaterThan(0);
  expect(during.mostUsed).toBeGreaterThan(0.9 * 8 * MiB); // as far as it was looked at: above the limit it is short-lived
  // What one turn of the loop brings in before reading stops is on top of it.
  expect(during.mostUsed).toBeLessThan(1.25 * 8 * MiB + 2 * MiB);
  expect(during.mostRss - before.rss).toBeLessThan(150 * MiB);
  expect(healthy.lost).toEqual([]);
  expect(healthy.messages).toBeGreaterThan(5 * 5);
  expect(after).toMatchObject({ used: 0, open: 0 });
}, 30_000);
