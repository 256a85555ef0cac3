import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import type { WebSocket as Client } from 'ws';
import { WebSocketServer, type CloseInfo, type ShutdownOptions } from '../src/index.js';
import { join, manage, peer, portOf, start, startHttp } from './support.js';

/** So many clients, and how each of their connections ended on the server. */
async function connected(server: WebSocketServer, count: number): Promise<{ clients: Client[]; infos: CloseInfo[] }> {
  const infos: CloseInfo[] = [];
  server.on('connection', (socket) => void socket.closed.then((info) => infos.push(info)));
  const clients = Array.from({ length: count }, () => peer(portOf(server)));
  await Promise.all(clients.map((client) => once(client, 'open')));
  while (server.clients.size < count) await once(server, 'connection');
  return { clients, infos };
}

/** Answer to an upgrade request, head and all. */
async function ask(port: number): Promise<string> {
  const tcp = connect(port, '127.0.0.1').setEncoding('latin1');
  tcp.write(
    'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
  );
  let text = '';
  for await (const part of tcp) text += part;
  return text;
}

test('without connections it is over at once, and the server is closed', async () => {
  const server = await start();
  const closed = once(server, 'close');
  expect(await server.shutdown()).toEqual({ closed: 0, cut: 0, bytesUnsent: 0, ms: expect.any(Number) });
  await closed;
  expect(server.address()).toBeNull();
});

test.each([{}, { code: 1012, reason: 'back in a minute' }])(
  'each gets the code and the reason: %j',
  async (options) => {
    const server = await start();
    const { clients, infos } = await connected(server, 3);
    const seen = Promise.all(clients.map((client) => once(client, 'close')));
    expect(await server.shutdown(options)).toMatchObject({ closed: 3, cut: 0, bytesUnsent: 0 });
    const { code, reason } = { code: 1001, reason: '', ...options };
    for (const [gotCode, gotReason] of await seen) expect([gotCode, String(gotReason)]).toEqual([code, reason]);
    expect(infos).toHaveLength(3);
    for (const info of infos)
      expect(info).toMatchObject({ initiator: 'shutdown', sent: { code, reason }, wasClean: true });
  },
);

test('until the last connection is gone, who comes is told to come back', async () => {
  const server = await start();
  const port = portOf(server);
  const { clients } = await connected(server, 1);
  const reasons: string[] = [];
  server.on('refused', (reason) => reasons.push(reason));
  clients[0]!.pause(); // so that it does not answer
  const report = server.shutdown();
  const answer = await ask(port);
  expect(answer).toMatch(/^HTTP\/1\.1 503 /);
  expect(answer).toMatch(/\r\nRetry-After: [1-9][0-9]*\r\n/);
  expect(reasons).toEqual(['closing']);
  clients[0]!.resume();
  expect(await report).toMatchObject({ closed: 1, cut: 0 });
  await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
});

test('the same on an http server of others, which stays', async () => {
  const http = await startHttp(createServer((_request, response) => response.end('a page')));
  const server = manage(new WebSocketServer({ server: http }));
  const { clients } = await connected(server, 1);
  clients[0]!.pause();
  const report = server.shutdown();
  expect(await ask(portOf(http))).toMatch(/^HTTP\/1\.1 503 /);
  clients[0]!.resume();
  expect(await report).toMatchObject({ closed: 1 });
  expect(http.listening).toBe(true);
});

test('a handshake that waits for an answer of user code is refused', async () => {
  let asked: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => (asked = resolve));
  const server = await start({ verifyClient: () => (asked(), new Promise<boolean>(() => undefined)) });
  const answer = ask(portOf(server));
  await isAsked;
  const report = server.shutdown();
  expect(await answer).toMatch(/^HTTP\/1\.1 503 /);
  await report;
});

test('what is queued for a client comes before the Close frame', async () => {
  const server = await start({ slowConsumer: false });
  const { clients } = await connected(server, 1);
  const client = clients[0]!;
  const received: number[] = [];
  client.on('message', (data: Buffer) => received.push(data.length));
  client.pause();
  const [socket] = server.clients;
  for (let count = 0; count < 40; count++) socket!.send(Buffer.alloc(1_000_000));
  const report = server.shutdown();
  expect(socket!.bufferedAmount).toBeGreaterThan(1_000_000);
  client.resume();
  expect(await report).toMatchObject({ closed: 1, cut: 0, bytesUnsent: 0 });
  expect(received).toEqual(new Array(40).fill(1_000_000));
});

