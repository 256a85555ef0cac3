import { beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { randomFillSync } from 'node:crypto';
import { WebSocket as UndiciSocket } from 'undici';
import type { WebSocketServer } from '../src/index.js';
import { opened, peer, portOf, start } from './support.js';

const MiB = 2 ** 20;
const SIZES = [0, 1, 15, 16, 125, 126, 127, 1000, 16_383, 16_384, 65_535, 65_536, 65_537, MiB, 16 * MiB];

/** One buffer for all: its beginnings are the messages. */
const BYTES = Buffer.alloc(16 * MiB);
beforeAll(() => void randomFillSync(BYTES));

/** Text of `size` bytes, of characters of one to four bytes. */
function textOf(size: number): string {
  const unit = 'aß€😀 0123456789';
  const unitBytes = Buffer.byteLength(unit);
  return unit.repeat(Math.floor(size / unitBytes)) + 'x'.repeat(size % unitBytes);
}

async function startEcho(): Promise<WebSocketServer> {
  const server = await start({ maxPayload: 16 * MiB });
  server.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary })),
  );
  return server;
}

/** `toEqual` would take minutes on 16 MiB. */
const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

test.each(SIZES)('npm ws: %p bytes, text and binary', async (size) => {
  const client = await opened(peer(portOf(await startEcho()), '/', [], { maxPayload: 16 * MiB }));
  for (const [message, isBinary] of [
    [BYTES.subarray(0, size), true],
    [textOf(size), false],
  ] as const) {
    const echo = once(client, 'message');
    client.send(message);
    const [data, binary] = await echo;
    expect(binary).toBe(isBinary);
    expect(isSame(data, Buffer.from(message as Buffer))).toBe(true);
  }
});

test.each([1, 3, 1000, 70_000])('npm ws: a message in fragments of %p bytes, pings in between', async (size) => {
  const client = await opened(peer(portOf(await startEcho())));
  const pongs: number[] = [];
  const lastPong = new Promise<void>((resolve) =>
    client.on('pong', (data) => {
      if (pongs.push(Number(data.toString())) && pongs.at(-1) === -1) resolve();
    }),
  );
  const whole = BYTES.subarray(0, Math.min(size * 50, MiB));
  const echo = once(client, 'message');
  for (let at = 0; at < whole.length; at += size) {
    client.send(whole.subarray(at, at + size), { fin: at + size >= whole.length, binary: true });
    client.ping(String(at));
  }
  client.ping('-1');
  const [data, isBinary] = await echo;
  expect([isBinary, isSame(data, whole)]).toEqual([true, true]);
  await lastPong;
  // Decision 17: of a burst some may go unanswered, but none comes late.
  expect(pongs).toEqual([...pongs.slice(0, -1).sort((a, b) => a - b), -1]);
});

test('B-01 npm ws: text in fragments that cut its characters', async () => {
  const client = await opened(peer(portOf(await startEcho())));
  const text = textOf(2000);
  const bytes = Buffer.from(text);
  const echo = once(client, 'message');
  for (let at = 0; at < bytes.length; at++) {
    client.send(bytes.subarray(at, at + 1), { fin: at === bytes.length - 1, binary: false });
  }
  const [data, isBinary] = await echo;
  expect([String(data), isBinary]).toEqual([text, false]);
});

test('npm ws: a thousand messages at once come back in their order', async () => {
  const client = await opened(peer(portOf(await startEcho())));
  const echoes: number[] = [];
  const all = new Promise<void>((resolve) =>
    client.on('message', (data: Buffer) => {
      echoes.push(Number(data.toString()));
      if (echoes.length === 1000) resolve();
    }),
  );
  for (let i = 0; i < 1000; i++) client.send(String(i));
  await all;
  expect(echoes).toEqual(Array.from({ length: 1000 }, (_, i) => i));
});

test('npm ws offers permessage-deflate: declined, and all goes on (decision 13)', async () => {
  const client = await opened(peer(portOf(await startEcho()), '/', [], { perMessageDeflate: true }));
  expect(client.extensions).toBe('');
  const echo = once(client, 'message');
  client.send('x'.repeat(5000));
  expect(String((await echo)[0])).toBe('x'.repeat(5000));
});

test('undici: text and binary, and a clean end', async () => {
  const server = await startEcho();
  const client = new UndiciSocket(`ws://127.0.0.1:${portOf(server)}/`, ['chat']);
  client.binaryType = 'arraybuffer';
  await new Promise((resolve) => client.addEventListener('open', resolve));
  expect([client.protocol, client.extensions]).toEqual(['chat', '']);
  const next = (): Promise<unknown> =>
    new Promise((resolve) => client.addEventListener('message', ({ data }) => resolve(data), { once: true }));
  for (const size of [0, 1, 125, 126, 65_535, 65_536, MiB]) {
    const binary = next();
    client.send(BYTES.subarray(0, size));
    expect(isSame(new Uint8Array((await binary) as ArrayBuffer), BYTES.subarray(0, size))).toBe(true);
    const text = next();
    client.send(textOf(size));
    expect((await text) === textOf(size)).toBe(true);
  }
  const closing = new Promise<{ code: number; reason: string; wasClean: boolean }>((resolve) =>
    client.addEventListener('close', resolve),
  );
  for (const socket of server.clients) socket.close(4001, 'enough');
  expect(await closing).toMatchObject({ code: 4001, reason: 'enough', wasClean: true });
});

test('npm ws: a client that vanishes is a close with 1006', async () => {
  const server = await startEcho();
  const next = once(server, 'connection');
  const client = await opened(peer(portOf(server)));
  const [socket] = await next;
  client.terminate();
  expect(await socket.closed).toMatchObject({ code: 1006, wasClean: false, initiator: 'transport' });
});
