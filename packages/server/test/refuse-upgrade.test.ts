import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { PassThrough } from 'node:stream';
import { handshake, shake, startHttp, Wire, portOf } from '@ws/testing/peer';
import { refuseUpgrade, upgradeRequired, WebSocketServer, type HandshakeError } from '../src/index.js';
import { isAlive, manage } from './support.js';

test('refuseUpgrade in an upgrade listener: status, reason, body and headers, and the connection ends', async () => {
  const http = await startHttp(createServer());
  http.on('upgrade', ({ url }, socket) => {
    if (url === '/bare') refuseUpgrade(socket, 404);
    else refuseUpgrade(socket, 401, { reason: 'Who', body: 'é', headers: { 'X-A': 'b', 'Set-Cookie': ['c', 'd'] } });
  });
  const wire = Wire.to(portOf(http), handshake({}, 'GET /bare HTTP/1.1'));
  expect(await wire.answer()).toMatchObject({
    status: 404,
    phrase: 'Not Found',
    headers: { connection: 'close', 'content-length': '9' },
    body: 'Not Found',
  });
  expect(wire.ending).toBe('FIN');
  expect(await shake(portOf(http))).toMatchObject({
    status: 401,
    phrase: 'Who',
    headers: { 'x-a': 'b', 'set-cookie': 'c, d', 'content-length': '2' },
    body: Buffer.from('é').toString('latin1'),
  });
});

test('refuseUpgrade: who goes on sending reads the answer all the same, and is cut when his second is over', async () => {
  const http = await startHttp(createServer());
  const asked = once(http, 'upgrade');
  const wire = Wire.to(portOf(http), handshake());
  const [, socket] = await asked;
  wire.write(Buffer.alloc(1 << 20));
  refuseUpgrade(socket, 403);
  wire.write(Buffer.alloc(1 << 20));
  expect(await wire.answer()).toMatchObject({ status: 403, body: 'Forbidden' });
  expect(wire.ending).toBe('FIN');

  const again = once(http, 'upgrade');
  const stays = Wire.to(portOf(http), handshake());
  stays.socket.allowHalfOpen = true; // it never ends its half
  const [, other] = await again;
  const gone = once(other, 'close');
  refuseUpgrade(other, 403);
  expect((await stays.head()).status).toBe(403);
  await gone;
});

test('refuseUpgrade in a wsClientError listener', async () => {
  const http = await startHttp(createServer());
  const server = manage(new WebSocketServer({ server: http }));
  server.on('wsClientError', (error, socket) => {
    refuseUpgrade(socket, 418, { body: (error as HandshakeError).code });
  });
  expect(await shake(portOf(http), handshake({ 'Sec-WebSocket-Key': 'x' }))).toMatchObject({
    status: 418,
    body: 'WS_ERR_INVALID_KEY',
  });
  expect(await isAlive(server, portOf(http))).toBe(true);
});

test('refuseUpgrade: what cannot be sent is a mistake of the caller, and nothing is sent', () => {
  const socket = new PassThrough();
  for (const status of [101, 200, 304, 600, 1.5]) expect(() => refuseUpgrade(socket, status)).toThrow(RangeError);
  expect(() => refuseUpgrade(socket, 400, { reason: 'a\r\nb' })).toThrow(TypeError);
  expect(() => refuseUpgrade(socket, 400, { headers: { 'X-A': 'b\r\nc' } })).toThrow(TypeError);
  expect([socket.writableEnded, socket.readableLength]).toEqual([false, 0]);
});

test('upgradeRequired: 426 for a plain request, 400 for one that lacks what an upgrade needs, and WebSockets come in', async () => {
  const http = await startHttp(createServer(upgradeRequired));
  const server = manage(new WebSocketServer({ server: http }));
  const response = await fetch(`http://127.0.0.1:${portOf(http)}/`);
  expect([response.status, response.headers.get('sec-websocket-version')]).toEqual([426, '13']);
  expect(await response.text()).toMatch(/not a WebSocket handshake/);
  expect(await shake(portOf(http), handshake({ Connection: undefined }))).toMatchObject({ status: 400 });
  expect(await isAlive(server, portOf(http))).toBe(true);
});
