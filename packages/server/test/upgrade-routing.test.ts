import { expect, jest, test } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type ServerOptions } from '../src/index.js';
import {
  closed,
  exchange,
  first,
  handshake,
  isAlive,
  manage,
  opened,
  peer,
  portOf,
  RawPeer,
  refused,
  shake,
  start,
  startHttp,
} from './support.js';

const get = (path: string): string => handshake({}, `GET ${path} HTTP/1.1`);

/** An http server with one WebSocket server for each of the options, each saying its name to who connects. */
async function several(...all: ServerOptions[]): Promise<{ http: Server; servers: WebSocketServer[]; port: number }> {
  const http = await startHttp(createServer((_, response) => void response.end('page')));
  const servers = all.map((options) => manage(new WebSocketServer({ server: http, ...options })));
  servers.forEach((server, i) => server.on('connection', (socket) => socket.send(String(i))));
  return { http, servers, port: portOf(http) };
}

/** What the server that took the path says. */
async function whoTakes(port: number, path: string): Promise<string> {
  const [data] = await once(peer(port, path), 'message');
  return String(data);
}

test('X-19 several servers on one http server, one listener: each has its path, the http server its pages', async () => {
  const { http, port } = await several({ path: '/a' }, { path: '/b' });
  expect(http.listenerCount('upgrade')).toBe(1);
  expect(await Promise.all([whoTakes(port, '/a'), whoTakes(port, '/b?x=/a'), whoTakes(port, '/a?')])).toEqual([
    '0',
    '1',
    '0',
  ]);
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
});

test('the first whose shouldHandle says yes takes it', async () => {
  const { port } = await several({ path: '/a' }, {}, { path: '/b' });
  expect([await whoTakes(port, '/a'), await whoTakes(port, '/b')]).toEqual(['0', '1']);
});

test('decision 18: a path that nobody serves gets 400, and one event', async () => {
  const { servers, port } = await several({ path: '/a' }, { path: '/b' });
  const events = servers.map((server) => {
    const listener = jest.fn();
    server.on('refused', listener);
    return listener;
  });
  expect(await exchange(port, get('/c'))).toMatchObject({ status: 400, headers: { connection: 'close' } });
  expect(events.map((listener) => listener.mock.calls.map(([reason]) => reason))).toEqual([['path'], []]);
});

test('X-19 unservedPath: 404, on a shared http server and on a port of its own', async () => {
  const { port } = await several({ path: '/a', unservedPath: 404 }, { path: '/b' });
  expect(await exchange(port, get('/c'))).toMatchObject({ status: 404, headers: { connection: 'close' } });
  expect(await whoTakes(port, '/b')).toBe('1');
  const own = await start({ path: '/a', unservedPath: 404 });
  expect((await refused(peer(portOf(own), '/b'))).status).toBe(404);
});

test.each([
  ['/chat', 101],
  ['/chat?room=1', 101],
  ['/chat/', 400],
  ['/Chat', 400],
  ['/', 400],
  ['/?/chat', 400],
  ['http://server.example/chat', 101],
  ['http://server.example/other', 400],
  ['http://server.example?/chat', 400],
  ['http://other.example/chat', 400],
  ['*', 400],
])('WS-005 path /chat, target %s: %p', async (target, status) => {
  const server = await start({ path: '/chat' });
  expect((await shake(portOf(server), get(target))).status).toBe(status);
});

test('an own port with a path answers 400 to others', async () => {
  const server = await start({ path: '/a' });
  expect((await refused(peer(portOf(server), '/b'))).status).toBe(400);
  expect(await isAlive(await start({ path: '/' }))).toBe(true);
});

test('a foreign listener gets what no server wants', async () => {
  const { http, port } = await several({ path: '/a' });
  http.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    if (request.url === '/foreign') socket.end('HTTP/1.1 200 Mine\r\nConnection: close\r\n\r\n');
  });
  expect((await exchange(port, get('/foreign'))).phrase).toBe('Mine');
  expect(await whoTakes(port, '/a')).toBe('0');
});

test('B-31 a foreign listener that leaves it alone: 404 after handshakeTimeout, which is a refusal', async () => {
  const http = await startHttp(createServer());
  const server = manage(new WebSocketServer({ server: http, path: '/a', handshakeTimeout: 30 }));
  http.on('upgrade', () => {});
  const event = once(server, 'refused');
  const answer = await exchange(portOf(http), get('/nobody'));
  expect([answer.status, answer.headers['connection']]).toEqual([404, 'close']);
  const [reason, request] = await event;
  expect([reason, request.url, server.metrics().refused]).toEqual(['path', '/nobody', { path: 1 }]);
});

