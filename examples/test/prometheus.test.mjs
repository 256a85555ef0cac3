import { once } from 'node:events';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { connect, echo, start, stopAll } from './program.mjs';

afterEach(stopAll);

/** Samples by name and labels, as Prometheus reads them. */
async function scrape(/** @type {string} */ url) {
  const response = await fetch(url);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

test('what Prometheus scrapes is what went over the wire', async () => {
  const { urls, kill, ended } = await start('prometheus.mjs', { METRICS_PORT: '0' });
  const [url = '', metrics = ''] = urls;
  expect((await scrape(metrics)).get('ws_accepted_total')).toBe(0);

  const [{ client }, { client: other }] = [await connect(url), await connect(url)];
  expect(await echo(client, 'hello')).toBe('hello');
  expect(await echo(client, 'x'.repeat(1000))).toHaveLength(1000);
  other.close(4001);
  await other.closed;
  const foreign = new WebSocket(url, { origin: 'https://elsewhere.example' });
  await once(foreign, 'error');

  const samples = await scrape(metrics);
  expect(Object.fromEntries(samples)).toMatchObject({
    ws_connections: 1,
    ws_pending: 0,
    ws_queued_bytes: 0,
    ws_memory_bytes: expect.any(Number),
    ws_accepted_total: 2,
    'ws_refused_total{reason="origins"}': 1,
    'ws_closed_total{initiator="remote",code="4001"}': 1,
    'ws_messages_total{direction="in"}': 2,
    'ws_messages_total{direction="out"}': 2,
    'ws_bytes_total{direction="in"}': 2 + 4 + 5 + 4 + 4 + 1000 + 2 + 4 + 2,
    'ws_bytes_total{direction="out"}': 2 + 5 + 4 + 1000 + 2 + 2,
    'ws_message_size_bytes_bucket{le="16"}': 1,
    'ws_message_size_bytes_bucket{le="1024"}': 2,
    'ws_message_size_bytes_bucket{le="+Inf"}': 2,
    ws_message_size_bytes_sum: 1005,
    ws_message_size_bytes_count: 2,
    'ws_latency_seconds_bucket{le="+Inf"}': 0,
    'ws_latency_seconds_bucket{le="0.05"}': 0,
  });
  expect((await fetch(new URL('/', metrics))).status).toBe(404);

  kill('SIGTERM');
  expect(await client.closed).toMatchObject({ code: 1001 });
  expect(await ended).toEqual({ status: 0, lines: [] });
});
