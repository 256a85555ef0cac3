import { expect, test } from '@jest/globals';
import { compileFlood, flood, missingForFlood } from '../lib/flood.mjs';

const missing = missingForFlood();
if (missing !== undefined) console.warn(`The flood is not tested: it needs ${missing}.`);
const flooded = missing === undefined ? test : test.skip;

const FLOOD = { rate: 400, seconds: 2, addresses: 4, connections: 10, messages: 100 };

flooded('every handshake of a small flood is answered, and so is every message of who is connected', async () => {
  const { attempts, echo, server } = await flood({ ...FLOOD, options: {} }, compileFlood());
  expect(attempts).toMatchObject({ attempts: 800, accepted: 800, refused: 0, other: 0, cut: 0, neverAnswered: 0 });
  expect(echo).toMatchObject({ messages: 200, lost: 0 });
  expect(server).toMatchObject({ connections: 810, open: 0 });
});

flooded('over the limits each is refused politely, and those who are connected feel nothing', async () => {
  const options = { maxConnections: 12, rateLimit: { handshakes: { rate: 0.001, burst: 20 } } };
  const { attempts, echo, server } = await flood({ ...FLOOD, options }, compileFlood());
  expect(attempts).toMatchObject({ attempts: 800, other: 0, cut: 0, neverAnswered: 0 });
  expect(attempts.accepted).toBeGreaterThan(0);
  expect(attempts.accepted).toBeLessThanOrEqual(4 * 20); // what the buckets of four addresses hold
  expect(attempts.accepted + attempts.refused).toBe(800);
  expect(attempts.withRetryAfter).toBe(attempts.refused);
  expect(echo).toMatchObject({ messages: 200, lost: 0 });
  expect(server).toMatchObject({ connections: 10 + attempts.accepted, open: 0 });
});
