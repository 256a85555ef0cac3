import { describe, expect, test } from '@jest/globals';
import { once, type EventEmitter } from 'node:events';
import { Agent, createServer, type IncomingMessage, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { WebSocket as CoreClient } from '@ws/client';
import { Opcode } from '@ws/frame';
import { WebSocketServer } from '@ws/server';
import { makeCertificate } from '@ws/testing';
import { WebSocket as Ws8 } from 'ws';
import WebSocket, { Server } from '../../src/ws2/index.js';
import {
  atEnd,
  handshake,
  masked,
  next,
  opened,
  portOf,
  rawClient,
  RawPeer,
  rawServer,
  shake,
  startHttp,
  ws8,
  type RawRequest,
} from './support.js';

/** What both have in common. */
interface AnySocket extends EventEmitter {
  readonly readyState: number;
  readonly protocol: string;
  readonly bytesReceived: number;
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  addEventListener(type: string, listener: (event: never) => void): void;
  send(data: unknown, options?: object, callback?: (error?: Error | null) => void): unknown;
  close(code?: number, reason?: string): void;
  terminate(): void;
  pause(): void;
  resume(): void;
}
interface AnyServer extends EventEmitter {
  address(): unknown;
  close(callback?: (error?: Error) => void): void;
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    callback: (socket: AnySocket, request: IncomingMessage) => void,
  ): void;
}

/** The same program, as it was written in 2016 and for the core. */
interface Side {
  makeServer(options: object): AnyServer;
  connect(url: string, options?: object): AnySocket;
  /** `handleProtocols` by the list of what is offered. */
  choosing(choose: (offered: string[]) => string | false): object;
  /** A message in parts; the error, where there is one. */
  sendParts(socket: AnySocket, parts: string[]): Promise<Error | null>;
  /** What 'message' gave: whether it is binary, and as text. */
  seen(data: unknown, second: never): [isBinary: boolean, text: string];
  /** The code that the other end of a bare `close()` gets. */
  readonly bareCode: number;
}

const adapter: Side = {
  makeServer: (options) => new Server(options),
  connect: (url, options) => new WebSocket(url, options),
  choosing: (handleProtocols) => ({ handleProtocols }),
  sendParts: (socket, parts) =>
    new Promise((resolve) => {
      (socket as unknown as WebSocket).stream((error, send) => {
        if (!send) return resolve(error);
        send(parts.shift(), parts.length === 0);
        if (parts.length === 0) resolve(null);
      });
    }),
  seen: (data, { binary }: { binary?: true }) => [binary === true, String(data)],
  bareCode: 1000,
};

const core: Side = {
  makeServer: (options) =>
    new WebSocketServer({
      origins: 'any',
      perMessageDeflate: { thresholdMode: 'always' },
      draft08: true,
      ...options,
    }),
  connect: (url, options) => new CoreClient(url, options),
  choosing: (choose) => ({
    handleProtocols: (offered: Set<string>) => choose([...offered]) || { accept: false, code: 401 },
  }),
  sendParts: async (socket, parts) => {
    const message = (socket as unknown as CoreClient).createOutgoing();
    const failed = new Promise<Error>((resolve) => message.once('error', resolve));
    for (const part of parts.slice(0, -1)) message.write(part);
    const sent = new Promise<null>((resolve) => message.end(parts.at(-1), () => resolve(null)));
    return Promise.race([failed, sent]);
  },
  seen: (data, isBinary: boolean) => [isBinary, String(data)],
  bareCode: 1005,
};

