// Programs as users of ws write them, in the words of its README and of ours.
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { makeCertificate } from '@ws/testing';
import { prove } from '../rows.js';
import { programs } from '../rows/ws.js';
import { at, closed, same, settled, type Socket } from './differential.js';

const certificate = makeCertificate(['localhost']);

prove(programs, {
  'WS8-150': same(async (world) => {
    const { http, url } = await world.http();
    const servers = new Map(['/foo', '/bar'].map((path) => [path, new world.server.Server({ noServer: true })]));
    for (const [path, server] of servers) server.on('connection', (socket) => socket.send(`this is ${path}`));
    http.on('upgrade', (request, socket, head) => {
      const server = servers.get(new URL(request.url ?? '', url).pathname);
      if (!server) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
      else server.handleUpgrade(request, socket, head, (client) => void server.emit('connection', client, request));
    });
    for (const path of servers.keys()) {
      const [data] = (await once(world.connect(url + path), 'message')) as [Buffer];
      world.log(path, data);
    }
    const [error] = (await once(world.connect(`${url}/baz`), 'error')) as [Error];
    world.log(error.message);
  }),
  'WS8-151': same(async (world) => {
    const { http, url } = await world.http();
    const server = new world.server.Server({ noServer: true });
    server.on('connection', (socket, _request, user?: string) => socket.send(`hello ${user}`));
    http.on('upgrade', (request, socket, head) => {
      const user = { 'Bearer 1': 'Ann' }[request.headers.authorization ?? ''];
      setImmediate(() => {
        if (user === undefined) {
          socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n');
          socket.destroy();
          return;
        }
        server.handleUpgrade(request, socket, head, (client) => void server.emit('connection', client, request, user));
      });
    });
    const ann = world.connect(url, { headers: { Authorization: 'Bearer 1' } });
    world.log((await once(ann, 'message'))[0]);
    const [error] = (await once(world.connect(url), 'error')) as [Error];
    world.log(error.message);
  }),
  'WS8-152': same(async (world) => {
    const { server, url } = await world.serve();
    server.on('connection', (socket) => {
      socket.on('message', (data, isBinary) => {
        for (const client of server.clients) {
          if (client !== socket && client.readyState === world.server.OPEN)
            client.send(data as Buffer, { binary: isBinary });
        }
      });
    });
    const [speaker, ...others] = [0, 1, 2].map(() => world.connect(url));
    await Promise.all([speaker!, ...others].map((socket) => once(socket, 'open')));
    world.events('speaker', speaker!, 'message');
    const heard = Promise.all(others.map((socket) => once(socket, 'message')));
    speaker!.send('to all');
    for (const message of await heard) world.log(...message);
    await settled(speaker!);
  }),
  'WS8-153': same(async (world) => {
    const { server, client, socket } = await world.pair({}, { autoPong: false });
    type Alive = Socket & { isAlive?: boolean };
    const check = (): void => {
      for (const each of server.clients as Set<Alive>) {
        if (each.isAlive === false) {
          each.terminate();
          continue;
        }
        each.isAlive = false;
        each.ping();
      }
    };
    socket.on('pong', () => ((socket as Alive).isAlive = true));
    check();
    await once(client, 'ping');
    client.pong();
    await once(socket, 'pong');
    check();
    await once(client, 'ping');
    check();
    await closed(socket);
    world.log((await Promise.resolve(server.clients.size)) || 'nobody', socket.readyState);
  }),
  'WS8-154': same(async (world) => {
    const { server, url } = await world.serve();
    server.on('connection', (_socket, request) => {
      const forwarded = request.headers['x-forwarded-for'] as string | undefined;
      world.log(request.socket.remoteAddress, forwarded?.split(',')[0]?.trim());
    });
    await once(world.connect(url), 'open');
    await once(world.connect(url, { headers: { 'X-Forwarded-For': '192.0.2.1, 10.0.0.1' } }), 'open');
  }),
  'WS8-155': same(async (world) => {
    const { server, url } = await world.serve();
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(String(data))));
    const client = world.connect(url);
    client.on('open', () => client.send(Date.now()));
    const [data] = (await once(client, 'message')) as [Buffer];
    const ms = Date.now() - Number(data);
    world.log(ms >= 0 && ms < 10_000);
  }),
  'WS8-156': same(async (world) => {
    const https = createServer(certificate);
    const server = new world.server.Server({ server: https });
    server.on('connection', (socket, request) => socket.send(`over TLS: ${'encrypted' in request.socket}`));
    https.listen(0, '127.0.0.1');
    await once(https, 'listening');
    world.atEnd(() => https.close());
    const url = `wss://localhost:${at(https).port}`;
    const client = world.connect(url, { ca: certificate.cert, family: 4 });
    world.log((await once(client, 'message'))[0]);
    const [error] = (await once(world.connect(url, { family: 4 }), 'error')) as [Error];
    world.log(error);
    client.terminate();
    await closed(client);
  }),
  'WS8-157': same(async (world) => {
    const { server, url } = await world.serve({ clientTracking: false });
    type Internals = { Sender: { frame(data: Buffer, options: object): Buffer[] } };
    const { Sender } = world.server as unknown as Internals;
    const options = { readOnly: false, mask: false, rsv1: false, opcode: 1, fin: true };
    const frame = Sender.frame(Buffer.from('2["news",{"a":1}]'), options);
    server.on('connection', (socket) => {
      (socket as unknown as { _sender: { sendFrame(list: Buffer[], done: () => void): void } })._sender.sendFrame(
        frame,
        () => socket.send('behind'),
      );
    });
    for (let i = 0; i < 3; i++) {
      const client = world.connect(url);
      world.events('client', client, 'message');
      while (world.seen.length < 2 * i + 2) await once(client, 'message');
      client.terminate();
      await closed(client);
    }
  }),
  'WS8-158': {
    'subprotocol and extensions': same(async (world) => {
      const { http, url } = await world.http();
      const server = new world.server.Server({ noServer: true, perMessageDeflate: true });
      http.on('upgrade', (request, socket, head) => {
        delete request.headers['sec-websocket-extensions'];
        request.headers['sec-websocket-protocol'] = 'v2';
        server.handleUpgrade(request, socket, head, (client, given) => {
          world.log(given === request);
          client.send(client.protocol);
        });
      });
      const client = world.connect(url, ['token', 'v2']);
      world.log((await once(client, 'message'))[0], client.protocol, client.extensions);
    }),
    'pairs for rawHeaders, and a url with a host': same(async (world) => {
      const { http, url } = await world.http();
      const server = new world.server.Server({ noServer: true });
      http.on('upgrade', (request, socket, head) => {
        const { headers, rawHeaders } = request; // Node makes `headers` of the other when they are read first
        const pairs = rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]]] : []));
        Object.assign(request, { headers, rawHeaders: pairs, url: `ws://elsewhere.example${request.url}` });
        server.handleUpgrade(request, socket, head, (client, { url: target }) => client.send(String(target)));
      });
      world.log((await once(world.connect(`${url}/path`), 'message'))[0]);
    }),
  },
  'WS8-159': same(async (world) => {
    const { server, url } = await world.serve({ perMessageDeflate: { threshold: 0 } });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data as Buffer, { binary: false })));
    const upgrade = httpRequest(url.replace('ws:', 'http:'), {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Version': 13,
        'Sec-WebSocket-Extensions': 'permessage-deflate',
      },
    });
    upgrade.end();
    const [response, stream, head] = (await once(upgrade, 'upgrade')) as [IncomingMessage, Duplex, Buffer];
    type Deflate = new (options: object) => { accept(list: object[]): unknown };
    type Parts = { PerMessageDeflate: Deflate; extension: { parse(header: string): Record<string, object[]> } };
    const { PerMessageDeflate, extension } = world.client as unknown as Parts;
    const deflate = new PerMessageDeflate({ threshold: 0 });
    deflate.accept(extension.parse(String(response.headers['sec-websocket-extensions']))['permessage-deflate']!);
    const client = new world.client(null as never, undefined, {}) as unknown as OwnEnd;
    Object.assign(client, { _isServer: false, _extensions: { 'permessage-deflate': deflate } });
    client.setSocket(stream, head, { maxPayload: 0, allowSynchronousEvents: true, skipUTF8Validation: true });
    for (const text of ['there and back', 'there and back again']) {
      client.send(text, { compress: true });
      world.log((await once(client, 'message'))[0]);
    }
    const [end] = server.clients;
    client.close(4000, 'bye');
    world.log((await once(end!, 'close'))[0]);
  }),
});

type OwnEnd = Socket & { setSocket(stream: Duplex, head: Buffer, options: object): void };
