import { Agent, type ClientRequest } from 'node:http';
import { expect, test } from '@jest/globals';
import { WebSocket } from '../src/index.js';
import { ending, opened, rawServer, switching, type RawRequest } from './peers.js';
import { redirectTo, SECRETS } from './redirects.js';

test.each([301, 302, 303, 307, 308])(
  '%d on the same host is followed with the same request, credentials and all',
  async (status) => {
    const seen: RawRequest[] = [];
    const port = await rawServer((request, count) => {
      seen.push(request);
      request.socket.write(
        count === 1 ? redirectTo('/new?x', status) : switching(request.key, { 'Sec-WebSocket-Protocol': 'p' }),
      );
    });
    const url = `ws://127.0.0.1:${port}/old`;
    const websocket = new WebSocket(url, ['p'], {
      followRedirects: true,
      headers: { ...SECRETS, Host: 'name' },
      origin: 'o',
    });
    const events: unknown[] = [];
    websocket.on('redirect', (to, request) => {
      events.push(to, websocket.url, websocket.readyState);
      expect(request.getHeader('X-Other')).toBe('kept');
    });
    await opened(websocket);
    const target = `ws://127.0.0.1:${port}/new?x`;
    expect(events).toEqual([target, target, WebSocket.CONNECTING]);
    expect(websocket.url).toBe(target);
    expect(websocket.protocol).toBe('p');
    const [before, after] = seen;
    expect(after?.line).toBe('GET /new?x HTTP/1.1');
    expect(after?.key).not.toBe(before?.key);
    const withoutKey = (request: RawRequest | undefined): object => ({
      ...Object.fromEntries(request?.headers ?? []),
      'sec-websocket-key': '',
    });
    expect(withoutKey(after)).toEqual(withoutKey(before));
    expect(after?.headers.get('host')).toEqual(['name']);
  },
);

test.each([
  { status: 300, location: '/x' },
  { status: 304, location: '/x' },
  { status: 305, location: '/x' },
  { status: 201, location: '/x' },
  { status: 302, location: undefined },
  { status: 302, location: '' },
])('$status to $location is not followed', async ({ status, location }) => {
  const field = location === undefined ? '' : `Location: ${location}\r\n`;
  const port = await rawServer(({ socket }) =>
    socket.write(`HTTP/1.1 ${status} X\r\n${field}Content-Length: 0\r\n\r\n`),
  );
  const { events, error } = await ending(new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true }));
  expect(events).toEqual(['error WS_ERR_UNEXPECTED_STATUS', 'close 1006']);
  expect(error?.message).toBe(`Unexpected server response: ${status}`);
});

const UNUSABLE = ['ftp://h/', 'file:///etc/passwd', 'data:,x', 'ws://', 'ws://h:99999/', '/x#y', 'ws://h/#'];

test.each(UNUSABLE)('Location %s: a SyntaxError as error, then close', async (location) => {
  const port = await rawServer(({ socket }) => socket.write(redirectTo(location)));
  const { events, error } = await ending(new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true }));
  expect(events).toEqual(['error WS_ERR_INVALID_URL', 'close 1006']);
  expect(error?.name).toBe('SyntaxError');
});

test('to wss with an agent for http: an error event, no exception', async () => {
  const port = await rawServer(({ socket }) => socket.write(redirectTo('wss://127.0.0.1:1/')));
  const { events } = await ending(
    new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true, agent: new Agent() }),
  );
  expect(events).toEqual(['error ERR_INVALID_PROTOCOL', 'close 1006']);
});

test.each([
  { maxRedirects: 0, requests: 1 },
  { maxRedirects: 1, requests: 2 },
  { maxRedirects: undefined, requests: 11 },
])('a loop ends: maxRedirects $maxRedirects, $requests requests', async ({ maxRedirects, requests }) => {
  let count = 0;
  const port = await rawServer(({ socket }) => {
    count++;
    socket.write(redirectTo('/again'));
  });
  const { events, error } = await ending(
    new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true, maxRedirects }),
  );
  expect(events).toEqual([
    ...Array<string>(requests - 1).fill('redirect'),
    'error WS_ERR_TOO_MANY_REDIRECTS',
    'close 1006',
  ]);
  expect(error?.message).toBe('Maximum redirects exceeded');
  expect(count).toBe(requests);
});

test.each(['close', 'terminate'] as const)('%s in redirect: the second request is not sent', async (method) => {
  let count = 0;
  const port = await rawServer(({ socket }) => {
    count++;
    socket.write(redirectTo('/again'));
  });
  let finished = 0;
  const finishRequest = (request: ClientRequest): void => {
    finished++;
    request.end();
  };
  const websocket = new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true, finishRequest });
  websocket.on('redirect', () => websocket[method]());
  expect((await ending(websocket)).events).toEqual(['redirect', 'error WS_ERR_ABORTED', 'close 1006']);
  expect([count, finished]).toEqual([1, 1]);
});

test('finishRequest is called for each request; one that throws after a redirect is an error event', async () => {
  const port = await rawServer(({ socket }) => socket.write(redirectTo('/again')));
  let calls = 0;
  const websocket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    followRedirects: true,
    finishRequest: (request) => {
      if (++calls === 3) throw new Error('enough');
      request.end();
    },
  });
  const { events, error } = await ending(websocket);
  expect(events).toEqual(['redirect', 'redirect', 'error Error', 'close 1006']);
  expect(error?.message).toBe('enough');
});

test('the connections of the redirects are closed', async () => {
  const closed: Promise<void>[] = [];
  const port = await rawServer(({ socket, key }, count) => {
    if (count === 4) return socket.write(switching(key));
    closed.push(new Promise((resolve) => socket.once('close', () => resolve())));
    return socket.write(redirectTo('/again'));
  });
  const websocket = await opened(new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true }));
  await Promise.all(closed);
  expect(closed).toHaveLength(3);
  expect(websocket.readyState).toBe(WebSocket.OPEN);
});
