import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { HeldClock } from '@ws/testing';
import {
  ClosedError,
  createPair,
  GuardError,
  MemoryBudget,
  WebSocket,
  type FromOptions,
  type Incoming,
} from '../src/index.js';
import { clientFrame, framesOf, recorded, tcpPair } from './streams.js';

// What becomes of real connections above the limit. Time is real here, unless nothing is to come of it; the budget's own is tested with a clock that stands still.

const open: WebSocket[] = [];

afterEach(async () => {
  for (const socket of open) socket.terminate();
  await Promise.all(open.splice(0).map((socket) => socket.closed));
});

async function overTcp(
  memoryLimit: MemoryBudget,
  options: Partial<FromOptions> = {},
): Promise<{ socket: WebSocket; peer: Socket }> {
  const [peer, far] = await tcpPair();
  peer.on('error', () => undefined);
  const socket = WebSocket.from(far, { role: 'server', memoryLimit, ...options });
  open.push(socket);
  return { socket, peer };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** All that the peer gets until the stream ends. */
async function received(peer: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  peer.on('data', (chunk: Buffer) => chunks.push(chunk));
  if (!peer.closed) await new Promise((resolve) => peer.once('end', resolve).once('close', resolve));
  return Buffer.concat(chunks);
}

const unfinished = (bytes: number): Buffer => clientFrame(Opcode.Binary, Buffer.alloc(bytes), { fin: false });

test('attackers are told 1013 and are free to go, the healthy one keeps its echo', async () => {
  let least = Infinity; // what was left when some had been shed: of the others more may come
  class Budget extends MemoryBudget {
    override add(change: number): void {
      super.add(change);
      if (this.shed > 0) least = Math.min(least, this.used);
    }
  }
  const budget = new Budget(1_000_000);
  const healthy = await overTcp(budget);
  healthy.socket.on('message', (data) => healthy.socket.send(data));
  const attackers = await Promise.all(Array.from({ length: 5 }, () => overTcp(budget)));
  const infos = attackers.map(({ socket }) => socket.closed);
  const answers = attackers.map(({ peer }) => received(peer));
  for (const { peer } of attackers) peer.write(unfinished(300_000));
  await until(() => budget.shed > 0 && !budget.isOver);
  expect(least).toBeLessThanOrEqual(750_000);
  const shed = attackers.flatMap(({ socket }, i) => (socket.readyState === WebSocket.OPEN ? [] : [i]));
  expect(shed.length).toBe(budget.shed);
  for (const i of shed) {
    const frames = framesOf((await answers[i])!);
    expect(frames.map(({ opcode, payload }) => [opcode, payload.readUInt16BE(0)])).toEqual([[Opcode.Close, 1013]]);
    attackers[i]!.peer.end();
    const { error, initiator, sent } = await infos[i]!;
    expect(error).toBeInstanceOf(GuardError);
    expect([(error as GuardError).code, initiator, sent]).toEqual([
      'WS_ERR_MEMORY_LIMIT',
      'limit',
      { code: 1013, reason: '' },
    ]);
  }
  const echo = once(healthy.peer, 'data');
  healthy.peer.write(clientFrame(Opcode.Text, 'still here'));
  expect(framesOf(((await echo) as [Buffer])[0])[0]?.payload.toString()).toBe('still here');
});

test('who has not read what was sent to him is cut, and all of it is free at once', async () => {
  const budget = new MemoryBudget(2_000_000);
  const { socket, peer } = await overTcp(budget);
  const text = 'x'.repeat(100_000);
  while (budget.used < 2_000_000) {
    socket.send(text);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until(() => budget.shed === 1);
  expect(budget.used).toBe(0);
  const { error, code, sent, initiator, bytesUnsent } = await socket.closed;
  expect([(error as GuardError).code, code, sent, initiator]).toEqual(['WS_ERR_MEMORY_LIMIT', 1006, null, 'limit']);
  expect(bytesUnsent).toBeGreaterThan(1_000_000);
  const got = framesOf(await received(peer));
  expect(got.every(({ opcode }) => opcode === Opcode.Text)).toBe(true);
});

test('while memory is short nothing is read: what comes then is not lost', async () => {
  const budget = new MemoryBudget(1_000_000, new HeldClock()); // nobody's patience ends
  const calm = await overTcp(budget);
  const silent = await overTcp(budget); // there is nothing of it that could be paused
  const got: string[] = [];
  calm.socket.on('message', (data) => got.push(String(data)));
  silent.socket.on('message', (data) => got.push(String(data)));
  calm.peer.write(clientFrame(Opcode.Text, 'before'));
  await until(() => got.length === 1);
  const burst = await overTcp(budget);
  burst.peer.write(unfinished(300_000)); // takes up to twice as much
  const { socket, stream } = recorded({ memoryLimit: budget });
  open.push(socket);
  const messages = socket[Symbol.asyncIterator]();
  await until(() => budget.used >= 300_000);
  stream.push(clientFrame(Opcode.Binary, Buffer.alloc(1_100_000 - budget.used)));
  await until(() => budget.isOver);
  calm.peer.write(clientFrame(Opcode.Text, 'meanwhile'));
  await until(() => calm.socket.duplex!.readableLength > 0); // it is there, and nobody takes it
  silent.peer.write(clientFrame(Opcode.Text, 'at last'));
  await until(() => silent.socket.bytesReceived > 0 || silent.socket.duplex!.readableLength > 0);
  expect([budget.isOver, got, budget.shed]).toEqual([true, ['before'], 0]);
  await messages.next(); // a burst is over when it is taken
  await until(() => !budget.isOver && got.length === 3);
  expect([got.toSorted(), budget.shed]).toEqual([['at last', 'before', 'meanwhile'], 0]);
});

test('what an iterator or a streamed message of a shed connection holds is let go of, and ends in an error', async () => {
  const budget = new MemoryBudget(300_000);
  const { socket, peer } = await overTcp(budget);
  const messages = socket[Symbol.asyncIterator]();
  peer.write(clientFrame(Opcode.Binary, Buffer.alloc(400_000)));
  await until(() => budget.shed === 1);
  expect(budget.used).toBe(0);
  peer.end();
  await expect(messages.next()).rejects.toBeInstanceOf(ClosedError);

  const streamed = await overTcp(budget, { incoming: 'stream', highWaterMark: 1_000_000 });
  const begun: Incoming[] = [];
  streamed.socket.on('incoming', (message) => begun.push(message));
  streamed.peer.write(clientFrame(Opcode.Binary, Buffer.alloc(150_000)));
  streamed.peer.write(clientFrame(Opcode.Binary, Buffer.alloc(250_000)));
  await until(() => budget.shed === 2);
  expect(budget.used).toBe(0);
  await until(() => begun.every(({ closed }) => closed));
  expect(begun.map(({ errored }) => (errored as GuardError | null)?.code)).toEqual(
    begun.map(() => 'WS_ERR_INCOMPLETE_MESSAGE'),
  );
  expect(begun.length).toBeGreaterThan(0);
});

test('a connection that comes while memory is short waits too', async () => {
  const budget = new MemoryBudget(1_000_000);
  const { socket, stream } = recorded({ memoryLimit: budget });
  open.push(socket);
  const messages = socket[Symbol.asyncIterator]();
  stream.push(clientFrame(Opcode.Binary, Buffer.alloc(1_100_000)));
  await until(() => budget.isOver);
  const late = await overTcp(budget);
  const got: string[] = [];
  late.socket.on('message', (data) => got.push(`${String(data)} ${budget.isOver}`));
  late.peer.write(clientFrame(Opcode.Text, 'late'));
  await until(() => got.length > 0);
  expect([got, budget.shed]).toEqual([['late false'], 1]);
  await messages.return?.();
});

test('a budget of one connection, as a number', async () => {
  const { client, server } = createPair({ memoryLimit: 200_000 });
  server.pause();
  client.send(Buffer.alloc(300_000));
  const { error, initiator } = await client.closed;
  expect([(error as GuardError).code, initiator]).toEqual(['WS_ERR_MEMORY_LIMIT', 'limit']);
  server.terminate();
});
