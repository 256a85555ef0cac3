import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import fc from 'fast-check';
import { createPair, WebSocket, type ConnectionOptions, type Extension, type Incoming } from '../src/index.js';
import { clientFrame, event, nextTurn, recorded, tcpPair, type Recorder } from './streams.js';

const { Continuation, Binary, Ping } = Opcode;
const KIB = 1024;

const nextMessage = async (socket: WebSocket): Promise<Incoming> => (await event(socket, 'incoming'))[0] as Incoming;
const turns = async (count = 5): Promise<void> => {
  for (let i = 0; i < count; i++) await nextTurn();
};
const end = async (...sockets: WebSocket[]): Promise<void> => {
  for (const socket of sockets) socket.terminate();
  for (const socket of sockets) await socket.closed;
};

/** A server's socket that is fed by hand, and its messages. */
function fed(options: ConnectionOptions = {}): { socket: WebSocket; stream: Recorder; messages: Incoming[] } {
  const { socket, stream } = recorded({ incoming: 'stream', highWaterMark: 10_000, ...options });
  const messages: Incoming[] = [];
  socket.on('incoming', (message) => messages.push(message));
  return { socket, stream, messages };
}

describe('what is unread', () => {
  test('holds reading from the high-water mark on, and reading goes on at half of it', async () => {
    const { socket, stream, messages } = fed();
    stream.push(clientFrame(Binary, Buffer.alloc(4000), { fin: false }));
    await turns();
    expect(stream.isPaused()).toBe(false);
    stream.push(clientFrame(Continuation, Buffer.alloc(6000), { fin: false }));
    await turns();
    const [message] = messages as [Incoming];
    expect([stream.isPaused(), message.readableLength, socket.isPaused]).toEqual([true, 10_000, false]);
    message.read(4000);
    await turns();
    expect(stream.isPaused()).toBe(true);
    message.read(3000);
    await turns();
    expect(stream.isPaused()).toBe(false);
    await end(socket);
  });

  test('counts over all messages, small ones with what each costs; what is read first makes room', async () => {
    const { socket, stream, messages } = fed();
    stream.push(Buffer.concat(Array.from({ length: 20 }, () => clientFrame(Binary, 'x'))));
    await turns();
    expect(messages.length).toBeGreaterThan(2);
    expect(messages.length).toBeLessThan(15);
    for (let i = 0; i < 20; i++) expect(await messages[i]!.text()).toBe('x');
    expect(stream.isPaused()).toBe(false);
    await end(socket);
  });

  test('empty messages count too', async () => {
    const { socket, stream, messages } = fed();
    stream.push(Buffer.concat(Array.from({ length: 20 }, () => clientFrame(Binary, ''))));
    await turns();
    expect(messages.length).toBeLessThan(15);
    for (let i = 0; i < 20; i++) {
      messages[i]!.discard();
      await turns(2);
    }
    expect(messages).toHaveLength(20);
    await end(socket);
  });

  test('tiny pieces of large chunks do not keep the chunks', async () => {
    const { socket, stream, messages } = fed();
    const ping = clientFrame(Ping, Buffer.alloc(125));
    const filler = Buffer.concat(Array.from({ length: 100 }, () => ping));
    stream.push(clientFrame(Binary, 'a', { fin: false }));
    let count = 1;
    for (; !stream.isPaused() && count < 1000; count++) {
      stream.push(Buffer.concat([clientFrame(Continuation, 'b', { fin: false }), filler]));
      await turns(2);
    }
    expect(count).toBeLessThan(50); // each counts more than its byte
    const piece = messages[0]!.read(count) as Buffer;
    expect(piece.toString()).toBe(`a${'b'.repeat(count - 1)}`);
    await end(socket);
  });

  test('read(size) above the high-water mark is served', async () => {
    const { socket, stream, messages } = fed();
    stream.push(clientFrame(Binary, Buffer.alloc(9000), { fin: false }));
    await turns();
    const [message] = messages as [Incoming];
    let read: unknown = message.read(30_000);
    expect(read).toBe(null);
    message.on('readable', () => (read ??= message.read(30_000)));
    for (let i = 0; i < 3; i++) {
      expect(stream.isPaused()).toBe(false);
      stream.push(clientFrame(Continuation, Buffer.alloc(7000 + i), { fin: false }));
      await turns();
    }
    expect((read as Buffer).length).toBe(30_000);
    stream.push(clientFrame(Continuation, Buffer.alloc(10_000), { fin: false }));
    await turns();
    expect(stream.isPaused()).toBe(true);
    await end(socket);
  });

  test('the smallest high-water mark stops nobody who reads', async () => {
    const { client, server } = createPair({ incoming: 'stream', highWaterMark: 1 });
    const lengths: Promise<number>[] = [];
    server.on('incoming', (message) => lengths.push(message.buffer().then(({ length }) => length)));
    client.send(Buffer.alloc(100_000, 'x'));
    client.send('');
    client.send('b');
    client.close();
    await server.closed;
    expect(await Promise.all(lengths)).toEqual([100_000, 0, 1]);
  });

  test('no high-water mark for sending is none of 64 KiB for what is unread', async () => {
    const { socket, stream, messages } = fed({ highWaterMark: 0 });
    stream.push(clientFrame(Binary, Buffer.alloc(65_535), { fin: false }));
    await turns();
    stream.push(clientFrame(Continuation, 'x', { fin: false }));
    await turns();
    expect([stream.isPaused(), messages[0]!.readableHighWaterMark]).toEqual([true, 65_536]);
    await end(socket);
  });
});

