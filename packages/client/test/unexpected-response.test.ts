import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket, type OpeningError } from '../src/index.js';
import { ending } from './peers.js';
import { connectTo } from './requests.js';

test('WS-051 unexpected-response hands the response over and suppresses the error; close follows when it is read', async () => {
  const websocket = await connectTo(({ socket }) => {
    socket.end('HTTP/1.1 401 Unauthorized\r\nX-Reason: none\r\nContent-Length: 5\r\n\r\nsorry');
  });
  const done = ending(websocket);
  let read = '';
  websocket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
    expect(websocket.readyState).toBe(WebSocket.CONNECTING);
    expect(request.method).toBe('GET');
    read += `${response.statusCode} ${String(response.headers['x-reason'])} `;
    response.on('data', (chunk: Buffer) => (read += chunk.toString()));
    response.on('end', () => (read += ' end'));
  });
  expect((await done).events).toEqual(['close 1006']);
  expect(read).toBe('401 none sorry end');
});

test('the error has the answer that it is about, and does not show it', async () => {
  for (const [answer, code, status] of [
    ['HTTP/1.1 401 Unauthorized\r\nX-Reason: none\r\nContent-Length: 0\r\n\r\n', 'WS_ERR_UNEXPECTED_STATUS', 401],
    [
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Reason: none\r\n\r\n',
      'WS_ERR_INVALID_ACCEPT',
      101,
    ],
  ] as const) {
    const websocket = await connectTo(({ socket }) => void socket.end(answer));
    const error = (await ending(websocket)).error as OpeningError;
    expect(error.code).toBe(code);
    expect(error.response).toMatchObject({ statusCode: status, headers: { 'x-reason': 'none' } });
    expect(Object.keys(error)).not.toContain('response');
  }
  const { error } = await ending(await connectTo(({ socket }) => void socket.end('no HTTP\r\n\r\n')));
  expect(error).not.toHaveProperty('response');
});

const TAKERS: {
  name: string;
  take: (request: ClientRequest, response: IncomingMessage, websocket: WebSocket) => void;
  /** The server ends its response; else it never does. */
  ends?: boolean;
  events: string[];
}[] = [
  { name: 'ignores it', take: () => {}, ends: true, events: ['close 1006'] },
  { name: 'destroys the request', take: (request) => request.destroy(), events: ['close 1006'] },
  { name: 'destroys the response', take: (_, response) => response.destroy(), events: ['close 1006'] },
  {
    name: 'destroys the request with an error',
    take: (request) => request.destroy(new Error('x')),
    events: ['close 1006'],
  },
  {
    name: 'terminates',
    take: (_, __, websocket) => websocket.terminate(),
    events: ['error WS_ERR_ABORTED', 'close 1006'],
  },
  {
    name: 'closes later',
    take: (_, __, websocket) => void setImmediate(() => websocket.close()),
    events: ['error WS_ERR_ABORTED', 'close 1006'],
  },
];

test.each(TAKERS)('unexpected-response: a listener that $name', async ({ take, ends = false, events }) => {
  let peer: Socket | undefined;
  const websocket = await connectTo(({ socket }) => {
    peer = socket;
    socket.write('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n');
  });
  const done = ending(websocket);
  websocket.on('unexpected-response', (request: ClientRequest, response: IncomingMessage) => {
    take(request, response, websocket);
    if (ends) peer?.end('sorry'); // a body without a length: it ends with the connection
  });
  expect((await done).events).toEqual(events);
});

test('unexpected-response: a connection that breaks in the body is no exception', async () => {
  const websocket = await connectTo(({ socket }) => {
    socket.write('HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\nsor', () => socket.resetAndDestroy());
  });
  const done = ending(websocket);
  websocket.on('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => response.resume());
  expect((await done).events).toEqual(['close 1006']);
});
