import { describe, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { randomBytes } from 'node:crypto';
import { createPair, WebSocket } from '../src/index.js';
import type { Recorder } from './streams.js';
import { clientFrame, event, framesOf, nextTurn, recorded, tcpPair } from './streams.js';

const TEXTS = ['', 'a', 'é', '€', '😀', 'lone \ud800 surrogate', 'x'.repeat(15), 'x'.repeat(16), 'é'.repeat(15)];
for (const length of [125, 126, 127, 42, 63, 4095, 4096, 4097, 16_384, 16_385, 65_535, 65_536, 70_000]) {
  TEXTS.push('x'.repeat(length), 'é'.repeat(length), '€'.repeat(length), 'x'.repeat(length - 1) + '€');
}
const SIZES = [0, 1, 4, 31, 32, 33, 125, 126, 127, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 200_000];

describe.each(['server', 'client'] as const)('a %s', (role) => {
  const payloads = (stream: Recorder): Buffer[] =>
    framesOf(stream.bytes).map(({ payload, maskingKey, fin, rsv }) => {
      expect([maskingKey !== undefined, fin, rsv]).toEqual([role === 'client', true, 0]);
      return payload;
    });

  test('sends every text as it is, lengths at every border', async () => {
    const { socket, stream } = recorded({ role });
    for (const text of TEXTS) socket.send(text);
    await nextTurn();
    expect(payloads(stream).map(String)).toEqual(TEXTS.map((text) => Buffer.from(text).toString()));
  });

  test('sends every size as it is, and does not touch the bytes', async () => {
    const { socket, stream } = recorded({ role });
    const given = SIZES.map((size) => randomBytes(size));
    const copies = given.map((bytes) => Buffer.from(bytes));
    for (const bytes of given) socket.send(bytes);
    await nextTurn();
    expect(payloads(stream).map((bytes, i) => bytes.equals(copies[i]!))).toEqual(SIZES.map(() => true));
    expect(given.map((bytes, i) => bytes.equals(copies[i]!))).toEqual(SIZES.map(() => true));
  });
});

describe('one write a turn', () => {
  test('for all that is sent in one', async () => {
    const { socket, stream } = recorded();
    for (let i = 0; i < 100; i++) socket.send(`message ${i}`);
    socket.ping();
    expect(stream.writes).toBe(0);
    await nextTurn();
    expect([stream.writes, framesOf(stream.bytes).length]).toEqual([1, 101]);
  });

  test('for answers to the messages of one chunk, at the end of it', () => {
    const { socket, stream } = recorded();
    socket.on('message', (data) => socket.send(data as Buffer));
    const chunk = Buffer.concat(Array.from({ length: 50 }, (_, i) => clientFrame(Opcode.Binary, `${i}`)));
    stream.emit('data', chunk);
    expect([stream.writes, framesOf(stream.bytes).length]).toEqual([1, 50]);
  });

  test('for what promises send on', async () => {
    const { socket, stream } = recorded();
    for (let i = 0; i < 3; i++) {
      void Promise.resolve().then(() => {
        socket.send(String(i));
        return Promise.resolve().then(() => socket.send('later'));
      });
    }
    await nextTurn();
    expect([stream.writes, framesOf(stream.bytes).length]).toEqual([1, 6]);
  });

  test('for messages to many, in whatever order they were sent', async () => {
    const all = Array.from({ length: 20 }, () => recorded());
    for (let i = 0; i < 10; i++) for (const { socket } of all) socket.send(`message ${i}`);
    await nextTurn();
    for (const { stream } of all) {
      expect(stream.writes).toBe(1);
      expect(framesOf(stream.bytes).map(({ payload }) => String(payload))).toEqual(
        Array.from({ length: 10 }, (_, i) => `message ${i}`),
      );
    }
  });

  test('large payloads go as they are, in order between small ones', async () => {
    const { socket, stream } = recorded();
    const large = randomBytes(20_000);
    socket.send('a');
    socket.send(large);
    socket.send('b');
    await nextTurn();
    expect(framesOf(stream.bytes).map(({ payload }) => payload.length)).toEqual([1, 20_000, 1]);
    expect(stream.writes).toBeLessThanOrEqual(2);
  });

  test('but not more than 64 KiB is held back', () => {
    const { socket, stream } = recorded();
    for (let i = 0; i < 9; i++) socket.send(Buffer.alloc(8000));
    expect(stream.writes).toBe(1);
  });
});

test('views into shared memory are never written to again while somebody may read them', async () => {
  const { client, server } = createPair();
  const kept: { data: Buffer; copy: Buffer }[] = [];
  server.on('message', (data) => kept.push({ data: data as Buffer, copy: Buffer.from(data as Buffer) }));
  const far: Buffer[] = [];
  client.on('message', (data) => far.push(data as Buffer));
  for (let turn = 0; turn < 40; turn++) {
    for (let i = 0; i < 10; i++) client.send(randomBytes(500));
    server.send(`turn ${turn}`);
    await nextTurn();
  }
  expect(kept).toHaveLength(400);
  expect(kept.every(({ data, copy }) => data.equals(copy))).toBe(true);
  expect(far.map(String)).toEqual(Array.from({ length: 40 }, (_, i) => `turn ${i}`));
  client.terminate();
});

describe('masking keys', () => {
  test('are fresh for every frame', async () => {
    const { socket, stream } = recorded({ role: 'client' });
    for (let i = 0; i < 5000; i++) socket.send('x');
    await nextTurn();
    expect(new Set(framesOf(stream.bytes).map(({ maskingKey }) => maskingKey)).size).toBeGreaterThan(4990);
  });

  test('come from generateMask where there is one', async () => {
    let count = 0;
    const { socket, stream } = recorded({ role: 'client', generateMask: (mask) => mask.writeUInt32BE(++count) });
    socket.send('a');
    socket.send(Buffer.alloc(20_000));
    await nextTurn();
    expect(framesOf(stream.bytes).map(({ maskingKey, payload }) => [maskingKey, payload.length])).toEqual([
      [1, 1],
      [2, 20_000],
    ]);
  });
});

describe('back-pressure', () => {
  test('send returns false above the high-water mark, drain follows once', async () => {
    const { socket, stream } = recorded({ highWaterMark: 1000 });
    stream.stalled = [];
    let drains = 0;
    socket.on('drain', () => drains++);
    expect(socket.send(Buffer.alloc(500))).toBe(true);
    expect(socket.send(Buffer.alloc(500))).toBe(false);
    expect(socket.bufferedAmount).toBe(1008);
    await nextTurn();
    expect([socket.bufferedAmount, drains]).toEqual([1008, 0]);
    stream.stalled.forEach((done) => done());
    stream.stalled = undefined;
    await nextTurn();
    expect([socket.bufferedAmount, drains]).toEqual([0, 1]);
  });

  test('on TCP, with a peer that does not read for a while', async () => {
    const [near, far] = await tcpPair();
    const sender = WebSocket.from(near, { role: 'client' });
    const receiver = WebSocket.from(far, { role: 'server' });
    receiver.pause();
    let sent = 0;
    do sent++;
    while (sender.send(Buffer.alloc(65_536)));
    let held = 0;
    while (held < 200) {
      held++;
      sent++;
      sender.send(Buffer.alloc(65_536));
    }
    let received = 0;
    receiver.on('message', () => ++received === sent && receiver.close());
    expect(sender.bufferedAmount).toBeGreaterThan(65_536);
    const drained = event(sender, 'drain');
    receiver.resume();
    await drained;
    await receiver.closed;
    expect(received).toBe(sent);
  });

  test('pings that cannot be answered do not pile up', async () => {
    const { socket, stream } = recorded({ highWaterMark: 0 });
    stream.stalled = [];
    socket.send(Buffer.alloc(70_000));
    await nextTurn();
    for (let i = 0; i < 1000; i++) stream.emit('data', clientFrame(Opcode.Ping, `ping ${i}`));
    expect(socket.bufferedAmount).toBeLessThan(70_100);
    while (stream.stalled.length > 0) stream.stalled.shift()?.();
    stream.stalled = undefined;
    await nextTurn();
    expect(framesOf(stream.bytes).map(({ opcode, payload }) => [opcode, payload.length])).toEqual([
      [Opcode.Binary, 70_000],
      [Opcode.Pong, 8],
    ]);
    expect(String(framesOf(stream.bytes)[1]?.payload)).toBe('ping 999');
  });
});

describe('callbacks', () => {
  test('come once each, in order, when the bytes are out', async () => {
    const { socket, stream } = recorded();
    stream.stalled = [];
    const order: unknown[] = [];
    socket.send('a', (error) => order.push(['a', error ?? null]));
    socket.ping('b', false, (error) => order.push(['b', error ?? null]));
    socket.send(Buffer.alloc(50_000), { binary: true }, (error) => order.push(['c', error ?? null]));
    await nextTurn();
    expect(order).toEqual([]);
    for (const done of stream.stalled) done();
    stream.stalled = undefined;
    await nextTurn();
    expect(order).toEqual([
      ['a', null],
      ['b', null],
      ['c', null],
    ]);
  });

  test('get an error where the connection is cut first', async () => {
    const { socket, stream } = recorded();
    stream.stalled = [];
    const errors: unknown[] = [];
    socket.send('written', (error) => errors.push(error));
    await nextTurn();
    socket.send('waiting', (error) => errors.push(error));
    socket.terminate();
    socket.send('late', (error) => errors.push(error));
    await socket.closed;
    await nextTurn();
    expect(errors.map((error) => (error as Error).message)).toEqual([
      'the connection was closed before this was sent',
      'the connection was closed before this was sent',
      'WebSocket is not open: readyState 2 (CLOSING)',
    ]);
  });

  test('get an error where the peer has ended the stream', async () => {
    const { socket, stream } = recorded();
    stream.push(null);
    await event(socket, 'close');
    const error = await new Promise((resolve) => socket.pong('x', resolve));
    expect(String(error)).toContain('readyState 3 (CLOSED)');
  });
});

test.each([
  ['server', 100],
  ['client', 20_000],
] as const)(
  "whoever puts a write of his own in the place of a socket's may keep what he is given: of a %s, %d bytes",
  async (role, size) => {
    const pairs = await Promise.all([tcpPair(), tcpPair()]);
    const [slow, other] = pairs.map(([near]) => WebSocket.from(near, { role }));
    const [stream, far] = pairs[0];
    const received: Buffer[] = [];
    const receiver = WebSocket.from(far, { role: role === 'server' ? 'client' : 'server' });
    receiver.on('message', (data) => received.push(data as Buffer));
    slow!.send('first');
    await nextTurn();
    const { write } = stream;
    const kept: unknown[][] = [];
    stream.write = (...args: unknown[]) => kept.push(args) > 0;
    slow!.send(Buffer.alloc(size, 1));
    await nextTurn();
    other!.send(Buffer.alloc(size, 2));
    await nextTurn();
    expect(kept).not.toEqual([]);
    for (const args of kept) Reflect.apply(write, stream, args);
    while (received.length < 2) await event(receiver, 'message');
    expect(received[1]!.equals(Buffer.alloc(size, 1))).toBe(true);
    for (const [near] of pairs) near.destroy();
  },
);

test('a stream that throws on write loses its own connection, no other', async () => {
  const good = recorded();
  const bad = recorded();
  const after = recorded();
  bad.stream.write = () => {
    throw new Error('broken stream');
  };
  for (const { socket } of [good, bad, after]) socket.send('x');
  const info = await bad.socket.closed;
  await nextTurn();
  expect(info.error).toMatchObject({ message: 'broken stream' });
  expect([good.stream.writes, after.stream.writes]).toEqual([1, 1]);
});
