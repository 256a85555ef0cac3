import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import {
  connect as connectTcp,
  createServer as createTcpServer,
  type AddressInfo,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { FrameParser } from '@ws/frame';
import { WebSocketServer } from '@ws/server';
import { makeCertificate } from '@ws/testing';
import adapter, { type Connection, type Server, type ServerOptions } from '../../src/nodejs-websocket/index.js';
import { endAll, heard, later, Raw, request, response } from './ends.js';
import { original } from './original.js';

// The programs of the old documents, on the adapter, on nodejs-websocket itself where it passes them, and said again in the core: what is seen of them is the same.

afterEach(async () => {
  await endAll();
  for (const { setMaxBufferLength } of [adapter, original]) setMaxBufferLength(2_097_152);
});

type Old = typeof original;

/** Where an old server listens. */
async function portOf(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.socket.on('connection', (socket: Socket) => sockets.add(socket));
  later(() => {
    server.socket.close();
    for (const socket of sockets) socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.socket.address() as AddressInfo).port;
}

async function portOfCore(server: WebSocketServer): Promise<number> {
  later(() => {
    server.close();
    for (const socket of server.clients) socket.terminate();
  });
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** A client without a library, behind its handshake. */
async function stranger(port: number, changes: Record<string, string> = {}): Promise<Raw> {
  const raw = new Raw(connectTcp(port, '127.0.0.1'));
  raw.socket.write(request(changes));
  expect((await raw.head()).line).toBe('HTTP/1.1 101 Switching Protocols');
  return raw;
}

const textsOf = (raw: Raw): string[] =>
  raw.frames.filter(({ opcode }) => opcode === 1).map(({ payload }) => payload.toString());

type Print = (line: string) => void;

describe('A-17 a server that screams', () => {
  const old =
    ({ createServer }: Old) =>
    (print: Print): Promise<number> =>
      portOf(
        createServer((conn) => {
          print('New connection');
          conn.on('text', (text) => {
            print(`Received ${text}`);
            conn.sendText(`${text.toUpperCase()}!!!`);
          });
          conn.on('close', () => print('Connection closed'));
        }),
      );
  const core = (print: Print): Promise<number> => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      print('New connection');
      socket.on('message', (data) => {
        print(`Received ${String(data)}`);
        socket.send(`${String(data).toUpperCase()}!!!`);
      });
      socket.on('closing', () => print('Connection closed'));
    });
    return portOfCore(server);
  };
  test.each([
    ['the adapter', old(adapter)],
    ['nodejs-websocket', old(original)],
    ['the core', core],
  ])('%s', async (_name, start) => {
    const lines: string[] = [];
    const raw = await stranger(await start((line) => lines.push(line)));
    raw.send(1, 'hi');
    await raw.take(1);
    expect(raw.received.toString('latin1')).toBe('\x81\x05HI!!!');
    raw.send(8, Buffer.of(3, 232));
    await raw.take(2);
    raw.socket.end();
    await raw.ended();
    expect(lines).toEqual(['New connection', 'Received hi', 'Connection closed']);
  });
});

describe('A-18 to all that are connected, while one leaves', () => {
  const old = (): Promise<number> => {
    const server = adapter.createServer((conn) => {
      conn.on('text', () => {
        server.connections.forEach((each, index) => {
          if (index === 0) each.close(4000);
          else each.sendText('to all');
        });
      });
    });
    return portOf(server);
  };
  const core = (): Promise<number> => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      socket.on('message', () => {
        const [first] = server.clients;
        first?.close(4000);
        server.broadcast('to all');
      });
    });
    return portOfCore(server);
  };
  test.each([
    ['the adapter', old],
    ['the core', core],
  ])('%s', async (_name, start) => {
    const port = await start();
    const clients = [await stranger(port), await stranger(port), await stranger(port)] as const;
    clients[2].send(1, 'go');
    for (const client of clients) await client.take(1);
    for (const client of clients) client.send(9, 'behind'); // whoever is open answers behind all that was sent
    await Promise.all([clients[1].take(2), clients[2].take(2)]);
    expect(clients.map(textsOf)).toEqual([[], ['to all'], ['to all']]);
    expect(clients[0].frames[0]).toMatchObject({ opcode: 8, payload: Buffer.of(15, 160) });
  });
});