test('who does not take it in time is cut, and what it did not get is counted', async () => {
  const server = await start({ slowConsumer: false });
  const { clients, infos } = await connected(server, 1);
  clients[0]!.pause();
  for (const socket of server.clients) for (let count = 0; count < 20; count++) socket.send(Buffer.alloc(1_000_000));
  const prompt = peer(portOf(server));
  await Promise.all([once(prompt, 'open'), once(server, 'connection')]);
  const report = await server.shutdown({ timeout: 1000 });
  expect(report).toMatchObject({ closed: 1, cut: 1 });
  expect(report.bytesUnsent).toBeGreaterThan(1_000_000);
  expect(report.bytesUnsent).toBe(infos.reduce((sum, { bytesUnsent }) => sum + bytesUnsent, 0));
  expect(infos.map(({ initiator }) => initiator)).toEqual(['shutdown', 'shutdown']);
});

test('a signal cuts those that are left, also those whose moment has not come', async () => {
  const server = await start();
  const { infos } = await connected(server, 5);
  const controller = new AbortController();
  const report = server.shutdown({ spread: 1_000_000, signal: controller.signal });
  controller.abort();
  const { closed, cut, ms } = await report;
  expect(closed + cut).toBe(5);
  expect(ms).toBeLessThan(100_000);
  expect(infos.every(({ initiator }) => initiator === 'shutdown')).toBe(true);
  expect(await (await start()).shutdown({ signal: AbortSignal.abort() })).toMatchObject({ closed: 0, cut: 0 });
});

test('it can be asked again, and knows clients that are not tracked', async () => {
  const server = await start({ clientTracking: false });
  const sockets: unknown[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const client = peer(portOf(server));
  await once(client, 'open');
  const left = once(client, 'close');
  const [first, second] = await Promise.all([server.shutdown({ code: 1012 }), server.shutdown({ code: 1000 })]);
  expect(first).toMatchObject({ closed: 1, cut: 0 });
  expect(second).toBe(first);
  expect(await server.shutdown()).toBe(first);
  expect((await left)[0]).toBe(1012);
});

test('after close(), it closes those that were left alone', async () => {
  const server = await start();
  const { clients } = await connected(server, 2);
  const isClosed = once(server, 'close');
  server.close();
  expect(await server.shutdown()).toMatchObject({ closed: 2, cut: 0 });
  await isClosed;
  expect(clients.map(({ readyState }) => readyState)).toEqual([3, 3]);
});

test.each<[object, string]>([
  [{ code: 1005 }, 'RangeError'],
  [{ code: 'x' }, 'TypeError: code is "x"'],
  [{ reason: 'x'.repeat(124) }, 'RangeError'],
  [{ reason: 5 }, 'TypeError: reason is 5'],
  [{ timeout: -1 }, 'RangeError: timeout is -1'],
  [{ spread: '5' }, 'TypeError: spread is "5"'],
  [{ signal: {} }, 'TypeError: signal is an object'],
])('a bad option rejects, and the server goes on: %j', async (options, message) => {
  const server = await start();
  const error: unknown = await server.shutdown(options as ShutdownOptions).catch((reason: unknown) => reason);
  expect(String(error)).toContain(message);
  const client = peer(portOf(server));
  await once(client, 'open');
  client.close();
  expect(await server.shutdown()).toMatchObject({ cut: 0 });
});

test('2000 clients are closed over the time, in no order, and lose no message', async () => {
  const server = await start();
  const count = 2000;
  const { clients } = await connected(server, count);
  const texts = new Map<Client, string[]>();
  for (const client of clients) {
    texts.set(client, []);
    client.on('message', (data: Buffer) => texts.get(client)!.push(String(data)));
  }
  const left = Promise.all(clients.map((client) => once(client, 'close')));
  const order: number[] = [];
  [...server.clients].forEach((socket, index) => {
    socket.send(`first ${index}`);
    socket.send(`last ${index}`);
    socket.on('closing', () => order.push(index));
  });
  const spread = 1000;
  const report = await server.shutdown({ spread });
  await left;
  expect(report).toMatchObject({ closed: count, cut: 0, bytesUnsent: 0 });
  expect(report.ms).toBeGreaterThan(spread * 0.95); // when each of them is closed is for scatter.test.ts
  for (const received of texts.values()) {
    expect(received).toHaveLength(2);
    expect(received[1]!.slice(5)).toBe(received[0]!.slice(6));
  }
  const ascending = order.filter((index, at) => at > 0 && index > order[at - 1]!).length;
  expect(Math.abs(ascending - count / 2)).toBeLessThan(count / 5);
}, 60_000);

test('a second call gets the same Promise, whatever it asks for', async () => {
  const server = await start();
  const { infos } = await connected(server, 1);
  const promise = server.shutdown({ reason: 'first' });
  expect(server.shutdown({ reason: 'second', timeout: -1 })).toBe(promise);
  await promise;
  expect(server.shutdown()).toBe(promise);
  expect(infos[0]?.sent?.reason).toBe('first');
});

test('meanwhile a request that is no handshake gets 503 and Retry-After too', async () => {
  const server = await start();
  const { clients } = await connected(server, 1);
  clients[0]!.pause();
  const done = server.shutdown();
  const url = { port: portOf(server), host: '127.0.0.1', agent: false } as const;
  const response = await new Promise<IncomingMessage>((resolve) => get(url, resolve));
  response.resume();
  expect([response.statusCode, response.headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)]);
  clients[0]!.resume();
  await done;
  expect(server.metrics()).toMatchObject({ refused: { closing: 1 }, closed: { shutdown: { 1001: 1 } } });
});

