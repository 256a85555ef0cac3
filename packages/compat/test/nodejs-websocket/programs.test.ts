import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { describe, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { WebSocketServer } from '@ws/server';
import { makeCertificate } from '@ws/testing';

import { atEnd, framesOf, next, Wire } from '@ws/testing/peer';
import adapter, { type Connection, type ServerOptions } from '../../src/nodejs-websocket/index.js';
import { original } from './original.js';
import { portOfCore, portOfOld, textsOf, type Old, type Print } from './programs.js';

// The programs of the old documents, on the adapter, on nodejs-websocket itself where it passes them, and said again in the core: what is seen of them is the same.

describe('A-17 a server that screams', () => {
  const old =
    ({ createServer }: Old) =>
    (print: Print): Promise<number> =>
      portOfOld(
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
    const raw = await Wire.open(await start((line) => lines.push(line)));
    raw.send(1, 'hi');
    await raw.frames(1);
    expect(raw.received.toString('latin1')).toBe('\x81\x05HI!!!');
    raw.send(8, Buffer.of(3, 232));
    await raw.frames(2);
    raw.socket.end();
    await raw.over();
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
    return portOfOld(server);
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
    const clients = [await Wire.open(port), await Wire.open(port), await Wire.open(port)] as const;
    clients[2].send(1, 'go');
    for (const client of clients) await client.frames(1);
    for (const client of clients) client.send(9, 'behind'); // whoever is open answers behind all that was sent
    await Promise.all([clients[1].frames(2), clients[2].frames(2)]);
    expect(clients.map(textsOf)).toEqual([[], ['to all'], ['to all']]);
    expect(framesOf(clients[0].received)[0]).toMatchObject({ opcode: 8, payload: Buffer.of(15, 160) });
  });
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
      const port = await portOfOld(server);
      const client = connect(`ws://127.0.0.1:${port}`, { protocols });
      atEnd(() => client.socket.destroy());
      const said = await Promise.race([next(client, 'connect'), next(client, 'error')]);
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
    atEnd(() => client.terminate());
    const said = await Promise.race([next(client, 'open'), next(client, 'error')]);
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
    portOfOld(
      adapter.createServer({ secure: true, key, cert }, (conn) =>
        conn.on('text', (text) => conn.sendText(scream(text))),
      ),
    );
  const core = async (): Promise<number> => {
    const https = createHttpsServer({ key, cert });
    const server = new WebSocketServer({ server: https });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(scream(String(data)))));
    atEnd(() => https.close());
    https.listen(0, '127.0.0.1');
    return portOfCore(server);
  };
  const oldClient =
    ({ connect }: Old) =>
    (url: string, ca: string | undefined): Promise<unknown> =>
      new Promise((resolve) => {
        const conn = connect(url, { ...(ca && { ca }) }, () => conn.sendText('hi'));
        atEnd(() => conn.socket.destroy());
        conn.on('text', resolve).on('error', ({ code }: Error & { code?: string }) => resolve(code));
      });
  const coreClient = (url: string, ca: string | undefined): Promise<unknown> =>
    new Promise((resolve) => {
      const socket = new WebSocket(url, { ...(ca && { ca }) });
      atEnd(() => socket.terminate());
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
      return portOfOld(server);
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
    const [ann, bob] = [await Wire.open(port), await Wire.open(port)];
    const both = async (count: number): Promise<unknown> => Promise.all([ann, bob].map((each) => each.frames(count)));
    ann.send(1, 'ann');
    await both(1);
    bob.send(1, 'bob');
    await both(2);
    ann.send(1, 'hello');
    await both(3);
    ann.send(8, Buffer.of(3, 232));
    await ann.frames(4);
    ann.socket.end();
    await bob.frames(4);
    bob.send(1, 'alone');
    await bob.frames(5);
    const shared = ['ann entered', 'bob entered', '[ann] hello'];
    expect(textsOf(ann)).toEqual(shared);
    expect(textsOf(bob)).toEqual([...shared, 'ann left', '[bob] alone']);
  });
});
