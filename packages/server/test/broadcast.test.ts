import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { WebSocketServer, PreparedMessage, type WebSocket } from '../src/index.js';
import { closed, first, inbox, join, joinAll, manage, portOf, stalled, start } from './support.js';

test.each([
  ['text', 'hello', {}, 'hello'],
  ['a number as text', 42, {}, '42'],
  ['bytes', Buffer.from([1, 2, 3]), {}, Buffer.from([1, 2, 3])],
  ['bytes as text', Buffer.from('hello'), { binary: false }, 'hello'],
  ['text as bytes', 'hello', { binary: true }, Buffer.from('hello')],
  ['an array', [1, 2, 3], {}, Buffer.from([1, 2, 3])],
  ['nothing', '', {}, ''],
  ['a prepared message', new PreparedMessage('ready', { binary: true }), { binary: false }, Buffer.from('ready')],
])('A-10: %s reaches three clients once', async (_name, data, options, expected) => {
  const server = await start();
  const clients = await joinAll(server, 3);
  expect(server.broadcast(data, options)).toEqual({ sent: 3, queued: 0, dropped: 0 });
  expect(server.broadcast('end')).toEqual({ sent: 3, queued: 0, dropped: 0 });
  for (const { until } of clients) expect(await until(2)).toEqual([expected, 'end']);
});

test('nobody there: nothing happens', async () => {
  expect((await start()).broadcast('x')).toEqual({ sent: 0, queued: 0, dropped: 0 });
});

test('a buffer may be changed as soon as the call returns', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const data = Buffer.alloc(100_000, 1);
  server.broadcast(data);
  data.fill(2);
  expect(await one!.until(1)).toEqual([Buffer.alloc(100_000, 1)]);
});

test('except: a socket, or any iterable of sockets; filter; both', async () => {
  const server = await start<number>();
  const all = [];
  for (let i = 0; i < 4; i++) {
    const { client, socket } = await join(server);
    socket.data = i;
    all.push({ socket, ...inbox(client) });
  }
  const sockets = all.map(({ socket }) => socket);
  function* firstTwo(): Generator<WebSocket<number>> {
    yield* sockets.slice(0, 2);
  }
  expect(server.broadcast('a', { except: first(sockets) }).sent).toBe(3);
  expect(server.broadcast('b', { except: new Set(sockets.slice(1)) }).sent).toBe(1);
  expect(server.broadcast('c', { except: firstTwo() }).sent).toBe(2);
  expect(server.broadcast('d', { filter: ({ data }) => data % 2 === 1 }).sent).toBe(2);
  expect(server.broadcast('e', { except: sockets[1], filter: ({ data }) => data % 2 === 1 }).sent).toBe(1);
  expect(server.broadcast('f', { except: null }).sent).toBe(4);
  expect(server.broadcast('g', { except: [] }).sent).toBe(4);
  const got = await Promise.all(all.map(({ until }, i) => until([3, 4, 4, 6][i]!)));
  expect(got.map((messages) => messages.join(''))).toEqual(['bfg', 'adfg', 'acfg', 'acdefg']);
});

test('only who is open: not who is leaving', async () => {
  const server = await start();
  const [one, two] = await joinAll(server, 2);
  one!.socket.close(4000);
  expect(server.broadcast('x')).toEqual({ sent: 1, queued: 0, dropped: 0 });
  expect(await two!.until(1)).toEqual(['x']);
  await once(one!.client, 'close');
  expect(one!.messages).toEqual([]);
});

test.each<[string, unknown, object, string | RegExp]>([
  ['data', Symbol('x'), {}, 'cannot send a symbol'],
  ['filter', 'x', { filter: true }, 'filter is boolean, expected a function'],
  ['except', 'x', { except: 5 }, 'except is neither a WebSocket nor an iterable of them'],
  ['except', 'x', { except: {} }, 'except is neither a WebSocket nor an iterable of them'],
  ['slowConsumer', 'x', { slowConsumer: { limit: -1 } }, /^slowConsumer.limit is -1/],
  [
    'an async filter, which would be true for everybody',
    'x',
    { filter: async () => false },
    'filter gave a Promise, expected a boolean',
  ],
])('a mistake in %s is told before anything is sent', async (_name, data, options, message) => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  expect(() => server.broadcast(data as string, options)).toThrow(message);
  server.broadcast('end');
  expect(await one!.until(1)).toEqual(['end']);
});

