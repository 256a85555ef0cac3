import type { ClientRequest } from 'node:http';
import { createServer as createTlsServer, connect as connectTls } from 'node:tls';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { makeCertificate } from '@ws/testing';
import { parseAddress } from '../src/address.js';
import { WebSocket, type ClientOptions } from '../src/index.js';
import { keepsCredentials } from '../src/redirect.js';
import { atEnd, ending, first, listen, opened, rawServer, readRequest, switching, type RawRequest } from './peers.js';

const redirectTo = (location: string, status = 302): string =>
  `HTTP/1.1 ${status} Elsewhere\r\nLocation: ${location}\r\nContent-Length: 3\r\n\r\nbye`;

/** A server that opens every connection and notes what arrived. */
async function destination(path?: string): Promise<{ port: number; seen: RawRequest[] }> {
  const seen: RawRequest[] = [];
  const port = await rawServer((request) => {
    seen.push(request);
    request.socket.write(switching(request.key));
  }, path);
  return { port, seen };
}

const SECRETS = {
  Authorization: 'Bearer secret',
  Cookie: 'session=secret',
  'Proxy-Authorization': 'Basic secret',
  'X-Other': 'kept',
};

/** Names of the headers that only the first host may have, and that arrived. */
const leaked = ({ headers }: RawRequest): string[] =>
  ['authorization', 'cookie', 'proxy-authorization'].filter((name) => headers.has(name));
const ALL = ['authorization', 'cookie', 'proxy-authorization'];

const PAIRS = [
  { from: 'ws://h/a', to: 'ws://h/b', keeps: true },
  { from: 'ws://h:81/a', to: 'ws://h:81/b', keeps: true },
  { from: 'ws://h/a', to: 'ws://H:80/b', keeps: true },
  { from: 'wss://h/a', to: 'https://h:443/b', keeps: true },
  { from: 'ws://h/a', to: 'wss://h/b', keeps: true }, // both default ports
  { from: 'ws://h:81/a', to: 'wss://h:81/b', keeps: true },
  { from: 'wss://h/a', to: 'ws://h/b', keeps: false },
  { from: 'wss://h:81/a', to: 'ws://h:81/b', keeps: false },
  { from: 'ws://h/a', to: 'ws://h:81/b', keeps: false },
  { from: 'wss://h/a', to: 'wss://h:444/b', keeps: false },
  { from: 'ws://h/a', to: 'ws://sub.h/b', keeps: false },
  { from: 'ws://h/a', to: 'ws://h./b', keeps: false },
  { from: 'ws://localhost/', to: 'ws://127.0.0.1/', keeps: false },
  { from: 'ws+unix:/a:/x', to: 'ws+unix:/a:/y', keeps: true },
  { from: 'ws+unix:/a:/x', to: 'wss+unix:/a:/y', keeps: true },
  { from: 'wss+unix:/a:/x', to: 'ws+unix:/a:/y', keeps: false },
  { from: 'ws+unix:/a:/x', to: 'ws+unix:/b:/x', keeps: false },
  { from: 'ws+unix:/a:/x', to: 'ws://localhost/', keeps: false },
  { from: 'ws://localhost/', to: 'ws+unix:/a', keeps: false },
];

test.each(PAIRS)('credentials for $from at $to: $keeps', ({ from, to, keeps }) => {
  expect(keepsCredentials(parseAddress(from), parseAddress(to))).toBe(keeps);
});

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

const ELSEWHERE: { name: string; location: (port: number) => string; options?: ClientOptions }[] = [
  { name: 'another port', location: (port) => `ws://127.0.0.1:${port}/` },
  { name: 'another host name', location: (port) => `http://localhost:${port}/`, options: { family: 4 } },
];

test.each(ELSEWHERE)('credentials and Host are dropped for $name', async ({ location, options }) => {
  const { port, seen } = await destination();
  const start = await rawServer(({ socket }) => socket.write(redirectTo(location(port))));
  const websocket = new WebSocket(`ws://127.0.0.1:${start}/`, {
    ...options,
    followRedirects: true,
    headers: { ...SECRETS, Host: 'name' },
    origin: 'https://o',
    auth: 'user:secret',
  });
  await opened(websocket);
  const request = first(seen);
  expect(leaked(request)).toEqual([]);
  expect(request.text).not.toContain('secret');
  expect(request.headers.get('x-other')).toEqual(['kept']);
  expect(request.headers.get('origin')).toEqual(['https://o']);
  expect(request.headers.get('host')).toEqual([new URL(location(port)).host]);
});

