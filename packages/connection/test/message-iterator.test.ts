import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { ClosedError, createPair, WebSocket, type CloseInfo, type Message } from '../src/index.js';
import { event, nextTurn, Recorder, recorded, tcpPair } from './streams.js';

/** All that an iteration gives, and how it ends: `'end'`, or the error. */
async function all(messages: AsyncIterable<unknown>): Promise<{ messages: unknown[]; end: unknown }> {
  const seen: unknown[] = [];
  try {
    for await (const message of messages) seen.push(message);
  } catch (error) {
    return { messages: seen, end: error };
  }
  return { messages: seen, end: 'end' };
}

/** Both forms of reading. */
const FORMS: readonly [name: string, read: (socket: WebSocket) => AsyncIterable<unknown>][] = [
  ['for await', (socket) => socket[Symbol.asyncIterator]()],
  ['messages()', (socket) => socket.messages()],
];

describe.each(FORMS)('%s', (_name, read) => {
  test('gives text as strings, binary as binaryType says, in order, and ends with 1000', async () => {
    const { client, server } = createPair();
    const reading = all(read(server));
    client.send('text');
    client.send(Buffer.from([1, 2]));
    client.send('');
    await nextTurn();
    server.binaryType = 'arraybuffer';
    client.send(Buffer.from([3]));
    client.send('last');
    client.close(1000);
    expect(await reading).toEqual({
      messages: ['text', Buffer.from([1, 2]), '', new Uint8Array([3]).buffer, 'last'],
      end: 'end',
    });
    expect(['message', 'close', 'error'].map((name) => server.listenerCount(name))).toEqual([0, 0, 0]);
  });

  test.each([
    ['1000', 1000, 'bye', null],
    ['1001', 1001, '', null],
    ['an empty Close frame', undefined, undefined, null],
    ['1011', 1011, 'broken', 1011],
    ['4000', 4000, '', 4000],
  ])('ends with %s', async (_case, code, reason, thrown) => {
    const { client, server } = createPair();
    const reading = all(read(server));
    client.send('before');
    client.close(code, reason);
    const { messages, end } = await reading;
    expect(messages).toEqual(['before']);
    if (thrown === null) expect(end).toBe('end');
    else {
      expect(end).toBeInstanceOf(ClosedError);
      const { name, code: errorCode, message, info } = end as ClosedError;
      expect([name, errorCode, info]).toEqual(['ClosedError', 'WS_ERR_CLOSED', await server.closed]);
      expect(message).toBe(`the connection was closed: ${thrown}${reason ? ` ${reason}` : ''}`);
    }
  });

  test('a connection that is cut, or broken by the peer: ClosedError with its cause, behind what came before', async () => {
    const cut = createPair();
    const reading = all(read(cut.server));
    cut.client.send('before', () => cut.client.terminate());
    const { messages, end } = await reading;
    expect([messages, (end as ClosedError).info.code, (end as ClosedError).cause]).toEqual([
      ['before'],
      1006,
      undefined,
    ]);

    const { socket, stream } = recorded({ role: 'client' });
    const broken = all(read(socket));
    stream.push(Buffer.from('8101 61 8181'.replaceAll(' ', ''), 'hex')); // a message, then a masked frame
    await nextTurn();
    stream.push(null);
    const { end: error } = await broken;
    expect(error).toMatchObject({ code: 'WS_ERR_CLOSED', cause: { code: 'WS_ERR_UNEXPECTED_MASK' } });
  });

  test('what came before the end is given before it, however late it is asked for', async () => {
    for (const code of [1000, 4000]) {
      const { client, server } = createPair();
      const late = read(server);
      for (const message of ['1', '2', '3']) client.send(message);
      client.close(code);
      await server.closed;
      const { messages, end } = await all(late);
      expect([messages, end === 'end']).toEqual([['1', '2', '3'], code === 1000]);
    }
  });

  test('a closed socket: ends or throws at once, by its CloseInfo', async () => {
    for (const code of [1000, 4000]) {
      const { client, server } = createPair();
      client.close(code);
      await server.closed;
      const { messages, end } = await all(read(server));
      expect([messages, end === 'end' || (end as ClosedError).info]).toEqual([
        [],
        code === 1000 || (await server.closed),
      ]);
    }
  });

  test("started by a 'close' listener", async () => {
    const { client, server } = createPair();
    const started = new Promise((resolve) => server.on('close', () => resolve(all(read(server)))));
    client.close(1000);
    expect(await started).toEqual({ messages: [], end: 'end' });
  });

  test('while connecting it waits; a connection that fails ends it with that error, and counts as heard', async () => {
    const late = new WebSocket(null);
    const reading = all(read(late));
    const stream = new Recorder();
    late.setSocket(stream, Buffer.from([0x81, 0x01, 0x61, 0x88, 0x02, 0x03, 0xe8]), { role: 'client' });
    await event(late, 'message');
    stream.push(null);
    expect(await reading).toEqual({ messages: ['a'], end: 'end' });

    const failing = new WebSocket(null);
    const failed = all(read(failing));
    failing.close();
    const { end } = await failed;
    expect(end).toBeInstanceOf(Error);
    expect(end).not.toBeInstanceOf(ClosedError);
    expect((end as Error).message).toContain('before the connection was established');
  });

  test('a socket that was taken away while connecting, without an error', async () => {
    class Answered extends WebSocket {
      protected override abortConnecting(): void {
        this.failConnecting(null);
      }
    }
    const socket = new Answered(null);
    const reading = all(read(socket));
    socket.close();
    expect((await reading).end).toMatchObject({ code: 'WS_ERR_CLOSED', info: { code: 1006, error: null } });
  });

  test('stops reading above highWaterMark, goes on at half of it, and the writer waits', async () => {
    const [near, far] = await tcpPair();
    const client = WebSocket.from(near, { role: 'client' });
    const server = WebSocket.from(far, { role: 'server', highWaterMark: 65_536 });
    const iterator = read(server)[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const message = Buffer.alloc(32_768);
    let sent = 0;
    let arrived = 0;
    server.on('message', () => arrived++);
    // 256 MiB, as far as they go without anybody taking a message.
    const total = 8192;
    const first = await new Promise<number>((resolve) => {
      let quiet = 0;
      const offer = (): void => {
        if (sent < total && client.send(message)) {
          sent++;
          quiet = 0;
        } else if (++quiet === 20) return resolve(sent);
        setImmediate(offer);
      };
      offer();
    });
    expect(first).toBeLessThan(total / 2);
    expect(client.bufferedAmount).toBeGreaterThan(0);
    expect(arrived).toBeLessThanOrEqual(5);
    for (let i = 0; i < 200; i++) {
      expect((await iterator.next()).value?.length).toBe(message.length);
      if (client.bufferedAmount === 0) client.send(message);
    }
    expect(arrived).toBeLessThanOrEqual(200 + 5);
    client.terminate();
    server.terminate();
    await iterator.return?.();
    await Promise.all([client.closed, server.closed]);
  });
});

test('several calls of next() at once are answered in order, those behind the end with done', async () => {
  const { client, server } = createPair();
  const iterator = server[Symbol.asyncIterator]();
  const order: number[] = [];
  const results = [0, 1, 2, 3].map((i) =>
    iterator.next().then(
      (result) => (order.push(i), result),
      (error: Error) => (order.push(i), error),
    ),
  );
  client.send('a');
  client.send('b');
  client.close(4000);
  expect(await Promise.all(results)).toEqual([
    { done: false, value: 'a' },
    { done: false, value: 'b' },
    expect.objectContaining({ code: 'WS_ERR_CLOSED' }),
    { done: true, value: undefined },
  ]);
  expect(order).toEqual([0, 1, 2, 3]);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  expect(await iterator.return()).toEqual({ done: true, value: undefined });
});

test('leaving the loop closes with 1000, answers who waits, and drops what was not taken', async () => {
  const { client, server } = createPair();
  client.send('first');
  client.send('second');
  for await (const message of server) {
    expect(message).toBe('first');
    break;
  }
  expect(await client.closed).toMatchObject({ code: 1000, wasClean: true, initiator: 'remote' });

  const other = createPair();
  const iterator = other.server[Symbol.asyncIterator]();
  const waiting = iterator.next();
  await iterator[Symbol.asyncDispose]();
  expect(await waiting).toEqual({ done: true, value: undefined });
  expect((await other.client.closed).code).toBe(1000);
});

test('leaving while reading is held: the rest is read and the closing handshake is done', async () => {
  const { client, server } = createPair({ highWaterMark: 1000 });
  const iterator = server[Symbol.asyncIterator]();
  for (let i = 0; i < 100; i++) client.send('x'.repeat(1000));
  expect(await iterator.next()).toEqual({ done: false, value: 'x'.repeat(1000) });
  await nextTurn();
  await iterator.return();
  expect((await client.closed).wasClean).toBe(true);
});

test('an error in the body, and throw(), leave the loop as well', async () => {
  const { client, server } = createPair();
  client.send('x');
  const failure = new Error('in the body');
  const loop = (async () => {
    for await (const _ of server) throw failure;
  })();
  await expect(loop).rejects.toBe(failure);
  expect((await client.closed).code).toBe(1000);

  const other = createPair();
  const iterator = other.server[Symbol.asyncIterator]();
  await expect(iterator.throw(failure)).rejects.toBe(failure);
  await expect(iterator.throw(failure)).rejects.toBe(failure);
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
  expect((await other.client.closed).code).toBe(1000);
});

test('leaving while connecting gives that up, and nothing is thrown', async () => {
  const socket = new WebSocket(null);
  await socket[Symbol.asyncIterator]().return();
  expect(await socket.closed).toMatchObject({ code: 1006, initiator: 'local' });
});

test('two iterators get every message each, and a reader that stops does not close for the other', async () => {
  const { client, server } = createPair();
  const one = all(server[Symbol.asyncIterator]());
  const two = all(server.messages());
  const dropped = server.messages();
  for (const message of ['1', '2', '3']) client.send(message);
  await nextTurn();
  dropped.destroy();
  client.send('4');
  client.close(1000);
  const expected = { messages: ['1', '2', '3', '4'], end: 'end' };
  expect([await one, await two]).toEqual([expected, expected]);
});

test('messages() destroyed lets go of the socket, and of its hold on reading', async () => {
  const { client, server } = createPair({ highWaterMark: 1000 });
  const messages = server.messages();
  for (let i = 0; i < 20; i++) client.send('x'.repeat(1000));
  await nextTurn();
  messages.destroy();
  const last = new Promise<void>((resolve) => server.on('message', (data) => String(data) === 'on' && resolve()));
  client.send('on');
  await last;
  expect([server.readyState, server.listenerCount('message')]).toEqual([WebSocket.OPEN, 1]);
  client.close();
  await server.closed;
});

test("messages() read with 'readable' gives the last message before the error", async () => {
  const { client, server } = createPair();
  const messages = server.messages();
  client.send('1');
  client.send('2');
  client.close(4000);
  await server.closed;
  const seen: unknown[] = [];
  messages.on('readable', () => {
    for (let message: unknown = messages.read(); message !== null; message = messages.read()) seen.push(message);
  });
  messages.on('error', ({ code }: Error & { code?: string }) => seen.push(code));
  await new Promise((resolve) => messages.on('close', resolve));
  expect(seen).toEqual(['1', '2', 'WS_ERR_CLOSED']);
});

test("messages() read with 'data' and pauses", async () => {
  const { client, server } = createPair();
  const messages = server.messages();
  const seen: unknown[] = [];
  messages.on('data', (message: Message) => {
    seen.push(message);
    messages.pause();
    setImmediate(() => messages.resume());
  });
  messages.on('error', ({ code }: Error & { code?: string }) => seen.push(code));
  for (const message of ['1', '2', '3', '4']) client.send(message);
  client.close(4000);
  await new Promise((resolve) => messages.on('close', resolve));
  expect(seen).toEqual(['1', '2', '3', '4', 'WS_ERR_CLOSED']);
});

test('binary in every form is counted', async () => {
  for (const binaryType of ['nodebuffer', 'arraybuffer', 'fragments', 'blob'] as const) {
    const { client, server } = createPair({ highWaterMark: 10_000 });
    server.binaryType = binaryType;
    const iterator = server[Symbol.asyncIterator]();
    let arrived = 0;
    server.on('message', () => arrived++);
    for (let i = 0; i < 40; i++) client.send(Buffer.alloc(1000));
    for (let i = 0; i < 10; i++) await nextTurn();
    expect([binaryType, arrived]).toEqual([binaryType, 8]);
    for (let i = 0; i < 40; i++) expect((await iterator.next()).done).toBe(false);
    await iterator.return();
  }
});

test('AsyncLocalStorage: the body runs in the context of its loop', async () => {
  const storage = new AsyncLocalStorage<string>();
  const { client, server } = createPair();
  const loop = storage.run('loop', async () => {
    const seen: unknown[] = [];
    for await (const message of server) seen.push(message, storage.getStore());
    return seen;
  });
  storage.run('sender', () => client.send('x'));
  await nextTurn();
  client.close();
  expect(await loop).toEqual(['x', 'loop']);
});

test('any messages, any pauses, any high-water mark: all of them, in order, then the end once', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(3000), { maxLength: 40 }),
      fc.array(fc.nat(3), { minLength: 1, maxLength: 10 }),
      fc.integer({ min: 1, max: 8000 }),
      fc.constantFrom(1000, 4000, 'cut'),
      fc.boolean(),
      async (sizes, pauses, highWaterMark, ending, asStream) => {
        const { client, server } = createPair({ highWaterMark });
        const iterator = (asStream ? server.messages() : server)[Symbol.asyncIterator]() as AsyncIterator<string>;
        let info: CloseInfo | undefined;
        server.on('close', (_code, _reason, how) => (info = how));
        sizes.forEach((size, i) => client.send(`${i}:${'x'.repeat(size)}`));
        if (ending === 'cut') client.send('', () => client.terminate());
        else client.close(ending as number);
        const seen: string[] = [];
        let end: unknown;
        for (let i = 0; ; i++) {
          for (let turns = pauses[i % pauses.length]!; turns > 0; turns--) await nextTurn();
          try {
            const { done, value } = await iterator.next();
            if (done) break;
            seen.push(value);
          } catch (error) {
            end = error;
            break;
          }
        }
        const expected = sizes.map((size, i) => `${i}:${'x'.repeat(size)}`);
        if (ending === 'cut') expect(expected.concat('').slice(0, seen.length)).toEqual(seen);
        else expect(seen).toEqual(expected);
        expect(end === undefined).toBe(ending === 1000);
        if (ending !== 1000) expect((end as ClosedError).info).toBe(info);
        expect(await iterator.next()).toEqual({ done: true, value: undefined });
      },
    ),
    { numRuns: 100 },
  );
});
