import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryBudget, WebSocketServer } from '../src/index.js';
import {
  closed,
  handshake,
  inbox,
  join,
  manage,
  peer,
  portOf,
  RawPeer,
  refused,
  stalled,
  start,
  startHttp,
} from './support.js';

const NOTHING = {
  connections: 0,
  pending: 0,
  accepted: 0,
  refused: {},
  closed: {},
  messagesReceived: 0,
  messagesSent: 0,
  bytesReceived: 0,
  bytesSent: 0,
  bytesQueued: 0,
  memory: 0,
};

test('a new server has counted nothing', async () => {
  const { sizes, latency, ...counters } = (await start()).metrics();
  expect(counters).toEqual(NOTHING);
  for (const { count, sum, buckets } of [sizes, latency]) {
    expect([count, sum]).toEqual([0, 0]);
    expect(buckets.at(-1)).toEqual({ le: Infinity, count: 0 });
    expect(buckets.map(({ le }) => le)).toEqual(buckets.map(({ le }) => le).sort((a, b) => a - b));
  }
});

test('counts for itself, whatever a program has assigned to the counters of a socket', async () => {
  const server = await start();
  const { client, socket } = await join(server);
  Object.assign(socket, { bytesReceived: 'many', bytesSent: -1, messagesReceived: 0, messagesSent: null, stats: {} });
  client.send('x');
  await once(socket, 'message');
  const counted = { bytesReceived: 7, bytesSent: 0, messagesReceived: 1, messagesSent: 0 };
  expect(server.metrics()).toMatchObject(counted);
  client.terminate();
  await once(socket, 'close');
  expect(server.metrics()).toMatchObject({ connections: 0, ...counted });
});

test.each([{ clientTracking: true }, { clientTracking: false }])(
  'counts what passes, also on connections that are gone: %j',
  async (options) => {
    const server = await start(options);
    let [received, sent] = [0, 0];
    for (let i = 0; i < 3; i++) {
      const { client, socket } = await join(server);
      const { until } = inbox(client);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      client.send('x'.repeat(100));
      client.send(Buffer.alloc(300));
      await until(2);
      received += 100 + 2 + 4 + 300 + 4 + 4;
      sent += 100 + 2 + 300 + 4;
      expect(server.metrics()).toMatchObject({
        connections: 1,
        accepted: i + 1,
        bytesReceived: received,
        bytesSent: sent,
      });
      client.close(4000 + i);
      await socket.closed;
      received += 2 + 4 + 2;
      sent += 2 + 2;
    }
    const { sizes, latency, ...counters } = server.metrics();
    expect(counters).toEqual({
      ...NOTHING,
      accepted: 3,
      closed: { remote: { 4000: 1, 4001: 1, 4002: 1 } },
      messagesReceived: 6,
      messagesSent: 6,
      bytesReceived: received,
      bytesSent: sent,
    });
    expect(sizes).toMatchObject({ count: 6, sum: 1200 });
    expect(sizes.buckets.find(({ le }) => le === 256)?.count).toBe(3);
    expect(latency.count).toBe(0);
  },
);

test('is a snapshot: what comes later does not change it', async () => {
  const server = await start();
  const before = server.metrics();
  const copy = structuredClone(before);
  const { client, socket } = await join(server);
  client.send('something');
  await once(socket, 'message');
  expect(before).toEqual(copy);
});

test('ends by who was the cause, and with which code', async () => {
  const server = await start({ maxPayload: 10, closeTimeout: 50 });
  const end = async (act: (both: Awaited<ReturnType<typeof join>>) => void): Promise<void> => {
    const both = await join(server);
    act(both);
    await both.socket.closed;
  };
  await end(({ client }) => client.close());
  await end(({ client }) => client.terminate());
  await end(({ client }) => client.send('x'.repeat(11)));
  await end(({ socket }) => socket.close(1000));
  await end(({ socket }) => socket.close(4321));
  await end(({ socket }) => socket.terminate());
  expect(server.metrics().closed).toEqual({
    remote: { 1005: 1 },
    transport: { 1006: 1 },
    limit: { 1009: 1 },
    local: { 1000: 1, 4321: 1, 1006: 1 },
  });
});

