// The programs of the README for everybody who is connected, each as it stands there; the rows (A-…) say what must be seen.
import { expect, test } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Program } from '@ws/testing';
import type { WebSocket as PeerSocket } from 'ws';
import { inbox, run } from './programs.js';
import { handshake, opened, peer, RawPeer } from './support.js';

const MiB = 2 ** 20;

/** As many open clients, and what each gets. */
async function clients(
  program: Program,
  count: number,
): Promise<{ sockets: PeerSocket[]; inboxes: ReturnType<typeof inbox>[] }> {
  const port = await program.port;
  const sockets = Array.from({ length: count }, () => peer(port, '/', [], { maxPayload: 32 * MiB }));
  const inboxes = sockets.map(inbox);
  await Promise.all(sockets.map(opened));
  return { sockets, inboxes };
}

const alive = (program: Program): void => expect([program.isRunning, program.output]).toEqual([true, '']);

test('A-22 A-10 a name, what it says, that it leaves: each is told once to everybody', async () => {
  const program = run('A chat');
  const { sockets, inboxes } = await clients(program, 3);
  const [ann, bob, eve] = sockets;
  const say = async (socket: PeerSocket | undefined, text: string, length: number): Promise<void> => {
    socket?.send(text);
    for (const { until } of inboxes) await until(length);
  };
  await say(ann, 'Ann', 1);
  await say(bob, 'Bob', 2);
  await say(ann, 'hello', 3);
  eve?.terminate(); // who never had a name
  ann?.close();
  await inboxes[1]?.until(4);
  bob?.ping('that was all');
  expect(await inboxes[1]?.until(5)).toEqual([
    'Ann is here',
    'Bob is here',
    'Ann: hello',
    'Ann has left',
    'pong that was all',
  ]);
  expect(inboxes[2]?.got).toEqual(['Ann is here', 'Bob is here', 'Ann: hello']);
  alive(program);
});

test('A-08 three writes are one message of three frames; who comes in the middle of it gets nothing of it', async () => {
  const program = run('All that comes on stdin');
  const { inboxes } = await clients(program, 1);
  const raw = new RawPeer(await program.port).write(handshake());
  await raw.until('\r\n\r\n');
  const wire = (): string => Buffer.from(raw.received.split('\r\n\r\n')[1] ?? '', 'latin1').toString('hex');
  program.type(Buffer.of(1, 2, 3));
  await raw.until('\x02\x03\x01\x02\x03');
  const late = await clients(program, 1);
  program.type(Buffer.of(4, 5, 6));
  await raw.until('\x04\x05\x06');
  program.endInput();
  await raw.until('\x80\x00');
  expect(wire()).toBe('0203010203' + '0003040506' + '8000');
  expect(await inboxes[0]?.until(1)).toEqual(['binary 010203040506']);
  late.sockets[0]?.ping('nothing');
  expect(await late.inboxes[0]?.until(1)).toEqual(['pong nothing']);
});

test.each(['Every message of every client', 'Messages of any length'])(
  'A-24 every client gets every message once, of its type, unmixed; one is cut, and the others go on: %s',
  async (intro) => {
    const program = run(intro);
    const { sockets, inboxes } = await clients(program, 3);
    const [a, b, c] = sockets;
    a?.send('text');
    b?.send(Buffer.of(1, 2));
    for (const part of ['in ', 'three ', 'parts']) {
      c?.send(part, { fin: part === 'parts' });
      a?.send(`${part}, at once`);
      await setTimeout(5);
    }
    const all = ['text', 'binary 0102', 'in three parts', 'in , at once', 'three , at once', 'parts, at once'];
    for (const { until } of inboxes) expect([...(await until(6))].sort()).toEqual([...all].sort());
    c?.terminate();
    b?.send('they go on');
    for (const { until } of inboxes.slice(0, 2)) expect((await until(7))[6]).toBe('they go on');
    expect([program.isRunning, program.output.replace('WS_ERR_CLOSED\n', '')]).toEqual([true, '']);
  },
);

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The digests of what comes. */
function digests(socket: PeerSocket, count: number): Promise<string[]> {
  const list: string[] = [];
  return new Promise((resolve) =>
    socket.on('message', (data: Buffer) => {
      if (list.push(hashOf(data)) === count) resolve(list);
    }),
  );
}

/** Sends the first `parts` of the 100 fragments of a message, not faster than everybody reads: who is 16 MiB behind is cut. */
async function upload(socket: PeerSocket | undefined, bytes: Buffer, parts: number): Promise<void> {
  const size = Math.ceil(bytes.length / 100);
  for (let n = 0; n < parts; n++) {
    const part = bytes.subarray(n * size, (n + 1) * size);
    await new Promise((resolve) => socket?.send(part, { fin: n === 99, binary: true }, resolve));
    await setTimeout(5);
  }
}

test('A-16 two messages of 10 MiB in 100 fragments at a time: everybody has both, whole; little is kept', async () => {
  const program = run('Messages of any length');
  const { sockets } = await clients(program, 3);
  const [a, b] = [randomBytes(10 * MiB), randomBytes(10 * MiB)];
  const before = await program.kept();
  const got = Promise.all(sockets.map((socket) => digests(socket, 2)));
  const uploads = [upload(sockets[0], a, 100), upload(sockets[1], b, 100)];
  const oneIsThere = Promise.race(uploads).then(() => undefined);
  for (;;) {
    const kept = await Promise.race([program.kept(), oneIsThere]);
    if (kept === undefined) break;
    expect(kept - before).toBeLessThan(8 * MiB);
  }
  await Promise.all(uploads);
  for (const list of await got) expect([...list].sort()).toEqual([hashOf(a), hashOf(b)].sort());
  alive(program);
});

test('A-16 a client that is cut in mid-stream disconnects nobody: what it had sent ends, the other stream is whole', async () => {
  const program = run('Messages of any length');
  const { sockets } = await clients(program, 3);
  const bytes = randomBytes(10 * MiB);
  const listener = sockets[2]!;
  const got: Buffer[] = [];
  listener.on('message', (data: Buffer) => got.push(data));
  await Promise.all([
    upload(sockets[0], bytes, 50).then(() => sockets[0]?.terminate()),
    upload(sockets[1], bytes, 100),
  ]);
  while (got.length < 2) await once(listener, 'message');
  const [cut, whole] = got.sort((one, other) => one.length - other.length);
  expect(cut!.length).toBeLessThan(bytes.length * 0.6);
  expect(bytes.subarray(0, cut!.length).equals(cut!)).toBe(true);
  expect(hashOf(whole!)).toBe(hashOf(bytes));
  sockets[1]?.send('still here');
  expect(String((await once(listener, 'message'))[0])).toBe('still here');
  expect([program.isRunning, program.output]).toEqual([true, 'WS_ERR_INCOMPLETE_MESSAGE\n']);
});
