import { expect, jest } from '@jest/globals';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { connect } from 'node:net';
import { WebSocket as CoreWebSocket } from '@ws/server';
import { atEnd, frame, handshake, next, portOf, shake, startHttp, TEXT, Wire } from '@ws/testing/peer';
import WebSocket, { Server, type ServerOptions } from '../../src/ws2/index.js';
import { prove } from '../rows.js';
import { serverRows } from '../rows/ws2.js';
import { connection, opened, pair, start, ws8 } from './support.js';

prove(serverRows, {
  'WS-001': {
    'needs port, server or noServer': () => {
      expect(() => new WebSocket.Server()).toThrow(TypeError);
      expect(() => new WebSocket.Server({ path: '/' })).toThrow(TypeError);
      expect(new WebSocket.Server({ noServer: true })).toBeInstanceOf(Server);
    },
    'callback listens, with port alone': async () => {
      const callback = jest.fn();
      const server = WebSocket.Server({ port: 0, host: '127.0.0.1' }, callback);
      atEnd(() => server.close());
      await once(server, 'listening');
      expect(callback).toHaveBeenCalledTimes(1);

      const http = createServer();
      const unused = jest.fn();
      const attached = new WebSocket.Server({ server: http }, unused);
      await startHttp(http);
      attached.close();
      expect(unused).not.toHaveBeenCalled();
    },
    'port goes before server': async () => {
      const http = await startHttp(createServer());
      const server = await start({ server: http });
      expect(portOf(server)).not.toBe(portOf(http));
      await opened(ws8(portOf(server)));
      expect(http.listenerCount('upgrade')).toBe(0);
    },
    'the guards of the core are off, and on where they are given': async () => {
      const made: CoreWebSocket[] = [];
      class Known extends CoreWebSocket {
        constructor(...args: ConstructorParameters<typeof CoreWebSocket>) {
          super(...args);
          made.push(this);
        }
      }
      for (const options of [{}, { heartbeat: {}, messageTimeout: 5000, slowConsumer: {} }]) {
        const server = await start({ ...options, WebSocket: Known } as unknown as ServerOptions);
        const told = connection(server);
        await Wire.open(portOf(server));
        await told;
      }
      const seen = made.map(({ limits: { heartbeat, messageTimeout, slowConsumer } }) => [
        heartbeat,
        messageTimeout,
        slowConsumer,
      ]);
      expect(seen).toEqual([
        [false, false, false],
        [expect.any(Object), 5000, expect.any(Object)],
      ]);
    },
    "the caller's options stay as they are": async () => {
      const options = Object.freeze({ port: 0, host: '127.0.0.1', perMessageDeflate: Object.freeze({ memLevel: 7 }) });
      await opened(ws8(portOf(await start(options))));
      expect(options).toEqual({ port: 0, host: '127.0.0.1', perMessageDeflate: { memLevel: 7 } });
    },
    'a grace period is a number': () =>
      expect(() => new WebSocket.Server({ noServer: true, graceMs: -1 })).toThrow(RangeError),
  },
  'WS-002': async () => {
    const server = await start({ host: '127.0.0.1', port: 0, backlog: 5 });
    const [response] = await next<[NodeJS.ReadableStream & { statusCode: number; headers: Record<string, string> }]>(
      get(`http://127.0.0.1:${portOf(server)}/`),
      'response',
    );
    let body = '';
    for await (const chunk of response) body += chunk;
    expect([response.statusCode, response.headers['content-length']]).toEqual([426, String(Buffer.byteLength(body))]);
    expect(response.headers['content-type']).toMatch(/^text\//);
    await opened(ws8(portOf(server)));
  },
  'WS-003': async () => {
    const http = await startHttp(createServer((_request, response) => response.end('still here')));
    const server = new WebSocket.Server({ server: http });
    await opened(ws8(portOf(http)));
    await new Promise((resolve) => server.close(resolve));
    expect(http.listening).toBe(true);
    const [response] = await once(get(`http://127.0.0.1:${portOf(http)}/`), 'response');
    expect([response.statusCode, http.listenerCount('upgrade')]).toEqual([200, 0]);
    response.resume();
  },
  'WS-004': async () => {
    const server = new WebSocket.Server({ noServer: true });
    const http = await startHttp(createServer());
    http.on('upgrade', (request, socket, head) =>
      server.handleUpgrade(request, socket, head, (client) => client.send('hello')),
    );
    const [data] = await once(ws8(portOf(http)), 'message');
    expect(String(data)).toBe('hello');
    server.close();
  },
  'WS-005': async () => {
    const port = portOf(await start({ path: '/chat' }));
    const statusOf = async (target: string): Promise<number> =>
      (await shake(port, handshake({}, `GET ${target} HTTP/1.1`))).status;
    expect(await Promise.all(['/chat', '/chat?room=1', '/', '/chat/more'].map(statusOf))).toEqual([101, 101, 400, 400]);
  },
  'WS-006': {
    'filled before connection, emptied at close': async () => {
      const server = await start();
      const seen: number[] = [];
      server.on('connection', (socket) => {
        seen.push(server.clients.size);
        expect(server.clients.has(socket)).toBe(true);
        socket.on('close', () => seen.push(server.clients.size));
      });
      const client = await opened(ws8(portOf(server)));
      const socket = [...server.clients][0]!;
      socket.removeAllListeners('message');
      client.close();
      await next(socket, 'close');
      expect(seen).toEqual([1, 0]);
    },
    'not there without tracking': async () => {
      const server = await start({ clientTracking: false });
      const socket = connection(server);
      await opened(ws8(portOf(server)));
      expect(['clients' in server, (await socket).readyState]).toEqual([false, WebSocket.OPEN]);
    },
  },
  'WS-025': {
    'clients see 1001 and are cut (X-05)': async () => {
      const server = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      const port = portOf(server);
      const raw = await Wire.open(portOf(server)); // answers nothing
      const ended = next(await connectionOf(server), 'close');
      const callback = jest.fn();
      await new Promise<void>((resolve) =>
        server.close((error) => {
          callback(error);
          resolve();
        }),
      );
      expect(await raw.bytes(4)).toBe('880203e9');
      await raw.rest();
      expect(await ended).toEqual([1006, '']);
      expect(callback.mock.calls).toEqual([[undefined]]);
      await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toThrow('ECONNREFUSED');
    },
    'the port is free at once': async () => {
      const server = new WebSocket.Server({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      await opened(ws8(portOf(server)));
      const port = portOf(server);
      server.close();
      await start({ port });
    },
    'within graceMs they may answer': async () => {
      const server = new WebSocket.Server({ port: 0, host: '127.0.0.1', graceMs: 20_000 });
      await once(server, 'listening');
      const client = await opened(ws8(portOf(server)));
      const ended = next(await connectionOf(server), 'close');
      const [, [code]] = await Promise.all([new Promise((resolve) => server.close(resolve)), once(client, 'close')]);
      expect([code, await ended]).toEqual([1001, [1001, '']]);
    },
    'within graceMs and no longer': async () => {
      const server = new WebSocket.Server({ port: 0, host: '127.0.0.1', graceMs: 20 });
      await once(server, 'listening');
      const raw = await Wire.open(portOf(server));
      await new Promise((resolve) => server.close(resolve));
      await raw.rest();
    },
    'a second time is an error': async () => {
      const server = new WebSocket.Server({ noServer: true });
      await new Promise((resolve) => server.close(resolve));
      expect(await new Promise((resolve) => server.close(resolve))).toBeInstanceOf(Error);
    },
    'without a callback': async () => {
      const { server, client } = await pair();
      server.close();
      expect((await next(client, 'close'))[0]).toBe(1001);
    },
  },
  'WS-026': {
    'an open socket, and its request': async () => {
      const server = new WebSocket.Server({ noServer: true });
      const http = await startHttp(createServer());
      const accepted = new Promise<unknown[]>((resolve) => {
        http.on('upgrade', (request, socket, head) =>
          server.handleUpgrade(request, socket, head, (client, given) =>
            resolve([client instanceof WebSocket, client.readyState, given === request, server.clients.has(client)]),
          ),
        );
      });
      await opened(ws8(portOf(http)));
      expect(await accepted).toEqual([true, WebSocket.OPEN, true, true]);
    },
    'bytes behind the request are read': async () => {
      const server = new WebSocket.Server({ noServer: true });
      const http = await startHttp(createServer());
      const received = new Promise((resolve) => {
        http.on('upgrade', (request, socket, head) =>
          server.handleUpgrade(request, socket, head, (client) => client.on('message', resolve)),
        );
      });
      Wire.to(portOf(http), Buffer.concat([Buffer.from(handshake()), frame(TEXT, 'early')]));
      expect(await received).toBe('early');
    },
    'who is refused is no connection': async () => {
      const server = new WebSocket.Server({ noServer: true });
      const http = await startHttp(createServer());
      const callback = jest.fn();
      http.on('upgrade', (request, socket, head) => server.handleUpgrade(request, socket, head, callback));
      expect((await shake(portOf(http), handshake({ 'Sec-WebSocket-Key': 'no' }))).status).toBe(400);
      expect(callback).not.toHaveBeenCalled();
    },
  },
  'WS-027': async () => {
    const first = await start();
    const second = new WebSocket.Server({ port: portOf(first), host: '127.0.0.1' });
    const [error] = await next<[NodeJS.ErrnoException]>(second, 'error');
    expect(error.code).toBe('EADDRINUSE');
  },
  'WS-028': {
    'an array of lines, which may grow (X-12)': async () => {
      const server = await start();
      server.on('headers', (headers, request) => {
        expect([Array.isArray(headers), headers[0], request.url]).toEqual([
          true,
          'HTTP/1.1 101 Switching Protocols',
          '/',
        ]);
        headers.push('X-More: yes');
      });
      expect((await shake(portOf(server))).headers['x-more']).toBe('yes');
    },
    'what breaks the answer is refused': async () => {
      const server = await start();
      server.on('headers', (headers) => void headers.push('X-More: a\r\nX-Injected: b'));
      const { status, headers } = await shake(portOf(server));
      expect([status, headers['x-injected']]).toEqual([500, undefined]);
    },
  },
  'WS-029': async () => {
    const server = await start();
    const told = next<[WebSocket, { url: string }]>(server, 'connection');
    await opened(ws8(portOf(server)));
    const [socket, request, ...more] = await told;
    expect([socket instanceof WebSocket, socket.upgradeReq === request, more]).toEqual([true, true, []]);
  },
  'WS-030': {
    "'listening', 'connection' of the url": async () => {
      const server = await start({ path: '/chat' });
      const told: unknown[] = [];
      (server as NodeJS.EventEmitter).on('connection/chat?a=1', (...given: unknown[]) => told.push(given.length));
      const connected = next(server, 'connection');
      await opened(ws8(portOf(server), [], {}, '/chat?a=1'));
      await connected;
      expect(told).toEqual([1]);
    },
    'path, options': async () => {
      const server = await start({ path: '/chat' });
      expect([server.path, server.options.path, server.options.port]).toEqual(['/chat', '/chat', 0]);
    },
    'shouldHandle decides': async () => {
      class Odd extends WebSocket.Server {
        override shouldHandle(request: Parameters<Server['shouldHandle']>[0]): boolean | Promise<boolean> {
          return request.url === '/odd' && super.shouldHandle(request);
        }
      }
      const server = new Odd({ port: 0, host: '127.0.0.1' });
      atEnd(() => server.close());
      await once(server, 'listening');
      const statusOf = async (target: string): Promise<number> =>
        (await shake(portOf(server), handshake({}, `GET ${target} HTTP/1.1`))).status;
      expect(await Promise.all(['/odd', '/even'].map(statusOf))).toEqual([101, 400]);
    },
  },
});

async function connectionOf(server: Server): Promise<WebSocket> {
  const [socket] = server.clients;
  return socket ?? connection(server);
}
