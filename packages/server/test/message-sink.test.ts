import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ReadableStream } from 'node:stream/web';
import { setImmediate as turn } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  type Incoming,
  MessageError,
  PreparedMessage,
  type ServerOptions,
  type WebSocket,
  type WebSocketServer,
} from '../src/index.js';
import { inbox, join, joinAll, portOf, stalled, start } from './support.js';

const MiB = 2 ** 20;
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** A server that gives every message to everybody, in one line. */
async function startRelay(options: ServerOptions = {}): Promise<WebSocketServer> {
  const server = await start(options);
  server.on('connection', (socket) => socket.messages().pipe(server.messages));
  return server;
}

const failures = (sink: Writable): { code: unknown; message: string }[] => {
  const list: { code: unknown; message: string }[] = [];
  sink.on('failed', (error) => list.push({ code: error.code, message: error.message }));
  return list;
};

function* parts(breaksOff = false): Generator<string> {
  yield 'in ';
  yield 'parts';
  if (breaksOff) throw new Error('broken off');
}

test('B-29 each item is one message, in the order written', async () => {
  const server = await start();
  const clients = await joinAll(server, 2);
  const sink = server.messages;
  expect(sink).toBe(server.messages);
  const items = [
    'text',
    Buffer.from([1]),
    new Uint16Array([2]),
    new Uint8Array([3]).buffer,
    [4, 5],
    [Buffer.from([6]), Buffer.from([7])],
    ['one ', 'message'],
    new PreparedMessage('prepared'),
    parts(),
    (async function* () {
      yield* parts();
    })(),
    Readable.from([Buffer.from([8]), Buffer.from([9])]),
    ReadableStream.from(['web']),
    new Blob(['blob']),
    42,
    '',
  ];
  for (const item of items) sink.write(item);
  const expected = [
    'text',
    Buffer.from([1]),
    Buffer.from([2, 0]),
    Buffer.from([3]),
    Buffer.from([4, 5]),
    Buffer.from([6, 7]),
    'one message',
    'prepared',
    'in parts',
    'in parts',
    Buffer.from([8, 9]),
    'web',
    Buffer.from('blob'),
    '42',
    '',
  ];
  for (const { until } of clients) expect(await until(items.length)).toEqual(expected);
});

test('what is no message is a TypeError of who writes it; what is no part of one is a failure of that one', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const sink = server.messages;
  const failed = failures(sink);
  for (const item of [{}, true, Symbol('x'), () => 'x']) expect(() => sink.write(item)).toThrow(TypeError);
  expect(() => sink.end({})).toThrow(TypeError);
  expect(() => sink.write(null)).toThrow(TypeError);
  sink.write(['begins ', 5]);
  sink.write('goes on');
  expect(await one!.until(2)).toEqual(['begins ', 'goes on']);
  expect(failed).toEqual([{ code: undefined, message: 'a part of a message is number, expected a string or bytes' }]);
});

test('B-43 it has no end: end() writes, destroy() does nothing, and callbacks come in order', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const sink = server.messages;
  const called: string[] = [];
  sink.write('1', () => called.push('1'));
  sink.end('2', () => called.push('2'));
  sink.end(() => called.push('end'));
  sink.end('3', 'utf8', () => called.push('3'));
  sink.end();
  sink.destroy();
  sink.write('4', () => called.push('4'));
  expect(await one!.until(4)).toEqual(['1', '2', '3', '4']);
  expect(called).toEqual(['1', '2', 'end', '3', '4']);
  expect([sink.destroyed, sink.writable]).toEqual([false, true]);
});

test('sources come and go, and leave nothing behind', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const sink = server.messages;
  const failed = failures(sink);
  const before = sink.eventNames().map((name) => [name, sink.listenerCount(name)]);
  const stays = new Readable({ objectMode: true, read() {} });
  stays.pipe(sink);
  for (let i = 0; i < 20; i++) Readable.from([`${i}`]).pipe(sink);
  const broken = new Readable({ objectMode: true, read() {} });
  broken.pipe(sink);
  broken.destroy(new Error('broken')); // and nobody listens for it
  const unpiped = new Readable({ objectMode: true, read() {} });
  unpiped.on('error', () => {});
  unpiped.pipe(sink);
  unpiped.unpipe(sink);
  unpiped.destroy(new Error('not ours'));
  await one!.until(20);
  stays.push('still there');
  expect((await one!.until(21)).at(-1)).toBe('still there');
  expect(failed).toEqual([{ code: undefined, message: 'broken' }]);
  stays.unpipe(sink);
  await turn();
  expect(sink.eventNames().map((name) => [name, sink.listenerCount(name)])).toEqual(before);
});

