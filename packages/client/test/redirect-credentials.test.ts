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
import { atEnd, first, listen, opened, rawServer, readRequest, switching, type RawRequest } from './peers.js';
import { ALL, destination, leaked, redirectTo, SECRETS } from './redirects.js';

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
