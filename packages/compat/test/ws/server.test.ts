import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { handshake, Wire } from '@ws/testing/peer';
import { prove } from '../rows.js';
import { server as rows } from '../rows/ws.js';
import { at, closed, differs, same, settled, type ServerOptions } from './differential.js';
import { statusOf } from './raw.js';

prove(rows, {
  'WS8-040': {
    'when the last client is gone': same(async (world) => {
      const { server, client } = await world.pair();
      server.close();
      world.log(client.readyState, server.clients.size);
      const gone = once(server, 'close');
      client.close(1000);
      await closed(client);
      world.log(await gone);
    }),
    'closing again, in vain': same(async (world) => {
      const { server } = await world.serve();
      const errors = await Promise.all(
        [1, 2].map(() => new Promise<unknown>((resolve) => server.close((error) => resolve(error)))),
      );
      world.log(...errors);
      world.log(await new Promise<unknown>((resolve) => server.close(resolve)));
    }),
  },
  'WS8-041': same(async (world) => {
    const { server, url } = await world.serve();
    server.on('connection', (socket, request) => {
      world.log(
        socket.readyState,
        request.url,
        request.headers['x-a'],
        server.clients.has(socket),
        server.clients.size,
      );
    });
    const client = world.connect(`${url}/chat?room=5`, { headers: { 'X-A': 'b' } });
    await once(client, 'open');
    await settled(client);
  }),
  'WS8-042': same(async (world) => {
    const { port } = await world.serve();
    const second = new world.server.Server({ port, host: '127.0.0.1' });
    world.events('server', second, 'error', 'listening');
    await once(second, 'error');
  }),
  'WS8-043': {
    'the lines of the 101, to which some can be added': same(async (world) => {
      const { server, url } = await world.serve();
      server.on('headers', (lines, request) => {
        world.log(lines.slice(0, 3), request.url);
        lines.push('Set-Cookie: a=b', 'X-A: b');
      });
      const client = world.connect(`${url}/x`);
      client.on('upgrade', ({ headers }) => world.log(headers['set-cookie'], headers['x-a']));
      await once(client, 'open');
    }),
    'one that would end the head': differs('server', { was: [101, true], is: [500, false] }, async (world) => {
      const { server, port } = await world.serve();
      server.on('headers', (lines) => lines.push('X-A: b\r\nX-Injected: c'));
      const peer = Wire.to(port, handshake());
      const { status, text } = await peer.head();
      world.log(status);
      world.log(text.includes('X-Injected'));
      peer.cut();
    }),
  },
  'WS8-044': same(async (world) => {
    const server = new world.server.Server({ port: 0, host: '127.0.0.1' });
    world.events('server', server, 'listening');
    world.log(server.address());
    await once(server, 'listening');
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }),
  'WS8-045': same(async (world) => {
    const { server, port } = await world.serve();
    server.on('wsClientError', (error, socket, request) => {
      world.log(error instanceof Error, socket.writable, request.url);
      socket.end('HTTP/1.1 418 A teapot\r\n\r\n');
    });
    const answer = await Wire.to(port, handshake({ 'Sec-WebSocket-Key': 'x' })).rest();
    world.log(answer.toString('latin1'));
  }),
  'WS8-046': same(async (world) => {
    const { server, port } = await world.serve();
    const { address, family, port: told } = server.address() as { address: string; family: string; port: number };
    world.log(address, family, told === port);
    server.close();
    world.log(server.address());
    world.attempt(() => new world.server.Server({ noServer: true }).address());
  }),
  'WS8-047': same(async (world) => {
    const { server, socket, client } = await world.pair();
    world.log([...server.clients].length, server.clients.has(socket), server.clients.has(client));
    client.close();
    await closed(socket);
    world.log(server.clients.size);
  }),
  'WS8-048': {
    'nobody comes in, and whoever is in stays': same(async (world) => {
      const { server, client, socket, url } = await world.pair();
      server.close();
      const late = world.connect(url);
      const [error] = (await once(late, 'error')) as [Error];
      world.log(error, socket.readyState);
      client.send('still there');
      world.log((await once(socket, 'message'))[0]);
    }),
    'the callback': same(async (world) => {
      const { server } = await world.serve();
      world.log(await new Promise<unknown>((resolve) => server.close(resolve)));
    }),
  },
  'WS8-049': {
    'what came with the request is the first message': same(async (world) => {
      const server = new world.server.Server({ noServer: true });
      const { http, port } = await world.http();
      http.on('upgrade', (request, socket, head) => {
        setImmediate(() => {
          server.handleUpgrade(request, socket, head, (client) => {
            client.on('message', (data) => {
              world.log(data);
              client.close();
            });
          });
        });
      });
      const peer = Wire.to(port, `${handshake()}\x81\x82\0\0\0\0hi`);
      await peer.head();
      world.log(await peer.bytes(2));
      peer.cut();
    }),
    'twice with one socket': same(async (world) => {
      const server = new world.server.Server({ noServer: true });
      const { http, url } = await world.http();
      http.on('upgrade', (request, socket, head) => {
        server.handleUpgrade(request, socket, head, () => world.log('taken'));
        world.attempt(() => server.handleUpgrade(request, socket, head, () => world.log('never')));
      });
      await once(world.connect(url), 'open');
    }),
    'of a server that is closed': same(async (world) => {
      const server = new world.server.Server({ noServer: true });
      server.close();
      const { http, url } = await world.http();
      http.on('upgrade', (request, socket, head) =>
        server.handleUpgrade(request, socket, head, () => world.log('never')),
      );
      const [error] = (await once(world.connect(url), 'error')) as [Error];
      world.log(error.message);
    }),
    'what is no handshake': same(async (world) => {
      const { port } = await world.serve({ perMessageDeflate: true });
      const wrong = [
        { 'Sec-WebSocket-Key': undefined },
        { 'Sec-WebSocket-Key': 'short' },
        { 'Sec-WebSocket-Version': undefined },
        { 'Sec-WebSocket-Protocol': 'a b' },
        { 'Sec-WebSocket-Extensions': 'a;;' },
        { 'Sec-WebSocket-Version': '8' },
      ];
      for (const headers of wrong) {
        world.log(await statusOf(port, handshake(headers)));
      }
      world.log(await statusOf(port, handshake().replace('GET', 'POST')));
    }),
    'another version: 426, which names ours': differs('server', { was: [400], is: [426] }, async (world) => {
      const { port } = await world.serve();
      world.log(await statusOf(port, handshake({ 'Sec-WebSocket-Version': '9' })));
    }),
    'an offer that is wrong is declined': differs('server', { was: [400], is: [101] }, async (world) => {
      const { port } = await world.serve({ perMessageDeflate: true });
      world.log(await statusOf(port, handshake({ 'Sec-WebSocket-Extensions': 'permessage-deflate; nonsense' })));
    }),
    'a request that asks for nothing: 426': same(async (world) => {
      const { port } = await world.serve();
      const request = httpRequest({ host: '127.0.0.1', port });
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      world.log(response.statusCode);
      response.resume();
      await once(response, 'end');
    }),
  },
  'WS8-050': same(async (world) => {
    class Picky extends world.server.Server {
      override shouldHandle(request: IncomingMessage): boolean {
        world.log(request.url);
        return request.url === '/good';
      }
    }
    const server = new Picky({ port: 0, host: '127.0.0.1' });
    world.atEnd(() => server.close());
    await once(server, 'listening');
    for (const target of ['/good', '/bad']) {
      world.log(await statusOf(at(server).port, handshake({}, `GET ${target} HTTP/1.1`)));
    }
  }),
  'WS8-051': {
    'what was given, and the defaults': same(async (world) => {
      const { server } = await world.serve({ path: '/x', maxPayload: 5 });
      const { path, maxPayload, host, port, noServer, clientTracking, autoPong } = server.options;
      world.log(path, maxPayload, host, port, noServer, clientTracking, autoPong);
      const more = server.options as Record<string, unknown>;
      const { allowSynchronousEvents, closeTimeout, maxBufferedChunks, maxFragments, perMessageDeflate } = more;
      world.log(allowSynchronousEvents, closeTimeout, maxBufferedChunks, maxFragments, perMessageDeflate);
      world.log(more['skipUTF8Validation'], more['WebSocket'] === world.server);
    }),
    'what cannot change any more': differs(
      'server',
      { was: [['fine', 7]], is: [['throws', 'TypeError']] },
      async (world) => {
        const { server } = await world.serve({ maxPayload: 5 });
        world.attempt(() =>
          Reflect.get(Object.assign(server.options, { maxPayload: 7 } as ServerOptions), 'maxPayload'),
        );
      },
    ),
  },
  'WS8-052': {
    'of a port, what listens': same(async (world) => {
      const { server, port } = await world.serve();
      const { _server } = server as unknown as Internals;
      world.log((_server!.address() as AddressInfo).port === port, _server!.listening);
      await new Promise<void>((resolve) => server.close(() => resolve()));
      world.log((server as unknown as Internals)._server);
    }),
    'of an http server, that': same(async (world) => {
      const { http } = await world.http();
      const server = new world.server.Server({ server: http });
      world.log((server as unknown as Internals)._server === http);
      server.close();
      world.log((server as unknown as Internals)._server);
    }),
    'of none, null': same((world) => {
      world.log((new world.server.Server({ noServer: true }) as unknown as Internals)._server ?? 'none');
    }),
  },
});

interface Internals {
  readonly _server: import('node:http').Server | null;
}
