import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { WebSocket } from '@ws/client';
import { WebSocketServer } from '@ws/server';
import { makeCertificate } from '@ws/testing';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { WebSocket as UndiciWebSocket, Agent } from 'undici';

const certificate = makeCertificate();
const plain = new WebSocketServer({ port: 0, host: '127.0.0.1', maxPayload: 0 });
const https = createHttpsServer(certificate);
const secure = new WebSocketServer({ server: https, maxPayload: 0 });
const SIZES = [0, 1, 125, 126, 65_535, 65_536, 1_000_000, 16_777_216];

beforeAll(async () => {
  for (const server of [plain, secure]) {
    server.on('connection', (socket) =>
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary })),
    );
  }
  https.listen(0, '127.0.0.1');
  await Promise.all([once(https, 'listening'), plain.address() ? undefined : once(plain, 'listening')]);
});
afterAll(() => {
  plain.close();
  secure.close();
  https.close();
});

const port = (server: { address(): unknown }): number => (server.address() as AddressInfo).port;

describe.each(['ws', 'wss'] as const)('our server and %s', (scheme) => {
  test('our client: text and binary of every size, fragmented, pings in between', async () => {
    const socket =
      scheme === 'ws'
        ? new WebSocket(`ws://127.0.0.1:${port(plain)}`)
        : new WebSocket(`wss://localhost:${port(https)}`, { ca: certificate.cert });
    await once(socket, 'open');
    let pongs = 0;
    socket.on('pong', () => pongs++);
    for (const size of SIZES) {
      const bytes = randomBytes(size);
      const text = bytes.toString('hex').slice(0, size);
      socket.send(bytes.subarray(0, size >> 1), { fin: false });
      socket.ping(String(size));
      socket.send(bytes.subarray(size >> 1));
      const [binary, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
      expect([bytes.equals(binary), isBinary]).toEqual([true, true]);
      socket.send(text);
      const [echoed, isText] = (await once(socket, 'message')) as [Buffer, boolean];
      expect([echoed.toString('latin1') === text, isText]).toEqual([true, false]);
    }
    expect(pongs).toBe(SIZES.length);
    socket.close(1000);
    expect(await socket.closed).toMatchObject({ code: 1000, wasClean: true, bytesUnsent: 0 });
  }, 30_000);

  test("undici's client", async () => {
    const dispatcher = new Agent({ connect: { ca: certificate.cert } });
    const url = scheme === 'ws' ? `ws://127.0.0.1:${port(plain)}` : `wss://localhost:${port(https)}`;
    const socket = new UndiciWebSocket(url, { dispatcher });
    socket.binaryType = 'arraybuffer';
    await once(socket as never, 'open');
    for (const size of SIZES) {
      const bytes = randomBytes(size);
      socket.send(bytes);
      const [event] = (await once(socket as never, 'message')) as [{ data: ArrayBuffer }];
      expect(Buffer.from(event.data).equals(bytes)).toBe(true);
    }
    socket.close(4001, 'done');
    const [event] = (await once(socket as never, 'close')) as [{ code: number; reason: string; wasClean: boolean }];
    expect([event.code, event.reason, event.wasClean]).toEqual([4001, 'done', true]);
    await dispatcher.close();
  }, 30_000);
});

test('many connections at once, each with its own messages', async () => {
  const sockets = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const socket = new WebSocket(`ws://127.0.0.1:${port(plain)}`);
      await once(socket, 'open');
      return socket;
    }),
  );
  expect(plain.clients.size).toBe(200);
  const counts = await Promise.all(
    sockets.map(async (socket, i) => {
      const received: string[] = [];
      socket.on('message', (data) => received.push(String(data)) === 50 && socket.close());
      for (let n = 0; n < 50; n++) socket.send(`${i} ${n}`);
      await socket.closed;
      return received.every((text, n) => text === `${i} ${n}`) ? received.length : -1;
    }),
  );
  expect(counts).toEqual(sockets.map(() => 50));
  while (plain.clients.size > 0) await new Promise((resolve) => setImmediate(resolve));
});