describe('A-19 a large binary message', () => {
  const SIZE = 5 * 1024 * 1024;
  const PART = Buffer.alloc(65_536, 'part');

  const oldServer =
    (ws: Old) =>
    (log: (length: number) => void): Promise<number> => {
      ws.setMaxBufferLength(2 * SIZE);
      return portOf(
        ws.createServer((conn) => {
          conn.on('binary', (message) => {
            let data = Buffer.alloc(0);
            message.on('readable', () => {
              const next = message.read() as Buffer | null;
              if (next) data = Buffer.concat([data, next]);
            });
            message.on('end', () => log(data.length));
          });
        }),
      );
    };
  const coreServer = (log: (length: number) => void): Promise<number> => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', incoming: 'stream', maxPayload: 2 * SIZE });
    server.on('connection', (socket) => {
      socket.on('incoming', (message) => void message.buffer().then(({ length }) => log(length)));
    });
    return portOfCore(server);
  };
  const oldClient =
    (ws: Old) =>
    (url: string): void => {
      const conn = ws.connect(url, {}, () => {
        const out = conn.beginBinary()!;
        for (let sent = 0; sent < SIZE; sent += PART.length) out.write(PART);
        out.end();
      });
      later(() => conn.socket.destroy());
    };
  const coreClient = (url: string): void => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    later(() => socket.terminate());
    socket.on('open', () => {
      const out = socket.createOutgoing({ binary: true, fragmentSize: 524_288 });
      for (let sent = 0; sent < SIZE; sent += PART.length) out.write(PART);
      out.end();
    });
  };

  const SERVERS = {
    'the adapter': oldServer(adapter),
    'nodejs-websocket': oldServer(original),
    'the core': coreServer,
  };
  const CLIENTS = {
    'the adapter': oldClient(adapter),
    'nodejs-websocket': oldClient(original),
    'the core': coreClient,
  };
  const BOTH = Object.entries(CLIENTS).flatMap(([client, send]) =>
    Object.entries(SERVERS).map(([server, start]) => ({ client, send, server, start })),
  );
  test.each(BOTH)('from $client to $server', async ({ send, start }) => {
    let arrived!: (length: number) => void;
    const arrival = new Promise<number>((resolve) => {
      arrived = resolve;
    });
    const heads: [opcode: number, length: number, fin: boolean, masked: boolean][] = [];
    send(
      await tapped(await start(arrived), ({ opcode, payloadLength, fin, maskingKey }) =>
        heads.push([opcode, payloadLength, fin, maskingKey !== undefined]),
      ),
    );
    expect(await arrival).toBe(SIZE);
    expect(heads.map(([opcode]) => opcode)).toEqual([2, ...Array.from({ length: heads.length - 1 }, () => 0)]);
    expect(heads.filter(([, length]) => length < 524_288).length).toBeLessThanOrEqual(1);
    expect(heads.slice(0, -1).every(([, length, fin]) => length >= 524_288 && !fin)).toBe(true);
    expect(heads.at(-1)![2]).toBe(true);
    expect(heads.every(([, , , masked]) => masked)).toBe(true);
    expect(heads.reduce((sum, [, length]) => sum + length, 0)).toBe(SIZE);
  });

  /** The address of what passes all on to `port`, and hears the heads of the client's frames. */
  async function tapped(
    port: number,
    head: NonNullable<ConstructorParameters<typeof FrameParser>[1]['head']>,
  ): Promise<string> {
    const tap: TcpServer = createTcpServer((socket) => {
      const peer = connectTcp(port, '127.0.0.1');
      later(() => [socket, peer].forEach((each) => each.destroy()));
      const parser = new FrameParser({ role: 'server', preserveInput: true }, { head });
      let opening: Buffer | undefined = Buffer.alloc(0);
      socket
        .on('error', () => peer.destroy())
        .on('data', (chunk: Buffer) => {
          if (opening === undefined) return parser.push(chunk);
          opening = Buffer.concat([opening, chunk]);
          const end = opening.indexOf('\r\n\r\n');
          if (end === -1) return;
          parser.push(opening.subarray(end + 4));
          opening = undefined;
        });
      peer.on('error', () => socket.destroy());
      socket.pipe(peer).pipe(socket);
    });
    later(() => tap.close());
    tap.listen(0, '127.0.0.1');
    await once(tap, 'listening');
    return `ws://127.0.0.1:${(tap.address() as AddressInfo).port}/`;
  }
});

