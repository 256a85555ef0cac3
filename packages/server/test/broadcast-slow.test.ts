import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { collectGarbage } from '@ws/testing';
import type { BroadcastStream, BroadcastStreamOptions, ServerOptions, WebSocket } from '../src/index.js';
import { join, joinAll, portOf, stalled, start, type RawPeer } from './support.js';

const MiB = 2 ** 20;
const KiB64 = 65_536;

/** A client that does not read, and two that do. */
async function startWithStalled(options: ServerOptions = {}): Promise<{
  server: Awaited<ReturnType<typeof start>>;
  raw: RawPeer;
  slow: WebSocket;
  fast: Awaited<ReturnType<typeof joinAll>>;
}> {
  const server = await start(options);
  const raw = await stalled(portOf(server));
  const [slow] = server.clients;
  return { server, raw, slow: slow!, fast: await joinAll(server, 2) };
}

const written = (stream: BroadcastStream, chunk: Uint8Array | string): Promise<void> =>
  new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())));

/** Writing follows the fastest: none of these is to be a slow one beside it. */
async function allSent(fast: readonly { socket: WebSocket }[]): Promise<void> {
  for (const { socket } of fast) while (socket.bufferedAmount > 0) await turn();
}

/** Fills what the system takes for a client that does not read, and a bit with us. */
async function stuff(server: { broadcast: (data: Uint8Array, options: object) => unknown }, slow: WebSocket) {
  while (slow.bufferedAmount < 3 * KiB64) {
    server.broadcast(Buffer.alloc(KiB64), { filter: (socket: WebSocket) => socket === slow });
    await turn();
  }
}

test.each<[string, ServerOptions, BroadcastStreamOptions, number]>([
  ['maxQueue', {}, { maxQueue: MiB }, MiB],
  ["onSlow: 'close'", {}, { onSlow: 'close', maxQueue: MiB }, MiB],
  ["onSlow: 'skip', in mid-message", {}, { onSlow: 'skip', maxQueue: MiB }, MiB],
  ['slowConsumer of the server', { slowConsumer: { limit: MiB } }, {}, MiB],
  ['slowConsumer of the message', { slowConsumer: false }, { slowConsumer: { limit: MiB } }, MiB],
  ['the default', {}, {}, 16 * MiB],
])('%s: who stalls is cut at the limit, the others get everything', async (_name, ofServer, options, limit) => {
  const { server, raw, slow, fast } = await startWithStalled(ofServer);
  const stream = server.createBroadcast(options);
  let most = 0;
  let parts = 0;
  while (slow.readyState === slow.OPEN) {
    await written(stream, Buffer.alloc(KiB64, parts++));
    await allSent(fast);
    most = Math.max(most, slow.bufferedAmount);
  }
  expect(await slow.closed).toMatchObject({ initiator: 'limit', error: { code: 'WS_ERR_SLOW_CONSUMER' } });
  expect(most).toBeGreaterThan(limit / 2);
  expect(most).toBeLessThanOrEqual(limit + KiB64);
  stream.end('end');
  for (const { until } of fast) {
    const [message] = (await until(1)) as Buffer[];
    expect(message).toHaveLength(parts * KiB64 + 3);
    for (let i = 0; i < parts; i++) expect(message![i * KiB64]).toBe(i & 0xff);
  }
  raw.socket.destroy();
});

test.each<[string, BroadcastStreamOptions]>([
  ["onSlow: 'skip'", { onSlow: 'skip', maxQueue: KiB64 }],
  ['drop-newest', { slowConsumer: { policy: 'drop-newest', limit: KiB64 } }],
  ['drop-oldest', { slowConsumer: { policy: 'drop-oldest', limit: KiB64 } }],
])('%s: who is behind before it begins does not get the message, and stays', async (_name, options) => {
  const { server, raw, slow, fast } = await startWithStalled();
  await stuff(server, slow);
  const before = slow.bufferedAmount;
  const stream = server.createBroadcast(options);
  await written(stream, 'left out ');
  expect(slow.bufferedAmount).toBe(before);
  stream.end('for the slow');
  server.broadcast('end');
  for (const { until } of fast) expect(await until(2)).toEqual(['left out for the slow', 'end']);
  raw.socket.resume();
  await raw.until('end');
  expect(raw.received).not.toContain('left out');
  expect(slow.readyState).toBe(slow.OPEN);
});

