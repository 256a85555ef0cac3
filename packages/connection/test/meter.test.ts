import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createPair, Meter } from '../src/index.js';

const size = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 0, max: 2 ** 40 }));

test('sizes are counted in the buckets that they belong to', () => {
  fc.assert(
    fc.property(fc.array(size), (sizes) => {
      const meter = new Meter();
      for (const bytes of sizes) meter.message(bytes);
      const { count, sum, buckets } = meter.sizes;
      expect(count).toBe(sizes.length);
      expect(sum).toBe(sizes.reduce((total, bytes) => total + bytes, 0));
      expect(buckets.map(({ le }) => le)).toEqual([
        ...[4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30].map((bits) => 2 ** bits),
        Infinity,
      ]);
      for (const bucket of buckets) expect(bucket.count).toBe(sizes.filter((bytes) => bytes <= bucket.le).length);
    }),
  );
});

test('latencies likewise, in ms', () => {
  const latency = fc.oneof(fc.constantFrom(1, 2, 5, 30_000), fc.double({ min: 0, max: 40_000, noNaN: true }));
  fc.assert(
    fc.property(fc.array(latency), (latencies) => {
      const meter = new Meter();
      for (const ms of latencies) meter.latency(ms);
      const { count, buckets } = meter.latencies;
      expect(count).toBe(latencies.length);
      expect(buckets.at(-1)).toEqual({ le: Infinity, count });
      for (const bucket of buckets) expect(bucket.count).toBe(latencies.filter((ms) => ms <= bucket.le).length);
    }),
  );
});

test.each(['buffer', 'stream'] as const)('messages of several connections, taken as a %s', async (incoming) => {
  const meter = new Meter();
  for (const keepFragments of [false, true]) {
    const { client, server } = createPair({ meter, incoming });
    if (keepFragments) server.binaryType = 'fragments';
    server.on('incoming', (message) => message.resume());
    client.send('é');
    client.send(Buffer.alloc(5000), { fin: false });
    client.send(Buffer.alloc(100_000));
    client.close(1000);
    await server.closed;
  }
  expect(meter.sizes).toMatchObject({ count: 4, sum: 2 * (2 + 105_000) });
});

test('a meter is one', () => {
  expect(() => createPair({ meter: {} as Meter })).toThrow(new TypeError('meter is [object Object], expected a Meter'));
});
