// The clients under test count what a server does right, and end at what it does wrong. Nothing here measures time.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { WebSocketServer } from 'ws';

const SIZE = 20;
const BURST = 100;
const pattern = Buffer.from(Array.from({ length: SIZE + 16 }, (_, index) => index));
const right = (number: number) => Buffer.from(pattern.subarray(number % 16, (number % 16) + SIZE));

let server: WebSocketServer;
let client: ChildProcess | undefined;

beforeEach(async () => {
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
});
afterEach(() => {
  client?.kill('SIGKILL');
  for (const socket of server.clients) socket.terminate();
  server.close();
});

/** Two connections, of which each sends or receives one burst. */
async function runOnce(library: string, mode: 'send' | 'receive') {
  const script = fileURLToPath(new URL(`../clients/${library}.mjs`, import.meta.url));
  const { port } = server.address() as AddressInfo;
  const args = [port, 2, BURST, SIZE, mode].map(String);
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
  client = child;
  let complaint = '';
  child.stderr!.on('data', (text) => (complaint += text));
  const ended = once(child, 'close').then(() => ({ messages: undefined, complaint }));
  const [ready] = await once(child, 'message');
  expect(ready).toEqual({ port });
  child.send({ seconds: 1e-6 });
  const outcome = await Promise.race([once(child, 'message').then(([message]) => message), ended]);
  return { messages: outcome.messages as number | undefined, complaint };
}

describe.each(['ours', 'ws', 'undici'])('the client of %s', (library) => {
  test('sends bursts, and goes on at the answer', async () => {
    const wrong: Buffer[] = [];
    let count = 0;
    server.on('connection', (socket) => {
      let received = 0;
      socket.on('message', (data: Buffer) => {
        count++;
        if (!data.equals(right(0))) wrong.push(data);
        if (++received % BURST === 0) socket.send('x');
      });
    });
    expect(await runOnce(library, 'send')).toEqual({ messages: 2 * BURST, complaint: '' });
    expect(count).toBe(2 * BURST);
    expect(wrong).toEqual([]);
  });

  test('asks for bursts, and goes on when they are there', async () => {
    server.on('connection', (socket) =>
      socket.on('message', (data) => {
        for (let number = 0; number < Number(data); number++) socket.send(right(number));
      }),
    );
    expect(await runOnce(library, 'receive')).toEqual({ messages: 2 * BURST, complaint: '' });
  });

  test.each([
    ['one byte is another', (message: Buffer) => message.fill(0xff, 7, 8), 'message 63 differs'],
    ['one is too short', (message: Buffer) => message.subarray(1), 'a message of 19 bytes, expected 20'],
  ])('ends where %s', async (_, spoil, expected) => {
    server.on('connection', (socket) =>
      socket.on('message', (data) => {
        for (let number = 0; number < Number(data); number++)
          socket.send(number === 63 ? spoil(right(number)) : right(number));
      }),
    );
    const { messages, complaint } = await runOnce(library, 'receive');
    expect(messages).toBeUndefined();
    expect(complaint).toContain(expected);
  });
});
