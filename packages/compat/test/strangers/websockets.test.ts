import { createHash } from 'node:crypto';
import { expect } from '@jest/globals';
import type { Server as HttpServer } from 'node:http';
import { WebSocketServer } from '@ws/server';
import { portOf } from '@ws/testing/peer';
import { Server } from '../../src/websockets/index.js';
import { startCore, startPages } from '../http-servers.js';
import { start as startAdapter } from '../websockets/support.js';
import { type Client, program, until, WS } from './client.js';

program<() => Promise<{ port: number; count: () => number }>>(
  'A-07 four may come, the fifth gets 503',
  {
    adapter: async () => {
      const { server, port } = await startAdapter({ maxConnections: 4 });
      return { port, count: () => server.sockets.length };
    },
    core: async () => {
      const { server, port } = await startCore({ maxConnections: 4 });
      return { port, count: () => server.clients.size };
    },
  },
  async (start, connect) => {
    const { port, count } = await start();
    const [first, ...others] = [1, 2, 3, 4].map(() => connect(port));
    await Promise.all([first!, ...others].map(({ opened }) => opened));
    expect((await connect(port).closed)[0]).toBe(1006);
    expect(count()).toBe(4);
    first!.socket.close();
    await first!.closed;
    await until(() => count() === 3);
    await connect(port).opened;
    expect(count()).toBe(4);
  },
);

program<() => Promise<{ port: number; write: (...bytes: number[]) => void }>>(
  'A-08 a message is written to all, part by part',
  {
    adapter: async () => {
      const { server, port } = await startAdapter();
      return { port, write: (...bytes) => void server.write(Buffer.from(bytes)) };
    },
    core: async () => {
      const { server, port } = await startCore();
      const message = server.createBroadcast({ binary: true });
      return { port, write: (...bytes) => void (bytes.length > 0 ? message.write(Buffer.from(bytes)) : message.end()) };
    },
  },
  async (start, connect) => {
    const { port, write } = await start();
    const both = [connect(port), connect(port)];
    await Promise.all(both.map(({ opened }) => opened));
    write(1, 2, 3);
    const late = connect(port);
    await late.opened;
    write(4, 5, 6);
    write();
    for (const client of both) expect(await client.until(1)).toEqual([Buffer.of(1, 2, 3, 4, 5, 6)]);
    late.socket.close();
    await late.closed;
    expect(late.messages).toEqual([]);
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
  },
  async (start, connect) => {
    const http = await startPages();
    const port = portOf(http);
    start(http, 'ws://localhost', 'root');
    start(http, 'ws://localhost/chat', 'chat');
    expect(await connect(port).until(1)).toEqual(['root']);
    expect(await connect(port, { path: '/chat' }).until(1)).toEqual(['chat']);
    await expect(connect(port, { path: '/unknown' }).opened).rejects.toThrow('it failed');
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('page');
  },
);

const SENTENCE = 'This is for everybody who is here: für alle.';

program<() => Promise<{ port: number; tell: () => void }>>(
  'A-10 a sentence for all',
  {
    adapter: async () => {
      const { server, port } = await startAdapter();
      return { port, tell: () => void server.broadcast({ fin: true, opcode: 0x01 }, Buffer.from(SENTENCE)) };
    },
    core: async () => {
      const { server, port } = await startCore();
      return { port, tell: () => void server.broadcast(Buffer.from(SENTENCE), { binary: false }) };
    },
  },
  async (start, connect) => {
    const { port, tell } = await start();
    const clients = [1, 2, 3].map(() => connect(port));
    await Promise.all(clients.map(({ opened }) => opened));
    tell();
    for (const client of clients) expect(await client.until(1)).toEqual([SENTENCE]);
  },
);

program<() => Promise<number>>(
  'A-11 a greeting is the first message of each',
  {
    adapter: async () => {
      const { server, port } = await startAdapter();
      server.on('open', (socket) => socket.send('Hello new WebSocket.'));
      return port;
    },
    core: async () => {
      const { server, port } = await startCore();
      server.on('connection', (socket) => socket.send('Hello new WebSocket.'));
      return port;
    },
  },
  async (start, connect) => {
    expect(await connect(await start()).until(1)).toEqual(['Hello new WebSocket.']);
  },
);

program<() => Promise<number>>(
  'A-12 the pong first, then the answer to it',
  {
    adapter: async () => {
      const { server, port } = await startAdapter();
      server.on('pong', (_message, socket) => socket.send('You have pinged me?'));
      return port;
    },
    core: async () => {
      const { server, port } = await startCore();
      server.on('connection', (socket) => socket.on('ping', () => socket.send('You have pinged me?')));
      return port;
    },
  },
  async (start, connect) => {
    const client = connect(await start());
    await client.opened;
    const heard: string[] = [];
    client.ws
      .on('pong', (data) => heard.push(`pong ${String(data)}`))
      .on('message', (data) => heard.push(String(data)));
    client.ws.ping('x');
    await client.until(1);
    expect(heard).toEqual(['pong x', 'You have pinged me?']);
  },
  [WS],
);

