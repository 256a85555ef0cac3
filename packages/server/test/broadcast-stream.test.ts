import { expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable, type Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { MemoryBudget, type BroadcastStreamOptions, type Incoming, type WebSocketServer } from '../src/index.js';
import { handshake, inbox, join, joinAll, portOf, RawPeer, stalled, start } from './support.js';

const MiB = 2 ** 20;
const sha256 = (data: Uint8Array): string => createHash('sha256').update(data).digest('hex');

/** The frames behind the handshake, in hex; a `|` before each header is the reader's. */
const wireOf = (raw: RawPeer): string =>
  Buffer.from(raw.received.slice(raw.received.indexOf('\r\n\r\n') + 4), 'latin1').toString('hex');

async function rawClient(port: number): Promise<RawPeer> {
  const raw = new RawPeer(port).write(handshake());
  await raw.until('\r\n\r\n');
  return raw;
}

test('A-08: three writes, one binary message to two clients; a third that joins in between gets the next one only', async () => {
  const server = await start();
  const clients = await joinAll(server, 2);
  const raw = await rawClient(portOf(server));
  const stream = server.createBroadcast();
  stream.write(Buffer.from([1, 2, 3]));
  const [late] = await joinAll(server, 1);
  stream.write(Buffer.from([4, 5, 6]));
  stream.end(Buffer.alloc(0));
  await once(stream, 'finish');
  server.broadcast('next');
  for (const { until } of clients) expect(await until(2)).toEqual([Buffer.from([1, 2, 3, 4, 5, 6]), 'next']);
  expect(await late!.until(1)).toEqual(['next']);
  await raw.until('next');
  expect(wireOf(raw)).toBe('0203010203' + '0003040506' + '8000' + '81046e657874');
});

test.each<[string, (stream: NodeJS.WritableStream) => void, BroadcastStreamOptions, string]>([
  ['end(data) first', (stream) => stream.end('hi'), {}, '8102 6869'],
  ['end() alone', (stream) => stream.end(), {}, '8100'],
  ['end() alone, binary', (stream) => stream.end(), { binary: true }, '8200'],
  ['an empty write first', (stream) => [stream.write(''), stream.end('hi')], {}, '8102 6869'],
  ['text as binary', (stream) => stream.end('hi'), { binary: true }, '8202 6869'],
  ['bytes as text', (stream) => stream.end(Buffer.from('hi')), { binary: false }, '8102 6869'],
  ['hex is binary', (stream) => stream.end('6869', 'hex' as never), {}, '8202 6869'],
  [
    'fragments of at least 3 bytes',
    (stream) => [stream.write('a'), stream.write('bc'), stream.write('d'), stream.end()],
    { fragmentSize: 3 },
    '0103616263 800164',
  ],
  [
    'characters are not cut',
    (stream) => [stream.write(Buffer.from('61e282', 'hex')), stream.end(Buffer.from('ac', 'hex'))],
    { binary: false },
    '010161 8003e282ac',
  ],
  [
    'nor surrogate pairs',
    (stream) => [stream.write('a\ud83d'), stream.write('\ude00b'), stream.end()],
    {},
    '010161 0005f09f988062 8000',
  ],
])('wire: %s', async (_name, write, options, expected) => {
  const server = await start();
  const raw = await rawClient(portOf(server));
  const stream = server.createBroadcast(options);
  write(stream);
  await once(stream, 'finish');
  server.broadcast('!');
  await raw.until('!');
  expect(wireOf(raw)).toBe(`${expected.replaceAll(' ', '')}810121`);
});

test('the fragmentSize of the server is that of its broadcasts', async () => {
  const server = await start({ fragmentSize: 4 });
  const raw = await rawClient(portOf(server));
  const stream = server.createBroadcast();
  stream.write('ab');
  stream.end('cd');
  await raw.until('cd');
  expect(wireOf(raw)).toBe('810461626364');
});

test.each<[string, object, string]>([
  ['onSlow', { onSlow: 'wait' }, 'onSlow is "wait", expected "queue" or "skip" or "close"'],
  ['maxQueue', { maxQueue: -1 }, 'maxQueue is -1, expected a non-negative integer or false'],
  ['fragmentSize', { fragmentSize: '5' }, 'fragmentSize is "5", expected a non-negative integer or false'],
  ['forward', { forward: 'all' }, 'forward is "all", expected "whole" or a non-negative integer'],
  ['forward', { forward: -1 }, 'forward is -1, expected "whole" or a non-negative integer'],
  ['from', { from: 5 }, 'from is 5, expected a WebSocket'],
  ['filter', { filter: 5 }, 'filter is number, expected a function'],
])('a mistake in %s is told at once', async (_name, options, message) => {
  const server = await start();
  expect(() => server.createBroadcast(options)).toThrow(message);
});

test('nobody there: writing goes on', async () => {
  const server = await start();
  const stream = server.createBroadcast();
  await pipeline(Readable.from([Buffer.alloc(MiB), Buffer.alloc(MiB)]), stream);
  expect(stream.writableFinished).toBe(true);
});

test('except and filter are asked at the first write; a filter that throws is an error of the stream, and nothing is sent', async () => {
  const server = await start();
  const [one, two] = await joinAll(server, 2);
  const chosen = server.createBroadcast({ except: one!.socket });
  const broken = server.createBroadcast({
    filter: () => {
      throw new Error('oops');
    },
  });
  chosen.end('for two');
  broken.end('for nobody');
  await expect(finished(broken)).rejects.toThrow('oops');
  server.broadcast('end');
  expect(await one!.until(1)).toEqual(['end']);
  expect(await two!.until(2)).toEqual(['for two', 'end']);
});

test.each([undefined, 4])(
  'a filter that aborts the stream: nobody gets anything, and nothing waits (forward: %p)',
  async (forward) => {
    const server = await start();
    const [one] = await joinAll(server, 1);
    const abort = new AbortController();
    const filter = (): boolean => {
      abort.abort();
      return true;
    };
    const stream = server.createBroadcast({ filter, forward, signal: abort.signal });
    stream.write('for nobody');
    await expect(finished(stream)).rejects.toMatchObject({ name: 'AbortError' });
    server.broadcast('end');
    expect(await one!.until(1)).toEqual(['end']);
  },
);

test('two messages of 10 MiB at the same time, sends and pings in between: unmixed, in the order of their first writes', async () => {
  const server = await start();
  const clients = await joinAll(server, 3);
  const bodies = [randomBytes(10 * MiB), randomBytes(10 * MiB)];
  const pongs = clients.map(({ socket }) => once(socket, 'pong'));
  const done = bodies.map((body) => {
    const chunks = Array.from({ length: 100 }, (_, i) =>
      body.subarray((i * body.length) / 100, ((i + 1) * body.length) / 100),
    );
    return pipeline(Readable.from(chunks), server.createBroadcast({ slowConsumer: { limit: 64 * MiB } }));
  });
  while (server.clients.values().next().value!.bufferedAmount === 0) await turn();
  server.broadcast('behind both');
  for (const { socket } of clients) socket.ping();
  await Promise.all([...done, ...pongs]);
  for (const { until } of clients) {
    const messages = await until(3);
    const hashes = messages.map((data) => (typeof data === 'string' ? data : sha256(data as Buffer)));
    expect(hashes.sort()).toEqual(['behind both', ...bodies.map(sha256)].sort());
  }
});

test('order is that of the first writes, whoever ends first', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const [a, b] = [server.createBroadcast(), server.createBroadcast()];
  b.write('b');
  server.broadcast('behind b');
  a.write('a');
  a.end('A');
  await turn();
  expect(one!.messages).toEqual([]);
  b.end('B');
  expect(await one!.until(3)).toEqual(['bB', 'behind b', 'aA']);
});

