import { once } from 'node:events';
import { expect } from '@jest/globals';
import type { IncomingMessage } from 'node:http';
import { portOf, handshake, Wire } from '@ws/testing/peer';
import { prove } from '../rows.js';
import { events } from '../rows/ws.js';
import { closed, codeOf, differs, Ours, same, settled, type Socket } from './differential.js';
import { bytes } from './raw.js';

prove(events, {
  'WS8-085': {
    'code and reason, at both ends': same(async (world) => {
      const ways: unknown[][] = [
        [],
        [1000],
        [1000, 'bye'],
        [4321, Buffer.from('why')],
        [1001, ''],
        [1000, 5],
        [1000, {}],
      ];
      for (const way of ways) {
        const { client, socket } = await world.pair();
        const ends = Promise.all([once(client, 'close'), once(socket, 'close')]);
        (client.close as (...args: unknown[]) => void)(...way);
        for (const [code, reason] of await ends) world.log(code, reason);
        world.log(client.readyState, socket.readyState);
      }
    }),
    'from the server': same(async (world) => {
      const { client, socket } = await world.pair();
      const ends = Promise.all([once(client, 'close'), once(socket, 'close')]);
      socket.close(3000, 'over');
      for (const [code, reason] of await ends) world.log(code, reason);
    }),
    '1006 for a connection that was cut': same(async (world) => {
      const { client, socket } = await world.pair();
      const ends = Promise.all([once(client, 'close'), once(socket, 'close')]);
      client.terminate();
      for (const [code, reason] of await ends) world.log(code, reason);
    }),
    'what else there is': async () => {
      const server = new Ours.Server({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const client = new Ours(`ws://127.0.0.1:${port}`);
      client.on('open', () => client.close(1000, 'done'));
      const [, , info] = (await once(client, 'close')) as [number, Buffer, { initiator: string }];
      expect(info.initiator).toBe('local');
      server.close();
    },
  },
  'WS8-086': {
    'of a client that nobody lets in; then close': same(async (world) => {
      const { url } = await world.serve({ verifyClient: () => false });
      const socket = world.connect(url);
      world.events('client', socket, 'open', 'close');
      socket.on('error', (error) => world.log(error.message));
      await closed(socket);
    }),
    'closed before it was open': same(async (world) => {
      const { url } = await world.serve();
      for (const end of ['close', 'terminate'] as const) {
        const socket = world.connect(url);
        world.events(end, socket, 'open', 'close');
        socket.on('error', (error) => world.log(error.message));
        socket[end]();
        world.log(socket.readyState);
        await new Promise((resolve) => socket.on('close', resolve));
      }
    }),
    "a peer's offence, on a socket that nobody listens to": async () => {
      const server = new Ours.Server({ port: 0, host: '127.0.0.1' });
      await once(server, 'listening');
      const connected = once(server, 'connection') as Promise<[Socket]>;
      const peer = Wire.to(portOf(server), handshake());
      const [socket] = await connected;
      peer.write(bytes('ffff'));
      const end = new Promise<unknown[]>((resolve) => void socket.on('close', (...told: unknown[]) => resolve(told)));
      const [code, , info] = (await end) as [number, Buffer, { error: Error }];
      expect([code, codeOf(info.error)]).toEqual([1006, 'WS_ERR_UNEXPECTED_RSV_2_3']);
      peer.cut();
      server.close();
    },
    'a listener that throws is not caught': same(async (world) => {
      const { server } = await world.serve();
      server.on('connection', () => {
        throw new Error('of the program');
      });
      world.attempt(() => server.emit('connection', {}, {}));
    }),
  },
  'WS8-087': same(async (world) => {
    const { client, socket } = await world.pair();
    world.events('server', socket, 'message');
    client.send('text');
    client.send(Buffer.from('bytes'));
    client.send('');
    client.send(Buffer.alloc(0));
    client.send('in ', { fin: false });
    client.send('two', { fin: true });
    await settled(client);
  }),
  'WS8-088': same(async (world) => {
    const { url } = await world.serve();
    const socket = world.connect(url);
    socket.on('open', (...told: unknown[]) => world.log(told, socket.readyState));
    await once(socket, 'open');
  }),
  'WS8-089': same(async (world) => {
    const { client, socket } = await world.pair();
    world.events('server', socket, 'ping');
    for (const data of ['x', Buffer.from('bytes'), 5, undefined]) client.ping(data);
    await settled(client);
  }),
  'WS8-090': same(async (world) => {
    const { client, socket } = await world.pair();
    world.events('server', socket, 'pong');
    for (const data of ['x', Buffer.from('bytes'), 5, undefined]) client.pong(data);
    await settled(client);
  }),
  'WS8-091': {
    'the address and the request': same(async (world) => {
      const { url } = await world.serve();
      const { http, url: from } = await world.http();
      http.on('request', (_request, response) => response.writeHead(307, { Location: `${url}/to` }).end());
      const socket = world.connect(from, { followRedirects: true });
      socket.on('redirect', (to, request) => {
        world.log(to === `${url}/to`, request.getHeader('upgrade'));
        request.setHeader('X-A', 'b');
      });
      await once(socket, 'open');
      world.log(socket.url === `${url}/to`);
    }),
    'with a listener, credentials for another host': differs(
      'client',
      { was: ['Basic x'], is: [undefined] },
      async (world) => {
        const { url } = await world.serve();
        const { http, url: from } = await world.http();
        http.on('request', (_request, response) => response.writeHead(302, { Location: url }).end());
        const socket = world.connect(from, { followRedirects: true, headers: { Authorization: 'Basic x' } });
        socket.on('redirect', (_to, request) => world.log(request.getHeader('authorization')));
        await once(socket, 'open');
      },
    ),
  },
  'WS8-092': {
    'is in the place of the error': same(async (world) => {
      const { url } = await world.serve({ verifyClient: (_info, reply) => reply(false, 403, 'no') });
      const socket = world.connect(url);
      socket.on('error', () => world.log('error'));
      const [request, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
      world.log(response.statusCode, typeof request, socket.readyState);
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      world.log(Buffer.concat(chunks));
    }),
    'and close follows': differs('client', { was: [0, 'error'], is: ['close', 3] }, async (world) => {
      const { url } = await world.serve({ verifyClient: () => false });
      const socket = world.connect(url);
      const [request] = await once(socket, 'unexpected-response');
      const gone = once(request, 'close');
      socket.on('close', () => world.log('close'));
      request.destroy();
      await gone;
      await new Promise((resolve) => setImmediate(resolve));
      world.log(socket.readyState);
      if (socket.readyState === socket.CLOSED) return;
      socket.removeAllListeners('close');
      socket.on('error', () => world.log('error'));
      socket.terminate();
      await new Promise((resolve) => setImmediate(resolve));
    }),
  },
  'WS8-093': same(async (world) => {
    const { url, server } = await world.serve();
    server.on('headers', (lines) => lines.push('Set-Cookie: a=b'));
    const socket = world.connect(url);
    socket.on('upgrade', (response) =>
      world.log(response.statusCode, response.headers['set-cookie'], socket.readyState),
    );
    await once(socket, 'open');
  }),
});