/** What a foreign listener may do at once, long before it says anything. */
const TOUCHES: [name: string, touch: (socket: Duplex) => void][] = [
  ['listens to data', (socket) => socket.on('data', () => {})],
  ['listens to readable', (socket) => socket.on('readable', () => {})],
  ['listens to errors', (socket) => socket.on('error', () => {})],
  ['listens to close', (socket) => socket.on('close', () => {})],
  ['pauses it', (socket) => socket.pause()],
  ['reads on', (socket) => socket.resume()],
  ['has written', (socket) => socket.write('HTTP/1.1 102 Processing\r\n\r\n')],
];

test.each(TOUCHES)('a foreign listener that %s has taken the socket: no 404', async (_name, touch) => {
  const http = await startHttp(createServer());
  const sockets: Duplex[] = [];
  const onUpgrade = (_request: IncomingMessage, socket: Duplex): void => {
    touch(socket);
    sockets.push(socket);
  };
  const server = { server: http, path: '/a', handshakeTimeout: 30 };
  for (const isFirst of [true, false]) {
    if (isFirst) http.on('upgrade', onUpgrade);
    const ours = manage(new WebSocketServer(server));
    if (!isFirst) http.on('upgrade', onUpgrade);
    const raw = new RawPeer(portOf(http)).write(get('/foreign'));
    const hasty = await start({ handshakeTimeout: 100 });
    await new RawPeer(portOf(hasty)).closed; // The time is long up.
    const [socket] = sockets.splice(0);
    expect(socket?.destroyed).toBe(false);
    socket?.end('late answer');
    expect(await raw.closed).toMatch(/late answer$/);
    expect(raw.received).not.toContain('404');
    await new Promise((resolve) => ours.close(resolve));
    http.off('upgrade', onUpgrade);
  }
});

test('RST while a socket is left to a foreign listener harms nobody', async () => {
  const { http, port } = await several({ path: '/a', handshakeTimeout: 5000 });
  const upgrades: Duplex[] = [];
  http.on('upgrade', (_request, socket) => upgrades.push(socket));
  const raw = new RawPeer(port).write(get('/foreign'));
  await once(http, 'upgrade');
  const gone = closed(first(upgrades));
  raw.socket.resetAndDestroy();
  await gone;
  expect(await whoTakes(port, '/a')).toBe('0');
});

test('the http server may have its own upgrade listener with noServer servers beside ours', async () => {
  const { http, port } = await several({ path: '/a', handshakeTimeout: 30 });
  const other = manage(new WebSocketServer({ noServer: true }));
  http.on('upgrade', (request, socket, head) => {
    if (request.url === '/other') other.handleUpgrade(request, socket, head, (client) => client.send('other'));
  });
  expect([await whoTakes(port, '/other'), await whoTakes(port, '/a')]).toEqual(['other', '0']);
  expect((await exchange(port, get('/nobody'))).status).toBe(404);
});

test('a socket that a listener in front of ours has given to another server is left alone', async () => {
  const { http, port } = await several({});
  const other = manage(new WebSocketServer({ noServer: true }));
  http.prependListener('upgrade', (request, socket, head) => {
    if (request.url === '/other') other.handleUpgrade(request, socket, head, (client) => client.send('other'));
  });
  expect([await whoTakes(port, '/other'), await whoTakes(port, '/')]).toEqual(['other', '0']);
});

test('a server that is closed by a listener in front of ours answers nothing', async () => {
  const { http, port, servers } = await several({});
  http.prependListener('upgrade', (_request, socket) => {
    servers.forEach((server) => server.close());
    socket.end('closed by me');
  });
  expect(await new RawPeer(port).write(get('/')).closed).toBe('closed by me');
});

test('handshakeTimeout: false of one of the servers leaves a socket to foreign listeners for ever', async () => {
  const { http, port } = await several({ path: '/a', handshakeTimeout: 20 }, { path: '/b', handshakeTimeout: false });
  const left: Duplex[] = [];
  http.on('upgrade', (_request, socket) => left.push(socket));
  const raw = new RawPeer(port).write(get('/nobody'));
  const hasty = await start({ handshakeTimeout: 100 });
  await new RawPeer(portOf(hasty)).closed;
  expect([first(left).destroyed, raw.received]).toEqual([false, '']);
});

test('shouldHandle is overridable, asked once, and may answer later', async () => {
  const asked = jest.fn();
  class Tenants extends WebSocketServer {
    override shouldHandle(request: IncomingMessage): boolean | Promise<boolean> {
      asked();
      if (request.url === '/broken') throw new Error('secret');
      return request.url === '/now' || Promise.resolve(request.url === '/later');
    }
  }
  const http = await startHttp(createServer());
  manage(new Tenants({ server: http })).on('connection', (socket) => socket.send('tenant'));
  const port = portOf(http);
  expect([await whoTakes(port, '/now'), await whoTakes(port, '/later')]).toEqual(['tenant', 'tenant']);
  expect(asked).toHaveBeenCalledTimes(2);
  expect((await exchange(port, get('/never'))).status).toBe(400);
  const broken = await exchange(port, get('/broken'));
  expect([broken.status, broken.body]).toEqual([500, 'Internal Server Error']);
});