test.each([0, 50])('a listener that throws stops neither the others nor the end; spread %d', async (spread) => {
  const program = `
    import { once } from 'node:events';
    import { WebSocketServer } from '@ws/server';
    import { WebSocket } from 'ws';
    process.on('uncaughtException', (error) => console.log('uncaught', error.message));
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    for (let i = 0; i < 3; i++) {
      const client = new WebSocket('ws://127.0.0.1:' + server.address().port);
      const [socket] = await once(server, 'connection');
      socket.on('closing', () => { throw new Error('a listener'); });
      await once(client, 'open');
    }
    const { closed, cut } = await server.shutdown({ spread: ${spread} });
    console.log(closed, cut);`;
  const args = ['--no-warnings', '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url) });
  expect(stdout.trim().split('\n')).toEqual([...Array<string>(3).fill('uncaught a listener'), '3 0']);
});

/** Two clients are connected, two more wait for an answer of verifyClient; a listener of each throws. */
const THROWERS = `
  import { once } from 'node:events';
  import { WebSocketServer } from '@ws/server';
  import { WebSocket } from 'ws';
  process.on('uncaughtException', (error) => console.log('uncaught', error.message));
  let asks = 0;
  const verifyClient = () => ++asks <= 2 || new Promise(() => {});
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', verifyClient });
  server.on('refused', () => { throw new Error('of refused'); });
  await once(server, 'listening');
  const { port } = server.address();
  const clients = [];
  for (let i = 0; i < 4; i++) {
    const client = new WebSocket('ws://127.0.0.1:' + port);
    client.on('unexpected-response', (_request, response) => console.log(response.statusCode)).on('error', () => {});
    if (i < 2) {
      const [socket] = await once(server, 'connection');
      socket.on('closing', () => { throw new Error('of closing'); });
      await once(client, 'open');
    }
    clients.push(client);
  }
  while (asks < 4) await new Promise(setImmediate);`;

test.each([
  ['await server.shutdown()', 2],
  ['await server[Symbol.asyncDispose]()', 2],
  ['await new Promise((resolve) => { server.close(resolve); clients[0].close(); clients[1].close(); })', 2],
])("%s goes through, whatever listeners of 'refused' and 'closing' throw", async (act, closings) => {
  const program = `${THROWERS}
    ${act};
    console.log('closed', server.address(), server.metrics().connections);
    for (const client of clients) client.terminate();`;
  const args = ['--no-warnings', '--input-type=module', '-e', program];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url) });
  const lines = stdout.trim().split('\n');
  const count = (line: string): number => lines.filter((each) => each === line).length;
  expect([count('uncaught of refused'), count('uncaught of closing'), count('closed null 0')]).toEqual([
    2,
    closings,
    1,
  ]);
  expect(count('503')).toBe(2);
});

test("a 'headers' listener that shuts down lets nobody in behind it", async () => {
  const server = await start();
  const reasons: string[] = [];
  server.on('refused', (reason) => reasons.push(reason));
  server.on('connection', () => reasons.push('connection'));
  const reports: unknown[] = [];
  server.on('headers', () => void server.shutdown().then((report) => reports.push(report)));
  const gone = once(server, 'close');
  expect(await ask(portOf(server))).toMatch(/^HTTP\/1\.1 503 /);
  await gone;
  expect([reasons, reports]).toEqual([['closing'], [expect.objectContaining({ closed: 0, cut: 0 })]]);
});

test('what the program does to `clients` is nothing to shutdown and metrics', async () => {
  const server = await start();
  const { clients } = await connected(server, 2);
  server.clients.clear();
  expect(server.metrics().connections).toBe(2);
  const left = Promise.all(clients.map((client) => once(client, 'close')));
  expect(await server.shutdown()).toMatchObject({ closed: 2, cut: 0 });
  for (const [code] of await left) expect(code).toBe(1001);
});

test('what the program assigns to `closed` is nothing to shutdown', async () => {
  const server = await start();
  const { client, socket } = await join(server);
  const { closed } = socket;
  Object.assign(socket, { closed: true });
  expect(await server.shutdown()).toMatchObject({ closed: 1, cut: 0 });
  expect((await closed).sent).toMatchObject({ code: 1001 });
  expect(client.readyState).not.toBe(client.OPEN);
});
