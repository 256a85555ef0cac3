import { afterEach, expect, jest, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { collectGarbage } from '@ws/testing';
import { MemoryBudget, type WebSocket } from '../src/index.js';
import { sweep } from '../src/sleep.js';
import { clientFrame, event, framesOf, nextTurn, recorded, type Recorder } from './streams.js';

// A connection that has had nothing to do in two sweeps gives its parts back. Its account goes with them: who wakes again opens another one.

interface Subject {
  socket: WebSocket;
  stream: Recorder;
  /** How often it was woken. */
  wakings: () => number;
}

function subject(options: Parameters<typeof recorded>[0] = {}): Subject {
  const memoryLimit = new MemoryBudget(1_000_000);
  const open = jest.spyOn(memoryLimit, 'open');
  return { ...recorded({ memoryLimit, ...options }), wakings: () => open.mock.calls.length };
}

async function sweepTwice(): Promise<void> {
  await nextTurn();
  sweep();
  sweep();
  await nextTurn();
}

async function exchange({ socket, stream }: Subject, text: string): Promise<string> {
  const message = event(socket, 'message');
  stream.push(clientFrame(Opcode.Text, text));
  const [data] = await message;
  socket.send(`re: ${text}`);
  await nextTurn();
  return (data as Buffer).toString();
}

const open: WebSocket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.terminate();
});
function opened(options?: Parameters<typeof recorded>[0]): Subject {
  const made = subject(options);
  open.push(made.socket);
  return made;
}

test('who has been silent sleeps, and goes on as if nothing had been', async () => {
  const one = opened();
  expect(await exchange(one, 'first')).toBe('first');
  const { stats } = one.socket;
  expect(stats).toMatchObject({ messagesReceived: 1, messagesSent: 1 });
  await sweepTwice();
  expect([one.socket.readyState, one.socket.bufferedAmount, one.socket.isPaused]).toEqual([1, 0, false]);
  expect(one.socket.stats).toEqual(stats);
  expect(one.wakings()).toBe(1); // asking wakes nobody

  expect(await exchange(one, 'second')).toBe('second');
  expect(one.wakings()).toBe(2);
  const after = one.socket.stats;
  expect(after).toEqual({
    bytesReceived: stats.bytesReceived + 'second'.length + 6,
    bytesSent: stats.bytesSent + 're: second'.length + 2,
    messagesReceived: 2,
    messagesSent: 2,
  });
  await sweepTwice();
  one.stream.destroy();
  const info = await one.socket.closed;
  expect(info.frames.map(({ direction, length }) => `${direction} ${length}`)).toEqual([
    'in 5',
    'out 9',
    'in 6',
    'out 10',
  ]);
  expect([info.code, info.bytesUnsent]).toEqual([1006, 0]);
  expect(framesOf(one.stream.bytes).map(({ payload }) => payload.toString())).toEqual(['re: first', 're: second']);
});

test('who speaks between two sweeps does not sleep', async () => {
  const one = opened();
  for (let i = 0; i < 5; i++) {
    await exchange(one, 'x');
    sweep();
  }
  expect(one.wakings()).toBe(1);
  sweep();
  await exchange(one, 'x');
  expect(one.wakings()).toBe(2);
});

const BUSY: Record<string, (it: Subject) => unknown> = {
  'a header that has not come whole': ({ stream }) => stream.push(Buffer.from([0x81])),
  'a frame that has not come whole': ({ stream }) => stream.push(clientFrame(Opcode.Text, 'abc').subarray(0, 8)),
  'a message that has not come whole': ({ stream }) => stream.push(clientFrame(Opcode.Text, 'abc', { fin: false })),
  'a control frame that has not come whole': ({ stream }) =>
    stream.push(clientFrame(Opcode.Ping, 'abc').subarray(0, 7)),
  'a message that is not sent whole': ({ socket }) => socket.send('a', { fin: false }),
  'a message that is being written': ({ socket }) => socket.createOutgoing().write('a'),
  'a message that will be written': ({ socket }) => socket.createOutgoing(),
  'a pause': ({ socket }) => socket.pause(),
  'fragments asked for': ({ socket }) => (socket.binaryType = 'fragments'),
  'streams asked for': ({ socket }) => (socket.incoming = 'stream'),
  'a message that a reader has not taken': ({ socket, stream }) => {
    socket[Symbol.asyncIterator]();
    stream.push(clientFrame(Opcode.Text, 'for it'));
  },
  'bytes that are not written': ({ socket, stream }) => ((stream.stalled = []), socket.send('x')),
  'a callback that has not been called': ({ socket, stream }) => (
    (stream.stalled = []),
    socket.ping('x', () => undefined)
  ),
  'a Close frame': ({ socket }) => socket.close(),
  'the end of the input': ({ stream }) => stream.push(null),
  'an end': ({ socket }) => socket.terminate(),
};

test.each(Object.keys(BUSY))('%s keeps it awake', async (name) => {
  const one = opened();
  BUSY[name]!(one);
  await sweepTwice();
  await sweepTwice();
  expect(one.wakings()).toBe(1);
  one.socket.ping('?', () => undefined); // whatever that comes to
  one.socket.limits.update({ maxPayload: 1000 });
  expect(one.wakings()).toBe(1);
});

test('limits and guards that were changed hold behind its sleep', async () => {
  const one = opened();
  await exchange(one, 'x');
  one.socket.limits.update({ maxPayload: 3 });
  await sweepTwice();
  one.stream.push(clientFrame(Opcode.Text, 'four'));
  await nextTurn();
  const [, close] = framesOf(one.stream.bytes);
  expect([close?.opcode, close?.payload.readUInt16BE(0)]).toEqual([Opcode.Close, 1009]);
});

test('the heartbeat asks who sleeps, knows its answer, and cuts who has none', async () => {
  const one = opened({ heartbeat: { interval: 40, timeout: 60_000 } });
  const asked = (): number => framesOf(one.stream.bytes).filter(({ opcode }) => opcode === Opcode.Ping).length;
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) {
      sweep();
      await nextTurn();
    }
  };
  await until(() => asked() === 1);
  const [ping] = framesOf(one.stream.bytes);
  await sweepTwice();
  const before = one.wakings();
  one.stream.push(clientFrame(Opcode.Pong, ping!.payload));
  await nextTurn();
  expect(one.wakings()).toBe(before + 1);
  const { latency } = one.socket;
  expect(latency).toBeGreaterThanOrEqual(0);
  await sweepTwice();
  expect(one.socket.latency).toBe(latency);
  one.socket.limits.update({ heartbeat: { timeout: 60 } });
  await until(() => asked() === 2 && one.socket.readyState === 3);
  const { code, initiator } = await one.socket.closed;
  expect([code, initiator]).toEqual([1006, 'timeout']);
});

test('it holds little more than one that never spoke', async () => {
  const many = Array.from({ length: 600 }, () => opened({ memoryLimit: false }));
  await Promise.all(many.map((one) => exchange(one, 'x')));
  const heap = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed / many.length;
  };
  const awake = heap();
  await sweepTwice();
  expect(awake - heap()).toBeGreaterThan(1000); // 2100, where nothing else in the process allocates meanwhile
});