test('below the limit it waits, and comes when the client reads again; then it has recovered', async () => {
  const { server, raw, slow, fast } = await startWithStalled({ perMessageDeflate: false });
  const events: string[] = [];
  server.on('slow', (socket) => events.push(socket === slow ? 'slow' : 'another'));
  server.on('recovered', (socket) => events.push(socket === slow ? 'recovered' : 'another'));
  const stream = server.createBroadcast({ onSlow: 'queue' });
  for (let i = 0; i < 100; i++) {
    await written(stream, Buffer.alloc(KiB64, 'x'));
    await allSent(fast);
  }
  expect(slow.bufferedAmount).toBeGreaterThan(MiB);
  stream.end('the end');
  await once(stream, 'finish');
  for (const { until } of fast) expect((await until(1))[0]).toHaveLength(100 * KiB64 + 7);
  const recovered = once(server, 'recovered');
  raw.socket.resume();
  await raw.until('the end');
  await recovered;
  expect(slow.bufferedAmount).toBe(0);
  expect(events.filter((event) => event !== 'another')).toEqual(['slow', 'recovered']);
});

test('many tiny parts: the limit counts what they cost', async () => {
  const { server, slow, fast } = await startWithStalled();
  await stuff(server, slow);
  const stream = server.createBroadcast({ maxQueue: MiB });
  let parts = 0;
  for (; slow.readyState === slow.OPEN; parts++) await written(stream, 'x');
  expect(parts).toBeLessThan(MiB / 256);
  stream.end();
  for (const { until } of fast) expect((await until(1))[0]).toHaveLength(parts);
});

test('B-41 one copy for all: ten stalled clients cost no more than one', async () => {
  const server = await start({ slowConsumer: false });
  for (let i = 0; i < 10; i++) await stalled(portOf(server));
  const slow = [...server.clients];
  const [fast] = await joinAll(server, 1);
  const stream = server.createBroadcast();
  for (const socket of slow) await stuff(server, socket);
  collectGarbage();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 160; i++) {
    await written(stream, Buffer.alloc(KiB64));
    if (fast!.socket.bufferedAmount > 0) await once(fast!.socket, 'drain');
  }
  expect(Math.min(...slow.map(({ bufferedAmount }) => bufferedAmount))).toBeGreaterThan(8 * MiB);
  collectGarbage();
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60 * MiB);
  stream.end();
  expect((await fast!.until(1))[0]).toHaveLength(160 * KiB64);
});

test('everybody stalls: the writer waits, and goes on with the first that reads again', async () => {
  const server = await start();
  const raws = [await stalled(portOf(server)), await stalled(portOf(server))];
  const stream = server.createBroadcast();
  const total = 64;
  let taken = 0;
  const all = (async () => {
    for (let i = 0; i < total; i++) {
      await written(stream, Buffer.alloc(MiB));
      taken++;
    }
  })();
  while (!stream.writableNeedDrain) await turn();
  for (let i = 0; i < 100; i++) await turn();
  expect(taken).toBeLessThan(total);
  const [first, second] = raws as [RawPeer, RawPeer];
  first.socket.removeAllListeners('data').resume();
  await all;
  expect([...server.clients].map(({ readyState }) => readyState)).toContain(1);
  second.socket.destroy();
  stream.end();
  await once(stream, 'finish');
});

test('a message in the making of the recipient itself comes first; the broadcast waits for it', async () => {
  const server = await start();
  const { client, socket } = await join(server);
  const own = socket.createOutgoing();
  own.write('own ');
  const stream = server.createBroadcast();
  stream.write('for ');
  stream.end('all');
  const got: string[] = [];
  client.on('message', (data) => got.push(String(data)));
  await turn();
  expect(stream.writableFinished).toBe(false);
  own.end('first');
  await once(stream, 'finish');
  while (got.length < 2) await once(client, 'message');
  expect(got).toEqual(['own first', 'for all']);
});