program<(print: (line: string) => void) => Promise<{ port: number; count: () => number }>>(
  'A-13 who left, and how',
  {
    adapter: async (print) => {
      const { server, port } = await startAdapter();
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
  async (start, connect, stranger) => {
    const lines: string[] = [];
    const { port, count } = await start((line) => lines.push(line));
    const expected = ['0:1000', '1:4001', '2:1005'];
    for (const code of [1000, 4001, undefined]) {
      const client = connect(port);
      await client.opened;
      client.socket.close(code);
      await client.closed;
      await until(() => count() === 0);
    }
    if (stranger === WS) {
      const client = connect(port);
      await client.opened;
      client.ws.terminate();
      expected.push('3:1006');
    }
    await until(() => lines.length === expected.length && count() === 0);
    expect(lines).toEqual(expected);
  },
);

program<(log: (error: unknown) => void) => Promise<number>>(
  'A-14 who breaks a rule is told, and so are we',
  {
    adapter: async (log) => {
      const { server, port } = await startAdapter({ maxPayload: 1000 });
      server.on('error', log).on('message', (message, socket) => socket.send(message));
      return port;
    },
    core: async (log) => {
      const { server, port } = await startCore({ maxPayload: 1000 });
      server.on('connection', (socket) => {
        socket.on('error', log);
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
      });
      return port;
    },
  },
  async (start, connect, stranger) => {
    const errors: unknown[] = [];
    const port = await start((error) => errors.push(error));
    const other = connect(port);
    await other.opened;
    const offend = async (offence: (client: Client) => void): Promise<number> => {
      const client = connect(port);
      await client.opened;
      offence(client);
      return (await client.closed)[0];
    };
    const codes = [await offend(({ socket }) => socket.send('x'.repeat(1001)))];
    if (stranger === WS) {
      codes.push(await offend(({ ws }) => ws.send(Buffer.of(0xc3, 0x28), { binary: false })));
      codes.push(await offend(({ ws }) => ws.send('a', { mask: false })));
    }
    const all = [
      [1009, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
      [1007, 'WS_ERR_INVALID_UTF8'],
      [1002, 'WS_ERR_EXPECTED_MASK'],
    ];
    const expected = all.slice(0, codes.length);
    expect(codes).toEqual(expected.map(([code]) => code));
    expect(errors.map((error) => (error as NodeJS.ErrnoException).code)).toEqual(expected.map(([, code]) => code));
    other.socket.send('unaffected');
    expect(await other.until(1)).toEqual(['unaffected']);
  },
);

program<(got: (message: unknown) => void) => Promise<number>>(
  'A-15 what you have sent me',
  {
    adapter: async (got) => {
      const { server, port } = await startAdapter();
      server.on('message', (message, socket) => {
        got(message);
        socket.send(`You have sent me ${String(message)}`);
      });
      return port;
    },
    core: async (got) => {
      const { server, port } = await startCore();
      server.on('connection', (socket) =>
        socket.on('message', (data, isBinary) => {
          got(isBinary ? data : String(data));
          socket.send(`You have sent me ${String(data)}`);
        }),
      );
      return port;
    },
  },
  async (start, connect) => {
    const got: unknown[] = [];
    const client = connect(await start((message) => got.push(message)));
    await client.opened;
    client.socket.send('a text');
    client.socket.send(Buffer.from('bytes'));
    expect(await client.until(2)).toEqual(['You have sent me a text', 'You have sent me bytes']);
    expect(got).toEqual(['a text', Buffer.from('bytes')]);
  },
);

const sha256 = (bytes: string | Buffer): string => createHash('sha256').update(bytes).digest('hex');

program<() => Promise<number>>(
  'A-16 images from two clients to all',
  {
    adapter: async () => {
      const { server, port } = await startAdapter();
      server.on('stream:start', (socket) => void socket.pipe(server));
      server.on('stream:stop', (socket) => socket.unpipe(server));
      return port;
    },
    core: async () => {
      const { server, port } = await startCore({ incoming: 'auto', maxPayload: 100 * 2 ** 20 });
      server.on('connection', (socket) =>
        socket.on('incoming', (image) =>
          image.pipe(server.createBroadcast({ binary: image.isBinary, forward: 2 ** 20 })),
        ),
      );
      return port;
    },
  },
  async (start, connect, stranger) => {
    const port = await start();
    const clients = [1, 2, 3].map(() => connect(port));
    await Promise.all(clients.map(({ opened }) => opened));
    const images = [1, 2].map((fill) => Buffer.alloc(10 * 2 ** 20, fill));
    for (const [n, image] of images.entries()) {
      const parts = stranger === WS ? 100 : 1; // a browser sends a message in one frame
      const size = Math.ceil(image.length / parts);
      for (let at = 0; at < image.length; at += size)
        if (parts === 1) clients[n]!.socket.send(image);
        else clients[n]!.ws.send(image.subarray(at, at + size), { fin: at + size >= image.length });
    }
    const both = images.map(sha256).toSorted();
    for (const client of clients) expect((await client.until(2)).map(sha256).toSorted()).toEqual(both);
  },
);