test('a filter that throws, for the last client: nobody gets anything', async () => {
  const server = await start();
  const clients = await joinAll(server, 3);
  const { socket: last } = clients[2]!;
  const filter = (socket: WebSocket): boolean => {
    if (socket === last) throw new Error('oops');
    return true;
  };
  expect(() => server.broadcast('x', { filter })).toThrow('oops');
  server.broadcast('end');
  for (const { until } of clients) expect(await until(1)).toEqual(['end']);
});

test.each<[string, (server: WebSocketServer) => unknown]>([
  ['broadcast', (server) => server.broadcast('x')],
  ['createBroadcast', (server) => server.createBroadcast()],
  ['messages', (server) => server.messages],
])('without clientTracking, %s says why not', (name, use) => {
  const server = new WebSocketServer({ noServer: true, clientTracking: false });
  expect(() => use(server)).toThrow(TypeError);
  expect(() => use(server)).toThrow(`${name} needs to know the clients: it cannot be used with clientTracking: false`);
});

test('without clientTracking, slow clients are told of all the same', async () => {
  const server = await start({ clientTracking: false });
  const slow = once(server, 'slow');
  server.on('connection', (socket) => socket.send(Buffer.alloc(2 ** 24)));
  await stalled(portOf(server));
  expect((await slow)[1]).toMatchObject({ dropped: 0, ms: 0 });
});

test('clients that come and go inside the call change nothing for the others', async () => {
  const server = await start({ slowConsumer: { limit: 2 ** 24, highWaterMark: 1000 } });
  const clients = await joinAll(server, 4);
  const late = manage(new WebSocketServer({ noServer: true }));
  server.once('slow', (socket) => {
    clients[3]!.socket.terminate();
    server.clients.delete(clients[3]!.socket);
    server.clients.add(late as never); // would not be taken for a socket
    expect(socket).toBe(clients[0]!.socket);
  });
  const { dropped, sent, queued } = server.broadcast(Buffer.alloc(2000));
  server.clients.delete(late as never);
  expect([dropped, sent + queued]).toEqual([1, 3]);
  for (const { until } of clients.slice(0, 3)) expect(await until(1)).toHaveLength(1);
  expect(clients[3]!.messages).toEqual([]);
});

/** Runs a program with a server of three clients in memory; what it prints, sorted. */
async function run(program: string): Promise<string[]> {
  const prelude = `
    import { createPair } from '@ws/connection';
    import { WebSocketServer } from '@ws/server';
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const server = new WebSocketServer({ noServer: true });
    const pairs = [1, 2, 3].map(() => createPair({ highWaterMark: 1000, slowConsumer: { limit: 2 ** 24 } }));
    for (const { server: socket } of pairs) server.clients.add(socket);
    for (const [i, { client }] of pairs.entries()) client.on('message', (data) => console.log(i, data.length));`;
  const args = ['--no-warnings', '--input-type=module', '-e', prelude + program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url) });
  return stdout.trim().split('\n').sort();
}

test("a 'slow' listener that throws stops nothing, and comes up by itself", async () => {
  const lines = await run(`
    pairs[0].server.once('slow', () => { throw new Error('oops'); });
    console.log(JSON.stringify(server.broadcast(Buffer.alloc(2000))));
    console.log('goes on');`);
  expect(lines).toEqual([
    '0 2000',
    '1 2000',
    '2 2000',
    'goes on',
    'uncaught oops',
    '{"sent":0,"queued":3,"dropped":0}',
  ]);
});

test('also from inside a streamed message', async () => {
  const lines = await run(`
    pairs[0].server.once('slow', () => { throw new Error('oops'); });
    const stream = server.createBroadcast();
    stream.write(Buffer.alloc(2000));
    stream.write(Buffer.alloc(2000));
    stream.end('', () => console.log('finished'));`);
  expect(lines).toEqual(['0 4000', '1 4000', '2 4000', 'finished', 'uncaught oops']);
});

test('a stream that is destroyed from inside its write: all get the same, and its end', async () => {
  const lines = await run(`
    const stream = server.createBroadcast();
    pairs[1].server.once('slow', () => stream.destroy());
    stream.write(Buffer.alloc(2000));
    stream.on('close', () => console.log('closed'));`);
  expect(lines).toEqual(['0 2000', '1 2000', '2 2000', 'closed']);
});

