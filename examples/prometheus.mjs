// An echo server, watched by Prometheus: ws://localhost:8080, and http://localhost:9090/metrics to scrape.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from '@ws/server';
import { Registry } from 'prom-client';

const { PORT = '8080', METRICS_PORT = '9090' } = process.env;

const server = new WebSocketServer({ port: Number(PORT) });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

/** @typedef {{ value: number, labels?: Record<string, string>, metricName?: string }} Value */

const registry = new Registry();
/** What all metrics of one scrape are made of: the server is asked once. */
let now = server.metrics();

/**
 * A metric whose values the server has already: nothing has to be counted a second time.
 * @param {string} name
 * @param {'counter' | 'gauge' | 'histogram'} type
 * @param {string} help
 * @param {() => Value[]} values
 */
function expose(name, type, help, values) {
  const get = async () => ({ name, type, help, aggregator: 'sum', values: values() });
  registry.registerMetric(/** @type {any} */ ({ name, get, reset() {} }));
}

/**
 * @param {string} name
 * @param {import('@ws/server').Histogram} histogram
 * @param {number} unit of what it counts, in that of the metric
 * @returns {Value[]}
 */
function histogramValues(name, { count, sum, buckets }, unit = 1) {
  return [
    ...buckets.map((bucket) => ({
      metricName: `${name}_bucket`,
      labels: { le: bucket.le === Infinity ? '+Inf' : String(bucket.le * unit) },
      value: bucket.count,
    })),
    { metricName: `${name}_sum`, value: sum * unit },
    { metricName: `${name}_count`, value: count },
  ];
}

expose('ws_connections', 'gauge', 'Open connections', () => [{ value: now.connections }]);
expose('ws_pending', 'gauge', 'Clients on the way to a connection', () => [{ value: now.pending }]);
expose('ws_queued_bytes', 'gauge', 'Bytes that wait to be sent', () => [{ value: now.bytesQueued }]);
expose('ws_memory_bytes', 'gauge', 'Bytes that count towards memoryLimit', () => [{ value: now.memory }]);
expose('ws_accepted_total', 'counter', 'Connections so far', () => [{ value: now.accepted }]);
expose('ws_refused_total', 'counter', 'Clients turned away', () =>
  Object.entries(now.refused).map(([reason, value]) => ({ labels: { reason }, value })),
);
expose('ws_closed_total', 'counter', 'Connections that are gone, by who ended them and with which code', () =>
  Object.entries(now.closed).flatMap(([initiator, codes]) =>
    Object.entries(codes).map(([code, value]) => ({ labels: { initiator, code }, value })),
  ),
);
expose('ws_messages_total', 'counter', 'Messages', () => [
  { labels: { direction: 'in' }, value: now.messagesReceived },
  { labels: { direction: 'out' }, value: now.messagesSent },
]);
expose('ws_bytes_total', 'counter', 'Bytes on the wire', () => [
  { labels: { direction: 'in' }, value: now.bytesReceived },
  { labels: { direction: 'out' }, value: now.bytesSent },
]);
expose('ws_message_size_bytes', 'histogram', 'Sizes of messages received', () =>
  histogramValues('ws_message_size_bytes', now.sizes),
);
expose('ws_latency_seconds', 'histogram', 'From a ping to its pong', () =>
  histogramValues('ws_latency_seconds', now.latency, 1 / 1000),
);

const scraped = createServer(async (request, response) => {
  if (request.url !== '/metrics') return void response.writeHead(404).end();
  now = server.metrics();
  response.setHeader('Content-Type', registry.contentType);
  response.end(await registry.metrics());
});
scraped.listen(Number(METRICS_PORT));

await Promise.all([once(server, 'listening'), once(scraped, 'listening')]);
/** @param {{ address(): unknown }} listener */
const portOf = (listener) => /** @type {import('node:net').AddressInfo} */ (listener.address()).port;
console.log(`ws://localhost:${portOf(server)} http://localhost:${portOf(scraped)}/metrics`);

process.once('SIGTERM', async () => {
  await server.shutdown();
  scraped.close();
});