/** A message that is given up in its midst, and what the clients see. */
test.each<[string, (string | Buffer)[], BroadcastStreamOptions, unknown]>([
  ['binary', [Buffer.from([1, 2]), Buffer.from([3])], {}, Buffer.from([1, 2, 3])],
  ['text', ['ab', 'cd'], {}, 'abcd'],
  ['text that ends inside a character', [Buffer.from('61f09f98', 'hex')], { binary: false }, 'a'],
  ['text that ends inside a surrogate pair', ['a\ud83d'], {}, 'a'],
  ['bytes that are collected', ['abc', 'd'], { fragmentSize: 3 }, 'abc'],
])('aborted, %s: an empty last frame, and nobody is disconnected', async (_name, chunks, options, expected) => {
  const server = await start();
  const clients = await joinAll(server, 2);
  const stream = server.createBroadcast(options);
  for (const chunk of chunks) stream.write(chunk);
  stream.destroy(new Error('the source is gone')); // nobody listens for the error: it is not thrown
  await new Promise((resolve) => stream.once('close', resolve));
  server.broadcast('next');
  for (const { until } of clients) expect(await until(2)).toEqual([expected, 'next']);
});

test('aborted before anything was sent: nobody hears of it', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  server.createBroadcast().destroy();
  server
    .createBroadcast({ fragmentSize: 100 })
    .on('error', () => {})
    .write('x', () => {});
  const before = server.createBroadcast();
  before.write('first');
  const behind = server.createBroadcast();
  behind.write('second');
  behind.destroy();
  before.end();
  server.broadcast('end');
  await turn();
  expect(one!.messages).toEqual([]); // the one that collects is still open, and is first
});

