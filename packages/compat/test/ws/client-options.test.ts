import { once } from 'node:events';
import { Agent, createServer, type ClientRequest } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { duplexPair, type Duplex } from 'node:stream';

import { expect } from '@jest/globals';
import { listenSwitching } from '@ws/testing/peer';
import { prove } from '../rows.js';
import { clientOptions } from '../rows/ws.js';
import {
  closed,
  codeOf,
  differs,
  Ours,
  same,
  settled,
  type ClientOptions,
  type Socket,
  type WebSocketServer,
  type World,
} from './differential.js';
import { bytes, sendInChunks } from './raw.js';

prove(clientOptions, {
  'WS8-060': same(async (world) => {
    const { client, socket } = await world.pair();
    for (const holder of [world.client, world.client.prototype, client, world.server, socket])
      world.log(holder.CONNECTING, holder.OPEN, holder.CLOSING, holder.CLOSED);
    world.log(Object.keys(world.client).filter((name) => name === name.toUpperCase()));
  }),
  'WS8-061': {
    'the forms of its arguments': same(async (world) => {
      const { url } = await world.serve();
      const headers = { 'X-A': 'b' };
      const forms: unknown[][] = [
        [],
        [undefined],
        [undefined, {}],
        [{ headers }],
        ['a'],
        [['a', 'b']],
        [[]],
        [[], { headers }],
        ['a', null],
      ];
      for (const form of forms) {
        const socket = world.connect(url, ...(form as [string, ClientOptions]));
        await once(socket, 'open');
        world.log(socket.readyState, socket.protocol);
      }
    }),
    'what cannot be one': same(({ client: Client, attempt }) => {
      const wrong: unknown[][] = [
        ['foo'],
        ['ftp://x'],
        ['ws://localhost/#x'],
        ['ws+unix:'],
        ['ws://x', 'a b'],
        ['ws://x', ['a', 'a']],
        ['ws://x', ''],
      ];
      for (const [url, ...rest] of wrong) attempt(() => new Client(url as string, ...(rest as [string])));
      attempt(() => new Client('ws://localhost', { protocolVersion: 5 }));
    }),
    'nobody there': same(async (world) => {
      const { port } = await world.serve();
      const free = await world.http();
      free.http.close();
      await once(free.http, 'close');
      const socket = world.connect(free.url);
      world.events('client', socket, 'error', 'close');
      await once(socket, 'close').catch(() => closed(socket));
      world.log(port > 0, socket.readyState);
    }),
    'options that are null': same(async (world) => {
      const { url } = await world.serve();
      const nulls = {
        headers: null,
        agent: null,
        finishRequest: null,
        createConnection: null,
        perMessageDeflate: null,
      };
      const socket = world.connect(url, nulls as unknown as ClientOptions);
      await once(socket, 'open');
      world.log(socket.extensions);
    }),
    'a flag is whatever is true': same(async (world) => {
      const { url } = await world.serve();
      const socket = world.connect(url, { followRedirects: 1, skipUTF8Validation: 0 } as unknown as ClientOptions);
      await once(socket, 'open');
      world.log(socket.readyState);
    }),
  },
  'WS8-062': same(async (world) => {
    const { url } = await world.serve();
    for (const address of [new URL(url), url.replace('ws', 'http'), new URL(url.replace('ws', 'http'))]) {
      const socket = world.connect(address);
      await once(socket, 'open');
      world.log(socket.url === `${url}/` || socket.url, socket.readyState);
    }
  }),
  'WS8-063': {
    'true: several messages of one chunk in one turn': same(synchronousEvents(true)),
    'false: one in each turn': same(synchronousEvents(false)),
  },
  'WS8-064': same(async (world) => {
    const { client, socket } = await world.pair({}, { autoPong: false });
    world.events('client', client, 'ping');
    world.events('server', socket, 'pong', 'message');
    socket.ping('x');
    await once(client, 'ping');
    client.send('no answer');
    await once(socket, 'message');
  }),
  'WS8-065': same(async (world) => {
    const { url } = await listenSwitching();
    const socket = world.connect(url, { closeTimeout: 30 } as ClientOptions);
    world.events('client', socket, 'close');
    await once(socket, 'open');
    socket.close(1000);
    await closed(socket);
    world.log(socket.readyState);
  }),
  'WS8-066': same(async (world) => {
    const { url, server } = await world.serve();
    server.on('connection', (_socket, request) => world.log(request.headers['x-late']));
    const finishRequest = (request: ClientRequest, socket: Socket): void => {
      request.setHeader('X-Late', 'yes');
      world.log(socket.readyState, request.method);
      request.end();
    };
    await once(world.connect(url, { finishRequest }), 'open');
  }),
  'WS8-067': {
    off: same(async (world) => {
      const { from } = await redirecting(world);
      const [error] = (await once(world.connect(from), 'error')) as [Error];
      world.log(error.message);
    }),
    on: same(async (world) => {
      const { from, to } = await redirecting(world);
      const socket = world.connect(from, { followRedirects: true, headers: { 'X-A': 'b' } });
      await once(socket, 'open');
      world.log(socket.url === to || socket.url);
    }),
    'credentials stay behind': same(async (world) => {
      const { from, server } = await redirecting(world);
      server.on('connection', (_socket, { headers }) =>
        world.log(headers.authorization, headers.cookie, headers['x-a']),
      );
      const headers = { Authorization: 'Basic x', Cookie: 'a=b', 'X-A': 'b' };
      await once(world.connect(from, { followRedirects: true, headers }), 'open');
    }),
  },
  'WS8-068': same(async (world) => {
    const { url, visit } = await listenSwitching();
    const socket = world.connect(url, { generateMask: (mask) => mask.fill(0x20), perMessageDeflate: false });
    await once(socket, 'open');
    socket.send('abc');
    world.log(await (await visit).wire.bytes(9));
  }),
  'WS8-069': same(async (world) => {
    const { http, url } = await world.http();
    http.on('upgrade', () => {});
    const socket = world.connect(url, { handshakeTimeout: 30 });
    const [error] = (await once(socket, 'error')) as [Error];
    await closed(socket);
    world.log(error.message, socket.readyState);
  }),
  'WS8-070': same(async (world) => {
    const { url, visit } = await listenSwitching();
    const socket = world.connect(url, { maxBufferedChunks: 2 });
    socket.on('error', (error) => world.log(error));
    await once(socket, 'open');
    const { wire } = await visit;
    await sendInChunks(wire, socket, '8108');
    const { opcode, payload } = (await wire.frame())!;
    world.log(opcode, payload.readUInt16BE());
  }),
  'WS8-071': same(async (world) => {
    const { url, visit } = await listenSwitching();
    const socket = world.connect(url, { maxFragments: 2 });
    socket.on('error', (error) => world.log(error));
    await once(socket, 'open');
    (await visit).wire.write(bytes('0100 0000 0000'));
    await once(socket, 'error');
  }),
  'WS8-072': same(async (world) => {
    const { client, socket } = await world.pair({}, { maxPayload: 3 });
    world.events('client', client, 'message', 'error');
    world.events('server', socket, 'close');
    socket.send('abc');
    socket.send('abcd');
    await closed(socket);
  }),
  'WS8-073': same(async (world) => {
    const { socket } = await world.pair({}, { maxPendingAutoPongs: 1 } as ClientOptions);
    await settled(socket);
    world.log('answered');
  }),
  'WS8-074': same(async (world) => {
    const { from } = await redirecting(world);
    const [error] = (await once(world.connect(from, { followRedirects: true, maxRedirects: 0 }), 'error')) as [Error];
    world.log(error.message);
  }),
  'WS8-075': same(async (world) => {
    const { url, server } = await world.serve();
    server.on('connection', (_socket, { headers }) => world.log(headers.origin));
    await once(world.connect(url, { origin: 'https://example.com:81' }), 'open');
    await once(world.connect(url), 'open');
  }),
  'WS8-076': {
    'what is offered': same(async (world) => {
      const { url, server } = await world.serve();
      server.on('connection', (_socket, { headers }) =>
        world.log(headers['sec-websocket-extensions']?.split('; ').sort().join('; ')),
      );
      const options = [true, {}, false, { clientMaxWindowBits: 10 }, { serverNoContextTakeover: true }];
      for (const perMessageDeflate of options) await once(world.connect(url, { perMessageDeflate }), 'open');
    }),
    'how much it compresses': same(async (world) => {
      const { client, socket } = await world.pair({ perMessageDeflate: true }, { perMessageDeflate: { threshold: 0 } });
      const text = JSON.stringify(
        Array.from({ length: 300 }, (_, i) => ({ id: i, name: `user ${i % 17}`, on: i % 3 === 0 })),
      );
      client.send(text);
      const [data] = (await once(socket, 'message')) as [Buffer];
      // At level 1 a fifth more.
      const { bytesRead } = (socket as unknown as { _socket: { bytesRead: number } })._socket;
      world.log(data.length === text.length, bytesRead < 1900 || bytesRead);
    }),
  },
  'WS8-077': same(async (world) => {
    const { url, server } = await world.serve();
    server.on('connection', (_socket, { headers }) =>
      world.log(headers['sec-websocket-version'], headers['sec-websocket-origin'], headers.origin),
    );
    for (const protocolVersion of [8, 13]) {
      const socket = world.connect(url, { protocolVersion, origin: 'https://a.example' });
      await once(socket, 'open');
    }
  }),
  'WS8-078': same(async (world) => {
    const { url, visit } = await listenSwitching();
    const socket = world.connect(url, { skipUTF8Validation: true });
    world.events('client', socket, 'message', 'error');
    await once(socket, 'open');
    (await visit).wire.write(bytes('8101ff'));
    await once(socket, 'message');
  }),
  'WS8-079': {
    'headers, auth, host': same(async (world) => {
      const { url, server } = await world.serve();
      server.on('connection', (_socket, { headers }) =>
        world.log(headers.authorization, headers.cookie, headers['x-list'], headers.host?.split(':')[0]),
      );
      const cookie = ['a=b', 'c=d'] as unknown as string;
      await once(world.connect(url, { headers: { cookie, 'X-List': '1' } }), 'open');
      await once(world.connect(url, { auth: 'user:secret', headers: { Host: 'other' } } as ClientOptions), 'open');
      await once(world.connect(url.replace('//', '//us%65r:pass@')), 'open');
    }),
    'host, where it is not that of the address': differs('client', { was: [false], is: [true] }, async (world) => {
      const { url, server } = await world.serve();
      server.on('connection', (_socket, { headers }) => world.log(headers.host === 'example.com'));
      await once(world.connect(url, { host: 'example.com' }), 'open');
    }),
    'agent, createConnection, localAddress, family': same(async (world) => {
      const { url, port } = await world.serve();
      const agent = new Agent();
      const createConnection = ((options: { port: number | string }) => {
        world.log('asked', Number(options.port) === port);
        return connect(port, '127.0.0.1');
      }) as unknown as NonNullable<ClientOptions['createConnection']>;
      const all: ClientOptions[] = [{ agent }, { createConnection }, { localAddress: '127.0.0.1' }, { family: 4 }];
      for (const options of all) {
        const socket = world.connect(url, options);
        await once(socket, 'open');
        world.log(Object.keys(options), socket.readyState);
      }
    }),
  },
  'WS8-080': same(async (world) => {
    const path = join(tmpdir(), `ws8-${process.pid}-${Math.round(performance.now())}.sock`);
    const http = createServer().listen(path);
    world.atEnd(() => http.close());
    const server = new world.server.Server({ server: http });
    server.on('connection', (_socket, request) => world.log(request.url));
    await once(server, 'listening');
    const socket = world.connect(`ws+unix:${path}:/chat?a=b`);
    await once(socket, 'open');
    world.log(socket.readyState, server.address() === path);
    socket.terminate();
    await closed(socket);
  }),
  'WS8-081': {
    'it does not connect': same(({ client: Client, log }) => {
      const socket = new Client(null as never, undefined, { autoPong: true });
      log(socket.readyState, socket.url || '');
    }),
    'ends that a program makes itself': async () => {
      const [left, right] = duplexPair();
      const [server, client] = [ownEnd(left, true), ownEnd(right, false)];
      client.send('hi');
      expect(String((await once(server, 'message'))[0])).toBe('hi');
      client.send('too long');
      const [error] = await once(server, 'error');
      expect(codeOf(error)).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
      await closed(client);
    },
  },
});