describe('held', () => {
  test('a destroyed message lets the connection go on, and its rest is dropped', async () => {
    const { socket, stream, messages } = fed();
    stream.push(clientFrame(Binary, Buffer.alloc(10_000), { fin: false }));
    await turns();
    expect(stream.isPaused()).toBe(true);
    messages[0]!.discard();
    await turns();
    expect(stream.isPaused()).toBe(false);
    stream.push(Buffer.concat([clientFrame(Continuation, Buffer.alloc(50_000)), clientFrame(Binary, 'next')]));
    await turns();
    expect(await messages[1]!.text()).toBe('next');
    await end(socket);
  });

  test('a break out of its for await does the same', async () => {
    const { client, server } = createPair({ incoming: 'stream', highWaterMark: 10_000 });
    client.send(Buffer.alloc(100_000), { fin: false });
    for await (const chunk of await nextMessage(server)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    client.send(Buffer.alloc(100_000));
    client.send('next');
    expect(await (await nextMessage(server)).text()).toBe('next');
    await end(client, server);
  });

  test('pause() of the user is another matter: both must let go', async () => {
    const { socket, stream, messages } = fed();
    stream.push(clientFrame(Binary, Buffer.alloc(10_000), { fin: false }));
    await turns();
    socket.pause();
    messages[0]!.read();
    await turns();
    expect(stream.isPaused()).toBe(true);
    socket.resume();
    expect(stream.isPaused()).toBe(false);
    await end(socket);
  });

  test('read and held again in the same tick: it stays held', async () => {
    const { socket, stream, messages } = fed();
    const wire = Buffer.concat([
      clientFrame(Binary, Buffer.alloc(10_000), { fin: false }),
      clientFrame(Continuation, Buffer.alloc(10_000), { fin: false }),
      clientFrame(Ping, ''),
    ]);
    let pings = 0;
    socket.on('ping', () => pings++);
    stream.push(wire);
    await turns();
    expect([messages[0]!.readableLength, pings]).toEqual([10_000, 0]);
    messages[0]!.read();
    await turns();
    expect([messages[0]!.readableLength, pings]).toEqual([10_000, 0]);
    messages[0]!.read();
    await turns();
    expect([messages[0]!.readableLength, pings]).toEqual([0, 1]);
    await end(socket);
  });

  test('by a message that nobody reads, the end of the connection is not kept waiting', async () => {
    const { client, server } = createPair({ incoming: 'stream', highWaterMark: 1000 });
    client.send(Buffer.alloc(10_000), { fin: false });
    const message = await nextMessage(server);
    await turns();
    client.terminate();
    expect((await server.closed).code).toBe(1006);
    expect(message.errored).toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
    await client.closed;
  });
});

test('a message of which a piece is still decoded when the stream ends, and that is full then, keeps nothing waiting', async () => {
  const decoding: (() => void)[] = [];
  const extensions = (): Extension[] => [
    {
      name: 'x-late',
      rsv: 0,
      encode: (payload, _fragment, done) => done(null, payload, 0),
      decode(slice, { flow }, output, done) {
        const bytes = slice.slice();
        decoding.push(() => {
          output(bytes);
          if (flow?.isFull) flow.whenRoom(() => done(null));
          else done(null);
        });
      },
    },
  ];
  const { client, server } = createPair({ incoming: 'stream', highWaterMark: 10_000, extensions });
  client.send(Buffer.alloc(20_000), { fin: false });
  const message = await nextMessage(server);
  while (decoding.length === 0) await turns(1);
  client.terminate();
  await client.closed;
  await turns();
  expect(server.readyState).toBe(WebSocket.CLOSING); // what was received would still be given
  decoding[0]!();
  expect((await server.closed).code).toBe(1006);
  expect(message.errored).toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
});

test('B-10 over TCP, a reader that stops stops the writer; 50 MiB pass in little memory, unchanged', async () => {
  const [near, far] = await tcpPair();
  const client = WebSocket.from(near, { role: 'client' });
  const server = WebSocket.from(far, { role: 'server', incoming: 'stream', maxPayload: 0 });
  const [sent, received] = [createHash('sha256'), createHash('sha256')];
  const TOTAL = 800;
  let count = 0;
  const write = (): void => {
    for (let goesOn = true; goesOn && count < TOTAL; count++) {
      const piece = Buffer.alloc(64 * KIB, count);
      sent.update(piece);
      goesOn = client.send(piece, { fin: count === TOTAL - 1 });
    }
  };
  client.on('drain', write);
  write();
  const message = await nextMessage(server);
  let before = -1;
  while (before !== server.bytesReceived || client.bufferedAmount === 0) {
    before = server.bytesReceived;
    await turns(200);
  }
  expect(count).toBeLessThan(TOTAL / 2); // what the kernel takes
  expect(message.readableLength).toBeLessThanOrEqual(128 * KIB);
  let most = 0;
  let bytes = 0;
  for await (const chunk of message) {
    most = Math.max(most, message.readableLength + chunk.length);
    received.update(chunk);
    bytes += chunk.length;
    if (bytes % 7 === 0) await nextTurn();
  }
  expect([bytes, received.digest('hex')]).toEqual([TOTAL * 64 * KIB, sent.digest('hex')]);
  expect(most).toBeLessThanOrEqual(256 * KIB);
  client.close(1000);
  expect((await server.closed).wasClean).toBe(true);
});

type Reader = (message: Incoming) => Promise<string | undefined>;
/** Ways to take a message; `undefined` from those that do not take all of it. */
const READERS: Record<string, Reader> = {
  text: async (message) => (await message.buffer()).toString('latin1'),
  async slow(message) {
    let text = '';
    for await (const chunk of message) {
      text += chunk.toString('latin1');
      await turns(2);
    }
    return text;
  },
  async late(message) {
    await turns(6);
    return (await message.buffer()).toString('latin1');
  },
  pausing: (message) =>
    new Promise((resolve, reject) => {
      let text = '';
      message.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
        message.pause();
        setImmediate(() => message.resume());
      });
      message.on('end', () => resolve(text)).on('error', reject);
    }),
  bySize: (message) =>
    new Promise((resolve, reject) => {
      let text = '';
      message.on('readable', () => {
        for (let chunk; (chunk = message.read(7) ?? message.read()) !== null;)
          text += (chunk as Buffer).toString('latin1');
      });
      message.on('end', () => resolve(text)).on('error', reject);
    }),
  async web(message) {
    let text = '';
    for await (const chunk of Readable.toWeb(message)) text += Buffer.from(chunk as Uint8Array).toString('latin1');
    return text;
  },
  async discarding(message) {
    message.discard();
    return undefined;
  },
  async breaking(message) {
    for await (const chunk of message) if (chunk.length > 3) break;
    return undefined;
  },
};