describe.each([
  ['with the adapter', adapter],
  ['the modern twin, in the core', core],
])('%s', (_name, side) => {
  async function start(options: object = {}): Promise<AnyServer> {
    const server = side.makeServer({ port: 0, host: '127.0.0.1', ...options });
    const sockets = new Set<AnySocket>();
    server.on('connection', (socket) => sockets.add(socket));
    atEnd(() => {
      for (const socket of sockets) socket.terminate();
      return new Promise((resolve) => server.close(resolve));
    });
    await once(server, 'listening');
    return server;
  }
  const nextSocket = async (server: AnyServer): Promise<AnySocket> =>
    (await next<[AnySocket]>(server, 'connection'))[0];
  const manage = (socket: AnySocket): AnySocket => {
    atEnd(() => socket.terminate());
    return socket;
  };
  /** A server's end, and its client. */
  async function withWs8(
    options = {},
    clientOptions = {},
  ): Promise<{ server: AnyServer; socket: AnySocket; peer: Ws8 }> {
    const server = await start(options);
    const told = nextSocket(server);
    const peer = await opened(ws8(portOf(server), [], clientOptions));
    return { server, socket: await told, peer };
  }
  async function withRaw(): Promise<{ socket: AnySocket; raw: RawPeer }> {
    const server = await start({ perMessageDeflate: false });
    const told = nextSocket(server);
    const raw = await rawClient(server);
    return { socket: await told, raw };
  }

  describe('A-28 verifyClient, both forms', () => {
    type Callback = (result: boolean, code?: number, name?: string) => void;
    const statusOf = async (verifyClient: unknown): Promise<number> =>
      (await shake(portOf(await start({ verifyClient })))).status;

    test('A-28 false is 401, true 101', async () => {
      expect([await statusOf((_info: unknown) => false), await statusOf((_info: unknown) => true)]).toEqual([401, 101]);
    });
    test('A-28 later (false, 403, No)', async () => {
      const server = await start({
        verifyClient: (_info: unknown, callback: Callback) => setImmediate(callback, false, 403, 'No'),
      });
      const { status, phrase } = await shake(portOf(server));
      expect([status, phrase]).toEqual([403, 'No']);
    });
    test('A-28 calling back twice', async () => {
      const server = await start({
        verifyClient: (_info: unknown, callback: Callback) => {
          setImmediate(callback, true);
          setImmediate(callback, false, 403);
        },
      });
      const told = nextSocket(server);
      const raw = await rawClient(server);
      (await told).send('the only answer');
      expect(await raw.bytes(2)).toBe('810f');
    });
    test('A-28 a client that is gone meanwhile', async () => {
      const asked = new Promise<[IncomingMessage, Callback]>((resolve) => {
        void start({
          verifyClient: ({ req }: { req: IncomingMessage }, callback: Callback) => resolve([req, callback]),
        })
          .then((server) => new RawPeer(portOf(server)).write(handshake()))
          .then((raw) => asked.then(() => raw.socket.destroy()));
      });
      const [req, callback] = await asked;
      if (!req.socket.destroyed) await once(req.socket, 'close');
      expect(() => callback(true)).not.toThrow();
    });
    test('A-28 info.origin and info.secure, on http and https', async () => {
      const seen: unknown[] = [];
      const verifyClient = ({ origin, secure }: { origin: string; secure: boolean }): boolean =>
        seen.push([origin, secure]) > 0;
      const { key, cert } = makeCertificate();
      for (const [scheme, http] of [
        ['ws', createServer()],
        ['wss', createHttpsServer({ key, cert })],
      ] as [string, HttpServer][]) {
        await startHttp(http);
        const server = side.makeServer({ server: http, verifyClient });
        const url = `${scheme}://127.0.0.1:${portOf(http)}`;
        const peer = new Ws8(url, { origin: 'https://app.example', rejectUnauthorized: false });
        atEnd(() => peer.terminate());
        await opened(peer);
        server.close();
      }
      expect(seen).toEqual([
        ['https://app.example', false],
        ['https://app.example', true],
      ]);
    });
  });

  test('A-29 handleProtocols', async () => {
    const offer = handshake({ 'Sec-WebSocket-Protocol': 'a, b' });
    expect((await shake(portOf(await start(side.choosing(() => false))), offer)).status).toBe(401);

    const second = await start(side.choosing(([, name = '']) => name));
    const told = nextSocket(second);
    const peer = await opened(ws8(portOf(second), ['a', 'b']));
    expect([peer.protocol, (await told).protocol]).toEqual(['b', 'b']);

    expect((await shake(portOf(await start()), offer)).headers['sec-websocket-protocol']).toBe('a');
  });

  test('A-30 handleUpgrade with noServer, by path', async () => {
    const servers = new Map(['/a', '/b'].map((path) => [path, side.makeServer({ noServer: true })]));
    const http = await startHttp(createServer());
    const states: unknown[] = [];
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      servers.get(request.url ?? '')?.handleUpgrade(request, socket, head, (client) => {
        states.push(client.readyState);
        client.send(`this is ${request.url}`);
      });
    });
    const listeners = (): number[] =>
      [...servers.values(), http].flatMap((emitter: EventEmitter) =>
        emitter.eventNames().map((name) => emitter.listenerCount(name)),
      );
    let before: number[] | undefined;
    for (const path of ['/a', '/b', '/a', '/b']) {
      const peer = ws8(portOf(http), [], {}, path);
      expect(String((await once(peer, 'message'))[0])).toBe(`this is ${path}`);
      before ??= listeners();
      peer.terminate();
    }
    expect([states, listeners()]).toEqual([[1, 1, 1, 1], before]);
    for (const server of servers.values()) server.close();
  });

  test('A-31 the headers event', async () => {
    const server = await start();
    const lines = ['Set-Cookie: a=b', 'X-More: a\r\nX-Injected: b'];
    server.on('headers', (headers: string[]) => headers.push(lines.shift() ?? ''));
    expect((await shake(portOf(server))).headers['set-cookie']).toBe('a=b');
    const { status, headers } = await shake(portOf(server));
    expect([status, headers['x-injected']]).toEqual([500, undefined]);
  });

  test('A-32 send options', async () => {
    const { socket, peer } = await withWs8({ perMessageDeflate: { threshold: 0 } }, { perMessageDeflate: true });
    expect(peer.extensions).toBe('permessage-deflate');
    const got: unknown[] = [];
    peer.on('message', (data: Buffer, isBinary) => got.push(isBinary ? data : String(data)));
    const called: unknown[] = [];
    const floats = new Float32Array([0.5, 1, 2]);
    socket.send('text');
    socket.send(floats, { binary: true });
    socket.send('in ', { fin: false });
    socket.send('two ', { fin: false });
    socket.send('parts');
    socket.send('as it is', { compress: false }, (error) => called.push(error ?? null));
    // B-21: the empty one went out as if it were compressed.
    socket.send('small', {}, () => called.push('small'));
    socket.send('', {}, () => called.push('empty'));
    socket.send('small again', {}, () => called.push('small again'));
    socket.close(1000);
    await once(peer, 'close');
    expect(got).toEqual(['text', Buffer.from(floats.buffer), 'in two parts', 'as it is', 'small', '', 'small again']);
    expect(called).toEqual([null, 'small', 'empty', 'small again']);
  });

  test('A-33 a message in parts', async () => {
    const { socket, raw } = await withRaw();
    await side.sendParts(socket, ['a', 'b', 'c', 'd', 'e']);
    expect(await raw.bytes(15)).toBe('010161000162000163000164800165');
    socket.terminate();
    await next(socket, 'close');
    expect(await side.sendParts(socket, ['a'])).toBeInstanceOf(Error);
  });

  test('A-34 W3C members', async () => {
    const { url, requested } = await rawServer();
    const socket = manage(side.connect(url, { perMessageDeflate: false }));
    const events: object[] = [];
    const note = ({ type, target, ...rest }: { type: string; target: unknown }): void => {
      expect(target).toBe(socket);
      const { data, code, reason, wasClean } = rest as Record<string, unknown>;
      events.push(type === 'message' ? [type, data] : type === 'close' ? [type, code, reason, wasClean] : [type]);
    };
    const plain: unknown[] = [];
    socket.onopen = socket.onclose = socket.onerror = note;
    socket.addEventListener('message', note);
    socket.on('message', (data: unknown, second: unknown) => plain.push(side.seen(data, second as never)));
    socket.onmessage = () => plain.push('never');
    socket.onmessage = note;
    const { raw } = await requested;
    raw.write(Buffer.from('81026869', 'hex')); // "hi"
    await next(socket, 'message');
    raw.write(Buffer.from('8802ffff', 'hex')); // a code that nobody may send
    await next(socket, 'close');
    expect(plain).toEqual([[false, 'hi']]);
    expect(events).toEqual([['open'], ['message', 'hi'], ['message', 'hi'], ['error'], ['close', 1006, '', false]]);
  });

  describe('A-35 close codes', () => {
    const ends = async (act: (socket: AnySocket, peer: Ws8) => void): Promise<unknown[]> => {
      const { socket, peer } = await withWs8();
      const both = Promise.all([next(socket, 'close'), once(peer, 'close')]);
      act(socket, peer);
      return (await both).flatMap(([code, reason]) => [code, String(reason)]);
    };

    test('A-35 close()', async () =>
      expect(await ends((socket) => socket.close())).toEqual([side.bareCode, '', side.bareCode, '']));
    test("A-35 close(4000, 'x')", async () =>
      expect(await ends((socket) => socket.close(4000, 'x'))).toEqual([4000, 'x', 4000, 'x']));
    test('A-35 the peer closes, with a code and without', async () => {
      expect(await ends((_socket, peer) => peer.close(4000, 'x'))).toEqual([4000, 'x', 4000, 'x']);
      expect((await ends((_socket, peer) => peer.close()))[0]).toBe(side.bareCode);
    });
    test('A-35 the peer cuts', async () =>
      expect(await ends((_socket, peer) => peer.terminate())).toEqual([1006, '', 1006, '']));
    test('A-35 while CONNECTING', async () => {
      const { url } = await rawServer();
      const socket = side.connect(url);
      const failed = next<[Error & { code: string }]>(socket, 'error');
      const ended = next(socket, 'close');
      socket.close();
      const [[error], [code, reason]] = await Promise.all([failed, ended]);
      expect([error.code, code, String(reason)]).toEqual(['WS_ERR_ABORTED', 1006, '']);
    });
    test('A-35 no answer: gone after the close timeout', async () => {
      const server = await start({ closeTimeout: 50 });
      const told = nextSocket(server);
      const raw = await rawClient(server);
      const socket = await told;
      const ended = next(socket, 'close');
      socket.close(4000, 'x');
      expect(await raw.bytes(5)).toBe('88030fa078');
      expect((await ended)[0]).toBe(1006);
      await raw.closed;
    });
  });

  test('A-36 pause and resume', async () => {
    const { socket, peer } = await withWs8();
    const [size, count] = [1024 * 1024, 50];
    socket.pause();
    let length = 0;
    const all = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        length += data.length;
        if (length === size * count) resolve();
      });
    });
    for (let n = 0; n < count; n++) peer.send(Buffer.alloc(size));
    // What neither end's system takes stays with the peer.
    for (let before = -1; before !== peer.bufferedAmount;) {
      before = peer.bufferedAmount;
      for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    }
    expect([length, socket.bytesReceived < 4 * size]).toEqual([0, true]);
    socket.resume();
    await all;
    expect(length).toBe(size * count);
  });

  describe('A-37 client options', () => {
    const requestOf = async (options: object): Promise<RawRequest> => {
      const { url, requested } = await rawServer();
      await opened(manage(side.connect(url, options)));
      return requested;
    };

    test('A-37 host, origin, headers', async () => {
      const options = { host: 'echo.example', origin: 'https://app.example', headers: { 'X-Custom': '1' } };
      const { headers } = await requestOf(options);
      expect([headers['host'], headers['origin'], headers['x-custom']]).toEqual([
        'echo.example',
        'https://app.example',
        '1',
      ]);
    });
    test('A-37 protocolVersion 8', async () => {
      const { headers } = await requestOf({ origin: 'https://app.example', protocolVersion: 8 });
      expect([headers['sec-websocket-version'], headers['sec-websocket-origin']]).toEqual(['8', 'https://app.example']);
    });
    test('A-37 agent, localAddress', async () => {
      const agent = new Agent();
      const used = new Promise((resolve) => {
        const create = agent.createConnection.bind(agent);
        agent.createConnection = (...given) => {
          resolve(true);
          return create(...given);
        };
      });
      const { raw } = await requestOf({ agent, localAddress: '127.0.0.2' });
      expect([await used, raw.socket.remoteAddress]).toEqual([true, '127.0.0.2']);
    });
    test('A-37 a TLS client certificate', async () => {
      const { key, cert } = makeCertificate();
      const https = await startHttp(
        createHttpsServer({ key, cert, ca: [cert], requestCert: true, rejectUnauthorized: false }),
      );
      const server = side.makeServer({ server: https });
      atEnd(() => server.close());
      const told = next<[AnySocket, IncomingMessage]>(server, 'connection');
      const options = { key, cert, ca: [cert], checkServerIdentity: () => undefined };
      await opened(manage(side.connect(`wss://127.0.0.1:${portOf(https)}`, options)));
      const [, request] = await told;
      expect((request.socket as TLSSocket).getPeerCertificate().raw).toBeInstanceOf(Buffer);
    });
  });

  test('A-35 a ping in between changes nothing', async () => {
    const { socket, raw } = await withRaw();
    const ended = next(socket, 'close');
    raw.write(masked(Opcode.Ping, 'a')).write(masked(Opcode.Close, Buffer.from('0fa0', 'hex')));
    expect(await raw.bytes(7)).toBe('8a016188020fa0');
    expect((await ended)[0]).toBe(4000);
  });
});
