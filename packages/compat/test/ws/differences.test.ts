// What docs/migrate/ws.md says of differences, as far as no row shows it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, expect, test } from '@jest/globals';
import { WebSocketServer } from '../../src/ws/index.js';
import { at, differs } from './differential.js';
import { frame, handshake, RawPeer } from './raw.js';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const act of undo.splice(0).toReversed()) await act();
});

async function listening(options: ConstructorParameters<typeof WebSocketServer>[0] = {}): Promise<WebSocketServer> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', ...options });
  undo.push(() => server[Symbol.asyncDispose]());
  await once(server, 'listening');
  return server;
}

function peerOf(server: { address(): ReturnType<WebSocketServer['address']> }, text: string): RawPeer {
  const peer = new RawPeer(at(server).port, text);
  undo.push(() => peer.socket.destroy());
  return peer;
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
  expect(await peerOf(await listening(), page).answer()).toBe('101');
  expect(await peerOf(await listening({ origins: 'same' }), page).answer()).toBe('403');
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
  const peer = peerOf(server, handshake());
  await peer.until('\r\n\r\n');
  peer.socket.write(frame('81fe 0002 00000000 6869'));
  expect(await told).toBe(outcome);
});

test.each(['verifyClient', 'handleProtocols'] as const)('%s throws: 500, and the server says so', async (name) => {
  const fault = new Error('of the program');
  const throws = (): never => {
    throw fault;
  };
  const server = await listening({ [name]: throws });
  const refused = once(server, 'refused');
  const peer = peerOf(server, handshake({ 'Sec-WebSocket-Protocol': 'a' }));
  expect(await peer.answer()).toBe('500');
  const [reason, , error] = await refused;
  expect([reason, error]).toEqual([name, fault]);
});

test('several servers on one http server, and a listener of somebody else', async () => {
  const http = createServer().listen(0, '127.0.0.1');
  undo.push(() => http.close());
  await once(http, 'listening');
  for (const path of ['/a', '/b']) {
    const server = new WebSocketServer({ server: http, path });
    server.on('connection', (socket) => socket.close(4000, path));
    undo.push(() => server[Symbol.asyncDispose]());
  }
  const said: string[] = [];
  for (const path of ['/a', '/b', '/c']) {
    const peer = peerOf(http, handshake({}, path));
    said.push(await peer.answer());
    if (path !== '/c') said.push(await peer.until(path));
  }
  expect(said).toEqual(['101', '\x88\x04\x0f\xa0/a', '101', '\x88\x04\x0f\xa0/b', '400']);
  http.on('upgrade', (request, socket) => {
    if (request.url === '/c') socket.end('HTTP/1.1 204 No Content\r\n\r\n');
  });
  expect(await peerOf(http, handshake({}, '/c')).answer()).toBe('204');
});

test('an empty element in a list of subprotocols is stepped over', async () => {
  const expectDifference = differs('server', { was: ['400'], is: ['101'] }, async (world) => {
    const { port } = await world.serve();
    const peer = new RawPeer(port, handshake({ 'Sec-WebSocket-Protocol': 'a,,b' }));
    world.log(await peer.answer());
    peer.socket.destroy();
  });
  await expectDifference();
});