const message = fc.record({
  isText: fc.boolean(),
  fragments: fc.array(fc.record({ length: fc.nat(400), ping: fc.boolean() }), { minLength: 1, maxLength: 4 }),
  reader: fc.constantFrom(...Object.keys(READERS)),
});

test('any messages, read in any way: content, order and borders are kept, and the connection never stands still', async () => {
  const property = fc.asyncProperty(
    fc.array(message, { maxLength: 12 }),
    fc.constantFrom(1, 50, 500, 65_536),
    fc.boolean(),
    fc.boolean(),
    async (messages, highWaterMark, allowSynchronousEvents, isAuto) => {
      const options = { highWaterMark, allowSynchronousEvents, streamThreshold: 100 };
      const { client, server } = createPair({ ...options, incoming: isAuto ? 'auto' : 'stream' });
      const results: Promise<string | undefined>[] = [];
      let pings = 0;
      server.on('ping', () => pings++);
      server.on('message', (data) => results.push(Promise.resolve((data as Buffer).toString('latin1'))));
      server.on('incoming', (incoming) => results.push(READERS[messages[results.length]!.reader]!(incoming)));
      const expected: (string | undefined)[] = [];
      let pingsSent = 0;
      messages.forEach(({ isText, fragments, reader }, n) => {
        const parts = fragments.map(({ length }, i) => String.fromCharCode(0x61 + ((n + i) % 26)).repeat(length));
        const isWhole = isAuto && parts.length === 1 && parts[0]!.length <= 100;
        const isDropped = reader === 'discarding' || reader === 'breaking';
        expected.push(isDropped && !isWhole ? undefined : parts.join(''));
        parts.forEach((part, i) => {
          client.send(part, { binary: !isText, fin: i === parts.length - 1 });
          if (fragments[i]!.ping) pingsSent = client.ping(String(i)) ?? pingsSent + 1;
        });
      });
      client.close(1000);
      const info = await server.closed;
      expect([info.code, info.wasClean]).toEqual([1000, true]);
      expect(await Promise.all(results)).toEqual(expected);
      expect(pings).toBe(pingsSent);
      expect(server.messagesReceived).toBe(messages.length);
    },
  );
  await fc.assert(property, { numRuns: 60 });
}, 20_000);