test.each([
  { name: 'auth', userinfo: '', options: { auth: 'user:secret' } },
  { name: 'the address', userinfo: 'user:secret@', options: {} },
])('Basic authentication of $name: kept on the same host, dropped for another port', async ({ userinfo, options }) => {
  const { port, seen } = await destination();
  const hops: RawRequest[] = [];
  const start = await rawServer((request, count) => {
    hops.push(request);
    request.socket.write(redirectTo(count === 1 ? `ws://127.0.0.1:${start}/two` : `ws://127.0.0.1:${port}/three`));
  });
  await opened(new WebSocket(`ws://${userinfo}127.0.0.1:${start}/one`, { ...options, followRedirects: true }));
  const basic = [`Basic ${Buffer.from('user:secret').toString('base64')}`];
  expect(hops.map(({ headers }) => headers.get('authorization'))).toEqual([basic, basic]);
  expect(leaked(first(seen))).toEqual([]);
});

test('credentials in the Location are sent there', async () => {
  const { port, seen } = await destination();
  const start = await rawServer(({ socket }) => socket.write(redirectTo(`ws://new:one@127.0.0.1:${port}/`)));
  await opened(new WebSocket(`ws://old:one@127.0.0.1:${start}/`, { followRedirects: true }));
  expect(seen[0]?.headers.get('authorization')).toEqual([`Basic ${Buffer.from('new:one').toString('base64')}`]);
});

test('what was dropped stays dropped when a redirect leads back', async () => {
  const back: RawRequest[] = [];
  const start = await rawServer((request, count) => {
    back.push(request);
    request.socket.write(count === 1 ? redirectTo(`ws://127.0.0.1:${other}/`) : switching(request.key));
  });
  const other = await rawServer(({ socket }) => socket.write(redirectTo(`ws://127.0.0.1:${start}/again`)));
  await opened(new WebSocket(`ws://127.0.0.1:${start}/`, { followRedirects: true, headers: SECRETS }));
  expect(back.map(leaked)).toEqual([ALL, []]);
});

test('a listener of redirect can take headers away, or give credentials again', async () => {
  const { port, seen } = await destination();
  const start = await rawServer(({ socket }) => socket.write(redirectTo(`ws://127.0.0.1:${port}/`)));
  const websocket = new WebSocket(`ws://127.0.0.1:${start}/`, { followRedirects: true, headers: SECRETS });
  websocket.on('redirect', (_url: string, request: ClientRequest) => {
    request.removeHeader('X-Other');
    request.setHeader('Authorization', 'Bearer given again');
  });
  await opened(websocket);
  expect(seen[0]?.headers.get('authorization')).toEqual(['Bearer given again']);
  expect(seen[0]?.headers.has('x-other')).toBe(false);
});

/** A TLS and a plain server behind the default ports of one host name. */
async function bothPorts(
  onTls: (request: RawRequest) => void,
  onPlain: (request: RawRequest) => void,
): Promise<ClientOptions> {
  const { key, cert } = makeCertificate();
  const tlsPort = await listen(createTlsServer({ key, cert }, (socket) => readRequest(socket, onTls)));
  const plainPort = await rawServer(onPlain);
  return {
    createConnection: (options) =>
      options.port === 443
        ? connectTls({ port: tlsPort, host: '127.0.0.1', ca: cert, servername: String(options.servername) })
        : connect(plainPort, '127.0.0.1'),
  };
}

test('from wss to ws on the same host: credentials are dropped', async () => {
  const seen: RawRequest[] = [];
  const options = await bothPorts(
    (request) => {
      seen.push(request);
      request.socket.write(redirectTo('ws://localhost/'));
    },
    (request) => {
      seen.push(request);
      request.socket.write(switching(request.key));
    },
  );
  await opened(new WebSocket('wss://localhost/', { ...options, followRedirects: true, headers: SECRETS }));
  expect(seen.map(leaked)).toEqual([ALL, []]);
  expect(seen.map(({ headers }) => headers.get('host'))).toEqual([['localhost'], ['localhost']]);
});

