// Large payloads of clients on TCP: masked in memory that all clients of the process share.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket } from '../src/index.js';
import { nextTurn, tcpPair } from './streams.js';

const BLOCK = 196_608;
/** From here on it is not held until the end of the turn. */
const HOLD = 131_072;
/** Of a frame whose payload has 64 KiB. */
const FRAME = 65_550;
/** A frame's header is 8 bytes up to 64 KiB, and 14 beyond. */
const SIZES = [
  16_384,
  16_385,
  65_535,
  65_536,
  HOLD - 15,
  HOLD - 14,
  HOLD,
  BLOCK - 15,
  BLOCK - 14,
  BLOCK - 13,
  BLOCK,
  BLOCK + 1,
  2 * BLOCK,
  500_000,
];

interface Ends {
  readonly near: Socket;
  readonly sender: WebSocket;
  readonly receiver: WebSocket;
  readonly received: Buffer[];
}

async function connected(): Promise<Ends> {
  const [near, far] = await tcpPair();
  const sender = WebSocket.from(near, { role: 'client' });
  const receiver = WebSocket.from(far, { role: 'server' });
  const received: Buffer[] = [];
  receiver.on('message', (data) => received.push(data as Buffer));
  return { near, sender, receiver, received };
}

/** Until all that was sent is there. */
async function finish({ sender, receiver }: Ends): Promise<void> {
  sender.close();
  receiver.resume();
  await Promise.all([sender.closed, receiver.closed]);
}

const same = (received: Buffer[], sent: Buffer[]): boolean[] =>
  sent.map((bytes, i) => received[i]?.equals(bytes) ?? false);
const all = (sent: Buffer[]): boolean[] => sent.map(() => true);

test('arrive as they are, in order between small ones, and are not touched', async () => {
  const ends = await connected();
  const sent = SIZES.flatMap((size) => [randomBytes(10), randomBytes(size), randomBytes(size), randomBytes(100)]);
  const copies = sent.map((bytes) => Buffer.from(bytes));
  const calls: unknown[] = [];
  for (const [i, bytes] of sent.entries()) ends.sender.send(bytes, (error) => calls.push(error ?? i));
  await finish(ends);
  expect(same(ends.received, copies)).toEqual(all(copies));
  expect(same(sent, copies)).toEqual(all(copies));
  expect(calls).toEqual(sent.map((_, i) => i));
});

test('arrive as they are in the parts of one frame', async () => {
  const ends = await connected();
  const content = randomBytes(1_000_000);
  const cuts = [0, 3, 20_000, 90_001, 90_002, 400_003, 1_000_000];
  const outgoing = ends.sender.createOutgoing({ length: content.length });
  for (let i = 1; i < cuts.length; i++) outgoing.write(content.subarray(cuts[i - 1], cuts[i]));
  outgoing.end();
  await finish(ends);
  expect(same(ends.received, [content])).toEqual([true]);
});

test('two leave together; what is left does so at the end of the turn', async () => {
  const ends = await connected();
  const { near, sender } = ends;
  const sent = Array.from({ length: 6 }, () => randomBytes(65_536));
  const written: number[] = [];
  const told: number[] = [];
  for (const [i, bytes] of sent.slice(0, 5).entries()) {
    expect(sender.send(bytes, () => told.push(i))).toBe(true);
    written.push(near.bytesWritten / FRAME);
  }
  expect(written).toEqual([0, 2, 2, 4, 4]);
  await nextTurn();
  expect([near.bytesWritten / FRAME, told]).toEqual([5, [0, 1, 2, 3, 4]]);
  sender.send(sent[5]!);
  sender.send('behind');
  expect(near.bytesWritten).toBe(6 * FRAME + '......behind'.length);
  await finish(ends);
  expect(same(ends.received, sent)).toEqual(all(sent));
});

test('nothing is held where somebody asks how much is buffered', async () => {
  const ends = await connected();
  const results = [1, 2, 3].map(() => ends.sender.send(randomBytes(20_000)));
  expect([results, ends.near.bytesWritten]).toEqual([[true, true, true], 0]);
  expect([ends.sender.bufferedAmount, ends.near.bytesWritten]).toEqual([0, 3 * 20_008]);
  await finish(ends);
});

test('what one connection holds leaves when another sends', async () => {
  const one = await connected();
  const other = await connected();
  const [first, second, third] = [randomBytes(65_536), randomBytes(65_536), randomBytes(30_000)] as const;
  one.sender.send(first);
  expect(one.near.bytesWritten).toBe(0);
  other.sender.send(second);
  expect([one.near.bytesWritten, other.near.bytesWritten]).toEqual([FRAME, 0]);
  one.sender.send(third);
  expect([one.near.bytesWritten, other.near.bytesWritten]).toEqual([FRAME, FRAME]);
  await Promise.all([finish(one), finish(other)]);
  expect([same(one.received, [first, third]), same(other.received, [second])]).toEqual([[true, true], [true]]);
});

test('what is held is sent before the connection is cut', async () => {
  const { near, sender, receiver, received } = await connected();
  const sent = randomBytes(65_536);
  const calls: unknown[] = [];
  sender.send(sent, (error) => calls.push(error));
  sender.terminate();
  await Promise.all([sender.closed, receiver.closed]);
  expect([calls, near.bytesWritten, same(received, [sent])]).toEqual([[undefined], FRAME, [true]]);
});

