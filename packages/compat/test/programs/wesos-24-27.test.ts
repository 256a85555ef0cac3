import { once } from 'node:events';
import type { Server as HttpServer } from 'node:http';
import type { Duplex, Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { WebSocket } from '@ws/connection';
import { WebSocketServer } from '@ws/server';
import { CLOSE, CONTINUATION, frame, PING, portOf, TEXT, Wire } from '@ws/testing/peer';
import { createServer, Outgoing, Socket } from '../../src/wesos/index.js';
import { startPages } from '../http-servers.js';
import { tcpPair } from '../wesos/support.js';
import { program, until } from './program.js';

program<(http: HttpServer) => unknown>('A-24 WE-015 every client gets every message once, unmixed, and one leaves', {
  adapter: (http) => createServer((wsocket, wserver) => void wsocket.pipe(wserver)).listen(http),
  core: (http) => {
    const server = new WebSocketServer({ server: http, incoming: 'stream' });
    server.on('connection', (socket) => socket.messages().pipe(server.messages));
  },
  async seen(listen, peer) {
    const http = await startPages();
    listen(http);
    const port = portOf(http);
    const [a, b, c] = [await peer.open(port), await peer.open(port), await peer.open(port)];
    a.send('text');
    b.send(Buffer.of(1, 2));
    for (const part of ['in ', 'three ', 'parts']) {
      if (!peer.isBrowser) c.send(part, { fin: part === 'parts' });
      else if (part === 'parts') c.send('in three parts');
      a.send(`${part}, at once`);
      await turn();
    }
    const expected = ['bytes 0102', 'in , at once', 'in three parts', 'parts, at once', 'text', 'three , at once'];
    const shown = (one: string | Buffer): string => (typeof one === 'string' ? one : `bytes ${one.toString('hex')}`);
    for (const client of [a, b, c]) expect((await client.until(6)).map(shown).toSorted()).toEqual(expected);
    await c.close();
    b.send('they go on');
    for (const client of [a, b]) expect((await client.until(7))[6]).toBe('they go on');
  },
});

for (const role of ['server', 'client'] as const)
  program<(stream: Duplex) => () => Writable>(`A-25 WE-041 WE-042 what writes and ends are on the wire of a ${role}`, {
    adapter: (stream) => {
      const socket = new Socket(stream, { role });
      return () => new Outgoing(socket);
    },
    core: (stream) => {
      const socket = WebSocket.from(stream, { role });
      return () => socket.createOutgoing();
    },
    async check(open) {
      const { near, wire } = await tcpPair();
      const make = open(near);
      const message = make();
      message.write('a');
      message.write('b');
      message.end('c');
      make().end('x');
      make().end();
      const maskingKey = role === 'client' ? expect.any(Number) : undefined;
      const sent = (opcode: number, fin: boolean, text: string): object => ({
        opcode,
        fin,
        rsv: 0,
        maskingKey,
        payload: Buffer.from(text),
      });
      expect(await wire.frames(5)).toEqual([
        sent(TEXT, false, 'a'),
        sent(CONTINUATION, false, 'b'),
        sent(CONTINUATION, true, 'c'),
        sent(TEXT, true, 'x'),
        sent(TEXT, true, ''),
      ]);
      expect(wire.received).toHaveLength(role === 'client' ? 14 + 5 * 4 : 14);
    },
  });

program<(stream: Duplex) => Promise<Readable>>(
  'A-26 WE-021 WE-031 WE-032 a message is told before its payload is there',
  {
    adapter: async (stream) => (await once(new Socket(stream), 'message'))[0],
    core: async (stream) => (await once(WebSocket.from(stream, { role: 'server', incoming: 'stream' }), 'incoming'))[0],
    async check(open) {
      const { near, wire } = await tcpPair();
      const told = open(near);
      const bytes = frame(TEXT, 'Hello');
      wire.write(bytes.subarray(0, 6));
      const incoming = await told;
      expect(incoming.readableLength).toBe(0);
      const chunks: string[] = [];
      incoming.on('readable', () => {
        for (let chunk; (chunk = incoming.read()) !== null;) chunks.push(String(chunk));
      });
      const ended = once(incoming, 'end');
      wire.write(bytes.subarray(6, 8));
      while (chunks.length === 0) await turn();
      expect(incoming.readableEnded).toBe(false);
      wire.write(bytes.subarray(8));
      await ended;
      expect(chunks.join('')).toBe('Hello');
    },
  },
);

program<(http: HttpServer, tell: (event: string) => void) => unknown>(
  'A-27 WE-022 WE-023 WE-024 who pings, closes, and is gone',
  {
    adapter: (http, tell) =>
      createServer((socket) => {
        socket.on('ping', () => tell('ping'));
        socket.on('close', (code, reason) => tell(`close ${code} ${reason}`));
        socket.on('end', () => tell('end'));
      }).listen(http),
    core: (http, tell) =>
      new WebSocketServer({ server: http }).on('connection', (socket) => {
        socket.on('ping', () => tell('ping'));
        socket.on('closing', (code, reason) => tell(`close ${code} ${reason}`));
        socket.on('close', () => tell('end'));
      }),
    async seen(listen, peer) {
      const http = await startPages();
      const events: string[] = [];
      listen(http, (event) => events.push(event));
      const client = await peer.open(portOf(http));
      if (!peer.isBrowser) client.ping();
      expect(await client.close(4000)).toEqual([4000, '']);
      await until(() => events.includes('end'));
      expect(events).toEqual([...(peer.isBrowser ? [] : ['ping']), 'close 4000 ', 'end']);
    },
    async check(listen) {
      const http = await startPages();
      const events: string[] = [];
      listen(http, (event) => events.push(event));
      const wire = await Wire.open(portOf(http));
      wire.send(PING).send(CLOSE, Buffer.from('0fa0', 'hex'));
      await wire.until('88020fa0');
      expect(events).toEqual(['ping', 'close 4000 ']);
      wire.cut();
      await until(() => events.length === 3);
      expect(events.splice(0)).toEqual(['ping', 'close 4000 ', 'end']);

      (await Wire.open(portOf(http))).socket.resetAndDestroy();
      await until(() => events.length > 0);
      await turn();
      expect(events).toEqual(['end']);
    },
  },
);
