// What docs/migrate/ws.md says of differences, as far as no row shows it.
import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { atEnd, portOf, handshake, Wire } from '@ws/testing/peer';
import { WebSocketServer } from '../../src/ws/index.js';
import { closed, differs } from './differential.js';
import { bytes, statusOf } from './raw.js';

async function listening(options: ConstructorParameters<typeof WebSocketServer>[0] = {}): Promise<WebSocketServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  atEnd(() => server[Symbol.asyncDispose]());
  await once(server, 'listening');
  return server;
}

test('the guards are off, and each is an option', async () => {
  const { options } = await listening();
  expect(options).toMatchObject({
    origins: 'any',
    draft08: true,
    handshakeTimeout: 0,
    heartbeat: false,
    maxHeaderCount: 0,
    maxHeaderSize: 0,
    maxPayload: 104_857_600,
    maxPending: 0,
    memoryLimit: false,
    messageTimeout: false,
    slowConsumer: false,
  });
  const page = handshake({ Origin: 'https://elsewhere.example' });
  expect(await statusOf(portOf(await listening()), page)).toBe(101);
  expect(await statusOf(portOf(await listening({ origins: 'same' })), page)).toBe(403);
  const guarded = await listening({
    heartbeat: { interval: 5000 },
    maxPayload: 5,
    memoryLimit: 1_000_000,
    handshakeTimeout: 10_000,
  });
  expect(guarded.options).toMatchObject({ heartbeat: { interval: 5000 }, maxPayload: 5, handshakeTimeout: 10_000 });
  expect(guarded.options.memoryLimit).toMatchObject({ limit: 1_000_000 });
});

test.each([
  [undefined, 'WS_ERR_NON_MINIMAL_LENGTH'],
  [false, 'hi'],
])('a length that is not in its shortest form, with strictLength %p: %s', async (strictLength, outcome) => {
  const server = await listening({ strictLength });
  const told = new Promise<string>((resolve) => {
    server.on('connection', (socket) => {
      socket.on('message', (data) => resolve(String(data)));
      socket.on('error', (error) => resolve((error as Error & { code: string }).code));
    });
  });
  const peer = Wire.to(portOf(server), handshake());
  await peer.head();
  peer.write(bytes('81fe 0002 00000000 6869'));
  expect(await told).toBe(outcome);
});

test.each(['verifyClient', 'handleProtocols'] as const)('%s throws: 500, and the server says so', async (name) => {
  const fault = new Error('of the program');
  const throws = (): never => {
    throw fault;
  };
  const server = await listening({ [name]: throws });
  const refused = once(server, 'refused');
  expect(await statusOf(portOf(server), handshake({ 'Sec-WebSocket-Protocol': 'a' }))).toBe(500);
  const [reason, , error] = await refused;
  expect([reason, error]).toEqual([name, fault]);
});

test('several servers on one http server, and a listener of somebody else', async () => {
  const http = createServer().listen(0, '127.0.0.1');
  atEnd(() => http.close());
  await once(http, 'listening');
  for (const path of ['/a', '/b']) {
    const server = new WebSocketServer({ server: http, path });
    server.on('connection', (socket) => socket.close(4000, path));
    atEnd(() => server[Symbol.asyncDispose]());
  }
  const said: unknown[] = [];
  for (const path of ['/a', '/b', '/c']) {
    const peer = Wire.to(portOf(http), handshake({}, `GET ${path} HTTP/1.1`));
    said.push((await peer.head()).status);
    if (path !== '/c') said.push(await peer.bytes(6));
  }
  expect(said).toEqual([101, '88040fa02f61', 101, '88040fa02f62', 400]);
  http.on('upgrade', (request, socket) => {
    if (request.url === '/c') socket.end('HTTP/1.1 204 No Content\r\n\r\n');
  });
  expect(await statusOf(portOf(http), handshake({}, 'GET /c HTTP/1.1'))).toBe(204);
});

test('an empty element in a list of subprotocols is stepped over', async () => {
  const expectDifference = differs('server', { was: [400], is: [101] }, async (world) => {
    const { port } = await world.serve();
    world.log(await statusOf(port, handshake({ 'Sec-WebSocket-Protocol': 'a,,b' })));
  });
  await expectDifference();
});

test.each([
  ['no Host', handshake({ Host: undefined }), 101, 400],
  ['a fragment', handshake({}, 'GET /a#b HTTP/1.1'), 101, 400],
  ['a body', handshake({ 'Content-Length': '5' }), 101, 400],
  ['extensions that are none', handshake({ 'Sec-WebSocket-Extensions': ';;' }), 101, 400],
  ['a version of its own', handshake({ 'Sec-WebSocket-Version': '14' }), 400, 426],
])('a request with %s', async (_name, request, was, is) => {
  const expectDifference = differs('server', { was: [was], is: [is] }, async (world) => {
    world.log(await statusOf((await world.serve()).port, request));
  });
  await expectDifference();
});

test('an object that verifyClient answers', async () => {
  const expectDifference = differs('server', { was: [101, 101, 101], is: [500, 500, 101] }, async (world) => {
    const user = { name: 'somebody' } as never;
    const ways = [() => user, (_info: unknown, reply: (user: never) => void) => reply(user), () => Boolean(user)];
    for (const verifyClient of ways) {
      world.log(await statusOf((await world.serve({ verifyClient })).port, handshake()));
    }
  });
  await expectDifference();
});

test('the class of an error that a peer causes', async () => {
  const expectDifference = differs('server', { was: ['RangeError'], is: ['ProtocolError'] }, async (world) => {
    const { client, socket } = await world.pair({ maxPayload: 5 });
    client.send('123456');
    world.log(((await once(socket, 'error')) as [Error])[0].name);
  });
  await expectDifference();
});

test('messages that arrived together with one whose listener terminates', async () => {
  const expectDifference = differs('client', { was: ['1', '2'], is: ['1'] }, async (world) => {
    const { client, socket } = await world.pair();
    client.on('message', (data) => {
      world.log((data as Buffer).toString());
      client.terminate();
    });
    (socket as unknown as { _socket: Duplex })._socket.write(bytes('8101 31 8101 32'));
    await closed(client);
  });
  await expectDifference();
});

test('callbacks of one turn run in the async context of the first', async () => {
  const expectDifference = differs('client', { was: ['a', 'b'], is: ['a', 'a'] }, async (world) => {
    const { client } = await world.pair();
    const context = new AsyncLocalStorage<string>();
    const sent = ['a', 'b'].map((name) =>
      context.run(name, () => new Promise((resolve) => client.send(name, () => resolve(context.getStore())))),
    );
    world.seen.push(...(await Promise.all(sent)));
  });
  await expectDifference();
});

test("a subclass hears of the peer's Close frame by 'closing'", async () => {
  const expectDifference = differs('client', { was: ['close', 4000], is: ['closing', 4000] }, async (world) => {
    const { url, server } = await world.serve();
    server.on('connection', (socket) => socket.close(4000));
    class Closing extends world.client {
      override close(code?: number, reason?: string | Buffer): void {
        world.seen.push('close', code);
        super.close(code, reason);
      }
    }
    const socket = new Closing(url);
    socket.on('closing', (code: number) => world.seen.push('closing', code));
    await closed(socket);
  });
  await expectDifference();
});
