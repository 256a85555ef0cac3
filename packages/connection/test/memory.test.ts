import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, jest, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { collectGarbage } from '@ws/testing';
import {
  createPair,
  createWebSocketStream,
  MemoryBudget,
  PreparedMessage,
  WebSocket,
  type FromOptions,
  type Incoming,
} from '../src/index.js';
import { MemoryClock } from './memory-clock.js';
import { clientFrame, framesOf, nextTurn, recorded, tcpPair } from './streams.js';

const ROOMY = 2 ** 30;
const budgetOf = (limit = ROOMY): MemoryBudget => new MemoryBudget(limit, new MemoryClock());

/** The server's end of a TCP connection; the other end is ours to write and to read, or not. */
async function overTcp(options: Partial<FromOptions>): Promise<{ socket: WebSocket; peer: Socket }> {
  const [peer, far] = await tcpPair();
  return { socket: WebSocket.from(far, { role: 'server', ...options }), peer };
}

/** Until it is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

const expectBetween = (value: number, least: number, most: number): void => {
  expect(value).toBeGreaterThanOrEqual(least);
  expect(value).toBeLessThanOrEqual(most);
};

const closed = async (...sockets: WebSocket[]): Promise<void> => {
  for (const socket of sockets) socket.terminate();
  await Promise.all(sockets.map((socket) => socket.closed));
};

describe('what comes', () => {
  test('a message that passes straight through is not counted, nor what the kernel takes at once', async () => {
    const memoryLimit = budgetOf();
    const add = jest.spyOn(memoryLimit, 'add');
    const { socket, peer } = await overTcp({ memoryLimit });
    socket.on('message', (data) => socket.send(data));
    peer.write(clientFrame(Opcode.Binary, Buffer.alloc(1000)));
    await once(peer, 'data');
    expect(add).not.toHaveBeenCalled();
    await closed(socket);
    expect(memoryLimit.used).toBe(0);
  });

  test('an unfinished message counts with what it costs, until it is given', async () => {
    const memoryLimit = budgetOf();
    const { stream } = recorded({ memoryLimit });
    stream.push(clientFrame(Opcode.Binary, Buffer.alloc(1000), { fin: false }));
    await nextTurn();
    expectBetween(memoryLimit.used, 1000, 3000);
    const before = memoryLimit.used;
    for (let i = 0; i < 100; i++) stream.push(clientFrame(Opcode.Continuation, 'x', { fin: false }));
    await nextTurn();
    expect(memoryLimit.used - before).toBeLessThanOrEqual(2 * 1100);
    stream.push(clientFrame(Opcode.Continuation, ''));
    await nextTurn();
    expect(memoryLimit.used).toBe(0);
  });

  test('what a header announces costs nothing, and a message of nothing little', async () => {
    const memoryLimit = budgetOf();
    const { stream } = recorded({ memoryLimit });
    stream.push(clientFrame(Opcode.Binary, Buffer.alloc(1_000_000)).subarray(0, 14));
    await nextTurn();
    expect(memoryLimit.used).toBeLessThanOrEqual(256);
    const { stream: other } = recorded({ memoryLimit });
    for (let i = 0; i < 1000; i++) other.push(clientFrame(i ? Opcode.Continuation : Opcode.Text, '', { fin: false }));
    await nextTurn();
    expectBetween(memoryLimit.used, 256, 768);
  });

  test('a message that is dropped with its connection', async () => {
    const memoryLimit = budgetOf();
    const { stream, socket } = recorded({ memoryLimit, maxPayload: 2000 });
    stream.push(clientFrame(Opcode.Binary, Buffer.alloc(1000), { fin: false }));
    await nextTurn();
    expect(memoryLimit.used).toBeGreaterThan(1000);
    stream.push(clientFrame(Opcode.Continuation, Buffer.alloc(1001)));
    await nextTurn();
    expect([memoryLimit.used, socket.readyState]).toEqual([0, WebSocket.CLOSING]);
    socket.terminate();
  });

  test('fragments that are kept as they came count with the chunk that they keep from being freed', async () => {
    const memoryLimit = budgetOf();
    const { socket, stream } = recorded({ memoryLimit });
    socket.binaryType = 'fragments';
    const chunk = Buffer.concat([
      clientFrame(Opcode.Binary, Buffer.alloc(5000), { fin: false }),
      ...Array.from({ length: 10 }, () => clientFrame(Opcode.Continuation, Buffer.alloc(5000), { fin: false })),
    ]);
    stream.push(chunk);
    await nextTurn();
    expectBetween(memoryLimit.used, 55_000, 115_000); // this stream's chunks are copied to be unmasked
    await closed(socket);
  });

  test('what is received and not parsed counts, in the stream too, and no more once it is', async () => {
    const clock = new MemoryClock();
    const memoryLimit = new MemoryBudget(ROOMY, clock);
    const { socket, peer } = await overTcp({ memoryLimit });
    const frame = clientFrame(Opcode.Binary, Buffer.alloc(8000));
    const count = 10;
    let got = 0;
    socket.on('message', () => {
      got++;
      if (got === 1) socket.pause();
    });
    peer.write(Buffer.concat(Array.from({ length: count }, () => frame)));
    await once(socket, 'message');
    await until(() => {
      clock.advance(500); // what comes later is seen by and by
      return memoryLimit.used >= (count - 1) * 8000 || got > 1;
    });
    expectBetween(memoryLimit.used, (count - 1) * 8000, count * 8014 + 2048);
    expect(got).toBe(1);
    socket.resume();
    await until(() => got === count);
    await nextTurn();
    expect(memoryLimit.used).toBe(0);
    await closed(socket);
  });
});

test('tiny chunks that come while nothing is read become one, by and by, and none is lost', async () => {
  const clock = new MemoryClock();
  const look = (): void => clock.advance(500);
  const memoryLimit = new MemoryBudget(ROOMY, clock);
  const { socket, peer } = await overTcp({ memoryLimit });
  peer.setNoDelay();
  const stream = socket.duplex as Socket;
  const unshift = jest.spyOn(stream, 'unshift');
  socket.pause();
  const content = Buffer.from(Array.from({ length: 400 }, (_, i) => i & 0xff));
  const bytes = clientFrame(Opcode.Binary, content);
  for (const [at, byte] of bytes.entries()) {
    peer.write(Buffer.of(byte));
    await until(() => stream.readableLength === at + 1);
    if (at % 100 === 99) look();
  }
  look();
  expect(unshift.mock.calls.map(([chunk]) => (chunk as Buffer).length)).toEqual([100, 200, 300, 400, bytes.length]);
  expect(memoryLimit.used).toBeGreaterThanOrEqual(bytes.length);
  const first = once(socket, 'message');
  socket.resume();
  expect((await first)[0]).toEqual(content);
  // And when the stream is full, of chunks that do not fit in exactly, it stays so.
  socket.pause();
  const most = stream.readableHighWaterMark;
  const many = Buffer.concat(Array.from({ length: 5000 }, () => bytes));
  peer.write(many.subarray(0, 1000));
  await until(() => stream.readableLength === 1000);
  peer.end(many.subarray(1000));
  await until(() => stream.readableLength > most);
  for (let i = 0; i < 16; i++) {
    look();
    for (let turn = 0; turn < 4; turn++) await nextTurn(); // so that it could read on
  }
  expect(stream.readableLength).toBeLessThanOrEqual(most + 3 * 65_536);
  expect(stream.readableHighWaterMark).toBe(most);
  let count = 0;
  socket.on('message', (data) => (count += (data as Buffer).equals(content) ? 1 : 100_000));
  const ended = once(socket, 'close');
  socket.resume();
  await ended;
  expect(count).toBe(5000);
  expect(memoryLimit.used).toBe(0);
});

describe('readers at their own pace', () => {
  test('what an iterator has not taken counts, also when the connection is gone', async () => {
    const memoryLimit = budgetOf();
    const { client, server } = createPair({ memoryLimit });
    const messages = server[Symbol.asyncIterator]();
    for (let i = 0; i < 5; i++) client.send(Buffer.alloc(1000));
    client.close();
    await server.closed;
    expectBetween(memoryLimit.used, 5000, 5000 + 5 * 512);
    await messages.next();
    await messages.next();
    expectBetween(memoryLimit.used, 3000, 3000 + 3 * 512);
    await messages.return();
    expect(memoryLimit.used).toBe(0);
  });

  test('small messages do not keep the chunk that they came in', async () => {
    const memoryLimit = budgetOf();
    const { socket, stream } = recorded({ memoryLimit });
    const messages = socket[Symbol.asyncIterator]();
    const frames = [clientFrame(Opcode.Pong, Buffer.alloc(100)), clientFrame(Opcode.Binary, 'x')];
    stream.push(Buffer.concat([...Array.from({ length: 600 }, () => frames[0]!), frames[1]!]));
    await nextTurn();
    const { value } = await messages.next();
    expect((value as Buffer).buffer.byteLength).toBeLessThan(10_000);
    await closed(socket);
  });

  test.each(['messages', 'stream'] as const)('what %s has taken and nobody read counts', async (kind) => {
    const memoryLimit = budgetOf();
    const { client, server } = createPair({ memoryLimit });
    const readable = kind === 'messages' ? server.messages() : createWebSocketStream(server);
    readable.on('error', () => undefined);
    readable.read(0);
    for (let i = 0; i < 3; i++) client.send(Buffer.alloc(50_000));
    await until(() => memoryLimit.used >= 150_000 && client.bufferedAmount === 0);
    expectBetween(memoryLimit.used, 150_000, 153_000);
    readable.on('data', () => undefined);
    await until(() => memoryLimit.used === 0);
    await closed(client, server);
  });

  test('text in object mode counts too', async () => {
    const memoryLimit = budgetOf();
    const { client, server } = createPair({ memoryLimit });
    const readable = createWebSocketStream(server, { readableObjectMode: true });
    readable.read(0);
    for (let i = 0; i < 3; i++) client.send('x'.repeat(1000));
    await until(() => memoryLimit.used >= 3000);
    expectBetween(memoryLimit.used, 3000, 4500);
    readable.destroy();
    await server.closed;
    expect(memoryLimit.used).toBe(0);
    await closed(client);
  });

  test('a streamed message that is not read counts, until it is, or is discarded', async () => {
    const memoryLimit = budgetOf();
    const { client, server } = createPair({ memoryLimit, incoming: 'stream' });
    const begun: Incoming[] = [];
    server.on('incoming', (message) => begun.push(message));
    client.send(Buffer.alloc(20_000));
    client.send(Buffer.alloc(10_000));
    await until(() => begun.length === 2 && begun[1]!.readableLength === 10_000);
    expectBetween(memoryLimit.used, 30_000, 34_000);
    expect((await begun[0]!.buffer()).length).toBe(20_000);
    expectBetween(memoryLimit.used, 10_000, 12_000);
    await closed(client, server);
    expectBetween(memoryLimit.used, 10_000, 12_000); // all of it had come
    begun[1]!.discard();
    expect(memoryLimit.used).toBe(0);
  });
});

describe('what is sent', () => {
  test('what the kernel does not take counts, and less as it does', async () => {
    const memoryLimit = budgetOf();
    const { socket, peer } = await overTcp({ memoryLimit });
    const text = 'x'.repeat(1000);
    while (socket.bufferedAmount < 1_000_000) {
      for (let i = 0; i < 1000; i++) socket.send(text);
      await nextTurn();
    }
    expectBetween(memoryLimit.used, socket.bufferedAmount, 1.5 * socket.bufferedAmount + 65_536);
    peer.resume();
    await until(() => memoryLimit.used === 0);
    expect(socket.bufferedAmount).toBe(0);
    await closed(socket);
  });

  test('one buffer that is sent to many counts once, whatever waits where', async () => {
    const memoryLimit = budgetOf();
    const many = await Promise.all(Array.from({ length: 4 }, () => overTcp({ memoryLimit })));
    const bytes = Buffer.alloc(8_000_000);
    const prepared = new PreparedMessage(Buffer.alloc(1_000_000));
    for (const { socket } of many) socket.send(bytes);
    for (const { socket } of many) socket.send(prepared);
    await nextTurn();
    for (const { socket } of many) expect(socket.bufferedAmount).toBeGreaterThan(1_000_000);
    expectBetween(memoryLimit.used, 9_000_000, 9_000_000 + 4 * 66_000);
    for (const { peer } of many) peer.resume();
    await until(() => memoryLimit.used === 0);
    await closed(...many.map(({ socket }) => socket));
  });

  test('what is dropped with the connection counts no more, at once', async () => {
    const memoryLimit = budgetOf();
    const { socket } = await overTcp({ memoryLimit, slowConsumer: { limit: 2_000_000 } });
    let most = 0;
    while (socket.readyState === WebSocket.OPEN) {
      socket.send(Buffer.alloc(20_000));
      most = Math.max(most, memoryLimit.used);
    }
    expect(most).toBeGreaterThan(1_800_000);
    expect(memoryLimit.used).toBeLessThan(200_000); // what the stream has
    await socket.closed;
    expect(memoryLimit.used).toBe(0);
  });

  test('what is written to a message of its own counts', async () => {
    const memoryLimit = budgetOf();
    const { socket, stream } = recorded({ memoryLimit });
    stream.stalled = [];
    const message = socket.createOutgoing({ fragmentSize: 100_000 });
    for (let i = 0; i < 30; i++) message.write(Buffer.alloc(10_000));
    await nextTurn();
    expectBetween(memoryLimit.used, 300_000, 320_000);
    message.destroy();
    await nextTurn();
    expect(memoryLimit.used).toBeLessThan(200_000); // what the stream has
    await closed(socket);
    expect(memoryLimit.used).toBe(0);
  });

  test('messages that wait behind a fragmented one', async () => {
    const memoryLimit = budgetOf();
    const { socket, stream } = recorded({ memoryLimit });
    socket.send('a', { fin: false });
    const prepared = new PreparedMessage('x'.repeat(1000));
    for (let i = 0; i < 10; i++) socket.send(prepared);
    await nextTurn();
    expectBetween(memoryLimit.used, 10_000, 13_000);
    expect(socket.bufferedAmount).toBe(10_000);
    socket.send('b');
    await nextTurn();
    expect([memoryLimit.used, framesOf(stream.bytes).length]).toEqual([0, 12]);
    await closed(socket);
  });
});

describe('what is kept of more than it is', () => {
  /** One chunk as it comes from a network, with small messages in it that are echoed to a peer who does not read. */
  function echoes(size: number, options: Partial<FromOptions>): { socket: WebSocket; chunks: number } {
    const { socket, stream } = recorded({ slowConsumer: false, ...options });
    stream.stalled = [];
    socket.on('message', (data) => socket.send(data));
    const chunks = 50;
    const frames = Math.floor(65_536 / (size + 8));
    socket.send(Buffer.alloc(200_000)); // from here on messages wait
    for (let i = 0; i < chunks; i++) {
      const chunk = Buffer.from(new ArrayBuffer(65_536));
      const messages = [clientFrame(Opcode.Binary, Buffer.alloc(size)), ...pongs(frames)];
      Buffer.concat(messages).copy(chunk, 0, 0, 65_536);
      stream.push(chunk.subarray(0, Math.min(65_536, Buffer.concat(messages).length)));
    }
    return { socket, chunks };
  }
  const pongs = (count: number): Buffer[] =>
    Array.from({ length: count }, () => Buffer.from(clientFrame(Opcode.Pong, '')));

  test('a small echo that waits does not keep the chunk that it came in', async () => {
    const memoryLimit = budgetOf();
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const { socket, chunks } = echoes(10, { memoryLimit });
    while (socket.bufferedAmount < 200_010 + 10 * chunks) await nextTurn(); // a connection has its share of each
    expect(socket.bufferedAmount).toBe(200_010 + 10 * chunks);
    collectGarbage();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(chunks * 65_536);
    expectBetween(memoryLimit.used, 200_000, 200_000 + chunks * 1000 + 20_000);
    await closed(socket);
    expect(memoryLimit.used).toBe(0);
  });

  test('parts of one large buffer of the user’s own count as they are', async () => {
    const memoryLimit = budgetOf();
    const { socket, stream } = recorded({ memoryLimit });
    stream.stalled = [];
    const file = Buffer.alloc(50_000_000);
    for (let at = 0; at < 10; at++) socket.send(file.subarray(at * 100_000, (at + 1) * 100_000));
    await nextTurn();
    expectBetween(memoryLimit.used, 1_000_000, 1_100_000);
    await closed(socket);
    expect(memoryLimit.used).toBe(0);
  });

  test('the subprotocols that a client asked for', async () => {
    const memoryLimit = budgetOf();
    const [, far] = await tcpPair();
    const requestedProtocols = Array.from({ length: 64 }, (_, index) => `protocol-${index}`.padEnd(200, 'x'));
    const socket = WebSocket.from(far, { role: 'server', memoryLimit, requestedProtocols });
    expectBetween(memoryLimit.used, 64 * 200, 64 * 300);
    await closed(socket);
    expect(memoryLimit.used).toBe(0);
  });
});