describe('A-20 subprotocols', () => {
  /** What both ends know: the client's protocol or error, what the server was asked for, and its protocol. */
  type Outcome = [client: string | undefined, asked: readonly string[], server: string | undefined];
  const VALID = ['a', 'b', 'c'];
  const NONE = 'Invalid handshake: no protocol was negotiated';

  const old =
    ({ createServer }: Old, { connect }: Old) =>
    async (way: 'none' | 'list' | 'function', protocols: string[] | undefined): Promise<Outcome> => {
      const options: Record<typeof way, ServerOptions> = {
        none: {},
        list: { validProtocols: VALID },
        function: { selectProtocol: (_conn, asked) => asked.find((name) => VALID.includes(name)) },
      };
      const server = createServer(options[way]);
      const arrival = once(server, 'connection') as Promise<[Connection]>;
      const port = await portOf(server);
      const client = connect(`ws://127.0.0.1:${port}`, { protocols });
      later(() => client.socket.destroy());
      const said = await Promise.race([heard(client, 'connect'), heard(client, 'error')]);
      const [remote] = await arrival;
      expect(client.protocols).toEqual(protocols ?? []);
      return [said[0] ? (said[0] as Error).message : client.protocol, remote.protocols, remote.protocol];
    };
  const core = async (way: 'none' | 'list' | 'function', protocols: string[] | undefined): Promise<Outcome> => {
    const port = { port: 0, host: '127.0.0.1' };
    const servers = {
      none: () => new WebSocketServer({ ...port, protocols: [] }),
      list: () => new WebSocketServer({ ...port, protocols: VALID }),
      function: () =>
        new WebSocketServer({ ...port, handleProtocols: (asked) => [...asked].find((name) => VALID.includes(name)) }),
    };
    const server = servers[way]();
    const arrival = once(server, 'connection') as Promise<[WebSocket]>;
    const client = new WebSocket(`ws://127.0.0.1:${await portOfCore(server)}`, protocols);
    later(() => client.terminate());
    const said = await Promise.race([heard(client, 'open'), heard(client, 'error')]);
    const [remote] = await arrival;
    expect(said[0] === undefined || (said[0] as { code?: string }).code === 'WS_ERR_MISSING_SUBPROTOCOL').toBe(true);
    const agreed = (socket: { protocol: string }): string | undefined => socket.protocol || undefined;
    return [said[0] ? NONE : agreed(client), remote.requestedProtocols, agreed(remote)];
  };
  const CASES = (['none', 'list', 'function'] as const).flatMap((way) =>
    [undefined, ['x', 'y', 'b', 'a'], ['x']].map((protocols) => ({ way, protocols })),
  );
  describe.each([
    ['the adapter', old(adapter, adapter)],
    ['the adapter, and nodejs-websocket as its client', old(adapter, original)],
    ['nodejs-websocket, and the adapter as its client', old(original, adapter)],
    ['the core', core],
  ])('%s', (_name, run) => {
    test.each(CASES)('$way, $protocols', async ({ way, protocols = [] }) => {
      const agreed = way !== 'none' && protocols.includes('b') ? 'b' : undefined;
      const client = protocols.length > 0 && agreed === undefined ? NONE : agreed;
      expect(await run(way, protocols.length > 0 ? protocols : undefined)).toEqual([client, protocols, agreed]);
    });
  });
});

