import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { expect, jest, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { kObserver, MemoryBudget, WebSocket, type Observer } from '../src/index.js';
import { clientFrame, event, framesOf, nextTurn, recorded, type Recorder } from './streams.js';

// A connection is made of little as long as nothing happens on it. Its account is opened with the rest: what has none is not awake.

function silent(options: Parameters<typeof recorded>[0] = {}): {
  socket: WebSocket;
  stream: Recorder;
  isAwake: () => boolean;
} {
  const memoryLimit = new MemoryBudget(1_000_000);
  const open = jest.spyOn(memoryLimit, 'open');
  return { ...recorded({ memoryLimit, ...options }), isAwake: () => open.mock.calls.length > 0 };
}

test('what can be known of a connection can be asked without waking it', async () => {
  const { socket, stream, isAwake } = silent();
  await nextTurn();
  socket.binaryType = 'arraybuffer';
  socket.incoming = 'buffer';
  expect([socket.readyState, socket.bufferedAmount, socket.isPaused, socket.latency]).toEqual([1, 0, false, undefined]);
  expect(socket.stats).toEqual({ bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 });
  expect([socket.protocol, socket.extensions, socket.requestedProtocols]).toEqual(['', '', []]);
  expect(socket.limits.maxPayload).toBe(104_857_600);
  expect(socket.limits).toBe(socket.limits);
  expect(socket.duplex).toBe(stream);
  expect(isAwake()).toBe(false);

  const message = event(socket, 'message');
  stream.push(clientFrame(Opcode.Binary, 'now'));
  const [data] = await message;
  expect(Buffer.from(data as ArrayBuffer).toString()).toBe('now');
  expect([isAwake(), socket.messagesReceived]).toEqual([true, 1]);
  socket.terminate();
  await socket.closed;
});

const FIRST_ACTS: Record<string, (socket: WebSocket, stream: Recorder) => unknown> = {
  send: (socket) => socket.send('x'),
  ping: (socket) => socket.ping(),
  'a stream of a message': (socket) => socket.createOutgoing().end('x'),
  'fragments asked for': (socket) => (socket.binaryType = 'fragments'),
  'streams asked for': (socket) => (socket.incoming = 'stream'),
  'new limits': (socket) => socket.limits.update({ maxPayload: 10 }),
  'pause and resume': (socket) => (socket.pause(), socket.resume()),
  'a byte from the peer': (_socket, stream) => stream.push(Buffer.from([0x81])),
};

test.each(Object.keys(FIRST_ACTS))('%s wakes it, and it closes in good order', async (name) => {
  const { socket, stream, isAwake } = silent();
  await nextTurn();
  expect(isAwake()).toBe(false);
  FIRST_ACTS[name]!(socket, stream);
  await nextTurn();
  expect(isAwake()).toBe(true);
  socket.close(1000);
  const rest = clientFrame(Opcode.Close, Buffer.from([3, 232]));
  stream.push(name === 'a byte from the peer' ? Buffer.concat([Buffer.from([0x80, 1, 2, 3, 4]), rest]) : rest);
  stream.push(null);
  const { code, wasClean } = await socket.closed;
  expect([code, wasClean]).toEqual([1000, true]);
  expect(framesOf(stream.bytes).at(-1)!.opcode).toBe(Opcode.Close);
});

const FIRST_ENDS: Record<string, { act: (socket: WebSocket, stream: Recorder) => unknown; initiator: string }> = {
  close: { act: (socket, stream) => (socket.close(), stream.push(null)), initiator: 'local' },
  terminate: { act: (socket) => socket.terminate(), initiator: 'local' },
  'the end of the input': { act: (_socket, stream) => stream.push(null), initiator: 'transport' },
  'an error of the stream': { act: (_socket, stream) => stream.destroy(new Error('torn')), initiator: 'transport' },
};

test.each(Object.keys(FIRST_ENDS))('a connection on which nothing came to pass ends with %s', async (name) => {
  const { socket, stream } = silent();
  await nextTurn();
  const { act, initiator } = FIRST_ENDS[name]!;
  const told: string[] = [];
  const observer: Observer = {
    slow: () => told.push('slow'),
    recovered: () => told.push('recovered'),
    closing: () => told.push('closing'),
    streamClosed: (gone) => told.push(gone === stream ? 'stream' : 'another'),
    closed: (gone, { code }) => told.push(`${gone === socket} ${code}`),
  };
  socket[kObserver] = observer;
  socket.on('close', () => told.push('listeners'));
  act(socket, stream);
  const info = await socket.closed;
  await nextTurn();
  expect([info.code, info.initiator]).toEqual([1006, initiator]);
  expect(told).toEqual([...(name === 'close' ? ['closing'] : []), 'stream', 'true 1006', 'listeners']);
  expect(info.lastActivity).toBeLessThanOrEqual(Math.ceil(performance.timeOrigin + performance.now()));
});

test('guards count from the opening, not from the waking', async () => {
  const openedAt = performance.now();
  const { socket, isAwake } = silent({ idleTimeout: 60 });
  socket.on('closing', (code) => expect(code).toBe(1001));
  await event(socket, 'closing');
  const ms = performance.now() - openedAt;
  expect(ms).toBeGreaterThanOrEqual(58);
  expect(isAwake()).toBe(true);
  socket.terminate();
  await socket.closed;
});

test("a socket's end is told by one listener: Node's own does nothing where the other half stays open", async () => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [stream] = (await once(server, 'connection')) as [Socket];
  const [own, ...others] = stream.listeners('end');
  const source =
    /^function onReadableStreamEnd\(\) \{\s*if \(!this\.allowHalfOpen\) \{\s*this\.write = writeAfterFIN;\s*\}\s*\}$/;
  expect(String(own)).toMatch(source); // it would be seen here if a version of Node had more to do
  const socket = WebSocket.from(stream, { role: 'server' });
  expect(stream.listeners('end').map(({ name }) => name)).toEqual([...others.map(({ name }) => name), 'onEnd']);
  expect(stream.allowHalfOpen).toBe(true);
  client.end();
  const { code, initiator } = await socket.closed;
  expect([code, initiator, stream.listenerCount('end')]).toEqual([1006, 'transport', 0]);
  server.close();
});
