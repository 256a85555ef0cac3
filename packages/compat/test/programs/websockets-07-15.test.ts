import { expect } from '@jest/globals';
import type { Server as HttpServer } from 'node:http';
import { WebSocketServer } from '@ws/server';
import { PING, portOf, Wire } from '@ws/testing/peer';
import { Server } from '../../src/websockets/index.js';
import { startCore, startPages } from '../http-servers.js';
import { start } from '../websockets/support.js';
import { RAW, UNDICI, WS, OURS, type Client } from './client.js';
import { program, until } from './program.js';

type Start = () => Promise<{ port: number }>;
/** With how many connections there are. */
type Counted = Promise<{ port: number; count: () => number }>;

const counted = async (started: ReturnType<typeof start>): Counted => {
  const { server, port } = await started;
  return { port, count: () => server.sockets.length };
};
const countedCore = async (started: ReturnType<typeof startCore>): Counted => {
  const { server, port } = await started;
  return { port, count: () => server.clients.size };
};

program<() => Counted>('A-07 four may come, the fifth gets 503', {
  adapter: () => counted(start({ maxConnections: 4 })),
  core: () => countedCore(startCore({ maxConnections: 4 })),
  async seen(make, peer) {
    const { port, count } = await make();
    const [first, ...others] = await Promise.all([1, 2, 3, 4].map(() => peer.open(port)));
    await peer.expectRefusal(503, port);
    expect(count()).toBe(4);
    await first!.close();
    await until(() => count() === 3);
    await peer.open(port);
    expect(count()).toBe(4);
    for (const other of others) expect(await other.close(4000)).toEqual([4000, '']); // it was still there
  },
});

program<() => Promise<{ port: number; write: (...bytes: number[]) => void }>>(
  'A-08 a message is written to all, part by part',
  {
    adapter: async () => {
      const { server, port } = await start();
      return { port, write: (...bytes) => void server.write(Buffer.from(bytes)) };
    },
    core: async () => {
      const { server, port } = await startCore();
      const message = server.createBroadcast({ binary: true });
      return { port, write: (...bytes) => void (bytes.length > 0 ? message.write(Buffer.from(bytes)) : message.end()) };
    },
    async seen(make, peer) {
      const { port, write } = await make();
      const both = [await peer.open(port), await peer.open(port)];
      write(1, 2, 3);
      const late = await peer.open(port);
      write(4, 5, 6);
      write();
      for (const client of both) expect(await client.until(1)).toEqual([Buffer.of(1, 2, 3, 4, 5, 6)]);
      await late.close();
      expect(late.heard).toEqual([]);
    },
    async check(make) {
      const { port, write } = await make();
      const wire = await Wire.open(port);
      write(1, 2, 3);
      expect(await wire.take(5)).toBe('0203010203');
      const late = await Wire.open(port);
      write(4, 5, 6);
      write();
      expect(await wire.take(7)).toBe('0003040506' + '8000');
      late.send(PING, 'a');
      expect(await late.take(3)).toBe('8a0161');
    },
  },
);

program<(http: HttpServer, url: string, hello: string) => unknown>(
  'A-09 servers on one http server, which serves its pages',
  {
    adapter: (http, url, hello) => new Server({ url }).listen(http).on('open', (socket) => socket.send(hello)),
    core: (http, url, hello) =>
      new WebSocketServer({ noServer: true, path: new URL(url).pathname, unservedPath: 404 })
        .attach(http)
        .on('connection', (socket) => socket.send(hello)),
    async seen(make, peer) {
      const http = await startPages();
      const port = portOf(http);
      make(http, 'ws://localhost', 'root');
      make(http, 'ws://localhost/chat', 'chat');
      expect(await (await peer.open(port)).until(1)).toEqual(['root']);
      expect(await (await peer.open(port, { path: '/chat' })).until(1)).toEqual(['chat']);
      await peer.expectRefusal(404, port, { path: '/unknown' });
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
    },
  },
);

const SENTENCE = 'This is for everybody who is here: für alle.';

program<() => Promise<{ port: number; tell: () => void }>>('A-10 a sentence for all', {
  adapter: async () => {
    const { server, port } = await start();
    return { port, tell: () => void server.broadcast({ fin: true, opcode: 0x01 }, Buffer.from(SENTENCE)) };
  },
  core: async () => {
    const { server, port } = await startCore();
    return { port, tell: () => void server.broadcast(Buffer.from(SENTENCE), { binary: false }) };
  },
  async seen(make, peer) {
    const { port, tell } = await make();
    const clients = await Promise.all([1, 2, 3].map(() => peer.open(port)));
    tell();
    for (const client of clients) expect(await client.until(1)).toEqual([SENTENCE]);
  },
  async check(make) {
    const { port, tell } = await make();
    const wire = await Wire.open(port);
    tell();
    const bytes = Buffer.from(SENTENCE);
    expect(await wire.take(bytes.length + 2)).toBe(`81${bytes.length.toString(16)}${bytes.toString('hex')}`);
  },
});

