import { expect } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';
import * as wesos from '../../src/wesos/index.js';
import { prove } from '../rows.js';
import { moduleRows, serverRows } from '../rows/wesos.js';
import { closeLater, frame, join, portOf, REQUEST, start, startHttp, Wire } from './support.js';

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
      const http = await startHttp();
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

prove(serverRows, {
  'WE-010': {
    'an EventEmitter that opens no port': async () => {
      const server = new Server();
      expect(server).toBeInstanceOf(EventEmitter);
      const http = await startHttp();
      server.listen(http);
      const [[socket]] = await Promise.all([once(server, 'open'), join(portOf(http))]);
      expect(socket).toBeInstanceOf(Socket);
    },
    'the options of the core: a port of its own': async () => {
      const server = new Server({ port: 0, host: '127.0.0.1' });
      closeLater(() => server.webSocketServer.close());
      await once(server.webSocketServer, 'listening');
      const [[socket]] = await Promise.all([once(server, 'open'), join(portOf(server.webSocketServer))]);
      socket.webSocket.terminate();
    },
    'url is a path': async () => {
      const { port } = await start(undefined, { url: 'ws://localhost:3000/chat' });
      const request = (path: string): string[] => [`GET ${path} HTTP/1.1`, ...REQUEST.slice(1)];
      const taken = Wire.to(port).request(request('/chat?name=x'));
      await taken.until('0d0a0d0a');
      expect(Buffer.from(taken.received, 'hex').toString()).toMatch(/^HTTP\/1.1 101 /);
      expect(await Wire.to(port).request(request('/chats')).answer()).toMatch(/^HTTP\/1.1 404 /);
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
      const keyless = REQUEST.filter((line) => !line.includes('Key'));
      expect(await Wire.to(port).request(keyless).answer()).toMatch(/^HTTP\/1.1 400 /);
      await join(port);
      expect(opened).toBe(1);
    },
    'frames that came in one segment with the request are there': async () => {
      const texts: Promise<string>[] = [];
      const { port } = await start((socket) => socket.on('message', (incoming) => texts.push(text(incoming))));
      const wire = Wire.to(port);
      wire.write(Buffer.concat([Buffer.from(`${REQUEST.join('\r\n')}\r\n\r\n`), frame(0x81, 'early')]));
      while (texts.length === 0) await turn();
      expect(await texts[0]).toBe('early');
    },
  },
  'WE-012': {
    'once, when the http servers have closed': async () => {
      const { http, server } = await start();
      const other = await startHttp();
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
      const wire = await Wire.opened(port);
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
      const wire = await Wire.opened(port);
      await wire.write(Buffer.from('8100', 'hex')).over;
      const cut = await Wire.opened(port);
      cut.write(frame(0x01, 'begins')).socket.destroy();
      client.send('goes on');
      expect(await until(1)).toEqual(['text goes on']);
    },
  },
  'WE-014': {
    'X-20 several on one http server, each its path; plain requests are served': async () => {
      const http = await startHttp();
      const paths: string[] = [];
      for (const url of ['/a', '/b']) createServer({ url }, () => paths.push(url)).listen(http);
      const at = (path: string): Wire => Wire.to(portOf(http)).request([`GET ${path} HTTP/1.1`, ...REQUEST.slice(1)]);
      await at('/b').until('0d0a0d0a');
      await at('/a').until('0d0a0d0a');
      expect(paths).toEqual(['/b', '/a']);
      expect(await (await fetch(`http://127.0.0.1:${portOf(http)}/`)).text()).toBe('plain');
    },
    'X-19 an upgrade that nobody takes: 404, at once, or left to another listener': async () => {
      const http = await startHttp();
      createServer({ url: '/a' }).listen(http);
      expect(await Wire.to(portOf(http)).request().answer()).toMatch(/^HTTP\/1.1 404 /);
      http.on('upgrade', (_request, socket) => socket.end('mine'));
      expect(await Wire.to(portOf(http)).request().answer()).toBe('mine');
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
      const wire = await Wire.opened(port);
      client.send(Buffer.alloc(1_048_576, 'x'), { fin: false });
      client.send(Buffer.of(1), { fin: false });
      await wire.until('7878');
      expect(wire.received).toMatch(/^02/); // a fragment, of a message whose end is not there
      const done = once(client, 'message');
      client.send(Buffer.of(2));
      const [data] = await done;
      expect(data.equals(Buffer.concat([Buffer.alloc(1_048_576, 'x'), Buffer.of(1, 2)]))).toBe(true);
    },
    'whose sender is cut is not sent on; the server is told': async () => {
      const { port, server } = await start((socket, relay) => void socket.pipe(relay));
      const { client, until } = await join(port);
      const cut = await Wire.opened(port);
      const told = once(server, 'error');
      cut.write(frame(0x01, 'begins'));
      client.send('whole');
      await until(1);
      cut.socket.destroy();
      expect((await told)[0]).toMatchObject({ code: 'WS_ERR_INCOMPLETE_MESSAGE' });
      client.send('the relay goes on');
      expect(await until(2)).toEqual(['text whole', 'text the relay goes on']);
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
      const wire = await Wire.opened(port);
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
      const wire = await Wire.opened(port);
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
