import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { exchange, handshake, isAlive, opened, peer, portOf, shake, start } from './support.js';

test('A-31 a cookie added in headers arrives', async () => {
  const server = await start();
  server.on('headers', (headers, request) => {
    headers.push('Set-Cookie: a=b', `X-Path:${request.url}`);
  });
  const client = peer(portOf(server), '/x');
  const [[response]] = await Promise.all([once(client, 'upgrade'), opened(client)]);
  expect(response.headers).toMatchObject({ 'set-cookie': ['a=b'], 'x-path': '/x' });
});

test('WS-028 an array of lines, the status line first', async () => {
  const server = await start({ protocols: ['chat'] });
  const event = once(server, 'headers');
  await shake(portOf(server), handshake({ 'Sec-WebSocket-Protocol': 'chat' }));
  const [lines, request] = await event;
  expect(lines).toEqual([
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'Sec-WebSocket-Protocol: chat',
  ]);
  expect(request.url).toBe('/');
});

const BAD: [name: string, change: (lines: string[]) => unknown][] = [
  ['CR and LF (A-31)', (lines) => lines.push('X-A: b\r\nX-C: d')],
  ['LF alone', (lines) => lines.push('X-A: b\nX-C: d')],
  ['NUL', (lines) => lines.push('X-A: \0')],
  ['a character beyond latin1', (lines) => lines.push('X-A: ш')],
  ['a blank in the name', (lines) => lines.push('X A: b')],
  ['no colon', (lines) => lines.push('X-A')],
  ['no name', (lines) => lines.push(': b')],
  ['an empty line', (lines) => lines.push('')],
  ['no string', (lines) => lines.push(5 as never)],
  ['a second Sec-WebSocket-Protocol', (lines) => lines.push('sec-websocket-protocol: other')],
  ['an extension', (lines) => lines.push('Sec-WebSocket-Extensions: permessage-deflate')],
  ['a body', (lines) => lines.push('Content-Length: 5')],
  ['another status line', (lines) => (lines[0] = 'HTTP/1.1 200 OK')],
  ['the accept hash gone', (lines) => lines.splice(3, 1)],
  ['everything gone', (lines) => (lines.length = 0)],
];

test.each(BAD)('K-09 B-26 %s: 500, and nothing of it is sent', async (_name, change) => {
  const server = await start();
  server.once('headers', change);
  const event = once(server, 'refused');
  const answer = await exchange(portOf(server), handshake());
  expect(answer).toMatchObject({ status: 500, body: 'Internal Server Error' });
  expect(Object.keys(answer.headers).sort()).toEqual(['connection', 'content-length', 'content-type']);
  const [reason, , error] = await event;
  expect([reason, error instanceof TypeError]).toEqual(['headers', true]);
  expect(await isAlive(server)).toBe(true);
});
