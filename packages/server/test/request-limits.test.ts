import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { MODES, startAs } from './modes.js';
import { exchange, handshake, isAlive, shake } from './support.js';

const many = (count: number): string =>
  handshake(Object.fromEntries(Array.from({ length: count }, (_, at) => [`X-${at}`, 'x'])));
const large = (length: number): string => handshake({ 'X-Large': 'x'.repeat(length) });

test.each(MODES)('maxHeaderSize and maxHeaderCount: 431, and nobody is asked (%s)', async (mode) => {
  const verifyClient = jest.fn(() => true);
  const { server, port } = await startAs(mode, { maxHeaderSize: 1000, maxHeaderCount: 20, verifyClient });
  expect((await exchange(port, large(1000))).status).toBe(431);
  for (const [text, reason, code] of [
    [large(990), 'maxHeaderSize', 'WS_ERR_HEADER_TOO_LARGE'],
    [many(16), 'maxHeaderCount', 'WS_ERR_TOO_MANY_HEADERS'],
    [many(60), 'maxHeaderCount', 'WS_ERR_TOO_MANY_HEADERS'],
    [handshake({}, `GET /${'x'.repeat(950)} HTTP/1.1`), 'maxHeaderSize', 'WS_ERR_HEADER_TOO_LARGE'],
  ] as const) {
    // On an own port Node's parser stops first where it counts more than the limit; there is no request then, and no event.
    const event = mode === 'port' ? undefined : once(server, 'refused');
    expect((await exchange(port, text)).status).toBe(431);
    if (event)
      expect((await event).map((told) => told.code ?? told).filter((_, at) => at !== 1)).toEqual([reason, code]);
  }
  expect(verifyClient).not.toHaveBeenCalled();
  expect((await shake(port, large(500))).status).toBe(101);
  expect((await shake(port, many(15))).status).toBe(101);
});

test.each(MODES)('the defaults: 16 KiB and 256 headers (%s)', async (mode) => {
  const { server, port } = await startAs(mode);
  expect((await shake(port, large(15_000))).status).toBe(101);
  expect((await exchange(port, large(16_384))).status).toBe(431);
  expect((await shake(port, many(251))).status).toBe(101);
  for (const count of [252, 900, 2000]) expect((await exchange(port, many(count))).status).toBe(431);
  expect(await isAlive(server, port)).toBe(true);
});

test('without limits a request on an own port may be large', async () => {
  for (const off of [0, false, Infinity] as const) {
    const { port } = await startAs('port', { maxHeaderSize: off, maxHeaderCount: off });
    expect((await shake(port, large(100_000))).status).toBe(101);
    expect((await shake(port, many(3000))).status).toBe(101);
  }
});

test.each(MODES)('allowedHosts: 403 for a Host that is not ours, before anybody is asked (%s)', async (mode) => {
  const ask = jest.fn(() => true);
  const allowedHosts = ['localhost', 'chat.example:8443', '.example.com'];
  const { server, port } = await startAs(mode, { allowedHosts, origins: ask, verifyClient: ask });
  for (const Host of [
    'evil.example',
    'example.com.evil.example',
    'notexample.com',
    'chat.example',
    '127.0.0.1',
    'localhost.',
  ]) {
    const event = once(server, 'refused');
    const answer = await exchange(port, handshake({ Host, Origin: `http://${Host}` }));
    expect([Host, answer.status]).toEqual([Host, 403]);
    expect(answer.body).toContain('"allowedHosts"');
    expect((await event)[0]).toBe('allowedHosts');
  }
  expect(ask).not.toHaveBeenCalled();
  for (const Host of ['localhost', 'LOCALHOST:3000', 'chat.example:8443', 'example.com', 'a.b.example.com:1'])
    expect([Host, (await shake(port, handshake({ Host }))).status]).toEqual([Host, 101]);
  expect((await exchange(port, handshake({ Host: undefined }))).status).toBe(400);
});

test.each(MODES)('an absolute target is taken for our own host alone (%s)', async (mode) => {
  const { port } = await startAs(mode);
  for (const target of [
    'http://169.254.169.254/',
    'https://other.example/',
    'ftp://server.example/',
    'server.example:80',
  ])
    expect([target, (await exchange(port, handshake({}, `GET ${target} HTTP/1.1`))).status]).toEqual([target, 400]);
  expect((await shake(port, handshake({}, 'GET http://server.example/ HTTP/1.1'))).status).toBe(101);
});