test('aborted: the writer is told', async () => {
  const server = await start();
  await stalled(portOf(server));
  const stream = server.createBroadcast();
  const told = new Promise((resolve) => {
    const write = (): void => void stream.write(Buffer.alloc(MiB), (error) => (error ? resolve(error) : write()));
    write();
  });
  while (!stream.writableNeedDrain) await turn();
  stream.destroy();
  expect(await told).toMatchObject({ code: 'WS_ERR_ABORTED_MESSAGE' });
});

test('a signal, a source that breaks off in a pipe, and text that is none abort it', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const abort = new AbortController();
  const signalled = server.createBroadcast({ signal: abort.signal });
  signalled.write('1');
  abort.abort();
  await expect(finished(signalled)).rejects.toMatchObject({ name: 'AbortError' });

  const piped = server.createBroadcast();
  const source = new Readable({ read() {} });
  source.on('error', () => {});
  source.pipe(piped);
  source.push('2');
  await turn();
  source.destroy(new Error('broken'));
  await expect(finished(piped)).rejects.toThrow('broken');

  const text = server.createBroadcast();
  text.write('3');
  text.write(Buffer.from([0xff]));
  await expect(finished(text)).rejects.toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });

  const unfinished = server.createBroadcast();
  unfinished.write('4');
  unfinished.end(Buffer.from([0xe2, 0x82]));
  await expect(finished(unfinished)).rejects.toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
  server.broadcast('end');
  expect((await one!.until(5)).map(String)).toEqual(['1', '2', '3', '4', 'end']);
});

test('who leaves in mid-message is let go at once, also when others have more to get', async () => {
  const server = await start();
  const [stays, leaves, cuts] = await joinAll(server, 3);
  const stream = server.createBroadcast();
  stream.write('a');
  for (const { socket } of [leaves!, cuts!]) socket.ping();
  await Promise.all([leaves!, cuts!].map(({ client }) => once(client, 'ping')));
  leaves!.client.close(4001, 'enough');
  cuts!.client.terminate();
  expect(await leaves!.socket.closed).toMatchObject({ code: 4001, wasClean: true });
  expect((await once(leaves!.client, 'close'))[0]).toBe(4001);
  await cuts!.socket.closed;
  stream.end('b');
  expect(await stays!.until(1)).toEqual(['ab']);
  expect(server.clients.size).toBe(1);
});

test('who leaves before his turn, and while a part is being compressed', async () => {
  const server = await start({ perMessageDeflate: { threshold: 0, syncDeflateLimit: 0 } });
  const { client, socket } = await join(server, { perMessageDeflate: true });
  const first = server.createBroadcast();
  const second = server.createBroadcast();
  first.write(randomBytes(200_000));
  second.write('never');
  client.close(4002);
  expect(await socket.closed).toMatchObject({ code: 4002, wasClean: true });
  first.end();
  second.end();
  await Promise.all([once(first, 'finish'), once(second, 'finish')]);
});

