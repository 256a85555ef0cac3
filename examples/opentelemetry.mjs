// An echo server, watched by OpenTelemetry: ws://localhost:8080; metrics, and a span for each connection, go to OTEL_EXPORTER_OTLP_ENDPOINT.
import { subscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { WebSocketServer } from '@ws/server';

const traces = new BasicTracerProvider({ spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())] });
const metrics = new MeterProvider({
  readers: [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() })],
});

traceConnections(traces.getTracer('ws'));

const server = new WebSocketServer({ port: Number(process.env['PORT'] ?? 8080), path: '/echo' });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
observe(metrics.getMeter('ws'), server);

/**
 * A span for each connection of each server in the process, whoever made it: docs/diagnostics.md has the fields.
 * @param {import('@opentelemetry/api').Tracer} tracer
 */
function traceConnections(tracer) {
  /** By request until it is open, then by socket. @type {WeakMap<object, import('@opentelemetry/api').Span>} */
  const spans = new WeakMap();
  const on = (/** @type {string} */ name, /** @type {(told: any) => void} */ listener) => subscribe(name, listener);

  const begin = (
    /** @type {import('node:http').IncomingMessage | undefined} */ request,
    address = request?.socket.remoteAddress,
  ) =>
    tracer.startSpan('websocket', {
      kind: SpanKind.SERVER,
      attributes: { 'url.path': request?.url, 'client.address': address },
    });

  on('ws:handshake', ({ role, request }) => {
    if (role === 'server') spans.set(request, begin(request));
  });
  on('ws:refused', ({ request, reason, remoteAddress }) => {
    // There was no handshake for who was turned away before his request was read, or asked for a path that nobody serves.
    const span = (request && spans.get(request)) ?? begin(request, remoteAddress);
    span.setAttribute('ws.refused', reason).setStatus({ code: SpanStatusCode.ERROR, message: reason }).end();
  });
  on('ws:open', ({ socket, request }) => {
    const span = request && spans.get(request);
    if (!span) return;
    span.addEvent('open').setAttribute('ws.protocol', socket.protocol);
    spans.set(socket, span);
  });
  on('ws:backpressure', ({ socket, state, bufferedAmount }) => {
    spans.get(socket)?.addEvent(`backpressure ${state}`, { 'ws.buffered_bytes': bufferedAmount });
  });
  on('ws:close', ({ socket, info }) => {
    const span = spans.get(socket);
    if (!span) return;
    const { messagesReceived, messagesSent, bytesReceived, bytesSent } = socket;
    span.setAttributes({
      'ws.close.initiator': info.initiator,
      'ws.close.code': info.code,
      'ws.bytes_unsent': info.bytesUnsent,
      'ws.messages_received': messagesReceived,
      'ws.messages_sent': messagesSent,
      'ws.bytes_received': bytesReceived,
      'ws.bytes_sent': bytesSent,
    });
    if (!info.wasClean) span.setStatus({ code: SpanStatusCode.ERROR, message: info.error?.message ?? info.initiator });
    span.end();
  });
}

/**
 * What the server counts by itself, read once each time that metrics are exported.
 * @param {import('@opentelemetry/api').Meter} meter
 * @param {import('@ws/server').WebSocketServer} watched
 */
function observe(meter, watched) {
  const connections = meter.createObservableUpDownCounter('ws.connections');
  const queued = meter.createObservableGauge('ws.queued', { unit: 'By' });
  const memory = meter.createObservableGauge('ws.memory', { unit: 'By' });
  const accepted = meter.createObservableCounter('ws.accepted');
  const refused = meter.createObservableCounter('ws.refused');
  const closed = meter.createObservableCounter('ws.closed');
  const messages = meter.createObservableCounter('ws.messages');
  const bytes = meter.createObservableCounter('ws.bytes', { unit: 'By' });
  const all = [connections, queued, memory, accepted, refused, closed, messages, bytes];
  meter.addBatchObservableCallback((result) => {
    const now = watched.metrics();
    result.observe(connections, now.connections);
    result.observe(queued, now.bytesQueued);
    result.observe(memory, now.memory);
    result.observe(accepted, now.accepted);
    for (const [reason, count] of Object.entries(now.refused)) result.observe(refused, count, { reason });
    for (const [initiator, codes] of Object.entries(now.closed))
      for (const [code, count] of Object.entries(codes)) result.observe(closed, count, { initiator, code });
    result.observe(messages, now.messagesReceived, { direction: 'in' });
    result.observe(messages, now.messagesSent, { direction: 'out' });
    result.observe(bytes, now.bytesReceived, { direction: 'in' });
    result.observe(bytes, now.bytesSent, { direction: 'out' });
  }, all);
}

await once(server, 'listening');
console.log(`ws://localhost:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}/echo`);

process.once('SIGTERM', async () => {
  await server.shutdown();
  await Promise.all([traces.shutdown(), metrics.shutdown()]); // with what has not been sent yet
});
