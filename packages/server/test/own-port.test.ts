import { expect, jest, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { WebSocketServer } from '../src/index.js';
import {
  closed,
  handshake,
  isAlive,
  manage,
  opened,
  parseAnswer,
  peer,
  portOf,
  RawPeer,
  shake,
  start,
} from './support.js';

test('WS-002 a plain request gets 426 with a text body, and the connection is closed', async () => {
  const server = await start();
  const event = once(server, 'refused');
  const response = await fetch(`http://127.0.0.1:${portOf(server)}/index.html`);
  expect(response.status).toBe(426);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    connection: 'close, Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'content-type': 'text/plain; charset=utf-8',
  });
  expect(await response.text()).toMatch(/not a WebSocket handshake/);
  const [reason, , error] = await event;
  expect([reason, error.code]).toEqual(['handshake', 'WS_ERR_UPGRADE_REQUIRED']);
});

test('a request that was there in time is answered, though the server was busy until after it', async () => {
  const server = await start({ handshakeTimeout: 50 });
  const accepted = new Promise((resolve) => {
    const onSocket = (): void => {
      unsubscribe('net.server.socket', onSocket);
      resolve(undefined);
    };
    subscribe('net.server.socket', onSocket);
  });
  const raw = new RawPeer(portOf(server));
  await Promise.all([once(raw.socket, 'connect'), accepted]);
  raw.write(handshake());
  for (const until = performance.now() + 100; performance.now() < until;); // its time is up, before anybody has looked
  expect(await raw.until('\r\n\r\n')).toMatch(/^HTTP\/1.1 101 /);
});

test('a POST with a body that never ends gets its 426', async () => {
  const server = await start({ handshakeTimeout: 50 });
  const outgoing = request({ port: portOf(server), host: '127.0.0.1', method: 'POST' });
  outgoing.on('error', () => {});
  outgoing.write('x');
  const [response] = await once(outgoing, 'response');
  expect(response.statusCode).toBe(426);
  response.resume();
  await closed(outgoing.socket!);
});

const GARBAGE: [name: string, bytes: string, status: number][] = [
  ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00', 400],
  ['nonsense', 'hello?\r\n\r\n', 400],
  ['NULs', '\0'.repeat(100), 400],
  ['a header without a name', 'GET / HTTP/1.1\r\n: x\r\n\r\n', 400],
  ['a bare CR in a value', 'GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n', 400],
  ['a head of 64 KiB', `GET / HTTP/1.1\r\nX: ${'x'.repeat(65_536)}\r\n\r\n`, 431],
];

test.each(GARBAGE)('garbage: %s', async (_name, bytes, status) => {
  const server = await start();
  const answer = parseAnswer(await new RawPeer(portOf(server)).write(bytes).closed);
  expect([answer.status, answer.headers['connection']]).toEqual([status, 'close']);
  expect(answer.body).toHaveLength(Number(answer.headers['content-length']));
  expect(await isAlive(server)).toBe(true);
});

test('a peer that sends nothing is cut after handshakeTimeout, without a word (decision 17)', async () => {
  const server = await start({ handshakeTimeout: 30 });
  expect(await new RawPeer(portOf(server)).closed).toBe('');
  expect(await isAlive(server)).toBe(true);
});

const HANDSHAKE = handshake();

test.each([0.1, 0.5, 0.9])('a request of which %p has come is cut with 408', async (part) => {
  const server = await start({ handshakeTimeout: 300 });
  const raw = new RawPeer(portOf(server)).write(HANDSHAKE.slice(0, HANDSHAKE.length * part));
  expect(parseAnswer(await raw.closed)).toMatchObject({ status: 408, phrase: 'Request Timeout' });
  expect(await isAlive(server)).toBe(true);
});

test('a peer that goes on byte by byte is cut all the same', async () => {
  const server = await start({ handshakeTimeout: 300 });
  const raw = new RawPeer(portOf(server));
  let at = 0;
  const drip = setInterval(() => raw.socket.writable && raw.write(HANDSHAKE.charAt(at++)), 20);
  const text = await raw.closed;
  clearInterval(drip);
  expect(parseAnswer(text).status).toBe(408);
  expect(at).toBeLessThan(HANDSHAKE.length);
});