test("forward: 'whole' sends what is complete, to those who were there at the first write", async () => {
  const server = await start({ maxPayload: 1000 });
  const [one] = await joinAll(server, 1);
  const raw = await rawClient(portOf(server));
  const whole = server.createBroadcast({ forward: 'whole' });
  whole.write('a');
  const [late] = await joinAll(server, 1);
  const aborted = server.createBroadcast({ forward: 'whole' });
  aborted.write('never');
  const tooLong = server.createBroadcast({ forward: 'whole' });
  tooLong.write(Buffer.alloc(600));
  tooLong.write(Buffer.alloc(600));
  await expect(finished(tooLong)).rejects.toMatchObject({ code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' });
  server.broadcast('between');
  aborted.destroy();
  whole.end('b');
  await once(whole, 'finish');
  server.broadcast('end');
  expect(await one!.until(3)).toEqual(['between', 'ab', 'end']);
  expect(await late!.until(2)).toEqual(['between', 'end']);
  await raw.until('end');
  expect(wireOf(raw)).toContain('81026162');
});

test("'sent' tells how many got a message that went out whole; of one in parts it is not told", async () => {
  const server = await start();
  const [one] = await joinAll(server, 2);
  const reports: unknown[] = [];
  const open = (options: BroadcastStreamOptions): Writable =>
    server.createBroadcast(options).on('sent', (report) => reports.push(report));
  open({ forward: 'whole' }).end('a');
  open({ forward: 2 }).end('b');
  const long = open({ forward: 2 });
  long.write('lo');
  long.end('ng');
  open({}).end('d');
  expect(await one!.until(4)).toEqual(['a', 'b', 'long', 'd']);
  expect(reports).toEqual(Array.from({ length: 2 }, () => ({ sent: 2, queued: 0, dropped: 0 })));
});

test('K-05 forward: n sends what is not longer whole or not at all, and a longer message from there on as it comes', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const raw = await rawClient(portOf(server));
  const aborted = server.createBroadcast({ forward: 4 });
  const cut = server.createBroadcast({ forward: 4, binary: false });
  const short = server.createBroadcast({ forward: 4 });
  const long = server.createBroadcast({ forward: 4 });
  aborted.write('nev');
  cut.write('abcd');
  short.write('ab');
  short.write('c');
  long.write('abc');
  server.broadcast('behind cut alone');
  aborted.destroy();
  cut.destroy();
  short.end();
  long.write('defgh');
  const [late] = await joinAll(server, 1);
  long.write('ij');
  long.end();
  await Promise.all([finished(short), finished(long)]);
  server.broadcast('end');
  expect(await one!.until(5)).toEqual(['abcd', 'behind cut alone', 'abc', 'abcdefghij', 'end']);
  expect(await late!.until(1)).toEqual(['end']);
  await raw.until('end');
  const text = Buffer.from('behind cut alone').toString('hex');
  const hex = `010461626364 8000 8110${text} 8103616263 01086162636465666768 8002696a 8103656e64`;
  expect(wireOf(raw)).toBe(hex.replaceAll(' ', ''));
});

/** A client that has sent something. */
async function joinAndSend(server: WebSocketServer): Promise<Awaited<ReturnType<typeof joinAll>>[0]> {
  const [one] = await joinAll(server, 1);
  one!.client.send('a message');
  await once(one!.socket, 'message');
  return one!;
}

test('what is collected of a message counts as held by the connection that it is from, until it is sent or given up', async () => {
  const memoryLimit = new MemoryBudget(10_000_000);
  const server = await start({ memoryLimit });
  const { client, socket: from, until } = await joinAndSend(server);
  const collect = (): Writable => server.createBroadcast({ forward: 1000, from });
  const [sent, aborted, orphan, longer] = [collect(), collect(), collect(), collect()];
  const before = memoryLimit.used;
  for (const stream of [sent, aborted, orphan, longer]) stream.write(Buffer.alloc(600));
  sent.write(Buffer.alloc(300));
  expect(memoryLimit.used - before).toBe(2700);
  aborted.destroy();
  longer.write(Buffer.alloc(400));
  for (const stream of [sent, longer]) stream.end();
  await until(2);
  while (memoryLimit.used - before > 600) await turn();
  expect(memoryLimit.used - before).toBe(600);
  client.terminate();
  await from.closed;
  await turn();
  expect(memoryLimit.used).toBe(600); // the stream is there, and has it
  orphan.destroy();
  expect(memoryLimit.used).toBe(0);
});

test('a connection whose messages take too much memory while they are collected is ended with 1013, and they with it', async () => {
  const memoryLimit = new MemoryBudget(1_000_000);
  const server = await start({ memoryLimit });
  const { client, socket: from } = await joinAndSend(server);
  const [other] = await joinAll(server, 1);
  const closed = once(client, 'close');
  const streams = [1, 2, 3].map(() => server.createBroadcast({ forward: MiB, from }));
  const failed = streams.map((stream) => once(stream, 'error'));
  for (const stream of streams) stream.write(Buffer.alloc(400_000));
  expect((await closed)[0]).toBe(1013);
  for (const [error] of await Promise.all(failed)) expect(error).toMatchObject({ code: 'WS_ERR_ABORTED_MESSAGE' });
  expect([memoryLimit.used < 1000, other!.socket.readyState]).toEqual([true, other!.socket.OPEN]);
});

test('without a limit of memory nothing is counted', async () => {
  const server = await start({ memoryLimit: false });
  const [one] = await joinAll(server, 1);
  const [from] = server.clients;
  const stream = server.createBroadcast({ forward: 1000, from });
  stream.write('a');
  stream.end('b');
  expect(await one!.until(1)).toEqual(['ab']);
});

test.each([false, { threshold: 0 }])('an Incoming is forwarded as it comes: perMessageDeflate %p', async (deflate) => {
  const server = await start({ incoming: 'stream', perMessageDeflate: deflate, maxPayload: 2 * MiB });
  const sender = await join(server, { perMessageDeflate: Boolean(deflate) });
  const plain = inbox((await join(server)).client);
  const other = inbox((await join(server, { perMessageDeflate: true })).client);
  sender.socket.on('incoming', (message: Incoming) => {
    message.pipe(server.createBroadcast({ binary: message.isBinary, except: sender.socket }));
  });
  const text = 'aß€😀'.repeat(50_000);
  sender.client.send(text);
  const bytes = randomBytes(MiB);
  sender.client.send(bytes);
  for (const { until } of [plain, other]) {
    const [first, second] = await until(2);
    expect(first === text).toBe(true);
    expect(sha256(second as Buffer)).toBe(sha256(bytes));
  }
});