test('from ws to wss on the same host: credentials go along', async () => {
  const seen: RawRequest[] = [];
  const options = await bothPorts(
    (request) => {
      seen.push(request);
      request.socket.write(switching(request.key));
    },
    (request) => {
      seen.push(request);
      request.socket.write(redirectTo('wss://localhost/'));
    },
  );
  await opened(new WebSocket('ws://localhost/', { ...options, followRedirects: true, headers: SECRETS }));
  expect(seen.map(leaked)).toEqual([ALL, ALL]);
});

function socketPaths(): { a: string; b: string } {
  const folder = mkdtempSync(join(tmpdir(), 'ws-client-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  return { a: join(folder, 'a.sock'), b: join(folder, 'b.sock') };
}

test('WS-050 Unix sockets: relative on the same one with credentials, to another one or to TCP without', async () => {
  const { a, b } = socketPaths();
  const tcp = await destination();
  const onA: RawRequest[] = [];
  const onB: RawRequest[] = [];
  await rawServer((request, count) => {
    onA.push(request);
    request.socket.write(redirectTo(count === 1 ? 'two?x' : `ws+unix:${b}:/three`));
  }, a);
  await rawServer((request) => {
    onB.push(request);
    request.socket.write(redirectTo(`ws://127.0.0.1:${tcp.port}/four`));
  }, b);
  const websocket = await opened(new WebSocket(`ws+unix:${a}:/one`, { followRedirects: true, headers: SECRETS }));
  expect(onA.map(({ line }) => line)).toEqual(['GET /one HTTP/1.1', 'GET /two?x HTTP/1.1']);
  expect(onA.map(leaked)).toEqual([ALL, ALL]);
  expect(onA[0]?.headers.get('host')).toEqual(['localhost']);
  expect([...onB, ...tcp.seen].map(leaked)).toEqual([[], []]);
  expect(websocket.url).toBe(`ws://127.0.0.1:${tcp.port}/four`);
});

test('from TCP to a Unix socket: credentials are dropped', async () => {
  const { a } = socketPaths();
  const { seen } = await destination(a);
  const start = await rawServer(({ socket }) => socket.write(redirectTo(`ws+unix:${a}:/x`)));
  const websocket = await opened(
    new WebSocket(`ws://127.0.0.1:${start}/`, { followRedirects: true, headers: SECRETS }),
  );
  expect(seen.map(leaked)).toEqual([[]]);
  expect(websocket.url).toBe(`ws+unix:${a}:/x`);
});

const UNUSABLE = ['ftp://h/', 'file:///etc/passwd', 'data:,x', 'ws://', 'ws://h:99999/', '/x#y', 'ws://h/#'];

test.each(UNUSABLE)('Location %s: a SyntaxError as error, then close', async (location) => {
  const port = await rawServer(({ socket }) => socket.write(redirectTo(location)));
  const { events, error } = await ending(new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true }));
  expect(events).toEqual(['error WS_ERR_INVALID_URL', 'close 1006']);
  expect(error?.name).toBe('SyntaxError');
});

test('to wss with an agent for http: an error event, no exception', async () => {
  const { Agent } = await import('node:http');
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
  expect((await ending(websocket)).events).toEqual(['redirect', 'error Error', 'close 1006']);
  expect([count, finished]).toEqual([1, 1]);
});

test('handshakeTimeout starts anew with each redirect, and holds for the last', async () => {
  const port = await rawServer(({ socket }, count) => {
    if (count <= 3) setImmediate(() => socket.write(redirectTo('/again')));
  });
  const websocket = new WebSocket(`ws://127.0.0.1:${port}/`, { followRedirects: true, handshakeTimeout: 500 });
  expect((await ending(websocket)).events).toEqual([
    'redirect',
    'redirect',
    'redirect',
    'error WS_ERR_HANDSHAKE_TIMEOUT',
    'close 1006',
  ]);
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
