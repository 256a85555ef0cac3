// What the old library tested of itself.
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { expect } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { WebSocketServer } from '@ws/server';
import { atEnd, CLOSE, handshake, listenSwitching, next, PING, PONG, portOf, shake, Wire } from '@ws/testing/peer';
import adapter, { type Connection } from '../../src/nodejs-websocket/index.js';
import { startCore } from '../http-servers.js';
import { portOfOld } from '../nodejs-websocket/original.js';
import { program, until } from './program.js';

type Options = NonNullable<Parameters<typeof adapter.connect>[1]>;

function connectOld(url: string, options?: Options): Connection {
  const conn = adapter.connect(url, options);
  atEnd(() => conn.socket.destroy());
  return conn;
}
function connectCore(url: string, options?: object): WebSocket {
  const socket = new WebSocket(url, options);
  socket.on('error', () => {}); // some are ended as they connect
  atEnd(() => socket.terminate());
  return socket;
}

/** Both ends. */
async function pairOld(options?: Options): Promise<{ conn: Connection; remote: Connection }> {
  const server = adapter.createServer();
  const arrival = next<[Connection]>(server, 'connection');
  const conn = connectOld(`ws://127.0.0.1:${await portOfOld(server)}`, options);
  await once(conn, 'connect');
  return { conn, remote: (await arrival)[0] };
}
/** The client's end, and what arrives at the other. */
async function pairCore(): Promise<{ socket: WebSocket; log: string[] }> {
  const log: string[] = [];
  const { server, port } = await startCore();
  server.on('connection', (remote) => remote.on('message', (data) => log.push(String(data))));
  const socket = connectCore(`ws://127.0.0.1:${port}`);
  await once(socket, 'open');
  return { socket, log };
}

program<(headers: Record<string, string>) => Promise<unknown>>('A-23 an extra header arrives in lower case', {
  adapter: async (extraHeaders) => (await pairOld({ extraHeaders })).remote.headers['x-header-ok'],
  core: async (headers) => {
    const { server, port } = await startCore();
    const arrival = once(server, 'connection') as Promise<[unknown, { headers: Record<string, string> }]>;
    connectCore(`ws://127.0.0.1:${port}`, { headers });
    return (await arrival)[1].headers['x-header-ok'];
  },
  async check(headerOf) {
    expect(await headerOf({ 'X-HeaDer-OK': 'Yes' })).toBe('Yes');
  },
});

program<(url: string, hear: (line: string) => void) => unknown>('A-23 a frame in the packet of the 101', {
  adapter: (url, hear) => {
    const conn = connectOld(url);
    conn.on('connect', () => hear('open')).on('text', hear);
    conn.on('error', (error) => hear(error.message));
  },
  core: (url, hear) => {
    const socket = connectCore(url, { perMessageDeflate: false });
    socket.on('open', () => hear('open')).on('message', (data) => hear(String(data)));
    socket.on('error', (error) => hear(error.message));
  },
  async check(connect) {
    const { url } = await listenSwitching({}, Buffer.from('81026869', 'hex'));
    const log: string[] = [];
    connect(url, (line) => log.push(line));
    await until(() => log.length === 2);
    expect(log).toEqual(['open', 'hi']);
  },
});

program<() => Promise<number>>('A-23 a handshake without its headers gets closed', {
  adapter: () => portOfOld(adapter.createServer()),
  core: async () => (await startCore()).port,
  async check(start) {
    const { status, phrase } = await shake(await start(), handshake({ 'Sec-WebSocket-Key': undefined }));
    expect([status, phrase]).toEqual([400, 'Bad Request']);
  },
});

program<() => Promise<void>>('A-23 text during a binary message: an error; in the core, it waits', {
  adapter: async () => {
    const { conn } = await pairOld();
    conn.beginBinary();
    const error = once(conn, 'error');
    conn.sendText('x');
    expect((await error)[0]).toBeInstanceOf(Error);
  },
  core: async () => {
    const { socket, log } = await pairCore();
    const out = socket.createOutgoing({ binary: true });
    out.write('bi');
    socket.send('text');
    out.end('nary');
    await until(() => log.length === 2);
    expect(log).toEqual(['binary', 'text']);
  },
  check: (run) => run(),
});

program<() => Promise<{ port: number; close: (done: () => void) => unknown }>>(
  'A-23 close refuses new ones, and is done behind the last',
  {
    adapter: async () => {
      const server = adapter.createServer();
      return { port: await portOfOld(server), close: (done) => server.close(done) };
    },
    core: async () => {
      const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      return { port: portOf(server), close: (done) => server.close(done) };
    },
    async check(start) {
      const { port, close } = await start();
      const wire = await Wire.open(port);
      const log: unknown[] = [];
      const done = new Promise<void>((resolve) => void close(() => resolve(void log.push('done'))));
      const [error] = await next<[NodeJS.ErrnoException]>(connectTcp(port, '127.0.0.1'), 'error');
      log.push(error.code);
      log.push((await wire.send(PING, 'still here').frame())?.opcode);
      await wire.send(CLOSE).over();
      wire.socket.end();
      await done;
      expect(log).toEqual(['ECONNREFUSED', PONG, 'done']);
    },
  },
);

program<(data: string) => Promise<void>>('A-23 a ping, and the pong as a string; in the core, as a Buffer', {
  adapter: async (data) => {
    const { conn } = await pairOld();
    conn.sendPing(data);
    expect(await once(conn, 'pong')).toEqual([data]);
  },
  core: async (data) => {
    const { socket } = await pairCore();
    socket.ping(data);
    expect(await once(socket, 'pong')).toEqual([Buffer.from(data)]);
  },
  check: (run) => run('ping-data'),
});

program<(texts: string[]) => Promise<string[]>>('A-23 texts in order, also by forEach', {
  adapter: async (texts) => {
    const { conn, remote } = await pairOld();
    const log: string[] = [];
    remote.on('text', (text) => log.push(text));
    texts.forEach(conn.sendText, conn);
    await until(() => log.length === texts.length);
    return log;
  },
  core: async (texts) => {
    const { socket, log } = await pairCore();
    for (const text of texts) socket.send(text);
    await until(() => log.length === texts.length);
    return log;
  },
  async check(arrivalOf) {
    const texts = ['first', 'second', '', 'x'.repeat(70_000), 'last'];
    expect(await arrivalOf(texts)).toEqual(texts);
  },
});
