// What programs for `ws` do without a thought; random ones have shown each of them.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { test } from '@jest/globals';
import { CLOSE, framesOf, handshake, listenSwitching } from '@ws/testing/peer';
import { at, closed, same, settled, type Pair, type Program, type Socket } from './differential.js';
import { statusOf } from './raw.js';

const PROGRAMS: Readonly<Record<string, Program>> = {
  'close() with what cannot be sent, behind the end: nothing': async (world) => {
    for (const end of ['close', 'terminate'] as const) {
      const { client, socket } = await world.pair();
      // A relay closes the other side with what it was told.
      client.on('close', (code, reason) => world.attempt(() => client.close(code, reason)));
      client[end]();
      for (const code of [1004, 1005, 1006, 999, 'x', {}]) world.attempt(() => client.close(code as number));
      await Promise.all([closed(client), closed(socket)]);
    }
  },

  'false, and String objects, are sent as ws sends them': async (world) => {
    const { client, socket } = await world.pair({ autoPong: false });
    world.events('server', socket, 'message', 'ping', 'pong');
    for (const data of [false, Object('text')] as string[]) {
      client.send(data);
      client.ping(data);
      client.pong(data);
    }
    for (const data of [true, 1n, {}, new Map()] as string[]) {
      try {
        client.send(data);
      } catch (error) {
        world.log((error as Error).name, (error as { code?: string }).code);
      }
    }
    client.send('last');
    while (!String(world.seen.at(-1)).includes('last')) await once(socket, 'message');
  },

  '{ binary: undefined } is text': async (world) => {
    const { client, socket } = await world.pair();
    world.events('server', socket, 'message');
    const bytes = Buffer.from('bytes');
    for (const options of [{ binary: undefined }, { binary: null }, { fin: true }, {}, undefined, null, 5] as object[])
      client.send(bytes, options as { binary?: boolean });
    await settled(client);
  },

  'what was sent leaves before _socket is ended or destroyed': async (world) => {
    for (const end of ['end', 'destroy'] as const) {
      const { client, socket } = await world.pair();
      world.events('client', client, 'message', 'close');
      socket.send('last words');
      (socket as unknown as { _socket: { [name in typeof end]: () => void } })._socket[end]();
      await Promise.all([closed(client), closed(socket)]);
    }
  },

  'whose end is told first, where both are in one process': async (world) => {
    const ends: [string, (pair: Pair) => void][] = [
      ['the client closes', ({ client }) => client.close()],
      ['the server closes', ({ socket }) => socket.close()],
      ['both do', ({ client, socket }) => (socket.close(), client.close())],
      ['the client cuts', ({ client }) => client.terminate()],
      ['the server cuts', ({ socket }) => socket.terminate()],
    ];
    for (const [name, end] of ends) {
      const pair = await world.pair();
      const { server, client, socket } = pair;
      client.on('close', () => world.log(name, 'client', server.clients.size));
      socket.on('close', () => world.log(name, 'server', server.clients.size));
      await settled(client);
      end(pair);
      await Promise.all([closed(client), closed(socket)]);
    }
  },

  'a server closes, and leaves it to the client to end TCP': async (world) => {
    const { url, visit } = await listenSwitching();
    const client = world.connect(url, { perMessageDeflate: false });
    world.events('client', client, 'close');
    const { wire } = await visit;
    wire.send(CLOSE, Buffer.of(0x0f, 0xa0), { masked: false }); // its TCP ends behind that of the client, by itself
    await closed(client);
    world.log(framesOf(await wire.rest()).map(({ opcode, payload }) => [opcode, payload]));
  },

  "a program emits 'close' itself": async (world) => {
    const { client } = await world.pair();
    client.onclose = ({ code, reason, wasClean }) => world.log(code, reason, wasClean);
    world.log(client.emit('close', 4000, Buffer.from('mine')));
    client.onclose = null;
  },

  'for (const name in socket)': async (world) => {
    const { client, socket } = await world.pair();
    for (const end of [client, socket]) {
      const names = [];
      for (const name in end) if (!name.startsWith('_')) names.push(name);
      // EventEmitter's own are there as well.
      world.log(names.filter((name) => !['domain', 'emit'].includes(name)).toSorted());
    }
  },

  'flags of any kind among headers': async (world) => {
    const http = createServer().listen(0, '127.0.0.1');
    world.atEnd(() => http.close());
    await once(http, 'listening');
    http.on('upgrade', ({ headers }, socket) => {
      world.log(headers['x-flag'], headers['x-url']);
      socket.destroy();
    });
    const headers = { 'X-Flag': true, 'X-Url': new URL('http://example.com/') } as never;
    await closed(world.connect(at(http).url, { headers }));
  },

  'a signal is aborted: the error of http.request': async (world) => {
    const { url } = await world.http();
    for (const isBefore of [true, false]) {
      const controller = new AbortController();
      if (isBefore) controller.abort();
      const socket = world.connect(url, { signal: controller.signal } as never);
      socket.on('error', ({ name, code }: Error & { code?: string }) => world.log(name, code));
      controller.abort();
      await closed(socket);
    }
  },

  'verifyClient answers with what match has found, and a status in digits': async (world) => {
    const found = ({ req }: { req: IncomingMessage }): never => (req.url ?? '').match(/token=\w+/) as never;
    const ways = [
      found,
      (info: { req: IncomingMessage }, reply: (...told: never[]) => void) => reply(found(info), '403' as never),
    ];
    for (const verifyClient of ways) {
      const { port } = await world.serve({ verifyClient });
      for (const path of ['/?token=a', '/']) world.log(await statusOf(port, handshake({}, `GET ${path} HTTP/1.1`)));
    }
  },

  'a ping that is too long, and too late': async (world) => {
    const { client } = await world.pair();
    client.close();
    client.ping('x'.repeat(126), undefined, (error) => world.log(error?.message));
    await closed(client);
  },

  'names that ws does not have are for the program to assign': async (world) => {
    const names = ['closed', 'duplex', 'latency', 'limits', 'messages', 'offer', 'remoteAddress', 'stats', 'bytesSent'];
    const { server, client, socket } = await world.pair();
    const { listener, messages, metrics } = Object.assign(server, { listener: 'x', messages: [], metrics: 1 });
    world.log(listener, messages, metrics, typeof (server as { _server?: unknown })._server);
    for (const end of [client, socket] as (Socket & Record<string, unknown>)[]) {
      for (const name of names) end[name] = false;
      world.log(names.map((name) => [name, end[name], Object.keys(end).includes(name)]));
    }
    const other = world.connect(at(server).url);
    other.on('upgrade', () => Object.assign(other, { closed: false, remoteAddress: '' }));
    await once(other, 'open');
    world.events('server', socket, 'message', 'close');
    const stream = world.client.createWebSocketStream(client);
    stream.on('error', ({ message }) => world.log(message));
    stream.write('from a stream');
    client.send('from the socket');
    await settled(client);
    stream.destroy(new Error('given up'));
    await Promise.all([closed(socket), closed(client)]);
    world.log(String((client as Socket & { closed: boolean }).closed));
  },

  'no socket in a socket, which programs ask where one may be wrapped': async (world) => {
    const { client, socket } = await world.pair();
    world.log('socket' in client, 'socket' in socket);
  },

  'noServer is whatever is true': (world) => {
    for (const noServer of [1, 'yes', {}] as never[]) {
      const server = new world.server.Server({ noServer });
      world.attempt(() => server.address());
      server.close();
    }
  },
};

test.each(Object.keys(PROGRAMS))('%s', async (name) => {
  const expectSame = same(PROGRAMS[name]!);
  await expectSame();
});
