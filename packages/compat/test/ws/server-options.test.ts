import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { Server as NetServer } from 'node:net';
import { expect, jest } from '@jest/globals';
import { PING, portOf, handshake, Wire } from '@ws/testing/peer';
import Adapter from '../../src/ws/index.js';
import { prove } from '../rows.js';
import { serverOptions } from '../rows/ws.js';
import {
  closed,
  differs,
  same,
  settled,
  type ServerOptions,
  type Socket,
  type WebSocketServer,
  type World,
} from './differential.js';
import { bytes, rawClient, sendInChunks, statusOf } from './raw.js';

prove(serverOptions, {
  'WS8-020': {
    'calls back when it listens': same(async ({ server: { Server }, log }) => {
      const server: WebSocketServer = new Server({ port: 0, host: '127.0.0.1' }, () => log('listening'));
      await once(server, 'listening');
      await new Promise<void>((resolve) => server.close(() => resolve()));
      log('closed');
    }),
    'exactly one of port, server and noServer; null is none': same(({ server: { Server }, attempt, log }) => {
      const wrong = [undefined, {}, { port: 0, noServer: true }, { server: createServer(), port: 0 }, { server: null }];
      for (const options of wrong) attempt(() => new Server(options as unknown as ServerOptions));
      const nulls = { noServer: true, port: null, path: null, host: null, verifyClient: null, perMessageDeflate: null };
      log(new Server(nulls as unknown as ServerOptions).clients.size);
    }),
    'a flag is whatever is true': same(async (world) => {
      const flags = { clientTracking: 0, autoPong: 1, skipUTF8Validation: 'yes' };
      const { server, client } = await world.pair(flags as unknown as ServerOptions);
      await settled(client);
      world.log(server.clients);
    }),
  },
  'WS8-021': {
    'true: several messages of one chunk in one turn': same(synchronousEvents(true)),
    'false: one in each turn': same(synchronousEvents(false)),
  },
  'WS8-022': same(async (world) => {
    const { client, socket } = await world.pair({ autoPong: false });
    world.events('server', socket, 'ping');
    world.events('client', client, 'pong', 'message');
    client.ping('x');
    await once(socket, 'ping');
    socket.send('no answer');
    await once(client, 'message');
  }),
  'WS8-023': {
    'as given': same(async (world) => {
      const { client } = await world.pair({ backlog: 1 });
      world.log(client.readyState);
    }),
    'the default': async () => {
      const listen = jest.spyOn(NetServer.prototype, 'listen');
      const server = new Adapter.Server({ port: 0, host: '127.0.0.1' });
      expect(listen).toHaveBeenLastCalledWith(expect.objectContaining({ backlog: 4096 }));
      listen.mockRestore();
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    },
  },
  'WS8-024': same(async (world) => {
    const { server, client } = await world.pair({ clientTracking: false });
    world.log(server.clients, client.readyState);
    server.close();
    client.close();
    await once(server, 'close');
    await closed(client);
    world.log(client.readyState);
  }),
  'WS8-025': same(async (world) => {
    const { server, port } = await world.serve({ closeTimeout: 30 } as ServerOptions);
    const connected = once(server, 'connection') as Promise<[Socket]>;
    const peer = Wire.to(port, handshake());
    const [socket] = await connected;
    world.events('server', socket, 'close');
    socket.close(1000);
    await once(socket, 'close');
    await peer.rest();
  }),
  'WS8-026': {
    'the first, none, another': same(async (world) => {
      const answers = [undefined, () => false, () => '', () => 'b', (offered: Set<string>) => [...offered].at(-1)];
      for (const handleProtocols of answers) {
        const { port } = await world.serve({ handleProtocols } as ServerOptions);
        const peer = Wire.to(port, handshake({ 'Sec-WebSocket-Protocol': 'a, b, c' }));
        world.log((await peer.head()).headers['sec-websocket-protocol']);
        peer.cut();
      }
    }),
    'set later': same(async (world) => {
      const { server, url } = await world.serve();
      server.options.handleProtocols = (protocols, request) => {
        world.log([...protocols], request.url);
        return 'b';
      };
      const socket = world.connect(`${url}/x`, ['a', 'b']);
      await once(socket, 'open');
      world.log(socket.protocol);
    }),
    'one that was not offered': differs('server', { was: [101], is: [500] }, async (world) => {
      const { port } = await world.serve({ handleProtocols: () => 'other' });
      world.log(await statusOf(port, handshake({ 'Sec-WebSocket-Protocol': 'a' })));
    }),
  },
  'WS8-027': same(async (world) => {
    const { server } = await world.serve({ host: '127.0.0.1' });
    const { address, family } = server.address() as { address: string; family: string };
    world.log(address, family);
  }),
  'WS8-028': same(async (world) => {
    const { socket, wire } = await rawClient(world, { maxBufferedChunks: 2 });
    socket.on('error', (error) => world.log(error));
    await sendInChunks(wire, socket, '818800000000');
    world.log(await wire.bytes(4));
  }),
  'WS8-029': {
    'one more than there may be': same(async (world) => {
      const { socket, wire } = await rawClient(world, { maxFragments: 2 });
      socket.on('error', (error) => world.log(error));
      wire.write(bytes('018000000000 008000000000 008000000000'));
      world.log(await wire.bytes(4));
    }),
    'the default': same(async (world) => {
      const { server } = await world.serve();
      world.log((server.options as { maxFragments?: number }).maxFragments);
    }),
  },
  'WS8-030': {
    'one byte more than there may be': same(async (world) => {
      const { socket, wire } = await rawClient(world, { maxPayload: 3 });
      world.events('server', socket, 'message', 'error');
      wire.write(bytes('818300000000616263 818400000000'));
      world.log(await wire.bytes(4));
    }),
    'the default, and none': same(async (world) => {
      const { server } = await world.serve();
      world.log(server.options.maxPayload);
      const { client, socket } = await world.pair({ maxPayload: 0 });
      client.send(Buffer.alloc(2 ** 21));
      const [data] = (await once(socket, 'message')) as [Buffer];
      world.log(data.length);
    }),
  },
  'WS8-031': {
    'one ping is answered': same(async (world) => {
      const { client } = await world.pair({ maxPendingAutoPongs: 1 } as ServerOptions);
      await settled(client);
      world.log('answered');
    }),
    'of many, while the peer reads nothing, the newest': async () => {
      const server = new Adapter.Server({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      const peer = Wire.to(portOf(server), handshake());
      await peer.head();
      const socket = [...server.clients][0]!;
      peer.socket.pause();
      while (socket.bufferedAmount === 0) {
        for (let i = 0; i < 64; i++) socket.send(Buffer.alloc(65_536));
        await new Promise(setImmediate);
      }
      const pings = 1000;
      const newest = new Promise<void>((resolve) => {
        socket.on('ping', (data) => {
          if (String(data) === String(pings - 1)) resolve();
        });
      });
      for (let i = 0; i < pings; i++) {
        const payload = Buffer.from(String(i));
        peer.send(PING, payload);
      }
      await newest;
      peer.socket.resume();
      await peer.until(`8a03${Buffer.from(String(pings - 1)).toString('hex')}`);
      peer.cut();
      server.close();
      await once(server, 'close');
    },
  },
  'WS8-032': same(async (world) => {
    const server = new world.server.Server({ noServer: true });
    world.attempt(() => server.address());
    const { http, url } = await world.http();
    http.on('upgrade', (request, socket, head) => {
      server.handleUpgrade(request, socket, head, (client, told) => {
        world.log(client, told === request, server.clients.has(client));
        client.send('hello');
      });
    });
    const client = world.connect(url);
    world.events('client', client, 'message');
    await once(client, 'message');
  }),
  'WS8-033': same(async (world) => {
    const { port } = await world.serve({ path: '/chat' });
    for (const target of ['/chat', '/chat?a=b', '/', '/chat/', '/chats', '/Chat']) {
      world.log(target, await statusOf(port, handshake({}, `GET ${target} HTTP/1.1`)));
    }
  }),
  'WS8-034': {
    'true, an object, false: what is agreed': same(async (world) => {
      const options = [true, {}, false, { serverNoContextTakeover: true }, { clientMaxWindowBits: 10 }];
      const offers = ['', '; client_max_window_bits', '; server_no_context_takeover; client_no_context_takeover'];
      for (const perMessageDeflate of options) {
        const { port } = await world.serve({ perMessageDeflate });
        for (const offer of offers) {
          const peer = Wire.to(port, handshake({ 'Sec-WebSocket-Extensions': `permessage-deflate${offer}` }));
          const { headers } = await peer.head();
          world.log(headers['sec-websocket-extensions']?.split('; ').sort().join('; '));
          peer.cut();
        }
      }
    }),
    'messages of any size, both ways, compressed or not': same(async (world) => {
      const { client, socket } = await world.pair({ perMessageDeflate: true }, { perMessageDeflate: { threshold: 0 } });
      world.log(client.extensions, socket.extensions);
      socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
      for (const size of [0, 1, 1000, 70_000]) {
        client.send('x'.repeat(size), { compress: size !== 1000 });
        const [data] = (await once(client, 'message')) as [Buffer];
        world.log(
          data.length,
          data.every((byte) => byte === 0x78),
        );
      }
    }),
    'contexts are taken over: a message is shorter the second time': same(async (world) => {
      const { server, port } = await world.serve({ perMessageDeflate: true });
      server.on('connection', (socket) => {
        for (let i = 0; i < 2; i++) socket.send('{"some":"text","that":"comes","twice":true}');
      });
      const peer = Wire.to(port, handshake({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
      await peer.head();
      const lengths: number[] = [];
      for (let i = 0; i < 2; i++) {
        const [first, length] = bytes(await peer.bytes(2));
        await peer.bytes(length!);
        lengths.push(first!, length!);
      }
      world.log(lengths[0], lengths[2], lengths[3]! < lengths[1]! / 2);
      peer.cut();
    }),
  },
  'WS8-035': same(async (world) => {
    const { server, url } = await world.serve({ port: '0' as unknown as number });
    world.log((server.address() as { port: number }).port > 0);
    const client = world.connect(url);
    await once(client, 'open');
    const second = new world.server.Server({ port: Number(new URL(url).port), host: '127.0.0.1' });
    const [error] = (await once(second, 'error')) as [Error];
    world.log(error);
  }),
  'WS8-036': same(async (world) => {
    const { http, url, port } = await world.http();
    const server = new world.server.Server({ server: http });
    http.on('request', (_request, response) => response.end('a page'));
    world.log(http.listenerCount('upgrade'), (server.address() as { port: number }).port === port);
    await once(world.connect(url), 'open');
    world.log(await (await fetch(`http://127.0.0.1:${port}`)).text());
    for (const socket of server.clients) socket.terminate();
    server.close();
    await once(server, 'close');
    world.log(http.listening, http.listenerCount('upgrade'));
  }),
  'WS8-037': same(async (world) => {
    const { socket, wire } = await rawClient(world, { skipUTF8Validation: true });
    world.events('server', socket, 'message', 'error');
    wire.write(bytes('818100000000ff'));
    await once(socket, 'message');
  }),
  'WS8-038': {
    'sync, and with a callback': same(async (world) => {
      type Reply = (result: boolean, code?: number, message?: string, headers?: object) => void;
      const forms = [
        () => true,
        () => false,
        (_info: unknown, reply: Reply) => reply(true),
        (_info: unknown, reply: Reply) => reply(false),
        (_info: unknown, reply: Reply) => reply(false, 403, 'No way', { 'X-Why': 'because' }),
      ];
      for (const verifyClient of forms) {
        const { port } = await world.serve({ verifyClient } as ServerOptions);
        const peer = Wire.to(port, handshake());
        const { status, headers } = await peer.head();
        world.log(status, headers['x-why']);
        peer.socket.end();
        world.log((await peer.rest()).toString('latin1'));
      }
    }),
    'what it is told': same(async (world) => {
      const { port } = await world.serve({
        verifyClient: ({ origin, secure, req }: { origin: string; secure: boolean; req: IncomingMessage }) => {
          world.log(origin, secure, req.url);
          return true;
        },
      });
      world.log(await statusOf(port, handshake({ Origin: 'https://elsewhere.example' }, 'GET /x HTTP/1.1')));
    }),
  },
  'WS8-039': same(async (world) => {
    class Player extends world.server {
      score = 7;
    }
    const { socket } = await world.pair({ WebSocket: Player });
    world.log(socket instanceof Player, socket instanceof world.server, (socket as Player).score);
  }),
});

function synchronousEvents(allowSynchronousEvents: boolean) {
  return async (world: World): Promise<void> => {
    const { socket, wire } = await rawClient(world, { allowSynchronousEvents });
    const turns: number[] = [];
    let turn = 0;
    socket.on('message', () => {
      turns.push(turn);
      queueMicrotask(() => turn++);
      if (turns.length === 2) socket.close();
    });
    wire.write(bytes('81810000000061818100000000 62'));
    await wire.bytes(2);
    wire.cut();
    await closed(socket);
    world.log(turns.length, turns[0] === turns[1]);
  };
}
