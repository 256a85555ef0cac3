import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { WebSocketServer } from '../src/index.js';
import { closed, handshake, portOf, RawPeer, startHttp } from './support.js';

const ODD: unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  -0,
  1,
  2,
  7,
  1.5,
  -1,
  NaN,
  Infinity,
  1e-9,
  65_536,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 53,
  '',
  '1',
  'x',
  'close',
  'wait',
  'conflate',
  'auto',
  'stream',
  10n,
];
const odd = fc.constantFrom(...ODD);
const oddObject = (...names: string[]): fc.Arbitrary<unknown> =>
  fc.oneof(odd, fc.record(Object.fromEntries(names.map((name) => [name, odd])), { requiredKeys: [] }));
const bucket = oddObject('rate', 'burst', 'exceeded', 'brust');
const named = (names: string[], values: fc.Arbitrary<unknown>): Record<string, fc.Arbitrary<unknown>> =>
  Object.fromEntries(names.map((name) => [name, values]));

/** Those that every connection is made with, and limits; none by which the first client may be refused. */
const OPTIONS: Record<string, fc.Arbitrary<unknown>> = {
  ...named(['allowSynchronousEvents', 'autoPong', 'skipUTF8Validation', 'strictLength', 'clientTracking'], odd),
  ...named(['closeTimeout', 'idleTimeout', 'maxLifetime', 'messageTimeout', 'minProgressRate'], odd),
  ...named(['fragmentSize', 'highWaterMark', 'incoming', 'streamThreshold', 'maxDeclaredFrame'], odd),
  ...named(['maxBufferedChunks', 'maxFragments', 'maxPayload', 'memoryLimit', 'meter', 'generateMask'], odd),
  ...named(['maxConnections', 'maxConnectionsPerAddress', 'maxPending', 'handshakeTimeout', 'trustProxy'], odd),
  heartbeat: oddObject('interval', 'timeout', 'other'),
  slowConsumer: oddObject('highWaterMark', 'limit', 'policy', 'other'),
  rateLimit: fc.oneof(
    odd,
    fc.record({ messages: bucket, bytes: bucket, handshakes: bucket, exceeded: odd }, { requiredKeys: [] }),
  ),
  perMessageDeflate: oddObject('threshold', 'thresholdMode', 'maxRatio', 'maxContexts', 'serverMaxWindowBits'),
};
const few = fc
  .subarray(Object.keys(OPTIONS), { minLength: 1, maxLength: 3 })
  .chain((names) => fc.record(Object.fromEntries(names.map((name) => [name, OPTIONS[name]!]))));

const OFFER = handshake({ 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' });

test('with whatever options the constructor takes, the first handshake gets 101', async () => {
  const http = await startHttp(createServer());
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(few, async (options) => {
      let server: WebSocketServer;
      try {
        server = new WebSocketServer({ noServer: true, ...options });
      } catch (error) {
        return expect(['TypeError', 'RangeError']).toContain((error as Error).name);
      }
      taken++;
      const refusals: unknown[] = [];
      server.on('refused', (...told) => refusals.push(told));
      const thrown: unknown[] = [];
      http.once('upgrade', (request: IncomingMessage, stream: Duplex, head: Buffer) => {
        try {
          server.handleUpgrade(request, stream, head, () => {});
        } catch (error) {
          thrown.push(error);
        }
      });
      const raw = new RawPeer(portOf(http)).write(OFFER);
      const text = await Promise.race([raw.until('\r\n\r\n'), raw.closed]);
      expect([text.slice(0, 12), thrown, refusals]).toEqual(['HTTP/1.1 101', [], []]);
      raw.socket.resetAndDestroy();
      await closed(raw.socket);
      return undefined;
    }),
    { numRuns: 400 },
  );
  expect(taken).toBeGreaterThan(40);
}, 60_000);

test.each<[string, unknown]>([
  ['every option at an odd value alone', {}],
  ['the same beside others', { heartbeat: { interval: 1 }, rateLimit: { messages: { rate: 1 } } }],
])('the same, one by one: %s', async (_name, others) => {
  const http = await startHttp(createServer());
  const odds = [false, 0, 1, 1.5, Infinity, 1e-9, 2 ** 31 - 1];
  const values = [...odds, {}, ...odds.map((rate) => ({ rate })), ...odds.map((limit) => ({ limit }))];
  const names = [
    'heartbeat',
    'slowConsumer',
    'rateLimit',
    'idleTimeout',
    'closeTimeout',
    'highWaterMark',
    'maxPayload',
  ];
  for (const name of names) {
    for (const value of name === 'rateLimit'
      ? values.flatMap((each) => [{ messages: each }, { handshakes: each }])
      : values) {
      let server: WebSocketServer;
      try {
        server = new WebSocketServer({ server: http, ...(others as object), [name]: value });
      } catch (error) {
        expect(String(error)).toContain(name);
        continue;
      }
      const arrived = once(server, 'connection');
      const raw = new RawPeer(portOf(http)).write(OFFER);
      expect(await Promise.race([raw.until('\r\n\r\n'), raw.closed])).toMatch(/^HTTP\/1\.1 101 /);
      const [socket] = await arrived;
      socket.terminate();
      await raw.closed;
      server.close();
    }
  }
});
