import { describe, expect, test } from '@jest/globals';
import { PreparedMessage, WebSocket, type SlowConsumer, type SlowInfo } from '../src/index.js';
import { framesOf, nextTurn, record, recorded, summary, tcpPair, type Recorder } from './streams.js';

const codeOf = (error: unknown): unknown => (error as { code: unknown } | undefined)?.code;
const texts = (stream: Recorder): string[] => framesOf(stream.bytes).map(({ payload }) => payload.toString().trimEnd());

/** 1000 bytes, so that what waits is easily counted. */
const line = (text: string | number): string => `${text}`.padEnd(1000);

/** A peer that takes nothing until `release`: about 65 messages of a line, or half the limit, are with the stream, the rest waits. */
function stalled(
  slowConsumer: SlowConsumer | false,
  options: { highWaterMark?: number } = {},
): {
  socket: WebSocket;
  stream: Recorder;
  release: () => Promise<void>;
} {
  const { socket, stream } = recorded({ slowConsumer, highWaterMark: 10_000, ...options });
  stream.stalled = [];
  const release = async (): Promise<void> => {
    const waiting = stream.stalled ?? [];
    stream.stalled = undefined;
    for (const done of waiting) done();
    for (let i = 0; i < 20; i++) await nextTurn();
  };
  return { socket, stream, release };
}

/** Sends lines, a few each turn, and tells what became of them. */
async function send(socket: WebSocket, from: number, to: number, key?: (n: number) => unknown): Promise<string> {
  let outcomes = '';
  for (let n = from; n < to; n++) {
    outcomes += socket.offer(line(n), key ? { key: key(n) } : {})[0];
    if (n % 10 === 9) await nextTurn();
  }
  return outcomes;
}

const range = (from: number, to: number): string[] => Array.from({ length: to - from }, (_, i) => `${from + i}`);

