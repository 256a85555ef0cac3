import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { WebSocketServer, type ServerOptions } from '../src/index.js';
import { MODES, startAs } from './modes.js';
import { closeLater, connection, exchange, handshake, manage, portOf, RawPeer, startHttp } from './support.js';

const through = (...addresses: string[]): string => handshake({ 'X-Forwarded-For': addresses.join(', ') });

/** `socket.remoteAddress` of a client that sent this. */
async function addressOf(options: Partial<ServerOptions>, text: string, mode = MODES[0] as (typeof MODES)[number]) {
  const { server, port } = await startAs(mode, options);
  const next = connection(server);
  const raw = new RawPeer(port).write(text);
  await raw.until(' 101 ');
  const socket = await next;
  const { remoteAddress } = socket;
  socket.terminate();
  await socket.closed;
  expect(socket.remoteAddress).toBe(remoteAddress);
  return remoteAddress;
}

test.each(MODES)('trustProxy says what socket.remoteAddress is (%s)', async (mode) => {
  const inside = (address: string): boolean => address.startsWith('10.') || address === '127.0.0.1';
  const text = through('203.0.113.9', '192.0.2.7', '10.0.0.2');
  expect(await addressOf({}, text, mode)).toBe('127.0.0.1');
  expect(await addressOf({ trustProxy: 1 }, text, mode)).toBe('10.0.0.2');
  expect(await addressOf({ trustProxy: 2 }, text, mode)).toBe('192.0.2.7');
  expect(await addressOf({ trustProxy: inside }, text, mode)).toBe('192.0.2.7');
  expect(await addressOf({ trustProxy: () => false }, text, mode)).toBe('127.0.0.1');
  expect(await addressOf({ trustProxy: 1 }, handshake(), mode)).toBe('127.0.0.1');
});

test.each(MODES)('limits per address count the client behind the proxy, an IPv6 one by its /64 (%s)', async (mode) => {
  const { server, port } = await startAs(mode, { maxConnectionsPerAddress: 1, trustProxy: 1 });
  const event = once(server, 'refused');
  const enter = async (address: string): Promise<RawPeer> => {
    const raw = new RawPeer(port).write(through(address));
    await raw.until(' 101 ');
    return raw;
  };
  await enter('2001:db8:0:1::1');
  expect((await exchange(port, through('2001:db8:0:1:ffff::2'))).status).toBe(429);
  expect((await event)[0]).toBe('maxConnectionsPerAddress');
  await enter('2001:db8:0:2::1');
  await enter('192.0.2.7');
  expect((await exchange(port, through('::ffff:192.0.2.7'))).status).toBe(429);
  expect((await exchange(port, through('6.6.6.6', '192.0.2.7'))).status).toBe(429);
  await enter('192.0.2.8');
});

test.each(MODES)('the rate of handshakes is that of the client behind the proxy (%s)', async (mode) => {
  const { port } = await startAs(mode, { rateLimit: { handshakes: { rate: 0.01, burst: 1 } }, trustProxy: 1 });
  for (const address of ['192.0.2.7', '192.0.2.8']) {
    await new RawPeer(port).write(through(address)).until(' 101 ');
    expect((await exchange(port, through(address))).status).toBe(429);
  }
});

test.each(MODES)('a trustProxy that throws is a 500, and nothing else (%s)', async (mode) => {
  const error = new Error('of the user');
  const trustProxy = jest.fn((): boolean => {
    throw error;
  });
  const { server, port } = await startAs(mode, { trustProxy });
  const event = once(server, 'refused');
  const { status, body } = await exchange(port, through('192.0.2.7'));
  expect([status, body]).toEqual([500, 'Internal Server Error']);
  const [reason, request, thrown] = await event;
  expect([reason, request.url, thrown]).toEqual(['trustProxy', '/', error]);
});

test('on a Unix socket there is no address but a forwarded one, and no limit per address', async () => {
  const http = createServer();
  const path = join(tmpdir(), `ws-${randomUUID()}.sock`);
  http.listen(path);
  await once(http, 'listening');
  closeLater(() => new Promise((resolve) => http.close(resolve)));
  const server = manage(new WebSocketServer({ server: http, maxConnectionsPerAddress: 1, trustProxy: 1 }));
  const enter = async (text: string): Promise<string | undefined> => {
    const next = connection(server);
    const socket = connect(path);
    closeLater(() => socket.destroy());
    socket.write(text);
    return (await next).remoteAddress;
  };
  expect([await enter(handshake()), await enter(handshake()), await enter(through('192.0.2.7'))]).toEqual([
    undefined,
    undefined,
    '192.0.2.7',
  ]);
});

test('several servers on one http server have their own limits', async () => {
  const http = await startHttp(createServer());
  for (const path of ['/a', '/b']) manage(new WebSocketServer({ server: http, path, maxConnections: 1 }));
  for (const path of ['/a', '/b']) {
    await new RawPeer(portOf(http)).write(handshake({}, `GET ${path} HTTP/1.1`)).until(' 101 ');
    expect((await exchange(portOf(http), handshake({}, `GET ${path} HTTP/1.1`))).status).toBe(503);
  }
});
