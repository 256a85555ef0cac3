import { createServer as createHttpsServer } from 'node:https';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { WebSocketServer } from '@ws/server';
import { makeCertificate } from '@ws/testing';
import { atEnd, portOf, startHttp } from '@ws/testing/peer';
import {
  connect,
  createServer,
  setMaxBufferLength,
  type Connection,
  type ServerOptions,
} from '../../src/nodejs-websocket/index.js';
import { startCore } from '../http-servers.js';
import { portOfOld } from '../nodejs-websocket/programs.js';
import { ws8Server } from '../ws2/support.js';
import { program, until } from './client.js';

afterEach(() => setMaxBufferLength(2_097_152));

type Print = (line: string) => void;

program<(print: Print) => Promise<number>>(
  'A-17 a server that screams',
  {
    adapter: (print) =>
      portOfOld(
        createServer((conn) => {
          print('New connection');
          conn.on('text', (text) => {
            print(`Received ${text}`);
            conn.sendText(`${text.toUpperCase()}!!!`);
          });
          conn.on('close', () => print('Connection closed'));
        }),
      ),
    core: async (print) => {
      const { server, port } = await startCore();
      server.on('connection', (socket) => {
        print('New connection');
        socket.on('message', (data) => {
          print(`Received ${String(data)}`);
          socket.send(`${String(data).toUpperCase()}!!!`);
        });
        socket.on('closing', () => print('Connection closed'));
      });
      return port;
    },
  },
  async (start, join) => {
    const lines: string[] = [];
    const client = join(await start((line) => lines.push(line)));
    await client.opened;
    client.socket.send('hi');
    expect(await client.until(1)).toEqual(['HI!!!']);
    client.socket.close(1000);
    expect(await client.closed).toEqual([1000, '']);
    expect(lines).toEqual(['New connection', 'Received hi', 'Connection closed']);
  },
);

program<() => Promise<number>>(
  'A-18 to all that are connected, while one leaves',
  {
    adapter: () => {
      const server = createServer((conn) =>
        conn.on('text', () =>
          server.connections.forEach((each, index) => (index === 0 ? each.close(4000) : each.sendText('to all'))),
        ),
      );
      return portOfOld(server);
    },
    core: async () => {
      const { server, port } = await startCore();
      server.on('connection', (socket) =>
        socket.on('message', () => {
          const [first] = server.clients;
          first?.close(4000);
          server.broadcast('to all');
        }),
      );
      return port;
    },
  },
  async (start, join) => {
    const port = await start();
    const clients = [];
    for (let n = 0; n < 3; n++) {
      const client = join(port);
      await client.opened;
      clients.push(client);
    }
    const [first, second, third] = clients;
    third!.socket.send('go');
    expect(await first!.closed).toEqual([4000, '']);
    await Promise.all([second!.until(1), third!.until(1)]);
    for (const client of [second!, third!]) {
      client.socket.close();
      await client.closed; // nothing came behind
    }
    expect(clients.map(({ messages }) => messages)).toEqual([[], ['to all'], ['to all']]);
  },
);

const SIZE = 5 * 2 ** 20;

program<(log: (length: number) => void) => Promise<number>>(
  'A-19 a large binary message',
  {
    adapter: (log) => {
      setMaxBufferLength(SIZE);
      return portOfOld(
        createServer((conn) =>
          conn.on('binary', (message) => {
            let data = Buffer.alloc(0);
            message.on('readable', () => {
              const chunk = message.read() as Buffer | null;
              if (chunk) data = Buffer.concat([data, chunk]);
            });
            message.on('end', () => log(data.length));
          }),
        ),
      );
    },
    core: async (log) => {
      const { server, port } = await startCore({ incoming: 'stream', maxPayload: SIZE });
      server.on('connection', (socket) =>
        socket.on('incoming', (message) => void message.buffer().then(({ length }) => log(length))),
      );
      return port;
    },
  },
  async (start, join) => {
    const lengths: number[] = [];
    const client = join(await start((length) => lengths.push(length)));
    await client.opened;
    client.socket.send(Buffer.alloc(SIZE, 'part'));
    await until(() => lengths.length === 1);
    expect(lengths).toEqual([SIZE]);
  },
);

const VALID = ['a', 'b', 'c'];
const bestOf = (asked: Iterable<string>): string | undefined => [...asked].find((name) => VALID.includes(name));