test('a handshake that comes byte by byte, but in time, is one', async () => {
  const server = await start();
  const raw = new RawPeer(portOf(server));
  raw.socket.setNoDelay();
  for (const byte of HANDSHAKE) await new Promise((done) => raw.socket.write(byte, done));
  expect(await raw.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /);
});

test('handshakeTimeout is over with the 101', async () => {
  const server = await start({ handshakeTimeout: 30 });
  const client = await opened(peer(portOf(server)));
  const silent = new RawPeer(portOf(server));
  await silent.closed; // Somebody else's time is up, ours would have been before.
  const pong = once(client, 'pong');
  client.ping('x');
  expect(String((await pong)[0])).toBe('x');
});

test('handshakeTimeout: false waits', async () => {
  const patient = await start({ handshakeTimeout: false });
  const hasty = await start({ handshakeTimeout: 30 });
  const raw = new RawPeer(portOf(patient)).write(HANDSHAKE.slice(0, 20));
  await new RawPeer(portOf(hasty)).closed;
  raw.write(HANDSHAKE.slice(20));
  expect(await raw.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /);
});

test('close() cuts who is no WebSocket yet, and does not wait for handshakeTimeout', async () => {
  const server = await start();
  const silent = new RawPeer(portOf(server));
  const half = new RawPeer(portOf(server)).write(HANDSHAKE.slice(0, 40));
  await Promise.all([once(silent.socket, 'connect'), once(half.socket, 'connect')]);
  await shake(portOf(server), HANDSHAKE).then(() => server.clients.forEach((client) => client.terminate()));
  await new Promise((resolve) => server.close(resolve));
  expect(await Promise.all([silent.closed, half.closed])).toEqual(['', '']);
});

test('close() before the port is open leaves nothing open behind', async () => {
  // A process of its own ends only when nothing is open; a port number, once free, may be anybody's.
  const program = `
    import { WebSocketServer } from '@ws/server';
    const server = new WebSocketServer({ port: 0, host: 'localhost' }, () => console.log('listening'));
    server.close(() => console.log('closed', server.address()));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    cwd: new URL('..', import.meta.url),
  });
  expect(stdout).toBe('closed null\n');
});

test('NW-028 a port in use is an error event', async () => {
  const server = await start();
  const second = manage(new WebSocketServer({ port: portOf(server), host: '127.0.0.1' }));
  const [error] = await once(second, 'error');
  expect(error.code).toBe('EADDRINUSE');
});

test('NW-021 the callback listens to listening; backlog and host are passed on', async () => {
  const callback = jest.fn();
  const server = manage(new WebSocketServer({ port: 0, host: 'localhost', backlog: 1 }, callback));
  await once(server, 'listening');
  expect(callback).toHaveBeenCalledTimes(1);
  expect(['127.0.0.1', '::1']).toContain((server.address() as AddressInfo).address);
  expect(await isAlive(await start({ host: 'localhost' }))).toBe(true);
});

const PLAIN = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

test.each([
  ['more of them', PLAIN.repeat(100)],
  ['a handshake', handshake()],
  ['an upgrade that is no handshake', handshake({ 'Sec-WebSocket-Key': 'x' })],
  ['garbage', 'hello?\r\n\r\n'],
])(
  'behind a plain request, which is answered with Connection: close, nothing is a request: %s',
  async (_name, more) => {
    const server = await start();
    const events: unknown[] = [];
    server.on('refused', (reason) => events.push(reason)).on('connection', () => events.push('connection'));
    const text = await new RawPeer(portOf(server)).write(PLAIN + more).closed;
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 426']);
    expect(events).toEqual(['handshake']);
    expect(server.metrics().refused).toEqual({ handshake: 1 });
    expect(await isAlive(server)).toBe(true);
  },
);

test('RST behind a plain request and an upgrade harms nobody', async () => {
  const server = await start();
  for (let i = 0; i < 20; i++) {
    const raw = new RawPeer(portOf(server));
    await once(raw.socket, 'connect');
    await new Promise((done) => raw.socket.write(PLAIN + handshake(), 'latin1', done));
    raw.socket.resetAndDestroy();
    await raw.closed;
  }
  expect(await isAlive(server)).toBe(true);
});