test('refusals by reason: with the event, and at the door without one', async () => {
  const server = await start({ path: '/here', maxConnections: 1, origins: ['https://a.example'] });
  const events: string[] = [];
  server.on('refused', (reason) => events.push(reason));
  const port = portOf(server);
  await refused(peer(port, '/there'));
  await refused(peer(port, '/there'));
  await refused(peer(port, '/here', [], { origin: 'https://b.example' }));
  const client = peer(port, '/here');
  await once(client, 'open');
  await refused(peer(port, '/here'));
  expect(events).toEqual(['path', 'path', 'origins', 'maxConnections']);
  const silent = Array.from({ length: 64 }, () => new RawPeer(port)); // while so many wait, nobody is asked what he wants
  await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
  expect(await new RawPeer(port).closed).toContain(' 503 ');
  expect(server.metrics().refused).toEqual({ path: 2, origins: 1, maxConnections: 2 });
  expect(events).toHaveLength(4);
});

test('who is on the way: a silent TCP connection, and a handshake that user code decides over', async () => {
  const asked: ((accept: boolean) => void)[] = [];
  const server = await start({ verifyClient: () => new Promise<boolean>((resolve) => asked.push(resolve)) });
  const silent = new RawPeer(portOf(server));
  const waiting = new RawPeer(portOf(server)).write(handshake());
  while (server.metrics().pending < 2 || asked.length === 0) await new Promise(setImmediate);
  for (const decide of asked) decide(true);
  await waiting.until(' 101 ');
  expect(server.metrics()).toMatchObject({ pending: 1, connections: 1, accepted: 1 });
  silent.socket.destroy();
  while (server.metrics().pending > 0) await new Promise(setImmediate);
});

test('what waits to be sent is in bytesQueued and in memory, and in neither when the connection is gone', async () => {
  const server = await start();
  const stuck = await stalled(portOf(server));
  const [socket] = server.clients;
  socket?.send(Buffer.alloc(12_000_000));
  const { bytesQueued, memory } = server.metrics();
  expect(bytesQueued).toBe(socket?.bufferedAmount);
  expect(bytesQueued).toBeGreaterThan(1_000_000);
  expect(memory).toBeGreaterThanOrEqual(bytesQueued);
  stuck.socket.destroy();
  await socket?.closed;
  expect(server.metrics()).toMatchObject({ bytesQueued: 0, memory: 0, connections: 0 });
});

test('memory is that of the budget, of all who share it; without one it is 0', async () => {
  const budget = new MemoryBudget(100_000_000);
  const [a, b] = [await start({ memoryLimit: budget }), await start({ memoryLimit: budget })];
  const unlimited = await start({ memoryLimit: false });
  for (const server of [a, unlimited]) {
    await stalled(portOf(server));
    [...server.clients][0]?.send(Buffer.alloc(12_000_000));
  }
  expect(a.metrics().memory).toBeGreaterThan(1_000_000);
  expect(b.metrics().memory).toBe(a.metrics().memory);
  expect(unlimited.metrics().memory).toBe(0);
});

test('a connection through handleUpgrade counts too; a socket that the WebSocket class kept from us does not', async () => {
  const httpServer = await startHttp(createServer());
  const server = manage(new WebSocketServer({ noServer: true }));
  httpServer.on('upgrade', (request, socket, head) => {
    if (request.url === '/no') return void socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
    server.handleUpgrade(request, socket, head, (each) => server.emit('connection', each, request));
  });
  const client = peer(portOf(httpServer));
  await once(client, 'open');
  await refused(peer(portOf(httpServer), '/no'));
  expect(server.metrics()).toMatchObject({ accepted: 1, connections: 1, refused: {} });
  const [socket] = server.clients;
  client.terminate();
  await closed(socket!.duplex!);
});

test('for any number of messages of any sizes, the counters are exact', async () => {
  const server = await start({ maxPayload: 0 });
  server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  const total = { messages: 0, bytes: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 10 }),
      async (lengths) => {
        const { client, socket } = await join(server);
        const { until } = inbox(client);
        for (const length of lengths) client.send(Buffer.alloc(length));
        await until(lengths.length);
        client.close();
        await socket.closed;
        total.messages += lengths.length;
        total.bytes += lengths.reduce((sum, length) => sum + length, 0);
        const { messagesReceived, messagesSent, sizes, connections } = server.metrics();
        expect({ messagesReceived, messagesSent, connections }).toEqual({
          messagesReceived: total.messages,
          messagesSent: total.messages,
          connections: 0,
        });
        expect([sizes.count, sizes.sum]).toEqual([total.messages, total.bytes]);
      },
    ),
    { numRuns: 20 },
  );
});
