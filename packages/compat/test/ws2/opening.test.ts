import { expect } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { WebSocket as Client } from '@ws/client';
import { makeCertificate } from '@ws/testing';
import {
  atEnd,
  frame,
  handshake,
  listen,
  listenSwitching,
  next,
  portOf,
  startHttp,
  switching,
  TEXT,
  Wire,
  type Visit,
} from '@ws/testing/peer';
import WebSocket, { type WebSocketOptions } from '../../src/ws2/index.js';
import { prove } from '../rows.js';
import { openingRows } from '../rows/ws2.js';
import { connection, history, manage, opened, start, ws8Server } from './support.js';

/** The request of a client with these options. */
async function requestOf(options: WebSocketOptions, protocols: string[] = [], agreed?: string): Promise<Visit> {
  const { url, visit } = await listenSwitching({ 'Sec-WebSocket-Protocol': agreed });
  await opened(manage(new WebSocket(url, protocols, options)));
  return visit;
}

/** What happens to a client whose server answers so. */
async function failed(changes: Record<string, string | undefined>, protocols: string[] = []): Promise<string[]> {
  const { url } = await listenSwitching(changes);
  return history(new WebSocket(url, protocols)).closed;
}

/** A server that answers so and waits; `ended` is when its client is gone. */
async function answering(answer: string): Promise<{ url: string; ended: Promise<unknown> }> {
  const server = createTcpServer();
  const ended = new Promise((resolve) => {
    server.on('connection', (socket) => {
      socket.once('data', () => socket.write(answer)).on('end', resolve);
      socket.on('error', resolve);
      atEnd(() => socket.destroy());
    });
  });
  return { url: `ws://127.0.0.1:${await listen(server)}`, ended };
}

