import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import WebSocket from '../../src/ws/index.js';
import { headersOf, isAsSent } from '../../src/ws/made-request.js';

const HEADERS = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': 13,
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};

test('a request with headers alone, without Host, over any stream; and a client over the other end', async () => {
  const made = Object.freeze({ method: 'GET', url: '/', httpVersion: '1.1', headers: HEADERS });
  const given: unknown[] = [];
  const server = new WebSocket.Server({ noServer: true });
  server.on('headers', (_lines, request) => given.push(request));
  const net = createServer((socket) =>
    server.handleUpgrade(made as unknown as IncomingMessage, socket, Buffer.alloc(0), (webSocket, request) => {
      given.push(request);
      webSocket.on('message', (data, binary) => webSocket.send(data as Buffer, { binary }));
    }),
  );
  net.listen(0, '127.0.0.1');
  await once(net, 'listening');
  const end = connect((net.address() as AddressInfo).port, '127.0.0.1');
  const [answer] = (await once(end, 'data')) as [Buffer];
  expect(String(answer)).toMatch(/^HTTP\/1\.1 101 .*\r\nSec-WebSocket-Accept: ICX\+Yqv66kxgM0FcWaLWlFLwTAI=\r\n/s);
  expect(given.map((request) => request === made)).toEqual([true, true]); // for listeners too

  const client = new WebSocket(null);
  client._isServer = false;
  client.setSocket(end, Buffer.alloc(0), { maxPayload: 0 });
  client.send('there and back');
  const [data] = (await once(client, 'message')) as [Buffer];
  expect(String(data)).toBe('there and back');
  client.close(1000);
  const [code] = (await once(client, 'close')) as [number];
  expect(code).toBe(1000);
  server.close();
  net.close();
});

test('a request of Node goes by what was sent; of another one, lists and what is undefined are written as headers are', () => {
  const headers = { upgrade: 'websocket', 'sec-websocket-protocol': 'a, b' };
  const headersDistinct = { upgrade: ['websocket'], 'sec-websocket-protocol': ['a', 'b'] };
  const whole = { rawHeaders: ['Upgrade', 'websocket'], headers, headersDistinct } as unknown as IncomingMessage;
  expect(isAsSent(whole)).toBe(true);
  expect(
    isAsSent(Object.create(whole, { headers: { value: { ...headers, origin: 'http://a' } } }) as IncomingMessage),
  ).toBe(false);
  expect(isAsSent(Object.create(whole, { rawHeaders: { value: [['Upgrade', 'websocket']] } }) as IncomingMessage)).toBe(
    false,
  );
  const listed = { headers: { host: 'here', 'x-a': ['1', '2'], 'x-b': undefined } } as unknown as IncomingMessage;
  expect(isAsSent(listed)).toBe(false);
  expect(headersOf(listed)).toEqual(['host', 'here', 'connection', 'upgrade', 'x-a', '1', 'x-a', '2']);
});