describe('A-21 over TLS', () => {
  const { key, cert } = makeCertificate(['localhost']);
  const scream = (text: string): string => `${text.toUpperCase()}!!!`;
  const old = (): Promise<number> =>
    portOf(
      adapter.createServer({ secure: true, key, cert }, (conn) =>
        conn.on('text', (text) => conn.sendText(scream(text))),
      ),
    );
  const core = async (): Promise<number> => {
    const https = createHttpsServer({ key, cert });
    const server = new WebSocketServer({ server: https });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(scream(String(data)))));
    later(() => https.close());
    https.listen(0, '127.0.0.1');
    return portOfCore(server);
  };
  const oldClient =
    ({ connect }: Old) =>
    (url: string, ca: string | undefined): Promise<unknown> =>
      new Promise((resolve) => {
        const conn = connect(url, { ...(ca && { ca }) }, () => conn.sendText('hi'));
        later(() => conn.socket.destroy());
        conn.on('text', resolve).on('error', ({ code }: Error & { code?: string }) => resolve(code));
      });
  const coreClient = (url: string, ca: string | undefined): Promise<unknown> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, { ...(ca && { ca }) });
      later(() => socket.terminate());
      socket.on('open', () => socket.send('hi'));
      socket
        .on('message', (data) => resolve(String(data)))
        .on('error', ({ code }: Error & { code?: string }) => resolve(code));
    });
  test.each([
    ['the adapter', old, oldClient(adapter)],
    ['the adapter, and nodejs-websocket as its client', old, oldClient(original)],
    ['the core, and the adapter as its client', core, oldClient(adapter)],
    ['the core', core, coreClient],
  ])('%s', async (_name, start, run) => {
    const url = `wss://localhost:${await start()}`;
    expect(await run(url, cert)).toBe('HI!!!');
    expect(await run(url, undefined)).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
  });
});

describe('A-22 a chat', () => {
  const old =
    ({ createServer }: Old) =>
    (): Promise<number> => {
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
      return portOf(server);
    };
  const core = (): Promise<number> => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    server.on('connection', (socket) => {
      let name: string | undefined;
      socket.on('message', (data) => {
        server.broadcast(name === undefined ? `${String(data)} entered` : `[${name}] ${String(data)}`);
        name ??= String(data);
      });
      socket.on('close', () => server.broadcast(`${name} left`));
    });
    return portOfCore(server);
  };
  test.each([
    ['the adapter', old(adapter)],
    ['nodejs-websocket', old(original)],
    ['the core', core],
  ])('%s', async (_name, start) => {
    const port = await start();
    const [ann, bob] = [await stranger(port), await stranger(port)];
    const both = async (count: number): Promise<unknown> => Promise.all([ann, bob].map((each) => each.take(count)));
    ann.send(1, 'ann');
    await both(1);
    bob.send(1, 'bob');
    await both(2);
    ann.send(1, 'hello');
    await both(3);
    ann.send(8, Buffer.of(3, 232));
    await ann.take(4);
    ann.socket.end();
    await bob.take(4);
    bob.send(1, 'alone');
    await bob.take(5);
    const shared = ['ann entered', 'bob entered', '[ann] hello'];
    expect(textsOf(ann)).toEqual(shared);
    expect(textsOf(bob)).toEqual([...shared, 'ann left', '[bob] alone']);
  });
});

