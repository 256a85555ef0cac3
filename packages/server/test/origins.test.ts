import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { ServerOptions } from '../src/index.js';
import { exchange, handshake, portOf, shake, start } from './support.js';

const HOST = 'app.example.com';
const LIST = ['https://app.example.com', 'http://localhost:3000'];
const LOOSE = (origin: string): boolean => origin.endsWith('.example.com');

const TABLE: [origins: ServerOptions['origins'], origin: string | undefined, host: string, status: number][] = [
  [undefined, undefined, HOST, 101], // no browser
  [undefined, 'https://app.example.com', HOST, 101],
  [undefined, 'http://app.example.com', HOST, 101],
  [undefined, 'https://APP.example.com', 'App.Example.Com', 101],
  [undefined, 'https://app.example.com:8443', 'app.example.com:8443', 101],
  [undefined, 'https://app.example.com', 'app.example.com:443', 101],
  [undefined, 'http://app.example.com', 'app.example.com:80', 101],
  [undefined, 'http://app.example.com', 'app.example.com:443', 403],
  [undefined, 'https://app.example.com:8443', HOST, 403],
  [undefined, 'https://evil.example', HOST, 403],
  [undefined, 'https://app.example.com.evil.example', HOST, 403],
  [undefined, 'https://example.com', HOST, 403],
  [undefined, 'null', HOST, 403],
  [undefined, '', HOST, 403],
  [undefined, 'https://app.example.com/', HOST, 403],
  [undefined, 'https://user@app.example.com', HOST, 403],
  [undefined, 'http://127.1', '127.0.0.1', 403],
  [undefined, 'http://0x7f.0.0.1', '127.0.0.1', 403],
  ['same', 'https://evil.example', HOST, 403],
  ['any', 'https://evil.example', HOST, 101],
  ['any', 'null', HOST, 101],
  [false, 'https://evil.example', HOST, 101],
  [LIST, 'https://app.example.com', 'other.example', 101],
  [LIST, 'http://localhost:3000', 'other.example', 101],
  [LIST, 'http://localhost:3001', 'localhost:3001', 403],
  [LIST, 'http://app.example.com', HOST, 403],
  [LIST, undefined, HOST, 101],
  [[], 'https://app.example.com', HOST, 403],
  [LOOSE, 'https://x.example.com', HOST, 101],
  [LOOSE, 'https://x.example.org', HOST, 403],
  [async (origin) => LOOSE(origin), 'https://x.example.com', HOST, 101],
  [async (origin) => LOOSE(origin), 'https://x.example.org', HOST, 403],
  [
    () => {
      throw new Error('secret');
    },
    'https://x.example.com',
    HOST,
    500,
  ],
  [() => Promise.reject(new Error('secret')), 'https://x.example.com', HOST, 500],
];

test.each(TABLE)('origins %p, Origin %p at Host %p: %p', async (origins, origin, host, status) => {
  const server = await start({ origins });
  const refused = jest.fn();
  server.on('refused', refused);
  const answer = await shake(portOf(server), handshake({ Origin: origin, Host: host }));
  expect(answer.status).toBe(status);
  expect(answer.body).not.toContain('secret');
  expect(refused.mock.calls.map(([reason]) => reason)).toEqual(status === 101 ? [] : ['origins']);
});

test('the 403 and the event name the option to set', async () => {
  const server = await start();
  const event = once(server, 'refused');
  const answer = await exchange(portOf(server), handshake({ Origin: 'https://evil.example' }));
  expect(answer.status).toBe(403);
  expect(answer.body).toContain('"origins"');
  const [reason, request] = (await event) as [string, IncomingMessage];
  expect([reason, request.headers.origin]).toEqual(['origins', 'https://evil.example']);
});

test('the function gets the origin and the request, and is not asked where there is no origin', async () => {
  const origins = jest.fn(
    (origin: string, request: IncomingMessage) => origin === 'https://a.example' && request.url === '/x',
  );
  const port = portOf(await start({ origins }));
  expect((await shake(port, handshake())).status).toBe(101);
  expect(origins).not.toHaveBeenCalled();
  expect((await shake(port, handshake({ Origin: 'https://a.example' }, 'GET /x HTTP/1.1'))).status).toBe(101);
  expect(origins).toHaveBeenCalledTimes(1);
});

test('no answer within handshakeTimeout: 503', async () => {
  const port = portOf(await start({ origins: () => new Promise<boolean>(() => {}), handshakeTimeout: 30 }));
  expect((await exchange(port, handshake({ Origin: 'https://a.example' }))).status).toBe(503);
});