test.each<[string, () => unknown]>([
  ['whole', () => Buffer.alloc(100_000)],
  ['in parts', () => Readable.from([Buffer.alloc(50_000), Buffer.alloc(50_000)])],
  ['in one part', () => Readable.from([Buffer.alloc(100_000)])],
])('who stands still keeps nothing from who comes later (messages %s)', async (_name, item) => {
  const server = await start();
  const still = await stalled(portOf(server));
  const sink = server.messages;
  for (let i = 0; i < 200; i++) sink.write(item());
  sink.write('last');
  let waiting: number;
  do {
    waiting = sink.writableLength;
    for (let i = 0; i < 20; i++) await turn();
  } while (waiting !== sink.writableLength);
  expect(waiting).toBeGreaterThan(0);
  const { client } = await join(server);
  await new Promise<void>((resolve) => client.on('message', (data) => String(data) === 'last' && resolve()));
  still.socket.destroy();
});

test('a message that comes slowly is listened to once, however many come meanwhile', async () => {
  const server = await start({ incoming: 'stream' });
  const { client, socket } = await join(server);
  const arrived = once(socket, 'incoming') as Promise<[Incoming]>;
  client.send('slow', { fin: false });
  const [incoming] = await arrived;
  server.messages.write(incoming);
  await turn();
  const listeners = incoming.listenerCount('data');
  await joinAll(server, 3);
  await turn();
  expect(incoming.listenerCount('data')).toBe(listeners + 1);
});

test.each<[string, ServerOptions]>([
  ['whole', {}],
  ['as streams', { incoming: 'stream' }],
  ['either way', { incoming: 'auto' }],
  ['compressed, as streams', { incoming: 'stream', perMessageDeflate: { threshold: 0 } }],
])('A-24: three clients, two at once, each gets every message once; one leaves (%s)', async (_name, options) => {
  const server = await startRelay(options);
  const all = [];
  for (let i = 0; i < 3; i++) {
    const both = await join(server, { perMessageDeflate: i > 0 });
    all.push({ ...both, ...inbox(both.client) });
  }
  const [a, b, c] = all as [(typeof all)[0], (typeof all)[0], (typeof all)[0]];
  a.client.send('text');
  b.client.send(Buffer.from([1, 2, 3]));
  c.client.send('in ', { fin: false });
  c.client.send('fragments');
  for (const { until } of all) {
    const got = await until(3);
    expect(got).toHaveLength(3);
    expect(new Set(got)).toEqual(new Set(['text', Buffer.from([1, 2, 3]), 'in fragments']));
  }
  b.client.close();
  await once(b.client, 'close');
  a.client.send('after');
  for (const { until } of [a, c]) expect((await until(4)).slice(3)).toEqual(['after']);
  expect(b.messages).toHaveLength(3);
});

test('A-16: two messages of 10 MiB in 100 fragments each, at the same time: unmixed for all, in bounded memory', async () => {
  const server = await startRelay({ incoming: 'stream', maxPayload: 16 * MiB });
  const clients = await joinAll(server, 3);
  const bodies = [randomBytes(10 * MiB), randomBytes(10 * MiB)];
  const size = Math.ceil((10 * MiB) / 100);
  for (let i = 0; i < 100; i++) {
    for (const [n, body] of bodies.entries()) {
      clients[n]!.client.send(body.subarray(i * size, (i + 1) * size), { fin: i === 99 });
    }
  }
  let most = 0;
  const watch = setInterval(() => {
    for (const { socket } of clients) most = Math.max(most, socket.bufferedAmount);
  }, 1);
  for (const { until } of clients) {
    expect((await until(2)).map((data) => sha256(data as Buffer)).sort()).toEqual(bodies.map(sha256).sort());
  }
  clearInterval(watch);
  expect(most).toBeLessThan(4 * MiB);
  server.messages.write('still writable');
  for (const { until } of clients) expect((await until(3))[2]).toBe('still writable');
});