program<(way: 'list' | 'function', agreed: (protocol: string | undefined) => void) => Promise<number>>(
  'A-20 subprotocols',
  {
    adapter: (way, agreed) => {
      const options: ServerOptions =
        way === 'list' ? { validProtocols: VALID } : { selectProtocol: (_conn, asked) => bestOf(asked) };
      return portOfOld(createServer(options, ({ protocol }) => agreed(protocol)));
    },
    core: async (way, agreed) => {
      const { server, port } = await startCore(way === 'list' ? { protocols: VALID } : { handleProtocols: bestOf });
      server.on('connection', ({ protocol }) => agreed(protocol || undefined));
      return port;
    },
  },
  async (start, join) => {
    for (const way of ['list', 'function'] as const) {
      const seen: unknown[] = [];
      const port = await start(way, (protocol) => seen.push(protocol));
      const client = join(port, { protocols: ['x', 'y', 'b', 'a'] });
      await client.opened;
      await join(port).opened;
      await expect(join(port, { protocols: ['x'] }).opened).rejects.toThrow('it failed');
      expect([client.socket.protocol, seen]).toEqual(['b', ['b', undefined, undefined]]);
    }
  },
);

const { key, cert } = makeCertificate(['localhost', '127.0.0.1']);
const scream = (text: string): string => `${text.toUpperCase()}!!!`;

program<() => Promise<number>>(
  'A-21 over TLS',
  {
    adapter: () =>
      portOfOld(
        createServer({ secure: true, key, cert }, (conn) => conn.on('text', (text) => conn.sendText(scream(text)))),
      ),
    core: async () => {
      const https = await startHttp(createHttpsServer({ key, cert }));
      const server = new WebSocketServer({ server: https });
      server.on('connection', (socket) => socket.on('message', (data) => socket.send(scream(String(data)))));
      return portOf(https);
    },
  },
  async (start, join) => {
    const port = await start();
    const client = join(port, { scheme: 'wss', ca: cert });
    await client.opened;
    client.socket.send('hi');
    expect(await client.until(1)).toEqual(['HI!!!']);
    await expect(join(port, { scheme: 'wss' }).opened).rejects.toThrow('it failed');
  },
);

program<() => Promise<number>>(
  'A-22 a chat',
  {
    adapter: () => {
      const names = new WeakMap<Connection, string>();
      const tell = (text: string): void => server.connections.forEach((conn) => conn.sendText(text));
      const server = createServer((conn) => {
        conn.on('text', (text) => {
          const name = names.get(conn);
          if (name === undefined) names.set(conn, text);
          tell(name === undefined ? `${text} entered` : `[${name}] ${text}`);
        });
        conn.on('close', () => tell(`${names.get(conn)} left`));
      });
      return portOfOld(server);
    },
    core: async () => {
      const { server, port } = await startCore();
      server.on('connection', (socket) => {
        let name: string | undefined;
        socket.on('message', (data) => {
          server.broadcast(name === undefined ? `${String(data)} entered` : `[${name}] ${String(data)}`);
          name ??= String(data);
        });
        socket.on('close', () => server.broadcast(`${name} left`));
      });
      return port;
    },
  },
  async (start, join) => {
    const port = await start();
    const [ann, bob] = [join(port), join(port)];
    await Promise.all([ann.opened, bob.opened]);
    ann.socket.send('ann');
    await bob.until(1);
    bob.socket.send('bob');
    await ann.until(2);
    ann.socket.send('hello');
    await ann.until(3);
    ann.socket.close();
    await bob.until(4);
    bob.socket.send('alone');
    const shared = ['ann entered', 'bob entered', '[ann] hello'];
    expect(await bob.until(5)).toEqual([...shared, 'ann left', '[bob] alone']);
    expect(ann.messages).toEqual(shared);
  },
);

// Its clients, at a server that is not ours.
type Say = (url: string, protocols: string[] | undefined) => Promise<{ said: string; protocol: string }>;

describe.each<[string, Say]>([
  [
    'adapter',
    (url, protocols) =>
      new Promise((resolve, reject) => {
        const conn = connect(url, { protocols }, () => conn.sendText('hi'));
        atEnd(() => conn.socket.destroy());
        conn.on('error', reject).on('text', (said) => resolve({ said, protocol: conn.protocol ?? '' }));
      }),
  ],
  [
    'core',
    (url, protocols) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(url, protocols);
        atEnd(() => socket.terminate());
        socket.on('open', () => socket.send('hi')).on('error', reject);
        socket.on('message', (said) => resolve({ said: String(said), protocol: socket.protocol }));
      }),
  ],
])('A-17 A-20 a client of the %s at a server of ws', (_name, say) => {
  test.each([
    [undefined, ''],
    [['x', 'b'], 'x'],
  ])('%p', async (protocols, protocol) => {
    const { server, url } = await ws8Server();
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(scream(String(data)))));
    expect(await say(url, protocols)).toEqual({ said: 'HI!!!', protocol });
  });
});
