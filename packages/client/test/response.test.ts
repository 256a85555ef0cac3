import type { IncomingMessage } from 'node:http';
import { expect, test } from '@jest/globals';
import { hex } from '@ws/testing';
import { WebSocket } from '../src/index.js';
import { acceptOf, ending, next, opened, switching } from './peers.js';
import { connectTo } from './requests.js';

const RESPONSES: { name: string; answer: (key: string) => string; code: string; protocols?: string[] }[] = [
  {
    name: 'WS-051 NW-072 wrong accept',
    answer: (key) => switching(key, { 'Sec-WebSocket-Accept': acceptOf(`${key}=`) }),
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'NW-072 no accept',
    answer: (key) => switching(key, { 'Sec-WebSocket-Accept': undefined }),
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'two accepts',
    answer: (key) => switching(key, { 'sec-websocket-accept': acceptOf(key) }),
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'the accept of the example in the RFC',
    answer: (key) => switching(key, { 'Sec-WebSocket-Accept': 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' }),
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'NW-072 no Upgrade',
    answer: (key) => switching(key, { Upgrade: undefined }),
    code: 'WS_ERR_INVALID_UPGRADE',
  },
  {
    name: 'NW-072 another Upgrade',
    answer: (key) => switching(key, { Upgrade: 'h2c' }),
    code: 'WS_ERR_INVALID_UPGRADE',
  },
  {
    name: 'a list of Upgrades',
    answer: (key) => switching(key, { Upgrade: 'websocket, h2c' }),
    code: 'WS_ERR_INVALID_UPGRADE',
  },
  {
    name: 'NW-072 no Connection',
    answer: (key) => switching(key, { Connection: undefined }),
    code: 'WS_ERR_INVALID_CONNECTION',
  },
  {
    name: 'NW-072 another Connection',
    answer: (key) => switching(key, { Connection: 'keep-alive' }),
    code: 'WS_ERR_INVALID_CONNECTION',
  },
  {
    name: 'no header at all',
    answer: () => 'HTTP/1.1 101 Switching Protocols\r\n\r\n',
    code: 'WS_ERR_INVALID_UPGRADE',
  },
  {
    name: 'WS-051 NW-072 a subprotocol nobody asked for',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': 'one' }),
    code: 'WS_ERR_UNEXPECTED_SUBPROTOCOL',
  },
  {
    name: 'an empty subprotocol',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': '' }),
    code: 'WS_ERR_UNEXPECTED_SUBPROTOCOL',
  },
  {
    name: 'WS-051 NW-072 X-08 no subprotocol though asked',
    answer: (key) => switching(key),
    protocols: ['one'],
    code: 'WS_ERR_MISSING_SUBPROTOCOL',
  },
  {
    name: 'WS-051 another subprotocol',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': 'two' }),
    protocols: ['one'],
    code: 'WS_ERR_INVALID_SUBPROTOCOL',
  },
  {
    name: 'a subprotocol in another case',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': 'One' }),
    protocols: ['one'],
    code: 'WS_ERR_INVALID_SUBPROTOCOL',
  },
  {
    name: 'several subprotocols',
    answer: (key) => switching(key, { 'Sec-WebSocket-Protocol': 'one, two' }),
    protocols: ['one', 'two'],
    code: 'WS_ERR_INVALID_SUBPROTOCOL',
  },
  {
    name: 'an extension that was not offered',
    answer: (key) => switching(key, { 'Sec-WebSocket-Extensions': 'x-webkit-deflate-frame' }),
    code: 'WS_ERR_UNEXPECTED_EXTENSION',
  },
  {
    name: 'an extension named as in Object.prototype',
    answer: (key) => switching(key, { 'Sec-WebSocket-Extensions': 'constructor' }),
    code: 'WS_ERR_UNEXPECTED_EXTENSION',
  },
  {
    name: 'WS-051 broken extensions',
    answer: (key) => switching(key, { 'Sec-WebSocket-Extensions': 'a;=' }),
    code: 'WS_ERR_INVALID_EXTENSIONS',
  },
  {
    name: 'WS-051 200',
    answer: () => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi',
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  {
    name: '200 with the headers of a 101',
    answer: (key) => switching(key).replace('101', '200'),
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  { name: '204', answer: () => 'HTTP/1.1 204 No Content\r\n\r\n', code: 'WS_ERR_UNEXPECTED_STATUS' },
  {
    name: '401',
    answer: () => 'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n',
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  {
    name: 'a redirect that is not to be followed',
    answer: () => 'HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n',
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  {
    name: '503 without an end',
    answer: () => 'HTTP/1.1 503 Busy\r\nContent-Length: 1000000\r\n\r\nx',
    code: 'WS_ERR_UNEXPECTED_STATUS',
  },
  { name: 'garbage', answer: () => '\x16\x03\x01\0\0 garbage', code: 'HPE_INVALID_CONSTANT' },
  { name: 'SSH', answer: () => 'SSH-2.0-OpenSSH_9.2\r\n', code: 'HPE_INVALID_CONSTANT' },
  {
    name: 'too many headers',
    answer: () => `HTTP/1.1 101 Switching Protocols\r\nX: ${'y'.repeat(20000)}`,
    code: 'HPE_HEADER_OVERFLOW',
  },
];

test.each(RESPONSES)(
  '$name: error, then close 1006, and the connection is cut',
  async ({ answer, code, protocols = [] }) => {
    let cut: Promise<unknown> | undefined;
    const websocket = await connectTo(
      ({ key, socket }) => {
        cut = next(socket, 'close');
        socket.write(answer(key), 'latin1');
      },
      { protocols },
    );
    const { events } = await ending(websocket);
    expect(events.filter((event) => event !== 'upgrade')).toEqual([`error ${code}`, 'close 1006']);
    expect(websocket.readyState).toBe(WebSocket.CLOSED);
    await cut;
  },
);

test('WS-051 the text that programs for ws 8 look for', async () => {
  const websocket = await connectTo(({ socket }) => socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n'));
  expect((await ending(websocket)).error?.message).toBe('Unexpected server response: 401');
});

const ACCEPTED = [
  { name: 'other spellings', changes: { Upgrade: 'WebSocket', Connection: 'keep-alive, UPGRADE' } },
  { name: 'other headers', changes: { Server: 'x', 'Set-Cookie': 'a=b', 'X-Long': 'y'.repeat(8000) } },
];

test.each(ACCEPTED)('$name are accepted', async ({ changes }) => {
  const websocket = await opened(await connectTo(({ key, socket }) => socket.write(switching(key, changes))));
  expect(websocket.readyState).toBe(WebSocket.OPEN);
});

test('a response with 1500 other headers is read to its end', async () => {
  const many = Array.from({ length: 1500 }, (_, i) => `a${i}:`).join('\r\n');
  const websocket = await connectTo(({ key, socket }) =>
    socket.write(switching(key).replace('\r\n', `\r\n${many}\r\n`)),
  );
  expect((await opened(websocket)).readyState).toBe(WebSocket.OPEN);
});

test('informational responses are passed over, whatever they say', async () => {
  const websocket = await connectTo(({ key, socket }) => {
    socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    socket.write(`HTTP/1.1 103 Early Hints\r\nLocation: /x\r\nUpgrade: h2c\r\nSec-WebSocket-Protocol: evil\r\n\r\n`);
    socket.write(switching(key));
  });
  await opened(websocket);
  expect(websocket.protocol).toBe('');
});

test('K-09 upgrade is given the response, before open', async () => {
  const websocket = await connectTo(({ key, socket }) => socket.write(switching(key, { 'Set-Cookie': 'a=b' })));
  const states: unknown[] = [];
  websocket.on('upgrade', (response: IncomingMessage) => {
    states.push(websocket.readyState, response.statusCode, response.headers['set-cookie']);
  });
  await opened(websocket);
  expect(states).toEqual([WebSocket.CONNECTING, 101, ['a=b']]);
});

test.each(['close', 'terminate'] as const)('%s in upgrade gives the connection up', async (method) => {
  let cut: Promise<unknown> | undefined;
  const websocket = await connectTo(({ key, socket }) => {
    cut = next(socket, 'close');
    socket.write(Buffer.concat([Buffer.from(switching(key)), hex`81 01 61`]));
  });
  websocket.on('upgrade', () => websocket[method]());
  const { events, error } = await ending(websocket);
  expect(events).toEqual(['upgrade', 'error WS_ERR_ABORTED', 'close 1006']);
  expect(error?.message).toBe('WebSocket was closed before the connection was established');
  await cut;
});