test('A-16: a client cut in mid-message: an empty last frame for the others, who stay; it is told', async () => {
  const server = await startRelay({ incoming: 'stream' });
  const [cut, other, third] = await joinAll(server, 3);
  const failed = new Promise<[Error, unknown]>((resolve) => {
    server.messages.on('failed', (error, item) => {
      if (error instanceof MessageError) resolve([error, item]);
    });
  });
  const arrived = once(cut!.socket, 'incoming');
  cut!.client.send(Buffer.from('a\ud83d', 'utf8').subarray(0, 1), { fin: false, binary: false });
  cut!.client.send(Buffer.from('f09f98', 'hex'), { fin: false });
  const [message] = await arrived;
  while (message.readableDidRead === false) await turn();
  other!.client.send('from another');
  cut!.client.ping();
  await once(cut!.client, 'pong');
  cut!.client.terminate();
  for (const { until } of [other!, third!]) expect(await until(2)).toEqual(['a', 'from another']);
  const [error, item] = await failed;
  expect([error, item]).toEqual([expect.objectContaining({ code: 'WS_ERR_INCOMPLETE_MESSAGE' }), message]);
  expect([other, third].map((each) => each!.socket.readyState)).toEqual([1, 1]);
});

test('a message that was cut before its turn is left out', async () => {
  const server = await startRelay({ incoming: 'stream' });
  const [holds, cut, reads] = await joinAll(server, 3);
  holds!.client.send('first ', { fin: false });
  await once(holds!.socket, 'incoming');
  cut!.client.send('never', { fin: false });
  await once(cut!.socket, 'incoming');
  cut!.client.terminate();
  await cut!.socket.closed;
  holds!.client.send('message');
  reads!.client.send('second');
  expect(await reads!.until(2)).toEqual(['first message', 'second']);
});

test('pipeline() is done when its source is, with { end: false }', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  await pipeline(Readable.from(['a']), server.messages, { end: false });
  const broken = pipeline(Readable.from(parts(true)), server.messages, { end: false });
  await expect(broken).rejects.toThrow('broken off');
  server.messages.write('b');
  expect(await one!.until(4)).toEqual(['a', 'in ', 'parts', 'b']);
});

test("a 'failed' listener that throws stops nothing, and comes up by itself", async () => {
  const program = `
    import { WebSocketServer } from '@ws/server';
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const { messages } = new WebSocketServer({ noServer: true });
    messages.on('failed', () => { throw new Error('mine'); });
    messages.write(['x', 5]);
    messages.write('x', () => console.log('goes on'));`;
  const args = ['--no-warnings', '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url) });
  expect(stdout.trim().split('\n').sort()).toEqual(['goes on', 'uncaught mine']);
});

test('nobody takes anything: whoever writes waits, until one reads again or all are gone', async () => {
  const server = await start();
  const raws = [await stalled(portOf(server)), await stalled(portOf(server))];
  const source = Readable.from(
    Array.from({ length: 400 }, () => Buffer.alloc(65_536)),
    { objectMode: true },
  );
  source.pipe(server.messages);
  while (!server.messages.writableNeedDrain) await turn();
  for (let i = 0; i < 50; i++) await turn();
  expect(server.messages.writableLength).toBeGreaterThan(10);
  const [first, second] = [...server.clients] as [WebSocket, WebSocket];
  expect(Math.max(first.bufferedAmount, second.bufferedAmount)).toBeLessThan(MiB);
  raws[0]!.socket.removeAllListeners('data').resume();
  await once(first, 'drain');
  raws[0]!.socket.pause();
  raws[1]!.socket.destroy();
  while (server.clients.size > 1) await turn();
  while (!server.messages.writableNeedDrain && !source.readableEnded) await turn();
  raws[0]!.socket.destroy();
  if (!source.readableEnded) await once(source, 'end');
  await new Promise<void>((resolve) => server.messages.end(resolve));
});

test('the only one is given up as it falls behind: the message is over once, and a newcomer gets the next', async () => {
  const server = await start();
  server.on('slow', (socket) => socket.terminate());
  await stalled(portOf(server));
  const isOpen = (): boolean => [...server.clients].some((socket) => socket.readyState === socket.OPEN);
  while (isOpen()) await new Promise<void>((resolve) => server.messages.write(randomBytes(4 * MiB), () => resolve()));
  const { client } = await join(server);
  const { until } = inbox(client);
  await turn(); // the end of the turn in which it has come
  server.messages.write('behind');
  expect(await until(1)).toEqual(['behind']);
});
