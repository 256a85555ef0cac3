import { expect } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { WebSocketServer } from '@ws/server';
import { hex } from '@ws/testing';
import { WebSocket as Ws } from 'ws';
import { atEnd, BINARY, frame, handshake, PING, portOf, shake, TEXT, Wire } from '@ws/testing/peer';
import { Server } from '../../src/websockets/index.js';
import { startCore, startPages } from '../http-servers.js';
import { Client, opened, program, start } from './support.js';

/** How many connections there are. */
type Counts = { readonly port: number; readonly count: () => number };

program<() => Promise<Counts>>(
  'A-07 four may come, the fifth gets 503',
  {
    adapter: async () => {
      const { server, port } = await start({ maxConnections: 4 });
      return { port, count: () => server.sockets.length };
    },
    core: async () => {
      const { server, port } = await startCore({ maxConnections: 4 });
      return { port, count: () => server.clients.size };
    },
  },
  async (make) => {
    const { port, count } = await make();
    const clients = await Promise.all([1, 2, 3, 4].map(() => opened(new Client(port))));
    expect((await shake(port)).status).toBe(503);
    expect(clients.map(({ socket }) => socket.readyState)).toEqual([1, 1, 1, 1]);
    clients[0]!.socket.close();
    await clients[0]!.socket.closed;
    while (count() === 4) await new Promise((resolve) => setImmediate(resolve));
    expect((await shake(port)).status).toBe(101);
    expect(count()).toBe(4);
  },
);

program<() => Promise<{ port: number; first(): void; rest(): void }>>(
  'A-08 a message is written to all, part by part',
  {
    adapter: async () => {
      const { server, port } = await start();
      return {
        port,
        first: () => void server.write(Buffer.from([0x01, 0x02, 0x03])),
        rest: () => void (server.write(Buffer.from([0x04, 0x05, 0x06])), server.write(Buffer.alloc(0))),
      };
    },
    core: async () => {
      const { server, port } = await startCore();
      const message = server.createBroadcast({ binary: true });
      return {
        port,
        first: () => void message.write(Buffer.of(1, 2, 3)),
        rest: () => void (message.write(Buffer.of(4, 5, 6)), message.end(Buffer.alloc(0))),
      };
    },
  },
  async (make) => {
    const { port, first, rest } = await make();
    const client = await opened(new Client(port));
    const wire = await Wire.open(port);
    first();
    expect(await wire.take(5)).toBe('0203010203');
    const late = await Wire.open(port);
    rest();
    expect(await wire.take(7)).toBe('0003040506' + '8000');
    expect(await client.until(1)).toEqual([Buffer.of(1, 2, 3, 4, 5, 6)]);
    late.send(PING, 'still there?');
    expect(await late.take(14)).toBe(`8a0c${Buffer.from('still there?').toString('hex')}`);
  },
);

program<(http: Awaited<ReturnType<typeof startPages>>, url: string, hello: string) => unknown>(
  'A-09 servers on one http server, which serves its pages',
  {
    adapter: (http, url, hello) => new Server({ url }).listen(http).on('open', (socket) => socket.send(hello)),
    core: (http, url, hello) => {
      const path = new URL(url).pathname;
      const server = new WebSocketServer({ noServer: true, path, unservedPath: 404 }).attach(http);
      return server.on('connection', (socket) => socket.send(hello));
    },
  },
  async (make) => {
    const http = await startPages();
    const port = portOf(http);
    make(http, 'ws://localhost', 'root');
    make(http, 'ws://localhost/chat', 'chat');
    expect(await new Client(port, '/').until(1)).toEqual(['root']);
    expect(await new Client(port, '/chat').until(1)).toEqual(['chat']);
    expect((await shake(port, handshake({}, 'GET /unknown HTTP/1.1'))).status).toBe(404);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
  },
);

const SENTENCE = 'This is for everybody who is here: für alle.';

program<() => Promise<{ port: number; tell: () => void }>>(
  'A-10 a sentence for all',
  {
    adapter: async () => {
      const { server, port } = await start();
      return { port, tell: () => void server.broadcast({ fin: true, opcode: 0x01 }, Buffer.from(SENTENCE)) };
    },
    core: async () => {
      const { server, port } = await startCore();
      return { port, tell: () => void server.broadcast(Buffer.from(SENTENCE), { binary: false }) };
    },
  },
  async (make) => {
    const { port, tell } = await make();
    const clients = await Promise.all([1, 2, 3].map(() => opened(new Client(port))));
    const wire = await Wire.open(port);
    tell();
    for (const client of clients) expect(await client.until(1)).toEqual([SENTENCE]);
    const bytes = Buffer.from(SENTENCE);
    expect(await wire.take(bytes.length + 2)).toBe(`81${bytes.length.toString(16)}${bytes.toString('hex')}`);
  },
);