describe('policies', () => {
  test('close: above the limit the connection is cut', async () => {
    const { socket, stream } = stalled({ limit: 100_000 });
    const outcomes = await send(socket, 0, 300);
    expect(outcomes).toMatch(/^s{9,10}q{70,110}d+$/);
    const told: unknown[] = [];
    socket.send('late', (error) => told.push(error?.message));
    const info = await socket.closed;
    expect(summary(info)).toEqual([1006, false, 'limit']);
    expect([codeOf(info.error), info.sent, stream.destroyed]).toEqual(['WS_ERR_SLOW_CONSUMER', null, true]);
    expect(info.bytesUnsent).toBeGreaterThan(80_000);
    await nextTurn();
    expect(told).toEqual([expect.stringContaining('not open')]);
  });

  test('drop-newest: what was there first comes', async () => {
    const { socket, stream, release } = stalled({ limit: 100_000, policy: 'drop-newest' });
    const told: unknown[] = [];
    const outcomes = await send(socket, 0, 300);
    socket.send('told', (error) => told.push(codeOf(error)));
    const kept = outcomes.length - outcomes.replaceAll('d', '').length;
    expect(outcomes.endsWith('d'.repeat(kept))).toBe(true);
    expect(socket.bufferedAmount).toBeLessThan(110_000);
    await release();
    expect(told).toEqual(['WS_ERR_DROPPED']);
    expect(texts(stream)).toEqual(range(0, 300 - kept));
    expect(socket.send('again')).toBe(true);
  });

  test('drop-newest below highWaterMark: send returns false, and drain follows', async () => {
    const { socket, release } = stalled({ limit: 10_000, policy: 'drop-newest' }, { highWaterMark: 1_000_000 });
    expect([socket.send(line(1)), socket.send(Buffer.alloc(10_000)), socket.send(line(2))]).toEqual([
      true,
      true,
      false,
    ]);
    let drained = 0;
    socket.on('drain', () => drained++);
    await release();
    expect([drained, socket.send('again')]).toEqual([1, true]);
  });

  test('drop-oldest under a limit that a stream alone would reach: the newest come all the same', async () => {
    const { socket, stream, release } = stalled({ limit: 10_000, policy: 'drop-oldest' });
    expect(await send(socket, 0, 300)).not.toContain('d');
    expect(socket.bufferedAmount).toBeLessThan(12_000);
    await release();
    const came = texts(stream);
    expect(came.slice(0, 3)).toEqual(range(0, 3));
    expect(came.slice(-3)).toEqual(range(297, 300));
  });

  test('drop-oldest: what is with the stream, then the newest', async () => {
    const { socket, stream, release } = stalled({ limit: 100_000, policy: 'drop-oldest' });
    const told: unknown[] = [];
    await send(socket, 0, 66);
    socket.send(line('told'), (error) => told.push(codeOf(error)));
    const outcomes = await send(socket, 66, 300);
    expect(outcomes).not.toContain('d');
    expect(told).toEqual(['WS_ERR_DROPPED']);
    expect(socket.bufferedAmount).toBeLessThan(110_000);
    await release();
    const got = texts(stream);
    const jump = got.findIndex((text, i) => text !== `${i}`);
    expect(jump).toBeGreaterThan(45);
    const rest = got.slice(jump);
    expect(rest).toEqual(range(300 - rest.length, 300));
    expect(rest.length).toBeGreaterThan(20);
  });

  test('drop-oldest with nothing that may be dropped leaves out the newest', async () => {
    const { socket, stream, release } = stalled({ limit: 100, policy: 'drop-oldest' });
    expect(socket.offer(line(1))).toBe('sent');
    expect(socket.offer(line(2))).toBe('dropped');
    await release();
    expect(texts(stream)).toEqual(['1']);
  });

  test('conflate: the newest of each key, where the first one waited', async () => {
    const { socket, stream, release } = stalled({ limit: 200_000, policy: 'conflate' });
    await send(socket, 0, 70);
    const told: unknown[] = [];
    socket.send(line('a1'), { key: 'a' }, (error) => told.push(codeOf(error)));
    socket.send(line('b1'), { key: 'b' });
    socket.send(line('unkeyed'));
    expect(socket.offer(new PreparedMessage(line('b2')), { key: 'b' })).toBe('queued');
    expect(socket.offer(line('a2'), { key: 'a' })).toBe('queued');
    socket.send(line('a3'), { key: 'a' }, (error) => told.push(codeOf(error)));
    socket.send(line('fragment'), { key: 'a', fin: false });
    socket.send('', { key: 'a' });
    await release();
    expect(texts(stream).slice(70)).toEqual(['a3', 'b2', 'unkeyed', 'fragment', '']);
    expect(told).toEqual(['WS_ERR_DROPPED', undefined]);
    socket.send(line('a4'), { key: 'a' });
    await nextTurn();
    expect(texts(stream).at(-1)).toBe('a4');
  });

  test('conflate keeps a few keys in bounds for ever, and closes where keys are too many', async () => {
    const { socket } = stalled({ limit: 100_000, policy: 'conflate' });
    await send(socket, 0, 70);
    expect(await send(socket, 70, 5000, (n) => n % 10)).not.toContain('d');
    expect(socket.bufferedAmount).toBeLessThan(100_000);
    expect(await send(socket, 5000, 5100, (n) => n)).toContain('d');
    expect((await socket.closed).initiator).toBe('limit');
  });

  test('false, and the default of a connection: no limit', async () => {
    for (const slowConsumer of [false, undefined] as const) {
      const { socket } = recorded({ ...(slowConsumer === false && { slowConsumer }) });
      const events = record(socket, ['slow', 'recovered']);
      for (let i = 0; i < 40; i++) socket.send(Buffer.alloc(1_000_000));
      expect([socket.readyState, events]).toEqual([1, []]);
      socket.terminate();
    }
  });

  test('one message of any size may always be sent', async () => {
    const { socket, stream, release } = stalled({ limit: 100 });
    expect(socket.send(Buffer.alloc(1_000_000))).toBe(false);
    await release();
    expect([framesOf(stream.bytes)[0]?.payload.length, socket.readyState]).toEqual([1_000_000, 1]);
  });

  test('empty messages are not free', async () => {
    const { socket } = stalled({ limit: 200_000, policy: 'drop-newest' });
    await send(socket, 0, 70);
    let queued = 0;
    while (queued < 100_000 && socket.offer('') === 'queued') queued++;
    expect(queued).toBeLessThan(2000);
  });

  test.each(['drop-newest', 'drop-oldest', 'conflate'] as const)(
    '%s: fragments cannot be left out, so the connection is',
    async (policy) => {
      const { socket } = stalled({ limit: 100_000, policy });
      let n = 0;
      while (n < 300 && socket.offer(line(n), { fin: false, key: 1 }) !== 'dropped')
        if (++n % 10 === 0) await nextTurn();
      expect(n).toBeLessThan(120);
      expect(summary(await socket.closed)).toEqual([1006, false, 'limit']);
    },
  );

  test('behind a message in fragments that does not end, prepared messages stay in bounds', async () => {
    const { socket } = stalled({ limit: 100_000, policy: 'drop-oldest' });
    socket.send('open', { fin: false });
    const message = new PreparedMessage(line('p'));
    let outcomes = '';
    for (let i = 0; i < 300; i++) outcomes += socket.offer(message)[0];
    expect(outcomes).toMatch(/^sq*d+$|^s{2,10}q*d+$/);
    expect(socket.bufferedAmount).toBeLessThan(110_000);
    socket.terminate();
  });

  test('of a single message', async () => {
    const { socket } = stalled(false);
    await send(socket, 0, 100);
    expect(socket.offer(line('x'), { slowConsumer: { limit: 50_000, policy: 'drop-newest' } })).toBe('dropped');
    expect(socket.offer(line('y'), { slowConsumer: { limit: 500_000 } })).toBe('queued');
    expect(socket.offer(new PreparedMessage(line('z')), { slowConsumer: { limit: 1000 } })).toBe('dropped');
    expect((await socket.closed).initiator).toBe('limit');
    const strict = stalled({ limit: 10 });
    strict.socket.send(line('a'));
    expect(strict.socket.offer(line('b'), { slowConsumer: false })).toBe('sent');
    strict.socket.terminate();
  });
});