test('what is held when the stream is gone fails, and holds up nobody', async () => {
  const { near, sender, receiver } = await connected();
  const calls: unknown[] = [];
  for (const size of [65_536, 20_000]) sender.send(randomBytes(size), (error) => calls.push(error?.code));
  near.destroy();
  expect(sender.bufferedAmount).toBe(0);
  sender.send(randomBytes(20_000), (error) => calls.push(error?.code));
  const next = await connected();
  const sent = [randomBytes(65_536), randomBytes(65_536)];
  for (const bytes of sent) next.sender.send(bytes);
  expect(next.near.bytesWritten).toBe(2 * FRAME);
  await Promise.all([finish(next), sender.closed]);
  expect(calls).toEqual(['WS_ERR_CLOSED', 'WS_ERR_CLOSED', 'WS_ERR_CLOSED']);
  expect(same(next.received, sent)).toEqual([true, true]);
  receiver.terminate();
});

test.each([
  ['closes', (socket: WebSocket) => socket.close(4000), ['65536', 'close 4000']],
  ['sends', (socket: WebSocket) => void socket.send('told'), ['65536', '4', 'close 1005']],
])(
  'who %s on another connection when what was held fails does so behind what that one sends',
  async (_, act, expected) => {
    const gone = await connected();
    const other = await connected();
    const events: string[] = [];
    other.receiver.on('message', (data) => events.push(`${(data as Buffer).length}`));
    other.receiver.on('close', (code) => events.push(`close ${code}`));
    let isSending = false;
    const told = new Promise((resolve) => {
      gone.sender.send(randomBytes(20_000), (error) => {
        act(other.sender);
        resolve([isSending, error?.code]);
      });
    });
    gone.near.destroy();
    isSending = true;
    other.sender.send(randomBytes(65_536));
    isSending = false;
    expect(await told).toEqual([false, 'WS_ERR_CLOSED']);
    await finish(other);
    expect(events).toEqual(expected);
    gone.receiver.terminate();
  },
);

/** By turns, at random: what many send in one turn, to peers of which some do not read for a while. */
test('no byte of one connection comes to another', async () => {
  const SIZES_MIXED = [100, 16_385, 20_000, 40_000, 65_536, 65_536, 65_536, 100_000, 130_000, 250_000];
  const connections = await Promise.all(Array.from({ length: 5 }, connected));
  const sent: Buffer[][] = connections.map(() => []);
  const random = randomBytes(4000);
  let at = 0;
  const pick = (below: number): number => random[at++ % random.length]! % below;
  for (let turn = 0; turn < 60; turn++) {
    for (let step = pick(12); step > 0; step--) {
      const index = pick(connections.length);
      const { sender, receiver } = connections[index]!;
      for (let count = 1 + pick(4); count > 0; count--) {
        const bytes = randomBytes(SIZES_MIXED[pick(SIZES_MIXED.length)]!);
        sent[index]!.push(Buffer.from(bytes));
        sender.send(bytes, () => bytes.fill(0)); // it may be changed from its callback on
      }
      if (pick(8) === 0) receiver.pause();
      if (pick(4) === 0) receiver.resume();
      if (pick(6) === 0) expect(sender.bufferedAmount).toBeGreaterThanOrEqual(0);
    }
    await nextTurn();
  }
  await Promise.all(connections.map(finish));
  for (const [index, { received }] of connections.entries())
    expect(same(received, sent[index]!)).toEqual(all(sent[index]!));
});

test('what a stream has still to write stays as it is while others send', async () => {
  const slow = await connected();
  const quick = await connected();
  slow.receiver.pause();
  const toSlow: Buffer[] = [];
  const toQuick: Buffer[] = [];
  const send = (to: WebSocket, sent: Buffer[], size: number): boolean =>
    to.send(sent[sent.push(randomBytes(size)) - 1]!);
  while (send(slow.sender, toSlow, 300_000));
  expect(slow.near.writableLength).toBeGreaterThan(0);
  for (let i = 0; i < 20; i++) {
    send(quick.sender, toQuick, 300_000);
    send(slow.sender, toSlow, 100_000);
    await nextTurn();
  }
  await Promise.all([finish(slow), finish(quick)]);
  expect(same(slow.received, toSlow)).toEqual(all(toSlow));
  expect(same(quick.received, toQuick)).toEqual(all(toQuick));
});

test('a connection that is cut while its stream has still to write holds up nobody', async () => {
  const slow = await connected();
  slow.receiver.pause();
  const errors: unknown[] = [];
  while (slow.sender.send(randomBytes(300_000), (error) => errors.push(error)));
  slow.sender.terminate();
  await slow.sender.closed;
  await nextTurn();
  slow.receiver.terminate();
  expect(errors.at(-1)).toMatchObject({ code: 'WS_ERR_CLOSED' });
  const next = await connected();
  const sent = SIZES.map((size) => randomBytes(size));
  for (const bytes of sent) next.sender.send(bytes);
  await finish(next);
  expect(same(next.received, sent)).toEqual(all(sent));
});

test('a stream that breaks between two pieces fails the message', async () => {
  const { near, sender, receiver } = await connected();
  sender.send('x'); // what kind of stream it is has been asked then
  await nextTurn();
  const inner = near as unknown as { _writeGeneric(...args: unknown[]): void };
  const { _writeGeneric } = inner;
  inner._writeGeneric = (...args) => {
    Reflect.apply(_writeGeneric, near, args);
    near.destroy();
  };
  const error = await new Promise((resolve) => sender.send(randomBytes(3 * BLOCK), resolve));
  expect(error).toMatchObject({ code: 'WS_ERR_CLOSED' });
  await sender.closed;
  receiver.terminate();
});
