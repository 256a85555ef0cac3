// Large payloads of clients on TCP: masked in memory that all clients of the process share.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket } from '../src/index.js';
import { nextTurn, tcpPair } from './streams.js';

const BLOCK = 131_072;
/** A frame's header is 8 bytes up to 64 KiB, and 14 beyond. */
const SIZES = [
  16_384,
  16_385,
  65_535,
  65_536,
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

test('go at once: nothing of them waits where the system takes them', async () => {
  const ends = await connected();
  const results = [1, 2, 3].map(() => ends.sender.send(randomBytes(20_000)));
  expect(results).toEqual([true, true, true]);
  expect([ends.sender.bufferedAmount, ends.near.bytesWritten]).toEqual([0, 3 * 20_008]);
  await finish(ends);
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
  const { write } = near;
  near.write = function (this: Socket, ...args: unknown[]) {
    const result = Reflect.apply(write, this, args) as boolean;
    this.destroy();
    return result;
  };
  const error = await new Promise((resolve) => sender.send(randomBytes(3 * BLOCK), resolve));
  expect(error).toMatchObject({ code: 'WS_ERR_CLOSED' });
  await sender.closed;
  receiver.terminate();
});
