import { expect, jest } from '@jest/globals';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { Duplex, duplexPair, PassThrough, Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { makeCertificate } from '@ws/testing';
import type { WebSocket } from '@ws/server';
import {
  atEnd,
  BINARY,
  CLOSE,
  frame,
  handshake,
  next,
  PING,
  PONG,
  portOf,
  shake,
  startHttp,
  TEXT,
  Wire,
} from '@ws/testing/peer';
import { Server, type ServerOptions, type Socket } from '../../src/websockets/index.js';
import { prove } from '../rows.js';
import { serverRows } from '../rows/websockets.js';
import { startPages } from '../http-servers.js';
import { Client, join, joinRaw, start } from './support.js';

const EMPTY = Buffer.alloc(0);
const [, ...LINES] = handshake().trimEnd().split('\r\n');
const REQUEST = {
  method: 'GET',
  url: '/',
  httpVersion: '1.1',
  rawHeaders: LINES.flatMap((line) => line.split(': ')),
} as IncomingMessage;
/** All but `setTimeout`, which jest is to have. */
const NOT_FAKED = ['Date', 'hrtime', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] as const;

/** So many bytes of a connection are counted. */
async function counted({ core }: Socket, name: 'bytesReceived' | 'bytesSent', bytes: number): Promise<void> {
  const count = (): number => (core as WebSocket)[name];
  while (count() < bytes) await turn();
}

/** A handshake for this path. */
const at = (path: string): string => handshake({}, `GET ${path} HTTP/1.1`);

prove(serverRows, {
  'BK-030': {
    'B-29 a Writable that writes to all': async () => {
      const { server, port } = await start();
      expect(server).toBeInstanceOf(Writable);
      const all = [await join(server, port), await join(server, port)];
      await new Promise<void>((resolve) => server.write('a', () => resolve()));
      server.write(EMPTY);
      for (const { client } of all) expect(await client.until(1)).toEqual([Buffer.from('a')]);
    },
    'B-43 a source that is piped to it ends a message, and what single sockets do ends no pipe': async () => {
      const { server, port } = await start();
      const { client } = await join(server, port);
      const source = new Readable({ read() {} });
      source.pipe(server);
      source.push('one ');
      const leaver = await Wire.open(port);
      const failed = next(server, 'error');
      const left = next(server, 'close');
      leaver.write(Buffer.of(0x81, 0));
      expect(await failed).toMatchObject([{ code: 'WS_ERR_EXPECTED_MASK' }, expect.anything()]);
      leaver.cut();
      await left;
      source.push('two');
      source.push(null);
      expect(await client.until(1)).toEqual([Buffer.from('one two')]);
      server.write('three');
      server.end(EMPTY);
      expect((await client.until(2))[1]).toEqual(Buffer.from('three'));
    },
    'a source is let go of at its end, whole or broken, and by unpipe': async () => {
      const server = new Server();
      const listeners = (): number[] =>
        ['close', 'drain', 'error', 'finish', 'unpipe'].map((name) => server.listenerCount(name));
      const before = listeners();
      const sources = [Readable.from(['one']), new PassThrough(), new PassThrough(), new Duplex({ read() {} })];
      for (const source of sources) source.pipe(server);
      expect(listeners()).not.toEqual(before);
      const unpiped = sources.map(
        (source) =>
          new Promise<void>((resolve) => {
            server.on('unpipe', function gone(other: Readable) {
              if (other !== source) return;
              server.off('unpipe', gone);
              resolve();
            });
          }),
      );
      sources[1]!.on('error', () => {}).destroy(new Error('no more'));
      sources[2]!.unpipe(server);
      sources[3]!.push(null); // its other half goes on
      await Promise.all(unpiped);
      expect(listeners()).toEqual(before);
      expect(sources[2]!.listenerCount('end')).toBe(0);
    },
  },
  'BK-031': async () => {
    const server = new Server();
    expect(server).toBeInstanceOf(Server);
    expect(server.sockets).toEqual([]);
    expect(() => new Server({ port: 80 } as never)).toThrow(TypeError);
  },
  'BK-032': {
    'X-19 B-31 the path of the url, without a query; 404 where nobody takes it': async () => {
      const http = await startPages();
      const servers = [new Server({ url: 'ws://localhost/chat' }), new Server({ url: '/news' })];
      for (const server of servers) server.listen(http).on('open', (socket) => socket.send(server.url.pathname));
      const port = portOf(http);
      for (const [path, name] of [
        ['/chat', '/chat'],
        ['/chat?room=1', '/chat'],
        ['/news', '/news'],
      ] as const)
        expect(await new Client(port, path).until(1)).toEqual([name]);
      for (const path of ['/', '/Chat', '/chat/', '/other']) {
        expect((await shake(port, at(path))).status).toBe(404);
      }
    },
    'what is no url is named': () => {
      expect(() => new Server({ url: 5 as never })).toThrow('url is number, expected a string');
    },
    'what is for others is left to them': async () => {
      const { http, port } = await start({ url: 'ws://localhost/chat' });
      http.on('upgrade', (request, socket) => {
        if (request.url === '/theirs') socket.end('HTTP/1.1 200 Theirs\r\n\r\n');
      });
      expect((await Wire.to(port, at('/theirs')).head()).text).toBe('HTTP/1.1 200 Theirs\r\n\r\n');
      expect((await shake(port, at('/chat'))).status).toBe(101);
    },
    'by default it is /': async () => {
      const { server, port } = await start();
      expect(server.url.href).toBe('ws://localhost:3000/');
      expect((await shake(port, at('/?x'))).status).toBe(101);
      expect(() => new Server({ url: 'ws://[' })).toThrow('Invalid URL');
    },
  },
  'BK-033': {
    'B-37 after that time without a byte: 1001': async () => {
      const { server, port } = await start({ timeout: 80 });
      const begun = performance.now();
      const left = next(server, 'close');
      const { client } = await join(server, port);
      expect((await client.socket.closed).code).toBe(1001);
      expect(performance.now() - begun).toBeGreaterThanOrEqual(79);
      expect(await left).toMatchObject([1001, { id: 0 }, '']);
    },
    'a byte in either direction counts, of whatever; who does not answer the 1001 is cut': async () => {
      const { server, port } = await start({ timeout: 2000, closeTimeout: 20 });
      const [silent, speaking, hearing] = [
        await joinRaw(server, port),
        await joinRaw(server, port),
        await joinRaw(server, port),
      ];
      const gone = next(silent.socket, 'close');
      const told = { silent: '' };
      void silent.wire.take(4).then((bytes) => (told.silent = bytes));
      const slowly = frame(TEXT, 'a long message'.repeat(100_000));
      for (let sent = 0; told.silent === ''; sent++) {
        speaking.wire.write(slowly.subarray(sent, sent + 1));
        hearing.socket.ping();
        await counted(speaking.socket, 'bytesReceived', sent + 1);
        await counted(hearing.socket, 'bytesSent', 2 * sent + 2);
      }
      expect(told.silent).toBe('880203e9');
      expect(await gone).toEqual([1006, '']);
      expect(server.sockets).toEqual([speaking.socket, hearing.socket]);
      for (const { socket } of [speaking, hearing]) expect(socket.core).toHaveProperty('readyState', 1);
      expect(await Promise.all([speaking, hearing].map(({ socket }) => next(socket, 'close')))).toEqual([
        [1006, ''],
        [1006, ''],
      ]);
    },
    'there is no heartbeat beside it, whose bytes would count': () => {
      const heartbeatOf = (options?: ServerOptions): unknown => new Server(options).core.options.heartbeat;
      expect([heartbeatOf(), heartbeatOf({ timeout: 1 })]).toEqual([false, false]);
      expect(heartbeatOf({ timeout: 0 })).toEqual({});
      expect(heartbeatOf({ heartbeat: { interval: 5 } })).toMatchObject({ interval: 5 });
    },
    'X-06 the default is ten minutes, and 0 is for ever': async () => {
      expect(new Server().timeout).toBe(600_000);
      const { server, port } = await start();
      const { wire, socket } = await joinRaw(server, port);
      const { duplex: tcp } = socket.core as WebSocket;
      expect(tcp).toHaveProperty('timeout', 600_000);
      tcp!.emit('timeout');
      expect(await wire.take(4)).toBe('880203e9');
      const endless = await start({ timeout: 0 });
      const { socket: other } = await join(endless.server, endless.port);
      expect([
        (other.core as WebSocket).duplex!.listenerCount('timeout'),
        endless.server.core.options.idleTimeout,
      ]).toEqual([0, 0]);
      for (const timeout of [-1, NaN, 2 ** 31, '5' as never]) expect(() => new Server({ timeout })).toThrow(RangeError);
    },
  },
  'BK-034': {
    'B-27 X-29 one too many gets 503, and there is room again when one has left': async () => {
      const { server, port } = await start({ maxConnections: 2 });
      const { client } = await join(server, port);
      const { client: second } = await join(server, port);
      expect((await shake(port)).status).toBe(503);
      for (const each of [client, second]) expect(each.socket.readyState).toBe(each.socket.OPEN);
      const left = next(server, 'close');
      second.socket.close();
      await left;
      expect((await shake(port)).status).toBe(101);
    },
    ...Object.fromEntries(
      (['closes', 'cuts'] as const).map((how) => [
        `who ${how}, and is not read to the end, has until closeTimeout, or until somebody comes for his place`,
        async () => {
          for (const closeTimeout of [20, 2000, false] as const) {
            const { server, port } = await start({ maxConnections: 1, closeTimeout });
            const stalled = new Writable({ write() {} });
            server.on('stream:start', (socket) => void socket.pipe(stalled));
            const { wire, socket } = await joinRaw(server, port);
            wire.send(BINARY, Buffer.alloc(200_000));
            await counted(socket, 'bytesReceived', 200_000);
            const over = next(server, 'close');
            if (how === 'closes') wire.send(CLOSE, Buffer.of(0x0f, 0xa0));
            else wire.cut();
            while (server.core.clients.size > 0) await turn();
            if (closeTimeout !== 20) {
              expect(server.sockets).toEqual([socket]);
              expect((await shake(port)).status).toBe(101);
            }
            const [code, who] = await over;
            expect([code, who === socket]).toEqual([how === 'closes' ? 4000 : 1006, true]);
            expect([server.sockets.includes(socket), stalled.listenerCount('drain')]).toEqual([false, 0]);
          }
        },
      ]),
    ),
    'one of the dead for each who comes, also of those that come together': async () => {
      const { server, port } = await start({ maxConnections: 3, closeTimeout: false });
      server.on('stream:start', (socket) => void socket.pipe(new Writable({ write() {} })));
      for (let n = 0; n < 3; n++) {
        const { wire, socket } = await joinRaw(server, port);
        wire.send(BINARY, Buffer.alloc(200_000));
        await counted(socket, 'bytesReceived', 200_000);
        wire.cut();
      }
      while (server.core.clients.size > 0) await turn();
      const dead = [...server.sockets];
      expect(dead).toHaveLength(3);
      const gone: unknown[] = [];
      server.on('close', (_code, socket) => gone.push(socket));
      for (const [near] of [duplexPair(), duplexPair()])
        server.core.handleUpgrade(REQUEST, near, EMPTY, (webSocket) =>
          server.core.emit('connection', webSocket, REQUEST),
        );
      expect(dead.map(({ destroyed }) => destroyed)).toEqual([true, true, false]);
      while (gone.length < 2) await turn();
      expect(server.sockets).toHaveLength(3);
    },
    'for ever, where closeTimeout is none': async () => {
      const { server, port } = await start({ closeTimeout: Infinity });
      server.on('stream:start', (socket) => void socket.pipe(new Writable({ write() {} })));
      const { wire, socket } = await joinRaw(server, port);
      wire.send(BINARY, Buffer.alloc(200_000));
      await counted(socket, 'bytesReceived', 200_000);
      jest.useFakeTimers({ doNotFake: [...NOT_FAKED] });
      atEnd(() => jest.useRealTimers());
      wire.cut();
      while (server.core.clients.size > 0) await turn();
      jest.advanceTimersByTime(60_000);
      expect([socket.destroyed, server.sockets]).toEqual([false, [socket]]);
      socket.destroy();
    },
    'who leaves is not kept by those who do not read what it has sent': async () => {
      const { server, port } = await start({ maxConnections: 2 });
      const { wire } = await joinRaw(server, port);
      wire.socket.pause();
      server.core.broadcast(Buffer.alloc(12_000_000));
      server.on('open', (socket) => socket.pipe(server));
      const left = next(server, 'close');
      const frames = ['one', 'two', 'three'].map((text) => frame(TEXT, text));
      Wire.to(port, Buffer.concat([Buffer.from(handshake()), ...frames, frame(CLOSE, Buffer.of(0x0f, 0xa0))]));
      expect((await left)[0]).toBe(4000);
      expect((await shake(port)).status).toBe(101);
      wire.socket.resume();
      expect((await wire.frames(4)).slice(1).map(({ payload }) => String(payload))).toEqual(['one', 'two', 'three']);
    },
    'and not longer than closeTimeout, where that is a long message': async () => {
      const { server, port } = await start({ maxConnections: 2, closeTimeout: 200, maxPayload: 0 });
      const { wire } = await joinRaw(server, port);
      wire.socket.pause();
      server.core.broadcast(Buffer.alloc(12_000_000));
      server.on('stream:start', (socket) => socket.pipe(server));
      const left = next(server, 'close');
      const long = Buffer.concat([frame(BINARY, Buffer.alloc(1_080_000)), frame(CLOSE, Buffer.of(0x0f, 0xa0))]);
      Wire.to(port, Buffer.concat([Buffer.from(handshake()), long]));
      expect((await left)[0]).toBe(4000);
      expect(server.sockets).toHaveLength(1);
    },
    'X-06 the default is 10': async () => {
      const { server, port } = await start();
      for (let n = 0; n < 10; n++) await join(server, port);
      expect((await shake(port)).status).toBe(503);
    },
  },
  'BK-035': {
    'wire: fragments of a binary message, an empty chunk ends it': async () => {
      const { server, port } = await start();
      const wire = await Wire.open(port);
      for (const chunk of [[1, 2, 3], [4, 5, 6], []]) server.write(Buffer.from(chunk));
      expect(await wire.take(12)).toBe('0203010203' + '0003040506' + '8000');
      server.write(EMPTY);
      expect(await wire.take(2)).toBe('8200');
    },
    'end() ends the message that is open, and no more than that': async () => {
      const { server, port } = await start();
      const wire = await Wire.open(port);
      await new Promise<void>((resolve) => server.end(() => resolve()));
      server.end('a');
      await new Promise<void>((resolve) => server.end('b', 'utf8', () => resolve()));
      expect(await wire.take(10)).toBe('020161' + '8000' + '020162' + '8000');
      expect(server.destroy().writable).toBe(true);
    },
    'who joins in between gets the next one, who leaves is let go': async () => {
      const { server, port } = await start();
      const { client } = await join(server, port);
      const { client: leaver } = await join(server, port);
      server.write('a');
      const { client: late } = await join(server, port);
      const left = next(server, 'close');
      leaver.socket.close();
      await left;
      server.write('b');
      server.write(EMPTY);
      server.broadcast('next');
      expect(await client.until(2)).toEqual([Buffer.from('ab'), 'next']);
      expect(await late.until(1)).toEqual(['next']);
    },
    'who stands still keeps nothing from who comes later': async () => {
      const { server, port } = await start();
      const { wire } = await joinRaw(server, port);
      wire.socket.pause();
      for (let n = 0; n < 12; n++) server.write(Buffer.alloc(1_000_000));
      server.write(EMPTY);
      server.write('one');
      server.end('message');
      for (let waiting = Infinity; waiting > server.writableLength;) {
        waiting = server.writableLength;
        for (let n = 0; n < 50; n++) await turn();
      }
      expect(server.writableLength).toBeGreaterThan(0);
      const { wire: late } = await joinRaw(server, port);
      expect(await late.take(16)).toBe('02036f6e65' + '0007' + Buffer.from('message').toString('hex') + '8000');
    },
    'one that stops while others wait is ended after 10 s, with an error': async () => {
      const { server, port } = await start();
      const { wire } = await joinRaw(server, port);
      const failed = next(server, 'error');
      jest.useFakeTimers({ doNotFake: [...NOT_FAKED] });
      atEnd(() => jest.useRealTimers());
      server.broadcast({ fin: false }, 'a');
      server.core.broadcast('behind');
      jest.advanceTimersByTime(10_000);
      jest.useRealTimers();
      expect(await failed).toMatchObject([{ code: 'WS_ERR_STALLED' }]);
      server.broadcast('b');
      expect(await wire.take(16)).toBe(`01016180008106${Buffer.from('behind').toString('hex')}810162`);
    },
  },
  'BK-036': {
    'X-20 on an http server; what came with the request is read': async () => {
      const http = await startPages();
      const server = new Server();
      expect(server.listen(http)).toBe(server);
      const message = next(server, 'message');
      Wire.to(portOf(http), Buffer.concat([Buffer.from(handshake()), frame(TEXT, 'early')]));
      expect(await message).toMatchObject(['early', { id: 0 }]);
    },
    'on an https server': async () => {
      const { key, cert } = makeCertificate();
      const https = await startHttp(createHttps({ key, cert }));
      const server = new Server().listen(https);
      server.on('message', (message, socket) => socket.send(`secret ${String(message)}`));
      const { WebSocket } = await import('@ws/client');
      const client = new WebSocket(`wss://localhost:${portOf(https)}/`, { rejectUnauthorized: false });
      atEnd(() => client.terminate());
      await once(client, 'open');
      client.send('hi');
      expect(String((await once(client, 'message'))[0])).toBe('secret hi');
    },
    'not on anything else': () => {
      expect(() => new Server().listen(3000 as never)).toThrow(TypeError);
    },
  },
  'BK-037': {
    'wire: one frame, by the head; without one it is text': async () => {
      const { server, port } = await start();
      const wire = await Wire.open(port);
      expect(server.broadcast({ fin: true, opcode: 1 }, Buffer.from('hi'))).toBe(server);
      server.broadcast({ fin: true, opcode: 2 }, 'hi');
      server.broadcast(Buffer.from('é'));
      server.broadcast({ fin: true, opcode: 9 }, 'p');
      server.broadcast({ fin: true, opcode: 10 }, 'p');
      expect(await wire.take(18)).toBe('81026869' + '82026869' + '8102c3a9' + '890170' + '8a0170');
      server.broadcast({ fin: true, opcode: 8 }, Buffer.from('0fa06f6b', 'hex'));
      expect(await wire.take(6)).toBe('88040fa06f6b');
      const other = await Wire.open(port);
      server.broadcast({ fin: true, opcode: 8 }, EMPTY);
      expect(await other.take(2)).toBe('8800');
    },
    'what cannot be sent throws, before anything is': async () => {
      const { server, port } = await start();
      const { client } = await join(server, port);
      expect(() => server.broadcast({ fin: true, opcode: 1 }, Buffer.of(0xff))).toThrow(TypeError);
      expect(() => server.broadcast({ fin: true }, 5 as never)).toThrow(TypeError);
      server.broadcast({ fin: true, opcode: 2 }, Buffer.of(0xff));
      expect(await client.until(1)).toEqual([Buffer.of(0xff)]);
    },
    'wire: without fin it is a part of a message, which the next ones go on with': async () => {
      const { server, port } = await start();
      const { wire } = await joinRaw(server, port);
      const part = Buffer.from('a');
      server.broadcast({ fin: false, opcode: 1 }, part);
      server.broadcast({ fin: false }, part);
      server.broadcast({ fin: true, opcode: 9 }, 'p');
      expect(new Set((await wire.frames(3)).map(({ opcode }) => opcode))).toEqual(new Set([0, 1, 9]));
      server.write('b');
      expect(() => server.broadcast({ fin: true }, Buffer.of(0xff))).toThrow(TypeError);
      server.broadcast({ fin: true, opcode: 0 }, 'c');
      server.broadcast({ fin: true, opcode: 2 }, 'd');
      await wire.frames(6);
      expect((await wire.take(18)).replace('890170', '')).toBe('010161' + '000161' + '000162' + '800163' + '820164');
      server.broadcast({ fin: false, opcode: 2 }, 'e');
      server.write(EMPTY);
      server.broadcast({ opcode: 1 }, 'f');
      expect(await wire.take(8)).toBe('020165' + '8000' + '810166');
      server.broadcast({ fin: false, opcode: 2 }, 'g');
      server.write(EMPTY);
      server.broadcast('h');
      expect(await wire.take(8)).toBe('020167' + '8000' + '810168');
    },
    'while a message is being written it waits for its end': async () => {
      const { server, port } = await start();
      const { client } = await join(server, port);
      server.write('a');
      server.broadcast({ fin: true, opcode: 1 }, 'behind');
      server.write('b');
      server.write(EMPTY);
      expect(await client.until(2)).toEqual([Buffer.from('ab'), 'behind']);
    },
  },
  'BK-038': {
    'X-04 once for each, after the 101': async () => {
      const { server, port } = await start();
      const opened: Socket[] = [];
      server.on('open', (socket) => opened.push(socket));
      await join(server, port);
      const { socket } = await join(server, port);
      expect(opened).toEqual([expect.anything(), socket]);
      expect(server.sockets).toEqual(opened);
    },
  },
  'BK-039': {
    'X-02 for the pong that we send': async () => {
      const { server, port } = await start();
      const wire = await Wire.open(port);
      const told = next(server, 'pong');
      wire.send(PING, Buffer.of(0xff, 0x61));
      expect(await wire.take(4)).toBe('8a02ff61');
      expect(await told).toEqual(['\ufffda', server.sockets[0], { direction: 'sent', data: Buffer.of(0xff, 0x61) }]);
    },
    'X-02 for the pong that comes': async () => {
      const { server, port } = await start();
      const { socket } = await join(server, port);
      const told = next(server, 'pong');
      socket.ping('hey');
      expect(await told).toEqual(['hey', socket, { direction: 'received', data: Buffer.from('hey') }]);
    },
    'without autoPong none is sent': async () => {
      const { server, port } = await start({ autoPong: false });
      const wire = await Wire.open(port);
      const told: string[] = [];
      server.on('pong', (message, _socket, { direction }) => told.push(`${message} ${direction}`));
      wire.send(PING, 'a');
      wire.send(PONG, 'b');
      await next(server, 'pong');
      expect(told).toEqual(['b received']);
    },
  },
  'BK-040': {
    'X-03 with its code, its socket and its reason, when it is off the list': async () => {
      const { server, port } = await start();
      const { client, socket } = await join(server, port);
      const listed: unknown[] = [];
      server.once('close', () => listed.push(...server.sockets));
      const left = next(server, 'close');
      client.socket.close(4000, 'bye');
      expect(await left).toEqual([4000, socket, 'bye']);
      expect(listed).toEqual([]);
    },
  },
  'BK-041': {
    'B-30 with the socket; and where nobody listens, nothing is thrown': async () => {
      const { server, port } = await start();
      const wire = await Wire.open(port);
      const left = next(server, 'close');
      wire.write(Buffer.of(0x81, 0));
      expect(await wire.take(4)).toBe('880203ea');
      wire.socket.end();
      await left;
      const other = await Wire.open(port);
      const failed = next(server, 'error');
      other.send(TEXT, Buffer.of(0xff));
      expect(await failed).toEqual([expect.objectContaining({ code: 'WS_ERR_INVALID_UTF8' }), server.sockets[0]]);
    },
    'B-34 a handshake that fails: an error, 400, and no connection': async () => {
      const { server, port } = await start({ allowedHosts: ['127.0.0.1'] });
      const failed = next(server, 'error');
      expect((await shake(port, handshake({ 'Sec-WebSocket-Key': 'short' }))).status).toBe(400);
      expect(await failed).toEqual([expect.objectContaining({ code: 'WS_ERR_INVALID_KEY' })]);
      const refused = next(server, 'error');
      expect((await shake(port, handshake({ Host: '127.0.0.1', Origin: 'https://other.example' }))).status).toBe(403);
      expect(await refused).toEqual([new Error('a handshake was refused: origins')]);
      expect(server.sockets).toEqual([]);
    },
    'of the http server, which is nobody’s doing': async () => {
      const { server, http } = await start();
      const failed = next(server, 'error');
      http.emit('error', new Error('EADDRINUSE'));
      expect(await failed).toEqual([new Error('EADDRINUSE')]);
      expect(() => http.emit('error', new Error('unheard'))).toThrow('unheard');
    },
  },
  'BK-042': {
    'X-01 text is a string, binary a Buffer, also in fragments': async () => {
      const { server, port } = await start({ streamThreshold: 4 });
      const { client } = await join(server, port);
      const messages: unknown[] = [];
      server.on('message', (message) => messages.push(message));
      client.socket.send('longer than that');
      client.socket.send('é', { fin: false });
      client.socket.send('!');
      client.socket.send(Buffer.of(1, 2));
      while (messages.length < 3) await once(server, 'message');
      expect(messages).toEqual(['longer than that', 'é!', Buffer.of(1, 2)]);
    },
    'with a listener for streams, long ones and those in fragments are none': async () => {
      const { server, port } = await start({ streamThreshold: 4 });
      const { client } = await join(server, port);
      const events: unknown[] = [];
      server.on('message', (message) => events.push(message));
      const streamed = (socket: Socket): void => {
        events.push('stream');
        socket.resume();
      };
      server.on('stream:start', streamed);
      server.on('stream:end', () => events.push('end'));
      client.socket.send('1234');
      client.socket.send('12345');
      client.socket.send('a', { fin: false });
      client.socket.send('b');
      client.socket.send('last');
      while (events.at(-1) !== 'last') await once(server, 'message');
      expect(events).toEqual(['1234', 'stream', 'end', 'stream', 'end', 'last']);
      server.off('stream:start', streamed);
      client.socket.send('12345');
      await once(server, 'message');
      expect(events.at(-1)).toBe('12345');
      expect([...server.core.clients].map(({ incoming }) => incoming)).toEqual(['buffer']);
    },
    'streamThreshold is 16384': async () => {
      const { server, port } = await start();
      const { client } = await join(server, port);
      const starts: unknown[] = [];
      server.on('stream:start', () => starts.push('stream'));
      client.socket.send(Buffer.alloc(16_384));
      await once(server, 'message');
      client.socket.send(Buffer.alloc(16_385));
      await once(server, 'stream:end');
      expect(starts).toEqual(['stream']);
    },
  },
  'BK-043': {
    'its bytes are read from the socket; it waits for its reader': async () => {
      const { server, port } = await start();
      const { client } = await join(server, port);
      client.socket.send(Buffer.alloc(300_000, 1));
      client.socket.send('behind');
      const message = next(server, 'message');
      const [socket] = await next<[Socket]>(server, 'stream:start');
      const order: unknown[] = [];
      server.on('stream:end', () => order.push('end'));
      server.on('message', (text) => order.push(text));
      let length = 0;
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        length += (chunk as Buffer).length;
        if (length === 300_000) break;
      }
      await message;
      expect(order).toEqual(['end', 'behind']);
    },
    'what nobody reads is dropped': async () => {
      const { server, port } = await start();
      const { client } = await join(server, port);
      server.on('stream:start', () => {});
      client.socket.send(Buffer.alloc(300_000));
      client.socket.send('behind');
      expect(await next(server, 'message')).toMatchObject(['behind', { id: 0 }]);
    },
    'X-28 piped to the server it goes to all, the sender too, as the type that it was': async () => {
      const { server, port } = await start({ streamThreshold: 2 });
      const { client } = await join(server, port);
      const { client: other } = await join(server, port);
      server.on('stream:start', (socket) => socket.pipe(server));
      server.on('stream:stop', (socket) => socket.unpipe(server));
      client.socket.send('text');
      other.socket.send(Buffer.from('bytes'));
      for (const { messages, until } of [client, other].map((each) => ({
        messages: each.messages,
        until: each.until.bind(each),
      }))) {
        await until(2);
        expect(new Set(messages.map(String))).toEqual(new Set(['text', 'bytes']));
        expect(messages.map((message) => typeof message).toSorted()).toEqual(['object', 'string']);
      }
    },
    'what waits for its end counts as memory of its sender: who has most is ended': async () => {
      const { server, port } = await start({ memoryLimit: 1_000_000 });
      server.on('stream:start', (socket) => socket.pipe(server));
      const all = [await join(server, port), await join(server, port), await join(server, port)];
      for (const { client } of all) client.socket.send(Buffer.alloc(400_000), { fin: false });
      const { code } = await Promise.race(all.map(({ client }) => client.socket.closed));
      expect(code).toBe(1013);
      expect(server.core.metrics().memory).toBeLessThanOrEqual(1_000_000);
    },
  },
  'BK-044': async () => {
    const { server, port } = await start();
    const { client } = await join(server, port);
    const events: string[] = [];
    server.on('stream:start', (socket) => {
      events.push('start');
      socket.on('data', () => {});
    });
    for (const name of ['stream:end', 'stream:stop', 'done'] as const) server.on(name, () => events.push(name));
    client.socket.send(Buffer.alloc(20_000));
    await next(server, 'stream:stop');
    expect(events).toEqual(['start', 'done', 'stream:end', 'stream:stop']);
  },
  'BK-045': {
    'X-14 the live list of sockets, and the options': async () => {
      const { server, port } = await start({ url: 'ws://localhost:1234/x', timeout: 5000, maxConnections: 3 });
      expect(server).toMatchObject({ timeout: 5000, maxConnections: 3, mask: false, sockets: [] });
      expect(server.url).toMatchObject({ pathname: '/x', port: '1234' });
      const { client, socket } = await join(server, port, '/x');
      expect(server.sockets).toEqual([socket]);
      const left = next(server, 'close');
      client.socket.terminate();
      await left;
      expect(server.sockets).toEqual([]);
    },
    'who has left is not in it, though the program has taken all listeners away': async () => {
      const { server, port } = await start();
      const { wire, socket } = await joinRaw(server, port);
      socket.removeAllListeners();
      const left = next(server, 'close');
      wire.cut();
      await left;
      expect(server.sockets).toEqual([]);
    },
  },
});