/** As @fastify/websocket makes them for tests. */
function ownEnd(duplex: Duplex, isServer: boolean): Socket {
  const socket = new Ours(null as never, undefined, { isServer } as never);
  Object.assign(socket, { _isServer: isServer });
  const { setSocket } = socket as unknown as { setSocket: (...args: unknown[]) => void };
  setSocket.call(socket, duplex, Buffer.alloc(0), { maxPayload: 5 });
  return socket;
}

/** An http server that sends everybody on to a WebSocket server. */
async function redirecting(world: World): Promise<{ from: string; to: string; server: WebSocketServer }> {
  const { url, server } = await world.serve();
  const to = `${url}/elsewhere`;
  const { http, url: from } = await world.http();
  http.on('request', (_request, response) => response.writeHead(302, { Location: to }).end());
  return { from, to, server };
}

function synchronousEvents(allowSynchronousEvents: boolean) {
  return async (world: World): Promise<void> => {
    const { url, visit } = await listenSwitching();
    const socket = world.connect(url, { allowSynchronousEvents });
    const turns: number[] = [];
    let turn = 0;
    socket.on('message', () => {
      turns.push(turn);
      queueMicrotask(() => turn++);
    });
    await once(socket, 'open');
    const { wire: peer } = await visit;
    peer.socket.on('data', () => peer.socket.end());
    peer.write(bytes('810161 810162 8800'));
    await closed(socket);
    world.log(turns.length, turns[0] === turns[1]);
  };
}