test('a socket that cannot send, and ends itself, is one that was left out', async () => {
  const lines = await run(`
    pairs[1].server.offer = function () { this.terminate(); throw new Error('broken'); };
    console.log(JSON.stringify(server.broadcast('x')));`);
  expect(lines).toEqual(['0 1', '2 1', 'uncaught broken', '{"sent":2,"queued":0,"dropped":1}']);
});

const KiB64 = Buffer.alloc(65_536, 7);

test("a stalled client beside fast ones: 'close' cuts it at the limit, and the others get all of it in order", async () => {
  const server = await start({ slowConsumer: { limit: 2 ** 20 } });
  const raw = await stalled(portOf(server));
  const [slowSocket] = server.clients;
  const clients = await joinAll(server, 3);
  const slow = once(server, 'slow');
  const outcomes = { sent: 0, queued: 0, dropped: 0 };
  let most = 0;
  for (let i = 0; i < 300; i++) {
    const report = server.broadcast(Buffer.concat([Buffer.from([i >> 8, i]), KiB64]));
    for (const [name, count] of Object.entries(report)) outcomes[name as 'sent'] += count;
    most = Math.max(most, slowSocket!.bufferedAmount);
    // At the pace of the others.
    await Promise.all(clients.map(({ until }) => until(i + 1)));
  }
  expect((await slow)[0]).toBe(slowSocket);
  expect(await slowSocket!.closed).toMatchObject({
    code: 1006,
    initiator: 'limit',
    error: { code: 'WS_ERR_SLOW_CONSUMER', closeCode: 1013 },
  });
  expect(most).toBeLessThan(2 ** 20 + 2 * 65_538);
  expect(outcomes.dropped).toBe(1);
  for (const { messages } of clients) {
    expect(messages.map((data) => (data as Buffer).readUInt16BE())).toEqual(Array.from({ length: 300 }, (_, i) => i));
  }
  raw.socket.resume();
  await raw.closed;
});

test('conflate by key: a stalled client gets the newest of each, and recovers', async () => {
  const server = await start();
  const raw = await stalled(portOf(server));
  const [slowSocket] = server.clients;
  const [fast] = await joinAll(server, 1);
  const events: string[] = [];
  server.on('slow', (socket, info) => events.push(`slow ${socket === slowSocket} ${info.dropped}`));
  server.on('recovered', (socket, info) => events.push(`recovered ${socket === slowSocket} ${info.dropped > 100}`));
  while (slowSocket!.bufferedAmount < 200_000) server.broadcast(KiB64, { filter: (socket) => socket === slowSocket });
  const slowConsumer = { policy: 'conflate', limit: 2 ** 20 } as const;
  for (let i = 0; i < 100; i++) {
    server.broadcast(`price ${i}`, { key: 'price', slowConsumer });
    server.broadcast(`volume ${i}`, { key: 'volume', slowConsumer });
  }
  const recovered = once(server, 'recovered');
  raw.socket.resume();
  await recovered;
  await raw.until('volume 99');
  expect(raw.received).not.toMatch(/price 98|volume 98|price 0/);
  expect(raw.received).toContain('price 99');
  expect(events).toEqual(['slow true 0', 'recovered true true']);
  expect((await fast!.until(200)).at(-1)).toBe('volume 99');
  raw.socket.destroy();
  await closed(raw.socket);
});

test('with permessage-deflate, who agreed and who did not get the same', async () => {
  const server = await start({ perMessageDeflate: { threshold: 0 } });
  const plain = await join(server);
  const deflating = await join(server, { perMessageDeflate: true });
  expect([plain.socket.extensions, deflating.socket.extensions]).toEqual(['', 'permessage-deflate']);
  const boxes = [plain, deflating].map(({ client }) => inbox(client));
  const text = 'all the same '.repeat(1000);
  server.broadcast(text);
  server.broadcast(text, { compress: false });
  server.broadcast('end');
  for (const { until } of boxes) expect(await until(3)).toEqual([text, text, 'end']);
  expect(plain.socket.bytesSent - deflating.socket.bytesSent).toBeGreaterThan(12_000);
});