describe('slow and recovered', () => {
  test('come once each, with figures', async () => {
    const { socket, release } = stalled({ highWaterMark: 20_000, limit: 30_000, policy: 'drop-newest' });
    const events = record(socket, ['slow', 'recovered', 'drain']);
    await send(socket, 0, 100);
    expect(events.map(([name]) => name)).toEqual(['slow']);
    expect((events[0]![1] as SlowInfo).bufferedAmount).toBeGreaterThanOrEqual(20_000);
    await release();
    expect(new Set(events.map(([name]) => name))).toEqual(new Set(['drain', 'recovered', 'slow']));
    expect(events).toHaveLength(3);
    const { dropped, ms, bufferedAmount } = events.find(([name]) => name === 'recovered')![1] as SlowInfo;
    expect([dropped > 50, ms >= 0, bufferedAmount <= 10_000]).toEqual([true, true, true]);
    await send(socket, 0, 3);
    expect(events).toHaveLength(3);
  });

  test.each(['terminate', 'limit', 'reset'])('who is cut has not caught up: %s', async (how) => {
    const [near, far] = await tcpPair(); // a socket that is destroyed completes its writes
    const socket = WebSocket.from(near, { role: 'server', slowConsumer: { limit: 1_000_000 } });
    const events = record(socket, ['slow', 'recovered', 'drain', 'close']);
    socket.on('error', () => undefined);
    far.pause().on('error', () => undefined);
    for (; socket.bufferedAmount < 500_000; await nextTurn()) socket.send(Buffer.alloc(16_000));
    events.length = 0; // before the system's buffers were full, it may have caught up
    if (how === 'terminate') socket.terminate();
    else if (how === 'reset') far.resetAndDestroy();
    else for (let i = 0; i < 100; i++) socket.send(Buffer.alloc(16_000));
    await socket.closed;
    await nextTurn();
    expect(events.map(([name]) => name)).toEqual(['close']);
    far.destroy();
  });

  test('a mark above that of send is waited for, and below it told before', async () => {
    const high = stalled({ highWaterMark: 50_000 });
    const events = record(high.socket, ['slow', 'recovered', 'drain']);
    await send(high.socket, 0, 20);
    expect(events).toEqual([]);
    await high.release();
    expect(events.map(([name]) => name)).toEqual(['drain']);
    const low = stalled({ highWaterMark: 2000 });
    const early = record(low.socket, ['slow', 'recovered', 'drain']);
    await send(low.socket, 0, 4);
    expect(early.map(([name]) => name)).toEqual(['slow']);
    await low.release();
    expect(early.map(([name]) => name)).toEqual(['slow', 'recovered']);
  });

  test('a stream that is written to a slow peer counts too', async () => {
    const { socket } = stalled({ highWaterMark: 20_000 });
    const events = record(socket, ['slow']);
    const out = socket.createOutgoing();
    out.write(Buffer.alloc(30_000));
    expect(events).toHaveLength(1);
    socket.terminate();
  });
});

test.each([
  [{ limit: -1 }, RangeError],
  [{ highWaterMark: 1.5 }, RangeError],
  [{ policy: 'explode' }, RangeError],
  [{ policy: 7 }, TypeError],
  [{ limit: 'much' }, TypeError],
  [7, TypeError],
  ['close', TypeError],
  [true, TypeError],
])('slowConsumer %j is refused', (slowConsumer, type) => {
  expect(() => recorded({ slowConsumer: slowConsumer as SlowConsumer })).toThrow(type);
  const { socket } = recorded();
  expect(() => socket.offer('x', { slowConsumer: slowConsumer as SlowConsumer })).toThrow(type);
});
