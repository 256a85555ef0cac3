import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import fc from 'fast-check';
import { hex } from '@ws/testing';
import { WebSocketServer, type CloseInfo, type ServerOptions } from '../src/index.js';
import {
  closed,
  closeLater,
  first,
  handshake,
  isAlive,
  manage,
  parseAnswer,
  portOf,
  RawPeer,
  shake,
  start,
  startHttp,
} from './support.js';

// A failure here is often no assertion: an exception that nobody catches fails the test that runs.

const HANDSHAKE = handshake();
const NEVER = (): Promise<boolean> => new Promise(() => {});
const LAST = 'GET /last HTTP/1.1';

const STEPS: [step: string, options: ServerOptions, sent: string][] = [
  ['before the first byte', {}, ''],
  ['in the middle of the request', {}, HANDSHAKE.slice(0, 50)],
  ['right behind the request', {}, HANDSHAKE],
  ['while verifyClient thinks', { verifyClient: ({ req }) => req.url === '/last' || NEVER() }, HANDSHAKE],
  [
    'while handleProtocols thinks',
    { handleProtocols: () => new Promise(() => {}) },
    handshake({ 'Sec-WebSocket-Protocol': 'a' }),
  ],
  ['while origins thinks', { origins: NEVER }, handshake({ Origin: 'https://a.example' })],
  ['behind a refusal', { verifyClient: () => false }, HANDSHAKE],
  ['behind a malformed request', {}, handshake({ 'Sec-WebSocket-Key': 'x' })],
  ['behind a plain request', {}, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'],
  ['behind garbage', {}, 'garbage\r\n\r\n'],
];

test.each(STEPS)('RST %s harms nobody', async (_step, options, sent) => {
  const server = await start(options);
  const port = portOf(server);
  for (const turns of [0, 1, 5]) {
    const raw = new RawPeer(port);
    await once(raw.socket, 'connect');
    if (sent !== '') await new Promise((done) => raw.socket.write(sent, done));
    for (let turn = 0; turn < turns; turn++) await new Promise(setImmediate);
    raw.socket.resetAndDestroy();
  }
  expect([101, 401]).toContain((await shake(port, handshake({}, LAST))).status);
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve)); // Not before every TCP connection is gone.
  expect(server.clients.size).toBe(0);
});

test('RST of a client of noServer while verifyClient thinks, and nobody else listens to the socket', async () => {
  const http = await startHttp(createServer());
  const server = manage(new WebSocketServer({ noServer: true, verifyClient: NEVER }));
  const events = jest.fn();
  server.on('refused', events).on('connection', events);
  const sockets: Duplex[] = [];
  http.on('upgrade', (request, socket, head) => {
    sockets.push(socket);
    server.handleUpgrade(request, socket, head, events);
  });
  const raw = new RawPeer(portOf(http)).write(HANDSHAKE);
  await once(http, 'upgrade');
  const gone = closed(first(sockets));
  raw.socket.resetAndDestroy();
  await gone;
  await new Promise((resolve) => server.close(resolve));
  expect(events).not.toHaveBeenCalled();
});

test('RST of a client of noServer, while its own upgrade listener awaits something', async () => {
  const http = await startHttp(createServer());
  const server = manage(new WebSocketServer({ noServer: true }));
  const callback = jest.fn();
  const handled = new Promise<void>((resolve) => {
    http.on('upgrade', (request, socket, head) => {
      socket
        .on('error', () => {})
        .on('close', () => {
          server.handleUpgrade(request, socket, head, callback);
          resolve();
        });
    });
  });
  const raw = new RawPeer(portOf(http)).write(HANDSHAKE);
  await once(http, 'upgrade');
  raw.socket.resetAndDestroy();
  await handled;
  expect(callback).not.toHaveBeenCalled();
});

/** Frames that nobody may send, right behind the request: they are in `head`. */
const BAD_FRAMES: [name: string, frames: Uint8Array, closeCode: number][] = [
  ['reserved opcode', hex`83 80 00000000`, 1002],
  ['RSV1 without an extension', hex`c1 80 00000000`, 1002],
  ['no mask', hex`81 01 61`, 1002],
  ['a ping of 126 bytes', hex`89 fe 007e 00000000`, 1002],
  ['a stray continuation', hex`80 80 00000000`, 1002],
  ['a length of 2^63', hex`82 ff 8000000000000000 00000000`, 1009],
  ['a length over maxPayload', hex`82 ff 0000000000100001 00000000`, 1009],
  ['a long form for a short length', hex`82 fe 0001 00000000 00`, 1002],
  ['text that is no UTF-8', hex`81 81 00000000 ff`, 1007],
  ['a close code that may not travel', hex`88 82 00000000 03ed`, 1002],
];

