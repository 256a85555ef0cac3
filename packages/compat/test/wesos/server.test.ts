import { expect } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { PassThrough, Readable, Stream, type Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import { atEnd, CONTINUATION, frame, handshake, portOf, shake, TEXT, Wire } from '@ws/testing/peer';
import * as wesos from '../../src/wesos/index.js';
import { prove } from '../rows.js';
import { moduleRows, serverRows } from '../rows/wesos.js';
import { startPages } from '../http-servers.js';
import { join, start } from './support.js';

const { createServer, Server, Socket } = wesos;

prove(moduleRows, {
  'WE-001': {
    'X-20 the listener gets the socket and the server; listen() is chainable': async () => {
      const calls: unknown[][] = [];
      const { port, server } = await start((...args) => calls.push(args));
      await join(port);
      expect(calls).toEqual([[expect.any(Socket), server]]);
    },
    'without a listener, and with options': async () => {
      expect(createServer()).toBeInstanceOf(Server);
      let opened = 0;
      const server = createServer({ maxPayload: 10 }, () => opened++);
      const http = await startPages();
      server.listen(http);
      const { client } = await join(portOf(http));
      client.send('longer than that');
      const { received } = await client.closed;
      expect([opened, received?.code]).toEqual([1, 1009]);
    },
  },
  'WE-002': () => {
    const names = ['Incoming', 'Outgoing', 'Server', 'Socket', 'createServer'];
    expect(Object.keys(wesos.default).sort()).toEqual(names);
    expect(Object.keys(wesos).sort()).toEqual([...names, 'default']);
  },
});

/** A handshake for this path. */
const at = (path: string): string => handshake({}, `GET ${path} HTTP/1.1`);

prove(serverRows, {
  'WE-010': {
    'an EventEmitter that opens no port': async () => {
      const server = new Server();
      expect(server).toBeInstanceOf(EventEmitter);
      const http = await startPages();
      server.listen(http);
      const [[socket]] = await Promise.all([once(server, 'open'), join(portOf(http))]);
      expect(socket).toBeInstanceOf(Socket);
    },
    'the options of the core: a port of its own': async () => {
      const server = new Server({ port: 0, host: '127.0.0.1' });
      atEnd(() => server.webSocketServer.close());
      await once(server.webSocketServer, 'listening');
      const [[socket]] = await Promise.all([once(server, 'open'), join(portOf(server.webSocketServer))]);
      socket.webSocket.terminate();
    },
    'url is a path': async () => {
      const { port } = await start(undefined, { url: 'ws://localhost:3000/chat' });
      expect(await shake(port, at('/chat?name=x'))).toMatchObject({ status: 101 });
      expect(await shake(port, at('/chats'))).toMatchObject({ status: 404 });
    },
    'a bad option is the caller’s mistake, and his object stays as it was': () => {
      expect(() => new Server({ maxPayload: -1 })).toThrow(RangeError);
      const options = Object.freeze({ url: '/a', maxPayload: 5 });
      expect(new Server(options).webSocketServer.options.maxPayload).toBe(5);
      expect(options).toEqual({ url: '/a', maxPayload: 5 });
    },
  },
  'WE-011': {
    'X-04 open, then connect, each with socket and server': async () => {
      const { port, server } = await start();
      const calls: unknown[][] = [];
      server.on('open', (...args) => calls.push(['open', ...args]));
      server.on('connect', (...args) => calls.push(['connect', ...args]));
      await join(port);
      expect(calls).toEqual([
        ['open', expect.any(Socket), server],
        ['connect', expect.any(Socket), server],
      ]);
      expect(calls[0]![1]).toBe(calls[1]![1]);
    },
    'a handshake that fails opens nothing, and a missing key ends nothing': async () => {
      let opened = 0;
      const { port } = await start(() => opened++);
      expect(await shake(port, handshake({ 'Sec-WebSocket-Key': undefined }))).toMatchObject({ status: 400 });
      await join(port);
      expect(opened).toBe(1);
    },
    'frames that came in one segment with the request are there': async () => {
      const texts: Promise<string>[] = [];
      const { port } = await start((socket) => socket.on('message', (incoming) => texts.push(text(incoming))));
      Wire.to(port, Buffer.concat([Buffer.from(handshake()), frame(TEXT, 'early')]));
      while (texts.length === 0) await turn();
      expect(await texts[0]).toBe('early');
    },
  },
  'WE-012': {
    'once, when the http servers have closed': async () => {
      const { http, server } = await start();
      const other = await startPages();
      server.listen(other);
      let closes = 0;
      server.on('close', () => closes++);
      http.close();
      await once(http, 'close');
      await turn();
      expect(closes).toBe(0);
      other.close();
      await once(server, 'close');
      await turn();
      expect(closes).toBe(1);
    },
    'not when a connection closes': async () => {
      const { port, server } = await start();
      let closes = 0;
      server.on('close', () => closes++);
      const { client } = await join(port);
      client.close();
      await client.closed;
      await join(port);
      expect(closes).toBe(0);
    },
  },
  'WE-013': {
    'of the http server': async () => {
      const { http, server } = await start();
      const error = new Error('of the listening socket');
      const told = once(server, 'error');
      http.emit('error', error);
      expect((await told)[0]).toBe(error);
    },
    'what a peer does wrong, with its socket': async () => {
      const { port, server } = await start();
      const opened = once(server, 'open');
      const wire = await Wire.open(port);
      const [socket] = await opened;
      const told = once(server, 'error');
      wire.write(Buffer.from('8100', 'hex')); // not masked
      const [error, from] = await told;
      expect([error.code, from]).toEqual(['WS_ERR_EXPECTED_MASK', socket]);
      expect(await wire.until('03ea')).toMatch(/^88..03ea/);
    },
    'nobody listens: that connection ends, and no other': async () => {
      const { port } = await start((socket, server) => void socket.pipe(server));
      const { client, until } = await join(port);
      const wire = await Wire.open(port);
      await wire.write(Buffer.from('8100', 'hex')).rest();
      const cut = await Wire.open(port);
      cut.send(TEXT, 'begins', { fin: false }).cut();
      client.send('goes on');
      expect(await until(1)).toEqual(['text goes on']);
    },
  },
  'WE-014': {
    'X-20 several on one http server, each its path; plain requests are served': async () => {
      const http = await startPages();
      const paths: string[] = [];
      for (const url of ['/a', '/b']) createServer({ url }, () => paths.push(url)).listen(http);
      for (const path of ['/b', '/a']) await shake(portOf(http), at(path));
      expect(paths).toEqual(['/b', '/a']);
      expect(await (await fetch(`http://127.0.0.1:${portOf(http)}/`)).text()).toBe('page');
    },
    'X-19 an upgrade that nobody takes: 404, at once, or left to another listener': async () => {
      const http = await startPages();
      createServer({ url: '/a' }).listen(http);
      expect(await shake(portOf(http))).toMatchObject({ status: 404 });
      http.on('upgrade', (_request, socket) => socket.end('mine'));
      expect(String(await Wire.to(portOf(http), handshake()).rest())).toBe('mine');
    },
    'not a port': () => {
      // @ts-expect-error -- an http server
      expect(() => new Server().listen(3000)).toThrow(TypeError);
    },
  },
  'WE-015': {
    'X-28 to all, the sender included, type and borders kept': async () => {
      const { port } = await start((socket, server) => void socket.pipe(server));
      const all = [await join(port), await join(port)];
      all[0]!.client.send('one');
      all[0]!.client.send(Buffer.of(2));
      all[0]!.client.send('');
      for (const { until } of all) expect(await until(3)).toEqual(['text one', 'binary 02', 'text ']);
    },
    'messages of different senders never mix, and none waits for the end of another': async () => {
      const { port } = await start((socket, server) => void socket.pipe(server));
      const [a, b, c] = [await join(port), await join(port), await join(port)];
      a.client.send('a1', { fin: false });
      b.client.send('b');
      for (const { until } of [a, b, c]) expect(await until(1)).toEqual(['text b']);
      a.client.send('a2');
      for (const { until } of [a, b, c]) expect(await until(2)).toEqual(['text b', 'text a1a2']);
    },
    'longer than 1 MiB, while it comes in': async () => {
      const { port } = await start((socket, server) => void socket.pipe(server), { maxPayload: 0 });
      const { client } = await join(port);
      const wire = await Wire.open(port);
      client.send(Buffer.alloc(1_048_576, 'x'), { fin: false });
      client.send(Buffer.of(1), { fin: false });
      expect(await wire.until('7878')).toMatch(/^02/); // a fragment, of a message whose end is not there
      const done = once(client, 'message');
      client.send(Buffer.of(2));
      const [data] = await done;
      expect(data.equals(Buffer.concat([Buffer.alloc(1_048_576, 'x'), Buffer.of(1, 2)]))).toBe(true);
    },
    'whose sender is cut is not sent on; the server is told': async () => {
      const { port, server } = await start((socket, relay) => void socket.pipe(relay));
      const { client, until } = await join(port);
      const cut = await Wire.open(port);
      const told = once(server, 'error');
      cut.send(TEXT, 'begins', { fin: false });
      client.send('whole');
      await until(1);
      cut.cut();
      expect((await told)[0]).toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
      client.send('the relay goes on');
      expect(await until(2)).toEqual(['text whole', 'text the relay goes on']);
    },
    'a message that cannot be sent on does not hold up its sender; the server is told': async () => {
      const { port, server } = await start((socket, relay) => void socket.pipe(relay), { maxPayload: 0 });
      const core = server.webSocketServer;
      const create = core.createBroadcast.bind(core);
      const begun = new Promise<Writable>((resolve) => {
        core.createBroadcast = (options) => {
          const broadcast = create(options);
          resolve(broadcast);
          return broadcast;
        };
      });
      const { client, until } = await join(port);
      client.send(Buffer.alloc(1000), { fin: false });
      const broadcast = await begun;
      const reason = new Error('as when nobody has taken it for a while');
      const told = once(server, 'error');
      broadcast.destroy(reason);
      expect((await told)[0]).toBe(reason);
      for (let n = 0; n < 100; n++) client.send(Buffer.alloc(100_000), { fin: false });
      client.send(Buffer.of(1));
      client.send('the next one');
      const [data] = await until(1);
      expect(data).toBe('text the next one');
    },
    'with clientTracking: false as well': async () => {
      const { port } = await start((socket, relay) => void socket.pipe(relay), { clientTracking: false } as object);
      const { client, until } = await join(port);
      client.send('to all');
      expect(await until(1)).toEqual(['text to all']);
    },
    'the end of a socket, and of any other source, is not the server’s': async () => {
      const { port, server } = await start((socket, relay) => void socket.pipe(relay));
      const leaver = await join(port);
      const stayer = await join(port);
      leaver.client.close();
      await leaver.client.closed;
      Readable.from(['from a file']).pipe(server);
      server.end();
      stayer.client.send('still here');
      expect([...(await stayer.until(2))].sort()).toEqual(['text from a file', 'text still here']);
    },
    'a socket that has ended is let go of': async () => {
      const { port, server } = await start((socket, relay) => void socket.pipe(relay));
      for (const leave of ['close', 'terminate'] as const) {
        const opened = once(server, 'open') as Promise<[wesos.Socket]>;
        const { client } = await join(port);
        const [socket] = await opened;
        expect(socket.listenerCount('data')).toBe(1);
        const ended = once(socket, 'end');
        client[leave]();
        await ended;
        await turn();
        expect(socket.listenerCount('data')).toBe(0);
      }
    },
    'so is any other source, whole or broken': async () => {
      const { port, server } = await start();
      const target = server as unknown as Writable;
      const { until } = await join(port);
      const listeners = (): number[] =>
        ['close', 'drain', 'error', 'finish', 'unpipe'].map((name) => target.listenerCount(name));
      const before = listeners();
      const sources = [Readable.from(['one']), new PassThrough(), new Stream() as Readable];
      for (const source of sources) source.pipe(target);
      expect(listeners()).not.toEqual(before);
      const failed = new Promise((resolve) => sources[1]!.once('error', resolve));
      sources[1]!.destroy(new Error('no more'));
      sources[2]!.emit('data', 'two');
      sources[2]!.emit('end'); // of the oldest kind: it has no unpipe
      expect([...(await until(2))].sort()).toEqual(['text one', 'text two']);
      await failed;
      await turn();
      expect(listeners()).toEqual(before);
    },
    'what a peer does wrong is thrown for want of a listener neither while a source is piped, which goes on':
      async () => {
        const { port, server } = await start();
        const { until } = await join(port);
        const source = new PassThrough();
        source.pipe(server as unknown as Writable);
        const wire = Wire.to(port, Buffer.concat([Buffer.from(handshake()), Buffer.of(0x81, 0)])); // not masked
        await wire.over();
        source.end('still piped');
        expect(await until(1)).toEqual([`binary ${Buffer.from('still piped').toString('hex')}`]);
      },
    'unpipe: its messages go no further, and hold up nothing': async () => {
      const { port, server } = await start();
      const opened = once(server, 'open');
      const one = await join(port);
      const [socket] = await opened;
      socket.pipe(server);
      one.client.send('1');
      await one.until(1);
      socket.unpipe(server);
      for (let n = 0; n < 100; n++) one.client.send('x'.repeat(10_000));
      const pong = once(one.client, 'pong');
      one.client.ping();
      await pong;
      socket.pipe(server);
      one.client.send('2');
      expect(await one.until(2)).toEqual(['text 1', 'text 2']);
    },
    'write() takes a message, a string or bytes; false is followed by drain': async () => {
      const { port, server } = await start(undefined, { slowConsumer: false });
      const wire = await Wire.open(port);
      expect(server.write('text')).toBe(true);
      server.write(Buffer.of(1));
      expect(await wire.until('820101')).toBe('810474657874' + '820101');
      wire.socket.pause();
      const bytes = Buffer.alloc(100_000);
      while (server.write(bytes));
      const drained = once(server, 'drain');
      wire.socket.resume();
      await drained;
      expect(server.write(bytes)).toBe(true);
    },
    'while nobody takes what is sent, writing waits; who comes ends that': async () => {
      const begun: unknown[] = [];
      const { port, server } = await start(
        (socket, relay) => {
          socket.pipe(relay);
          socket.on('message', (incoming) => begun.push(incoming));
        },
        { slowConsumer: false },
      );
      const slow = [await Wire.open(port), await Wire.open(port)];
      for (const wire of slow) {
        wire.socket.pause();
        wire.send(TEXT, 'begins ', { fin: false });
      }
      while (begun.length < 2) await turn();
      const cores = [...server.webSocketServer.clients];
      const listeners = (): number[] => cores.map((core) => core.listenerCount('drain'));
      const before = listeners();
      const drained = once(server, 'drain');
      while (server.write(Buffer.alloc(100_000)));
      const { bufferedAmount } = cores[1]!;
      slow[0]!.send(CONTINUATION, 'and ends');
      while (cores[1]!.bufferedAmount === bufferedAmount) await turn(); // it waits with the others
      const { until } = await join(port);
      slow[1]!.send(CONTINUATION, 'and ends');
      let count = 1;
      while ((await until(count)).at(-1) !== 'text begins and ends') count++;
      await drained;
      expect(listeners()).toEqual(before);
    },
    'who stands still keeps nothing from who comes later': async () => {
      const { port, server } = await start((socket, relay) => socket.pipe(relay));
      const still = await Wire.open(port);
      still.socket.pause();
      while (server.write(Buffer.alloc(100_000)));
      const { client, until } = await join(port);
      client.send('new here');
      let count = 1;
      while ((await until(count)).at(-1) !== 'text new here') count++;
    },
    'a message that somebody has destroyed is not sent': async () => {
      const { port } = await start((socket, server) => {
        socket.on('message', (incoming) => server.write(incoming.header?.opcode === 2 ? incoming.destroy() : incoming));
      });
      const { client, until } = await join(port);
      client.send(Buffer.of(1));
      client.send('text');
      expect(await until(1)).toEqual(['text text']);
    },
    'what waits for its end counts as memory of its sender: who has most is ended': async () => {
      const { port, server } = await start((socket, relay) => void socket.pipe(relay), { memoryLimit: 1_000_000 });
      const all = [await join(port), await join(port), await join(port)];
      for (const { client } of all) client.send(Buffer.alloc(400_000), { fin: false });
      const { code } = await Promise.race(all.map(({ client }) => client.closed));
      expect(code).toBe(1013);
      expect(server.webSocketServer.metrics().memory).toBeLessThanOrEqual(1_000_000);
    },
    'while nobody reads, senders wait; then all is there': async () => {
      const { port, server } = await start((socket, relay) => void socket.pipe(relay), { slowConsumer: false });
      const wire = await Wire.open(port);
      wire.socket.pause();
      const ofHandshake = wire.socket.bytesRead;
      const one = Buffer.concat([Buffer.from('82feea6000000000', 'hex'), Buffer.alloc(60_000, 7)]);
      const messages = Buffer.concat(Array.from({ length: 600 }, () => one));
      wire.socket.write(messages);
      const [socket] = server.webSocketServer.clients;
      for (let before = -1; socket!.bytesReceived > before;) {
        before = socket!.bytesReceived;
        for (let n = 0; n < 100; n++) await turn();
      }
      expect(socket!.bytesReceived).toBeLessThan(messages.length / 2);
      expect(socket!.bufferedAmount).toBeLessThan(1_048_576);
      wire.socket.removeAllListeners('data').resume();
      while (wire.socket.bytesRead - ofHandshake < 600 * 60_004) await turn();
      expect(wire.socket.bytesRead - ofHandshake).toBe(600 * 60_004);
    },
  },
});
