import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import WebSocket from '../../src/ws/index.js';
import { withRawHeaders } from '../../src/ws/made-request.js';

const HEADERS = {
  connection: 'upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': 13,
  'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
};

test('a request with headers alone, without Host, over any stream; and a client over the other end', async () => {
  const made = Object.freeze({ method: 'GET', url: '/', httpVersion: '1.1', headers: HEADERS });
  const server = new WebSocket.Server({ noServer: true });
  const given: unknown[] = [];
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
  expect(given).toEqual([made]);
  expect(given[0]).toBe(made);

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

test('a request of Node is handed on as it is; lists and what is undefined are written as headers are', () => {
  const whole = { rawHeaders: ['Host', 'x'], headers: {} } as unknown as IncomingMessage;
  expect(withRawHeaders(whole)).toBe(whole);
  const listed = { headers: { host: 'here', 'x-a': ['1', '2'], 'x-b': undefined } } as unknown as IncomingMessage;
  expect(withRawHeaders(listed).rawHeaders).toEqual(['host', 'here', 'x-a', '1', 'x-a', '2']);
  expect(listed.rawHeaders).toBeUndefined();
});