program<() => Promise<{ port: number }>>(
  'A-11 a greeting is the first message of each',
  {
    adapter: async () => {
      const started = await start();
      started.server.on('open', (socket) => socket.send('Hello new WebSocket.'));
      return started;
    },
    core: async () => {
      const started = await startCore();
      started.server.on('connection', (socket) => socket.send('Hello new WebSocket.'));
      return started;
    },
  },
  async (make) => {
    const { port } = await make();
    const client = new Client(port);
    expect(await client.until(1)).toEqual(['Hello new WebSocket.']);
  },
);

program<() => Promise<{ port: number }>>(
  'A-12 the pong first, then the answer to it',
  {
    adapter: async () => {
      const started = await start();
      started.server.on('pong', (_message, socket) => socket.send('You have pinged me?'));
      return started;
    },
    core: async () => {
      const started = await startCore();
      started.server.on('connection', (socket) => socket.on('ping', () => socket.send('You have pinged me?')));
      return started;
    },
  },
  async (make) => {
    const { port } = await make();
    const wire = await Wire.open(port);
    wire.send(PING, 'x');
    expect(await wire.take(24)).toBe(`8a01788113${Buffer.from('You have pinged me?').toString('hex')}`);
    const socket = new Ws(`ws://127.0.0.1:${port}/`);
    atEnd(() => socket.terminate());
    await once(socket, 'open');
    const told: string[] = [];
    socket.on('pong', (data) => told.push(String(data)));
    socket.ping('y');
    await once(socket, 'message');
    expect(told).toEqual(['y']);
  },
);

program<(print: (line: string) => void) => Promise<Counts>>(
  'A-13 who left, and how',
  {
    adapter: async (print) => {
      const { server, port } = await start();
      server.on('close', (code, socket) => print(`${socket.id}:${code}`));
      return { port, count: () => server.sockets.length };
    },
    core: async (print) => {
      const { server, port } = await startCore();
      let ids = 0;
      server.on('connection', (socket) => {
        const id = ids++;
        socket.on('close', (code) => print(`${id}:${code}`));
      });
      return { port, count: () => server.clients.size };
    },
  },
  async (make) => {
    const printed = new EventEmitter();
    const lines: string[] = [];
    const { port, count } = await make((line) => {
      lines.push(line);
      printed.emit('line');
    });
    const leave: ((client: Client) => void)[] = [
      ({ socket }) => socket.close(1000),
      ({ socket }) => socket.close(4001),
      ({ socket }) => socket.close(),
      ({ socket }) => socket.terminate(),
    ];
    for (const act of leave) {
      const line = once(printed, 'line');
      act(await opened(new Client(port)));
      await line;
    }
    expect(lines).toEqual(['0:1000', '1:4001', '2:1005', '3:1006']);
    while (count() > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(count()).toBe(0);
  },
);

program<(log: (error: Error) => void) => Promise<{ port: number }>>(
  'A-14 who breaks a rule is told, and so are we',
  {
    adapter: async (log) => {
      const started = await start({ maxPayload: 1000 });
      started.server.on('error', (error) => log(error));
      started.server.on('message', (message, socket) => socket.send(message));
      return started;
    },
    core: async (log) => {
      const started = await startCore({ maxPayload: 1000 });
      started.server.on('connection', (socket) => {
        socket.on('error', log);
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      return started;
    },
  },
  async (make) => {
    const errors: Error[] = [];
    const { port } = await make((error) => errors.push(error));
    const other = await opened(new Client(port));
    for (const [bytes, code] of [
      [hex`81 01 | 61`, 1002],
      [frame(TEXT, Buffer.of(0xc3, 0x28)), 1007],
      [frame(BINARY, Buffer.alloc(1001)), 1009],
    ] as const) {
      const wire = await Wire.open(port);
      wire.write(bytes);
      expect(await wire.take(4)).toBe(`8802${code.toString(16).padStart(4, '0')}`);
      wire.socket.end();
      await wire.rest();
    }
    expect(errors.every((error) => error instanceof Error)).toBe(true);
    expect(errors.map((error) => (error as NodeJS.ErrnoException).code)).toEqual([
      'WS_ERR_EXPECTED_MASK',
      'WS_ERR_INVALID_UTF8',
      'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    ]);
    other.socket.send('unaffected');
    expect(await other.until(1)).toEqual(['unaffected']);
  },
);

program<(got: (message: unknown) => void) => Promise<{ port: number }>>(
  'A-15 what you have sent me',
  {
    adapter: async (got) => {
      const started = await start();
      started.server.on('message', (message, socket) => {
        got(message);
        socket.send(`You have sent me ${String(message)}`);
      });
      return started;
    },
    core: async (got) => {
      const started = await startCore();
      started.server.on('connection', (socket) =>
        socket.on('message', (data, isBinary) => {
          got(isBinary ? data : String(data));
          socket.send(`You have sent me ${String(data)}`);
        }),
      );
      return started;
    },
  },
  async (make) => {
    const messages: unknown[] = [];
    const { port } = await make((message) => messages.push(message));
    const client = await opened(new Client(port));
    client.socket.send('a text');
    client.socket.send(Buffer.from('bytes'));
    expect(await client.until(2)).toEqual(['You have sent me a text', 'You have sent me bytes']);
    expect(messages).toEqual(['a text', Buffer.from('bytes')]);
  },
);