prove(openingRows, {
  'WS-040': {
    'protocols, options, both, none': async () => {
      const { url } = await ws8Server({ handleProtocols: (protocols) => [...protocols].at(-1) ?? false });
      const sockets = [
        new WebSocket(url),
        new WebSocket(url, 'a'),
        new WebSocket(url, ['a', 'b']),
        new WebSocket(url, { perMessageDeflate: false }),
        new WebSocket(url, ['a'], { perMessageDeflate: false }),
        new WebSocket(url, null, null),
        WebSocket(url, 'c'),
      ].map(manage);
      await Promise.all(sockets.map(opened));
      expect(sockets.map(({ protocol }) => protocol)).toEqual(['', 'a', 'b', '', 'a', '', 'c']);
      expect(sockets.every((socket) => socket instanceof WebSocket && socket.constructor === WebSocket)).toBe(true);
    },
    "an address that is none: 'invalid url'": () => {
      for (const address of ['', 'echo.example', 'ftp://echo.example', 'ws://'])
        expect(() => new WebSocket(address)).toThrow(expect.objectContaining({ message: 'invalid url' }));
      for (const address of [undefined, null, 8080, {}])
        expect(() => new WebSocket(address as string)).toThrow('invalid url');
    },
    'another fault is thrown as it is': () => {
      expect(() => new WebSocket('ws://localhost', 'a b')).toThrow(/token/);
      expect(() => new WebSocket('ws://localhost', { perMessageDeflate: { memLevel: 0 } })).toThrow(RangeError);
    },
    subclasses: async () => {
      class Named extends WebSocket {
        readonly purpose = 'chat';
      }
      const { url } = await ws8Server();
      const socket = new Named(url);
      await opened(manage(socket));
      expect([socket.purpose, socket instanceof Named, socket instanceof WebSocket]).toEqual(['chat', true, true]);
    },
    "the caller's options stay as they are": async () => {
      const options = Object.freeze({ headers: Object.freeze({ 'X-A': 'b' }), perMessageDeflate: Object.freeze({}) });
      const { headers } = await requestOf(options);
      expect([headers['x-a'], options]).toEqual(['b', { headers: { 'X-A': 'b' }, perMessageDeflate: {} }]);
    },
  },
  'WS-041': {
    'the server end of an upgrade that was answered': async () => {
      const http = await startHttp(createServer());
      const made = new Promise<[WebSocket, Promise<unknown[]>]>((resolve) => {
        http.on('upgrade', (request, socket, rest) => {
          socket.write(switching(request.headers['sec-websocket-key']));
          const end = new WebSocket([request, socket, rest], { maxPayload: 100, protocol: 'chat' });
          resolve([end, next(end, 'message')]);
        });
      });
      const early = frame(TEXT, 'early');
      const raw = Wire.to(portOf(http), Buffer.concat([Buffer.from(handshake({}, 'GET /x HTTP/1.1')), early]));
      const [socket, message] = await made;
      manage(socket);
      expect([socket.readyState, socket.upgradeReq?.url, socket.url]).toEqual([WebSocket.OPEN, '/x', undefined]);
      expect([socket.protocol, socket.protocolVersion]).toEqual(['chat', 13]);
      expect(await message).toEqual(['early', { masked: true }]);
      await raw.head();
      socket.send('hi');
      expect(await raw.bytes(4)).toBe('81026869');
      const tooLong = next<[Error & { code: string }]>(socket, 'error');
      raw.send(TEXT, 'x'.repeat(101));
      expect((await tooLong)[0].code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    },
    'a socket of the core': async () => {
      const { url, server } = await ws8Server();
      const peers = once(server, 'connection');
      const core = new Client(url);
      const socket = manage(new WebSocket(core));
      const [[peer]] = await Promise.all([peers, opened(socket)]);
      peer.send('hi');
      expect(await next(socket, 'message')).toEqual(['hi', { masked: false }]);
    },
  },
  'WS-042': async () => {
    expect((await requestOf({ protocol: 'a, b' }, [], 'b')).headers['sec-websocket-protocol']).toBe('a, b');
    expect((await requestOf({ protocol: 'c' }, ['a'], 'c')).headers['sec-websocket-protocol']).toBe('c');
    expect((await requestOf({}, ['a', 'b'], 'a')).headers['sec-websocket-protocol']).toBe('a, b');
    expect((await requestOf({})).headers).not.toHaveProperty('sec-websocket-protocol');
  },
  'WS-043': async () => {
    const made: string[] = [];
    const agent = new Agent({ keepAlive: true });
    agent.on('free', () => made.push('free'));
    const create = agent.createConnection.bind(agent);
    agent.createConnection = (...given) => {
      made.push('connection');
      return create(...given);
    };
    await requestOf({ agent });
    expect(made).toEqual(['connection']);
  },
  'WS-044': async () => {
    const { headers } = await requestOf({ headers: { 'X-Custom': '1', 'User-Agent': 'me', Upgrade: 'h2c' } });
    expect([headers['x-custom'], headers['user-agent'], headers['upgrade']]).toEqual(['1', 'me', 'websocket']);
  },
  'WS-045': {
    '8 and 13 (X-16)': async () => {
      expect((await requestOf({ protocolVersion: 8 })).headers['sec-websocket-version']).toBe('8');
      expect((await requestOf({ protocolVersion: 13 })).headers['sec-websocket-version']).toBe('13');
      expect((await requestOf({})).headers['sec-websocket-version']).toBe('13');
    },
    'others throw': () => expect(() => new WebSocket('ws://localhost', { protocolVersion: 12 })).toThrow(/12/),
    'servers take both': async () => {
      const server = await start();
      const told = connection(server);
      const client = manage(new WebSocket(`ws://127.0.0.1:${portOf(server)}`, { protocolVersion: 8 }));
      await opened(client);
      expect([client.protocolVersion, (await told).protocolVersion]).toEqual([8, 8]);
    },
  },
  'WS-046': async () => {
    const { headers } = await requestOf({ host: 'echo.example', origin: 'https://app.example' });
    expect([headers['host'], headers['origin']]).toEqual(['echo.example', 'https://app.example']);
    const old = await requestOf({ origin: 'https://app.example', protocolVersion: 8 });
    expect([old.headers['sec-websocket-origin'], old.headers['origin']]).toEqual(['https://app.example', undefined]);
  },
  'WS-047': async () => {
    const { key, cert } = makeCertificate();
    const https = await startHttp(createHttpsServer({ key, cert, requestCert: true, rejectUnauthorized: false }));
    const server = new WebSocket.Server({ server: https });
    atEnd(() => server.close());
    const url = `wss://127.0.0.1:${portOf(https)}`;
    const [error] = await next<[Error & { code: string }]>(new WebSocket(url), 'error');
    expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');

    const told = connection(server);
    const options = { key, cert, ca: [cert], checkServerIdentity: () => undefined, ciphers: 'ECDHE+AESGCM' };
    await opened(manage(new WebSocket(url, options)));
    const { subject } = ((await told).upgradeReq.socket as TLSSocket).getPeerCertificate();
    expect(subject).toBeDefined();
    await opened(manage(new WebSocket(url, { rejectUnauthorized: false })));
  },
  'WS-048': {
    'offered unless it is false': async () => {
      expect((await requestOf({})).headers['sec-websocket-extensions']).toMatch(/^permessage-deflate/);
      expect((await requestOf({ perMessageDeflate: false })).headers).not.toHaveProperty('sec-websocket-extensions');
    },
    'asks the server, announces its own': async () => {
      const { headers } = await requestOf({
        perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 10 },
      });
      expect(headers['sec-websocket-extensions']?.split('; ').sort()).toEqual([
        'client_max_window_bits',
        'client_no_context_takeover',
        'permessage-deflate',
        'server_max_window_bits=10',
        'server_no_context_takeover',
      ]);
    },
  },
  'WS-049': async () => {
    const server = await start();
    const told = connection(server);
    await opened(manage(new WebSocket(`ws://127.0.0.1:${portOf(server)}`, { localAddress: '127.0.0.2' })));
    expect((await told).upgradeReq?.socket.remoteAddress).toBe('127.0.0.2');
  },
  'WS-050': {
    'http: is ws:, user:password is Basic': async () => {
      const { port, visit } = await listenSwitching();
      await opened(manage(new WebSocket(`http://me:secret@127.0.0.1:${port}/x?y`)));
      const { line, headers } = await visit;
      expect([line, headers['authorization']]).toEqual(['GET /x?y HTTP/1.1', `Basic ${btoa('me:secret')}`]);
    },
    'ws+unix:': async () => {
      const folder = mkdtempSync(join(tmpdir(), 'ws2-'));
      atEnd(() => rmSync(folder, { recursive: true }));
      const path = join(folder, 'socket');
      const http = createServer();
      const server = new WebSocket.Server({ server: http });
      atEnd(() => new Promise((resolve) => http.close(resolve)));
      atEnd(() => server.close());
      http.listen(path);
      await once(http, 'listening');
      await opened(manage(new WebSocket(`ws+unix://${path}`)));
    },
  },
  'WS-051': {
    'invalid server key': async () =>
      expect(await failed({ 'Sec-WebSocket-Accept': 'wrong' })).toEqual(['error invalid server key', 'close 1006 ']),
    'server sent a subprotocol even though none requested': async () =>
      expect((await failed({ 'Sec-WebSocket-Protocol': 'a' }))[0]).toBe(
        'error server sent a subprotocol even though none requested',
      ),
    'server sent no subprotocol even though requested (X-08)': async () =>
      expect((await failed({}, ['a']))[0]).toBe('error server sent no subprotocol even though requested'),
    'server responded with an invalid protocol': async () =>
      expect((await failed({ 'Sec-WebSocket-Protocol': 'b' }, ['a']))[0]).toBe(
        'error server responded with an invalid protocol',
      ),
    'invalid extension parameter': async () => {
      for (const answer of ['permessage-deflate; unknown', 'permessage-deflate; =', 'other'])
        expect((await failed({ 'Sec-WebSocket-Extensions': answer }))[0]).toBe('error invalid extension parameter');
    },
    'unexpected server response (404)': async () => {
      const http = await startHttp(createServer((_request, response) => response.writeHead(404).end('no')));
      const socket = new WebSocket(`ws://127.0.0.1:${portOf(http)}`);
      const { closed } = history(socket);
      const [error] = await next<[Error & { code: string }]>(socket, 'error');
      expect(error.code).toBe('WS_ERR_UNEXPECTED_STATUS');
      expect(await closed).toEqual(['error unexpected server response (404)', 'close 1006 ']);
    },
    'and no socket is left, even where the server leaves it open': async () => {
      const { url, ended } = await answering('HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\n');
      const { closed } = history(new WebSocket(url));
      expect(await closed).toEqual(['error unexpected server response (404)', 'close 1006 ']);
      await ended;
    },
    "a listener of 'unexpected-response' has it": async () => {
      const http = await startHttp(createServer((_request, response) => response.writeHead(404).end('no')));
      const socket = new WebSocket(`ws://127.0.0.1:${portOf(http)}`);
      const { closed } = history(socket);
      socket.on('unexpected-response', (request, response) => {
        expect([request.method, response.statusCode]).toEqual(['GET', 404]);
        request.destroy();
      });
      expect(await closed).toEqual(['close 1006 ']);
    },
    'no server': async () => {
      const unused = createTcpServer().listen(0, '127.0.0.1');
      await once(unused, 'listening');
      const port = portOf(unused);
      await new Promise((resolve) => unused.close(resolve));
      const socket = new WebSocket(`ws://127.0.0.1:${port}`);
      const { closed } = history(socket);
      expect(await closed).toEqual([expect.stringMatching(/ECONNREFUSED/), 'close 1006 ']);
    },
  },
});