test('X-20 attach: one WebSocket server on several http servers', async () => {
  const [one, two] = [await startHttp(createServer()), await startHttp(createServer())];
  const server = manage(new WebSocketServer({ noServer: true }));
  expect(() => server.address()).toThrow('noServer');
  expect(server.attach(one).attach(two).attach(one)).toBe(server);
  expect(portOf(server)).toBe(portOf(one));
  for (const http of [one, two]) expect(await isAlive(server, portOf(http))).toBe(true);
  expect(() => server.attach(express() as never)).toThrow(TypeError);
  await new Promise((resolve) => {
    server.close(resolve);
    server.clients.forEach((client) => client.terminate());
  });
  expect([one, two].map((http) => http.listenerCount('upgrade'))).toEqual([0, 0]);
  expect(() => server.attach(one)).toThrow('not running');
});

test('issue: an express app with noServer and two paths', async () => {
  const app = express();
  app.get('/', (_request, response) => void response.send('express'));
  const http = await startHttp(createServer(app));
  const foo = manage(new WebSocketServer({ noServer: true }));
  const bar = manage(new WebSocketServer({ noServer: true }));
  foo.on('connection', (socket) => socket.send('foo'));
  bar.on('connection', (socket) => socket.send('bar'));
  http.on('upgrade', (request, socket, head) => {
    const { pathname } = new URL(request.url!, 'ws://base.example');
    const server = { '/foo': foo, '/bar': bar }[pathname];
    if (!server) return socket.destroy();
    return server.handleUpgrade(request, socket, head, (client) => server.emit('connection', client, request));
  });
  const port = portOf(http);
  expect(await Promise.all([whoTakes(port, '/foo'), whoTakes(port, '/bar?x')])).toEqual(['foo', 'bar']);
  expect(await new RawPeer(port).write(get('/baz')).closed).toBe('');
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('express');
});

test('A-30 handleUpgrade gives an open WebSocket, and leaves no listener behind but its own', async () => {
  const http = await startHttp(createServer());
  const handshakes: ServerOptions[] = [
    { noServer: true },
    { noServer: true, verifyClient: () => new Promise<boolean>((resolve) => setImmediate(resolve, true)) },
  ];
  const counts: Record<string, number>[] = [];
  for (const options of handshakes) {
    const server = manage(new WebSocketServer(options));
    http.once('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (client, sameRequest) => {
        counts.push(Object.fromEntries(socket.eventNames().map((name) => [String(name), socket.listenerCount(name)])));
        client.send(`${client.readyState} ${sameRequest === request}`);
      });
    });
    expect(await whoTakes(portOf(http), '/')).toBe('1 true');
  }
  expect(counts[1]).toEqual(counts[0]);
  // `end` is node:net's own, and `close` has one of node:http's.
  expect(counts[0]).toMatchObject({ error: 1, data: 1 });
  expect(Math.max(...Object.values(first(counts)))).toBeLessThanOrEqual(2);
});

test('A-30 the same listeners whether an own port, an http server or handleUpgrade made it', async () => {
  const { http, servers, port } = await several({ path: '/' });
  const byHand = manage(new WebSocketServer({ noServer: true }));
  http.on('upgrade', (request, socket, head) => {
    if (request.url !== '/')
      byHand.handleUpgrade(request, socket, head, (client) => byHand.emit('connection', client, request));
  });
  const own = await start();
  const counts = [];
  for (const [server, url] of [
    [first(servers), `${port}/`],
    [own, `${portOf(own)}/`],
    [byHand, `${port}/other`],
  ] as const) {
    const next = once(server, 'connection');
    await opened(peer(Number.parseInt(url, 10), url.slice(url.indexOf('/'))));
    const [client] = await next;
    counts.push(client.duplex.eventNames().map((name: string) => [name, client.duplex.listenerCount(name)]));
  }
  expect(counts.slice(1)).toEqual([counts[0], counts[0]]);
});

test('handleUpgrade twice with one socket is a mistake of the caller; so is a callback that is none', async () => {
  const http = await startHttp(createServer());
  const server = manage(new WebSocketServer({ noServer: true }));
  const thrown = new Promise((resolve) => {
    http.once('upgrade', (request, socket, head) => {
      const upgrade = (callback: unknown): void => server.handleUpgrade(request, socket, head, callback as () => void);
      const errors = [undefined, () => {}, () => {}].map((callback) => {
        try {
          return upgrade(callback);
        } catch (error) {
          return String(error);
        }
      });
      resolve(errors);
    });
  });
  await opened(peer(portOf(http)));
  expect(await thrown).toEqual([
    expect.stringMatching(/^TypeError: callback/),
    undefined,
    expect.stringMatching(/^Error: handleUpgrade was called twice/),
  ]);
});