describe('A-23 what the old library tested of itself', () => {
  test('an extra header arrives in lower case: the adapter', async () => {
    const server = adapter.createServer();
    const arrival = once(server, 'connection') as Promise<[Connection]>;
    const client = adapter.connect(`ws://127.0.0.1:${await portOf(server)}`, {
      extraHeaders: { 'X-HeaDer-OK': 'Yes' },
    });
    later(() => client.socket.destroy());
    expect((await arrival)[0].headers['x-header-ok']).toBe('Yes');
  });
  test('an extra header arrives in lower case: the core', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const arrival = once(server, 'connection') as Promise<[unknown, { headers: Record<string, string> }]>;
    const client = new WebSocket(`ws://127.0.0.1:${await portOfCore(server)}`, { headers: { 'X-HeaDer-OK': 'Yes' } });
    client.on('error', () => undefined); // it is ended as it connects
    later(() => client.terminate());
    expect((await arrival)[1].headers['x-header-ok']).toBe('Yes');
  });

  test.each([
    [
      'the adapter',
      (url: string, hear: Print): void => {
        const conn = adapter.connect(url, {}, () => hear('open'));
        conn.on('text', hear).on('error', (error) => hear(error.message));
        later(() => conn.socket.destroy());
      },
    ],
    [
      'the core',
      (url: string, hear: Print): void => {
        const socket = new WebSocket(url, { perMessageDeflate: false });
        socket.on('open', () => hear('open')).on('message', (data) => hear(String(data)));
        socket.on('error', (error) => hear(error.message));
        later(() => socket.terminate());
      },
    ],
  ])('a frame in the packet of the 101: %s', async (_name, run) => {
    const server = createTcpServer((socket) => {
      const raw = new Raw(socket);
      void raw
        .head()
        .then(({ headers }) => socket.write(`${response(headers['sec-websocket-key'] ?? '')}\x81\x02hi`, 'latin1'));
    });
    later(() => server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const log: string[] = [];
    await new Promise<void>((resolve) => {
      run(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`, (line) => log.push(line) === 2 && resolve());
    });
    expect(log).toEqual(['open', 'hi']);
  });

  const SERVERS = [
    ['the adapter', (): Promise<number> => portOf(adapter.createServer())],
    ['the core', (): Promise<number> => portOfCore(new WebSocketServer({ port: 0, host: '127.0.0.1' }))],
  ] as const;

  test.each(SERVERS)('a handshake without its headers gets closed: %s', async (_name, start) => {
    const raw = new Raw(connectTcp(await start(), '127.0.0.1'));
    raw.socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    );
    expect((await raw.head()).line).toBe('HTTP/1.1 400 Bad Request');
    await raw.ended();
  });

  test('text during a binary message is an error: the adapter', async () => {
    const server = adapter.createServer();
    const conn = adapter.connect(`ws://127.0.0.1:${await portOf(server)}`);
    later(() => conn.socket.destroy());
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
    later(() => socket.terminate());
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
    const port = await portOf(server);
    const raw = await stranger(port);
    expect(await closesBehind(raw, port, (done) => server.close(done))).toEqual(['refused', 'open', 'done']);
  });
  test('close refuses new ones, and is done behind the last: the core', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    const port = await portOfCore(server);
    const raw = await stranger(port);
    expect(await closesBehind(raw, port, (done) => server.close(done))).toEqual(['refused', 'open', 'done']);
  });
  /** What comes to pass, in this order. */
  async function closesBehind(raw: Raw, port: number, close: (done: () => void) => void): Promise<string[]> {
    const log: string[] = [];
    const done = new Promise<void>((resolve) => {
      close(() => {
        log.push('done');
        resolve();
      });
    });
    const [error] = await heard(connectTcp(port, '127.0.0.1'), 'error');
    if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') log.push('refused');
    raw.send(9, 'still here');
    if ((await raw.take(1))[0]?.opcode === 10) log.push('open');
    raw.send(8);
    await raw.ended();
    raw.socket.end();
    await done;
    return log;
  }

  test('a ping, and the pong as a string: the adapter', async () => {
    const conn = adapter.connect(`ws://127.0.0.1:${await portOf(adapter.createServer())}`);
    later(() => conn.socket.destroy());
    await once(conn, 'connect');
    conn.sendPing('ping-data');
    expect(await once(conn, 'pong')).toEqual(['ping-data']);
  });
  test('a ping, and the pong as a Buffer: the core', async () => {
    const socket = new WebSocket(
      `ws://127.0.0.1:${await portOfCore(new WebSocketServer({ port: 0, host: '127.0.0.1' }))}`,
    );
    later(() => socket.terminate());
    await once(socket, 'open');
    socket.ping('ping-data');
    expect(await once(socket, 'pong')).toEqual([Buffer.from('ping-data')]);
  });

  const TEXTS = ['first', 'second', '', 'x'.repeat(70_000), 'last'];
  test('texts in order, by forEach: the adapter', async () => {
    const server = adapter.createServer();
    const arrival = once(server, 'connection') as Promise<[Connection]>;
    const conn = adapter.connect(`ws://127.0.0.1:${await portOf(server)}`);
    later(() => conn.socket.destroy());
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
    later(() => socket.terminate());
    await once(socket, 'open');
    for (const text of TEXTS) socket.send(text);
    await all;
    expect(log).toEqual(TEXTS);
  });
});
