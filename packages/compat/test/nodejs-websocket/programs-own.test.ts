import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { WebSocketServer } from '@ws/server';

import { atEnd, listenSwitching, next, Wire } from '@ws/testing/peer';
import adapter, { type Connection } from '../../src/nodejs-websocket/index.js';
import { portOfCore, portOfOld, type Print } from './programs.js';

describe('A-23 what the old library tested of itself', () => {
  test('an extra header arrives in lower case: the adapter', async () => {
    const server = adapter.createServer();
    const arrival = once(server, 'connection') as Promise<[Connection]>;
    const client = adapter.connect(`ws://127.0.0.1:${await portOfOld(server)}`, {
      extraHeaders: { 'X-HeaDer-OK': 'Yes' },
    });
    atEnd(() => client.socket.destroy());
    expect((await arrival)[0].headers['x-header-ok']).toBe('Yes');
  });
  test('an extra header arrives in lower case: the core', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const arrival = once(server, 'connection') as Promise<[unknown, { headers: Record<string, string> }]>;
    const client = new WebSocket(`ws://127.0.0.1:${await portOfCore(server)}`, { headers: { 'X-HeaDer-OK': 'Yes' } });
    client.on('error', () => undefined); // it is ended as it connects
    atEnd(() => client.terminate());
    expect((await arrival)[1].headers['x-header-ok']).toBe('Yes');
  });

  test.each([
    [
      'the adapter',
      (url: string, hear: Print): void => {
        const conn = adapter.connect(url, {}, () => hear('open'));
        conn.on('text', hear).on('error', (error) => hear(error.message));
        atEnd(() => conn.socket.destroy());
      },
    ],
    [
      'the core',
      (url: string, hear: Print): void => {
        const socket = new WebSocket(url, { perMessageDeflate: false });
        socket.on('open', () => hear('open')).on('message', (data) => hear(String(data)));
        socket.on('error', (error) => hear(error.message));
        atEnd(() => socket.terminate());
      },
    ],
  ])('a frame in the packet of the 101: %s', async (_name, run) => {
    const { url } = await listenSwitching({}, Buffer.from('81026869', 'hex'));
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      run(url, (line) => log.push(line) === 2 && resolve());
    });
    expect(log).toEqual(['open', 'hi']);
  });

  const SERVERS = [
    ['the adapter', (): Promise<number> => portOfOld(adapter.createServer())],
    ['the core', (): Promise<number> => portOfCore(new WebSocketServer({ port: 0, host: '127.0.0.1' }))],
  ] as const;

  test.each(SERVERS)('a handshake without its headers gets closed: %s', async (_name, start) => {
    const raw = Wire.to(
      await start(),
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    expect((await raw.head()).line).toBe('HTTP/1.1 400 Bad Request');
    await raw.over();
  });

  test('text during a binary message is an error: the adapter', async () => {
    const server = adapter.createServer();
    const conn = adapter.connect(`ws://127.0.0.1:${await portOfOld(server)}`);
    atEnd(() => conn.socket.destroy());
    await once(conn, 'connect');
    conn.beginBinary();
    const error = once(conn, 'error');
    conn.sendText('x');
    expect((await error)[0]).toBeInstanceOf(Error);
  });
  test('text during a binary message waits for its end: the core', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const log: unknown[] = [];
    const both = new Promise<void>((resolve) => {
      server.on('connection', (socket) => socket.on('message', (data) => log.push(String(data)) === 2 && resolve()));
    });
    const socket = new WebSocket(`ws://127.0.0.1:${await portOfCore(server)}`);
    atEnd(() => socket.terminate());
    await once(socket, 'open');
    const out = socket.createOutgoing({ binary: true });
    out.write('bi');
    socket.send('text');
    out.end('nary');
    await both;
    expect(log).toEqual(['binary', 'text']);
  });

  test('close refuses new ones, and is done behind the last: the adapter', async () => {
    const server = adapter.createServer();
    const port = await portOfOld(server);
    const raw = await Wire.open(port);
    expect(await closesBehind(raw, port, (done) => server.close(done))).toEqual(['refused', 'open', 'done']);
  });
  test('close refuses new ones, and is done behind the last: the core', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const port = await portOfCore(server);
    const raw = await Wire.open(port);
    expect(await closesBehind(raw, port, (done) => server.close(done))).toEqual(['refused', 'open', 'done']);
  });
  /** What comes to pass, in this order. */
  async function closesBehind(raw: Wire, port: number, close: (done: () => void) => void): Promise<string[]> {
    const log: string[] = [];
    const done = new Promise<void>((resolve) => {
      close(() => {
        log.push('done');
        resolve();
      });
    });
    const [error] = await next<[NodeJS.ErrnoException]>(connectTcp(port, '127.0.0.1'), 'error');
    if (error.code === 'ECONNREFUSED') log.push('refused');
    raw.send(9, 'still here');
    if ((await raw.frames(1))[0]?.opcode === 10) log.push('open');
    raw.send(8);
    await raw.over();
    raw.socket.end();
    await done;
    return log;
  }

  test('a ping, and the pong as a string: the adapter', async () => {
    const conn = adapter.connect(`ws://127.0.0.1:${await portOfOld(adapter.createServer())}`);
    atEnd(() => conn.socket.destroy());
    await once(conn, 'connect');
    conn.sendPing('ping-data');
    expect(await once(conn, 'pong')).toEqual(['ping-data']);
  });
  test('a ping, and the pong as a Buffer: the core', async () => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${await portOfCore(new WebSocketServer({ port: 0, host: '127.0.0.1' }))}`,
    );
    atEnd(() => socket.terminate());
    await once(socket, 'open');
    socket.ping('ping-data');
    expect(await once(socket, 'pong')).toEqual([Buffer.from('ping-data')]);
  });

  const TEXTS = ['first', 'second', '', 'x'.repeat(70_000), 'last'];
  test('texts in order, by forEach: the adapter', async () => {
    const server = adapter.createServer();
    const arrival = once(server, 'connection') as Promise<[Connection]>;
    const conn = adapter.connect(`ws://127.0.0.1:${await portOfOld(server)}`);
    atEnd(() => conn.socket.destroy());
    const [remote] = await arrival;
    const log: string[] = [];
    const all = new Promise<void>((resolve) =>
      remote.on('text', (text) => log.push(text) === TEXTS.length && resolve()),
    );
    await once(conn, 'connect');
    TEXTS.forEach(conn.sendText, conn);
    await all;
    expect(log).toEqual(TEXTS);
  });
  test('texts in order: the core', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const log: string[] = [];
    const all = new Promise<void>((resolve) => {
      server.on('connection', (socket) =>
        socket.on('message', (data) => log.push(String(data)) === TEXTS.length && resolve()),
      );
    });
    const socket = new WebSocket(`ws://127.0.0.1:${await portOfCore(server)}`);
    atEnd(() => socket.terminate());
    await once(socket, 'open');
    for (const text of TEXTS) socket.send(text);
    await all;
    expect(log).toEqual(TEXTS);
  });
});
