// The soak in small: all connections live, the idle ones by answering pings. Nothing here measures time.
import { appendFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { missingForLoad } from '../../bench/lib/compile.mjs';
import { slopeOf, soak, type Sample } from '../lib/soak.mjs';

const missing = missingForLoad();
if (missing !== undefined)
  appendFileSync('reports/notices.txt', `tools/load: the soak was skipped, it needs ${missing}\n`);
const describeLoad = missing === undefined ? describe : describe.skip;

const TIME_LIMIT_MS = 60_000;
const ACTIVE = ['30,64,0.1,binary', '20,1024,0.1,deflate', '10,16384,0.2,text,4096'];

describeLoad('a soak', () => {
  test(
    'keeps idle connections, which answer pings, and active ones, whose messages come back',
    async () => {
      const serverOptions = { heartbeat: { interval: 500, timeout: 20_000 } };
      const { idle, active, server, samples } = await soak({
        idle: 300,
        active: ACTIVE,
        warmUpSeconds: 1,
        seconds: 3,
        serverOptions,
      });
      expect(idle).toMatchObject({ connections: 300, alive: 300, messages: 0 });
      expect(idle.pings).toBeGreaterThanOrEqual(300);
      expect(active).toMatchObject({ connections: 60, alive: 60 });
      expect(active.classes.map(({ size, deflate }) => [size, deflate])).toEqual([
        [64, false],
        [1024, true],
        [16_384, false],
      ]);
      for (const { messages } of active.classes) expect(messages).toBeGreaterThan(0);
      expect(active.verified).toBeGreaterThan(0);
      expect(active.max).toBeGreaterThanOrEqual(active.p99);
      expect(server).toMatchObject({ connections: 360, ends: {} });
      expect(samples.length).toBeGreaterThan(0);
      expect(samples.every(({ rss, connections }) => rss > 0 && connections === 360)).toBe(true);
    },
    TIME_LIMIT_MS,
  );

  test(
    'counts those that the server ends',
    async () => {
      const task = { idle: 20, active: ['5,64,0.1,binary'], warmUpSeconds: 0, seconds: 6 };
      const { idle, active, server } = await soak({ ...task, serverOptions: { idleTimeout: 3000 } });
      expect(idle).toMatchObject({ connections: 20, alive: 0 });
      expect(active).toMatchObject({ connections: 5, alive: 5 });
      expect(Object.keys(server.ends)).toHaveLength(1);
    },
    TIME_LIMIT_MS,
  );
});

test('the slope is that of a line, whatever its noise is around', () => {
  const samples = Array.from({ length: 120 }, (_, second): Sample => ({
    atMs: second * 1000,
    rss: 1e6 + 100 * second + (second % 2 === 0 ? 500 : -500),
    heap: 7,
    connections: 1,
  }));
  expect(slopeOf(samples, ({ rss }) => rss)).toBeCloseTo(6000, -2);
  expect(slopeOf(samples, ({ heap }) => heap)).toBe(0);
});
