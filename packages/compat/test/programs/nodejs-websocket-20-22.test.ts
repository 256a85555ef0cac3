import { createServer as createHttpsServer } from 'node:https';
import { describe, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { WebSocketServer } from '@ws/server';
import { makeCertificate } from '@ws/testing';
import { atEnd, portOf, startHttp } from '@ws/testing/peer';
import adapter, { type Connection, type ServerOptions } from '../../src/nodejs-websocket/index.js';
import { startCore } from '../http-servers.js';
import { inBoth, original, portOfOld, type Old } from '../nodejs-websocket/original.js';
import { ws8Server } from '../ws2/support.js';
import { OURS, UNDICI, WS } from './client.js';
import { program } from './program.js';

const scream = (text: string): string => `${text.toUpperCase()}!!!`;

interface Talk {
  readonly asked?: readonly string[] | undefined;
  readonly protocol?: string | undefined;
  readonly said?: string;
  readonly error?: Error;
}
/** Says "hi" as soon as it is connected, and hears the answer, or why there is none. */
type Client = (url: string, options?: { protocols?: string[] | undefined; ca?: string }) => Promise<Talk>;

const talkOld =
  ({ connect }: Old): Client =>
  (url, options = {}) =>
    new Promise((resolve) => {
      const conn = connect(url, { ...options }, () => conn.sendText('hi'));
      atEnd(() => conn.socket.destroy());
      conn.on('text', (said) => resolve({ asked: conn.protocols, protocol: conn.protocol, said }));
      conn.on('error', (error) => resolve({ asked: conn.protocols, error }));
    });

const talkCore: Client = (url, { protocols, ...options } = {}) =>
  new Promise((resolve) => {
    const socket = new WebSocket(url, protocols, options);
    atEnd(() => socket.terminate());
    socket.on('open', () => socket.send('hi'));
    socket.on('message', (data) =>
      resolve({ asked: socket.requestedProtocols, protocol: socket.protocol || undefined, said: String(data) }),
    );
    socket.on('error', (error) => resolve({ error }));
  });

type Asked = readonly string[];
const oldNone = (asked: Asked): object => ({
  asked,
  error: { message: 'Invalid handshake: no protocol was negotiated' },
});
/** `none` is what each hears where no protocol is agreed. */
const CLIENTS: readonly { name: string; talk: Client; none: (asked: Asked) => object }[] = [
  { name: 'the adapter', talk: talkOld(adapter), none: oldNone },
  { name: 'nodejs-websocket', talk: talkOld(original), none: oldNone },
  { name: 'the core', talk: talkCore, none: () => ({ error: { code: 'WS_ERR_MISSING_SUBPROTOCOL' } }) },
];

const VALID = ['a', 'b', 'c'];
const bestOf = (asked: Iterable<string>): string | undefined => [...asked].find((name) => VALID.includes(name));
const OPTIONS = {
  none: {},
  list: { validProtocols: VALID },
  function: { selectProtocol: (_conn: Connection, asked: string[]) => bestOf(asked) },
} satisfies Record<string, ServerOptions>;
const CORE_OPTIONS = { none: { protocols: [] }, list: { protocols: VALID }, function: { handleProtocols: bestOf } };
type Way = keyof typeof OPTIONS;

const CASES = (['none', 'list', 'function'] as const).flatMap((way) =>
  [undefined, ['x', 'y', 'b', 'a'], ['x']].map((protocols) => {
    const agreed = way !== 'none' && protocols?.includes('b') ? 'b' : undefined;
    return { way, protocols, agreed, fails: protocols !== undefined && agreed === undefined };
  }),
);

/** What the server is asked for, and what it agrees to. */
type Told = [asked: Asked, agreed: string | undefined];

program<(way: Way, tell: (...told: Told) => void) => Promise<number>>('A-20 subprotocols', {
  ...inBoth(
    ({ createServer }) =>
      (way, tell) =>
        portOfOld(
          createServer(OPTIONS[way], (conn) => {
            tell(conn.protocols, conn.protocol);
            conn.on('text', (text) => conn.sendText(scream(text)));
          }),
        ),
  ),
  core: async (way, tell) => {
    const { server, port } = await startCore(CORE_OPTIONS[way]);
    server.on('connection', (socket) => {
      tell(socket.requestedProtocols, socket.protocol || undefined);
      socket.on('message', (data) => socket.send(scream(String(data))));
    });
    return port;
  },
  by: [WS, UNDICI, OURS],
  async seen(start, peer) {
    for (const { way, protocols, agreed, fails } of CASES) {
      const told: Told[] = [];
      const port = await start(way, (...one) => told.push(one));
      const options = protocols && { protocols };
      if (fails) await peer.expectRefusal(undefined, port, options);
      else expect((await peer.open(port, options)).protocol).toBe(agreed ?? '');
      expect(told).toEqual([[protocols ?? [], agreed]]);
    }
  },
  async check(start) {
    for (const { way, protocols, agreed, fails } of CASES)
      for (const { name, talk, none } of CLIENTS) {
        const told: Told[] = [];
        const port = await start(way, (...one) => told.push(one));
        const heard = await talk(`ws://127.0.0.1:${port}`, { protocols });
        const asked = protocols ?? [];
        expect({ name, way, told, heard }).toMatchObject({
          name,
          way,
          told: [[asked, agreed]],
          heard: fails ? none(asked) : { asked, protocol: agreed, said: 'HI!!!' },
        });
      }
  },
});

const { key, cert } = makeCertificate(['localhost', '127.0.0.1']);

program<() => Promise<number>>('A-21 over TLS', {
  adapter: () =>
    portOfOld(
      adapter.createServer({ secure: true, key, cert }, (conn) =>
        conn.on('text', (text) => conn.sendText(scream(text))),
      ),
    ),
  core: async () => {
    const https = await startHttp(createHttpsServer({ key, cert }));
    const server = new WebSocketServer({ server: https });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(scream(String(data)))));
    return portOf(https);
  },
  by: [WS, UNDICI, OURS],
  async seen(start, peer) {
    const port = await start();
    const client = await peer.open(port, { scheme: 'wss', ca: cert });
    client.send('hi');
    expect(await client.until(1)).toEqual(['HI!!!']);
    await peer.expectRefusal(undefined, port, { scheme: 'wss' });
  },
  async check(start) {
    const url = `wss://localhost:${await start()}`;
    for (const { name, talk } of CLIENTS) {
      expect({ name, ...(await talk(url, { ca: cert })) }).toMatchObject({ name, said: 'HI!!!' });
      expect({ name, ...(await talk(url)) }).toMatchObject({ name, error: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' } });
    }
  },
});

// Its clients, at a server that is not ours.
describe.each(CLIENTS)('A-17 A-20 a client of $name at a server of ws', ({ talk }) => {
  test.each([
    [undefined, undefined],
    [['x', 'b'], 'x'],
  ])('%p', async (protocols, protocol) => {
    const { server, url } = await ws8Server();
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(scream(String(data)))));
    expect(await talk(url, { protocols })).toMatchObject({ said: 'HI!!!', protocol });
  });
});

program<() => Promise<number>>('A-22 a chat', {
  ...inBoth(({ createServer }) => () => {
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
  }),
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
  async seen(start, peer) {
    const port = await start();
    const [ann, bob] = [await peer.open(port), await peer.open(port)];
    ann.send('ann');
    await bob.until(1);
    bob.send('bob');
    await ann.until(2);
    ann.send('hello');
    await ann.until(3);
    await ann.close(1000);
    await bob.until(4);
    bob.send('alone');
    const shared = ['ann entered', 'bob entered', '[ann] hello'];
    expect(await bob.until(5)).toEqual([...shared, 'ann left', '[bob] alone']);
    expect(ann.heard).toEqual(shared);
  },
});