program<Start>('A-11 a greeting is the first message of each', {
  adapter: () => start({}, (server) => server.on('open', (socket) => socket.send('Hello new WebSocket.'))),
  core: () => startCore({}, (server) => server.on('connection', (socket) => socket.send('Hello new WebSocket.'))),
  async seen(make, peer) {
    const { port } = await make();
    expect(await (await peer.open(port)).until(1)).toEqual(['Hello new WebSocket.']);
  },
});

program<Start>('A-12 the pong first, then the answer to it', {
  adapter: () => start({}, (server) => server.on('pong', (_message, socket) => socket.send('You have pinged me?'))),
  core: () =>
    startCore({}, (server) =>
      server.on('connection', (socket) => socket.on('ping', () => socket.send('You have pinged me?'))),
    ),
  by: [RAW, WS, OURS],
  async seen(make, peer) {
    const client = await peer.open((await make()).port);
    client.ping('x');
    expect(await client.until(2)).toEqual(['pong x', 'You have pinged me?']);
  },
  async check(make) {
    const wire = await Wire.open((await make()).port);
    wire.send(PING, 'x');
    expect(await wire.take(24)).toBe(`8a01788113${Buffer.from('You have pinged me?').toString('hex')}`);
  },
});

program<(print: (line: string) => void) => Counted>('A-13 who left, and how', {
  adapter: (print) =>
    counted(start({}, (server) => server.on('close', (code, socket) => print(`${socket.id}:${code}`)))),
  core: (print) => {
    let ids = 0;
    return countedCore(
      startCore({}, (server) =>
        server.on('connection', (socket) => {
          const id = ids++;
          socket.on('close', (code) => print(`${id}:${code}`));
        }),
      ),
    );
  },
  async seen(make, peer) {
    const lines: string[] = [];
    const { port, count } = await make((line) => lines.push(line));
    const ways: [line: string, leave: (client: Client) => unknown][] = [
      ['0:1000', (client) => client.close(1000)],
      ['1:4001', (client) => client.close(4001)],
      ['2:1005', (client) => client.close()],
    ];
    if (!peer.isBrowser) ways.push(['3:1006', (client) => client.cut()]);
    for (const [n, [, leave]] of ways.entries()) {
      void leave(await peer.open(port));
      await until(() => lines.length > n);
    }
    await until(() => count() === 0);
    expect(lines).toEqual(ways.map(([line]) => line));
  },
});

program<(log: (error: Error) => void) => Promise<{ port: number }>>('A-14 who breaks a rule is told, and so are we', {
  adapter: (log) =>
    start({ maxPayload: 1000 }, (server) =>
      server.on('error', log).on('message', (message, socket) => socket.send(message)),
    ),
  core: (log) =>
    startCore({ maxPayload: 1000 }, (server) =>
      server.on('connection', (socket) => {
        socket.on('error', log);
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      }),
    ),
  by: [RAW, WS, UNDICI],
  async seen(make, peer) {
    const errors: NodeJS.ErrnoException[] = [];
    const { port } = await make((error) => errors.push(error));
    const other = await peer.open(port);
    type Offence = [code: number, error: string, offend: (client: Client) => void];
    const offences: Offence[] = [
      [1009, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', (client) => client.send('x'.repeat(1001))],
    ];
    if (!peer.isBrowser)
      offences.push(
        [1007, 'WS_ERR_INVALID_UTF8', (client) => client.send(Buffer.of(0xc3, 0x28), { binary: false })],
        [1002, 'WS_ERR_EXPECTED_MASK', (client) => client.send('a', { mask: false })],
      );
    for (const [code, , offend] of offences) {
      const client = await peer.open(port);
      offend(client);
      expect(await client.closed).toEqual([code, '']);
    }
    expect(errors.every((error) => error instanceof Error)).toBe(true);
    expect(errors.map(({ code }) => code)).toEqual(offences.map(([, error]) => error));
    other.send('unaffected');
    expect(await other.until(1)).toEqual(['unaffected']);
  },
});

program<(got: (message: unknown) => void) => Promise<{ port: number }>>('A-15 what you have sent me', {
  adapter: (got) =>
    start({}, (server) =>
      server.on('message', (message, socket) => {
        got(message);
        socket.send(`You have sent me ${String(message)}`);
      }),
    ),
  core: (got) =>
    startCore({}, (server) =>
      server.on('connection', (socket) =>
        socket.on('message', (data, isBinary) => {
          got(isBinary ? data : String(data));
          socket.send(`You have sent me ${String(data)}`);
        }),
      ),
    ),
  async seen(make, peer) {
    const got: unknown[] = [];
    const { port } = await make((message) => got.push(message));
    const client = await peer.open(port);
    client.send('a text');
    client.send(Buffer.from('bytes'));
    expect(await client.until(2)).toEqual(['You have sent me a text', 'You have sent me bytes']);
    expect(got).toEqual(['a text', Buffer.from('bytes')]);
  },
});
