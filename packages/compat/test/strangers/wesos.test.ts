import { expect } from '@jest/globals';
import type { Server as HttpServer } from 'node:http';
import { WebSocketServer } from '@ws/server';
import { portOf } from '@ws/testing/peer';
import { createServer } from '../../src/wesos/index.js';
import { startPages } from '../http-servers.js';
import { program, until, WS } from './client.js';

program<(http: HttpServer) => unknown>(
  'A-24 every client gets every message once, unmixed, and one leaves',
  {
    adapter: (http) => createServer((wsocket, wserver) => void wsocket.pipe(wserver)).listen(http),
    core: (http) => {
      const server = new WebSocketServer({ server: http, incoming: 'stream' });
      return server.on('connection', (socket) => socket.messages().pipe(server.messages));
    },
  },
  async (start, connect, stranger) => {
    const http = await startPages();
    start(http);
    const [a, b, c] = [1, 2, 3].map(() => connect(portOf(http)));
    const all = [a!, b!, c!];
    await Promise.all(all.map(({ opened }) => opened));
    a!.socket.send('text');
    b!.socket.send(Buffer.of(1, 2));
    if (stranger === WS) for (const part of ['in ', 'two']) c!.ws.send(part, { fin: part === 'two' });
    else c!.socket.send('in two');
    const inOrder = (messages: (string | Buffer)[]): string[] =>
      messages.map((one) => (typeof one === 'string' ? one : `bytes ${one.toString('hex')}`)).toSorted();
    for (const client of all) expect(inOrder(await client.until(3))).toEqual(['bytes 0102', 'in two', 'text']);
    c!.socket.close();
    await c!.closed;
    b!.socket.send('they go on');
    for (const client of [a!, b!]) expect((await client.until(4))[3]).toBe('they go on');
  },
);

program<(http: HttpServer, log: (event: string) => void) => unknown>(
  'A-27 who pings, closes, and is gone',
  {
    adapter: (http, log) =>
      createServer((wsocket) => {
        for (const name of ['ping', 'close', 'end'] as const) wsocket.on(name, () => log(name));
      }).listen(http),
    core: (http, log) =>
      new WebSocketServer({ server: http }).on('connection', (socket) => {
        socket.on('ping', () => log('ping'));
        socket.on('closing', (_code, _reason, initiator) => initiator === 'remote' && log('close'));
        socket.on('close', () => log('end'));
      }),
  },
  async (start, connect, stranger) => {
    const http = await startPages();
    const events: string[] = [];
    start(http, (event) => events.push(event));
    const client = connect(portOf(http));
    await client.opened;
    const isWs = stranger === WS;
    if (isWs) client.ws.ping();
    client.socket.close(4000);
    expect(await client.closed).toEqual([4000, '']);
    await until(() => events.includes('end'));
    expect(events).toEqual([...(isWs ? ['ping'] : []), 'close', 'end']);
  },
);
