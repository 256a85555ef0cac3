import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { connect, echo, start, stopAll, stopLater } from './program.mjs';

afterEach(stopAll);

/** Attributes of OTLP as an object. @param {any[]} list */
const attributes = (list) => Object.fromEntries(list.map(({ key, value }) => [key, Object.values(value)[0]]));

/** Where OpenTelemetry sends to: what it got. */
async function collector() {
  /** @type {{ spans: any[], metrics: any[] }} */
  const got = { spans: [], metrics: [] };
  const server = createServer(async (request, response) => {
    const body = /** @type {any} */ (await json(request));
    const scopes = [...(body.resourceSpans ?? []), ...(body.resourceMetrics ?? [])].flatMap(
      (resource) => resource.scopeSpans ?? resource.scopeMetrics,
    );
    for (const { spans = [], metrics = [] } of scopes) {
      got.spans.push(...spans);
      got.metrics.push(...metrics);
    }
    response.setHeader('Content-Type', 'application/json').end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopLater(() => server.closeAllConnections());
  stopLater(() => server.close());
  return { got, url: `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}` };
}

test('a span for each connection with how it ended, one for each refusal, and the counters', async () => {
  const { got, url: endpoint } = await collector();
  const { urls, kill, ended } = await start('opentelemetry.mjs', { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
  const [url = ''] = urls;
  const { client } = await connect(url);
  expect(await echo(client, 'hello')).toBe('hello');
  client.close(1000);
  await client.closed;
  const { client: rude } = await connect(url);
  await echo(rude, 'bye');
  rude.terminate();
  await rude.closed;
  await once(new WebSocket(new URL('/elsewhere', url)), 'error');
  await once(new WebSocket(url, { origin: 'https://elsewhere.example' }), 'error');
  const { client: last } = await connect(url);
  kill('SIGTERM');
  await last.closed;
  expect(await ended).toEqual({ status: 0, lines: [] });

  const spans = got.spans.map((span) => ({ ...span, attributes: attributes(span.attributes) }));
  expect(spans).toHaveLength(5);
  for (const span of spans) {
    expect(span).toMatchObject({ name: 'websocket', kind: 2, attributes: { 'client.address': expect.any(String) } });
    expect(BigInt(span.endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(span.startTimeUnixNano));
  }
  const by = (/** @type {string} */ initiator) =>
    spans.find((span) => span.attributes['ws.close.initiator'] === initiator);
  expect(by('remote')).toMatchObject({
    status: { code: 0 },
    events: [{ name: 'open' }],
    attributes: {
      'url.path': '/echo',
      'ws.close.code': 1000,
      'ws.messages_received': 1,
      'ws.messages_sent': 1,
      'ws.bytes_sent': 2 + 5 + 2 + 2,
      'ws.bytes_unsent': 0,
    },
  });
  expect(by('transport')).toMatchObject({ status: { code: 2 }, attributes: { 'ws.close.code': 1006 } });
  expect(by('shutdown')).toMatchObject({ status: { code: 0 }, attributes: { 'ws.close.code': 1001 } });
  expect(spans.find((span) => span.attributes['url.path'] === '/elsewhere')).toMatchObject({
    status: { code: 2, message: 'path' },
    attributes: { 'ws.refused': 'path' },
  });

  expect(spans.find((span) => span.attributes['ws.refused'] === 'origins')).toMatchObject({
    status: { code: 2, message: 'origins' },
    attributes: { 'url.path': '/echo' },
  });

  const points = got.metrics.flatMap(({ name, sum, gauge }) =>
    (sum ?? gauge).dataPoints.map((/** @type {any} */ point) => [
      [name, ...Object.values(attributes(point.attributes))].join(' '),
      Number(point.asInt ?? point.asDouble),
    ]),
  );
  expect(Object.fromEntries(points)).toMatchObject({
    'ws.connections': 0,
    'ws.accepted': 3,
    'ws.refused path': 1,
    'ws.refused origins': 1,
    'ws.closed remote 1000': 1,
    'ws.closed transport 1006': 1,
    'ws.closed shutdown 1001': 1,
    'ws.messages in': 2,
    'ws.messages out': 2,
    'ws.queued': 0,
  });
});