test.each(BAD_FRAMES)(
  'glued to the request: %s ends in close, nobody listening anywhere',
  async (_name, frames, code) => {
    const server = await start();
    const next = once(server, 'connection');
    const raw = new RawPeer(portOf(server)).write(Buffer.concat([Buffer.from(HANDSHAKE, 'latin1'), frames]));
    const [socket] = await next;
    const info: CloseInfo = await socket.closed;
    expect([info.code, info.sent?.code]).toEqual([1006, code]);
    const [, frame = ''] = (await raw.closed).split('\r\n\r\n');
    expect(Buffer.from(frame, 'latin1').readUInt16BE(2)).toBe(code);
    expect(server.clients.size).toBe(0);
  },
);

test('a message glued to the request is not lost (B-31)', async () => {
  const server = await start();
  const message = new Promise((resolve) => server.on('connection', (socket) => socket.on('message', resolve)));
  new RawPeer(portOf(server)).write(Buffer.concat([Buffer.from(HANDSHAKE, 'latin1'), hex`81 85 37fa213d 7f9f4d5158`]));
  expect(String(await message)).toBe('Hello');
});

test('a message glued to the request waits for verifyClient', async () => {
  const server = await start({ verifyClient: () => new Promise<boolean>((resolve) => setImmediate(resolve, true)) });
  const message = new Promise((resolve) => server.on('connection', (socket) => socket.on('message', resolve)));
  new RawPeer(portOf(server)).write(Buffer.concat([Buffer.from(HANDSHAKE, 'latin1'), hex`81 85 37fa213d 7f9f4d5158`]));
  expect(String(await message)).toBe('Hello');
});

test('a refused peer that goes on talking reads its answer first', async () => {
  const server = await start({ verifyClient: () => false });
  const raw = new RawPeer(portOf(server)).write(HANDSHAKE + 'x'.repeat(1 << 20));
  expect(await raw.until('Unauthorized')).toMatch(/^HTTP\/1\.1 401 /);
});

test('a refused peer that closes is gone at once, not when the patience with another one ends', async () => {
  const http = await startHttp(createServer());
  manage(new WebSocketServer({ server: http, verifyClient: () => false }));
  const order: string[] = [];
  for (const name of ['one that stays', 'one that closes']) {
    const accepted = once(http, 'connection');
    const raw = connect({ port: portOf(http), host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
    closeLater(() => raw.destroy());
    const [socket] = await accepted;
    socket.on('close', () => order.push(name));
    raw.write(HANDSHAKE);
    await once(raw, 'data');
    if (name === 'one that closes') raw.end('and another thing');
  }
  while (order.length < 2) await new Promise(setImmediate);
  expect(order).toEqual(['one that closes', 'one that stays']);
});

test('CVE-2024-37890: more headers than node keeps, and the handshake behind them', async () => {
  const server = await start();
  const many = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`X${i}`, '']));
  const request = handshake().replace(
    'Host:',
    `${Object.keys(many)
      .map((name) => `${name}:\r\n`)
      .join('')}Host:`,
  );
  const { status } = await shake(portOf(server), request);
  expect([400, 426, 431]).toContain(status);
  expect(await isAlive(server)).toBe(true);
});

test('2000 random headers get an answer, and the server lives', async () => {
  const server = await start();
  const port = portOf(server);
  const name = fc.constantFrom(
    'Host',
    'Upgrade',
    'Connection',
    'Origin',
    'Sec-WebSocket-Key',
    'Sec-WebSocket-Version',
    'Sec-WebSocket-Protocol',
    'Sec-WebSocket-Extensions',
    'Content-Length',
    'X-Any',
  );
  const value = fc.oneof(
    fc.constantFrom(
      'websocket',
      'Upgrade',
      '13',
      '8',
      '',
      'a, b',
      'a;b="c"',
      '"',
      ';',
      ',',
      'x'.repeat(3000),
      'null',
      '__proto__',
    ),
    fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)), maxLength: 20 }),
  );
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, value), { minLength: 20, maxLength: 20 }),
      fc.option(fc.nat(3), { freq: 2 }),
      async (headers, added) => {
        const lines = headers.map(([n, v]) => `${n}: ${v}`);
        const text =
          added !== null
            ? handshake().replace('\r\n\r\n', ['', ...lines.slice(0, added), '', ''].join('\r\n'))
            : `GET / HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
        const raw = new RawPeer(port).write(text);
        const { status } = parseAnswer(await Promise.race([raw.until('\r\n\r\n'), raw.closed]));
        raw.socket.destroy();
        seen.add(status);
        for (const client of server.clients) client.terminate();
        return status >= 101 && status <= 500 && status !== 500;
      },
    ),
    { numRuns: 100 },
  );
  expect(seen.size).toBeGreaterThan(1);
  expect(await isAlive(server)).toBe(true);
}, 60_000);
