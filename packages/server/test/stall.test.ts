import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { pipeline, type Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { BroadcastStream, Incoming, WebSocketServer } from '../src/index.js';
import { handshake, joinAll, portOf, RawPeer, stalled, start } from './support.js';

// A message that stops in the middle: what waits behind it goes on after a time.

beforeEach(() => {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'hrtime', 'Date', 'setInterval'],
  });
});
afterEach(() => {
  jest.useRealTimers();
});

const DEFAULT_MS = 10_000;
const STALLED = expect.objectContaining({ code: 'WS_ERR_STALLED' });

/** The errors of a stream, as they come. */
const errorsOf = (stream: Writable, event = 'error'): unknown[] => {
  const errors: unknown[] = [];
  stream.on(event, (error) => errors.push(error));
  return errors;
};

/** A client that shows what comes before the message it belongs to is complete. */
async function reader(server: WebSocketServer): Promise<RawPeer> {
  const raw = new RawPeer(portOf(server)).write(handshake());
  await raw.until('\r\n\r\n');
  return raw;
}

test('a client stops in mid-message: the message is ended where it is, and the others go on', async () => {
  const server = await start({ incoming: 'stream' });
  const [sender, one, two] = await joinAll(server, 3);
  const raw = await reader(server);
  const relay = new Promise<BroadcastStream>((resolve) => {
    sender!.socket.on('incoming', (message: Incoming) => {
      const broadcast = server.createBroadcast({ binary: message.isBinary, except: sender!.socket });
      pipeline(message, broadcast, () => {});
      resolve(broadcast);
    });
  });
  sender!.client.send('part', { fin: false });
  const broadcast = await relay;
  const errors = errorsOf(broadcast);
  await raw.until('part');
  expect(server.broadcast('behind', { except: sender!.socket })).toMatchObject({ dropped: 0 });
  jest.advanceTimersByTime(DEFAULT_MS - 1);
  expect(broadcast.destroyed).toBe(false);
  jest.advanceTimersByTime(1);
  for (const { until } of [one!, two!]) expect(await until(2)).toEqual(['part', 'behind']);
  expect(errors).toEqual([STALLED]);
  // What comes of it later is dropped, and the client is a client as before.
  const next = once(sender!.socket, 'incoming');
  sender!.client.send(Buffer.alloc(1_000_000), { fin: false });
  sender!.client.send(' end');
  sender!.client.send('next');
  await next;
  expect(server.clients.size).toBe(4);
});

test('what nobody waits behind is left alone; each write counts anew', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const raw = await reader(server);
  const live = server.createBroadcast({ stallTimeout: 50 });
  const errors = errorsOf(live);
  jest.advanceTimersByTime(500);
  live.write('a');
  await raw.until('a');
  jest.advanceTimersByTime(500);
  server.broadcast('behind');
  jest.advanceTimersByTime(49);
  live.write('b');
  await raw.until('b');
  jest.advanceTimersByTime(49);
  expect(live.destroyed).toBe(false);
  jest.advanceTimersByTime(1);
  expect(live.destroyed).toBe(true);
  expect(await one!.until(2)).toEqual(['ab', 'behind']);
  expect(errors).toEqual([STALLED]);
});

test.each([0, false] as const)('stallTimeout: %p waits for ever', async (stallTimeout) => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const broadcast = server.createBroadcast({ stallTimeout });
  broadcast.write('a');
  server.broadcast('behind');
  jest.advanceTimersByTime(100 * DEFAULT_MS);
  broadcast.end('b');
  expect(await one!.until(2)).toEqual(['ab', 'behind']);
});

test('while the recipients take their time, the source does not stand still', async () => {
  const server = await start({ slowConsumer: false });
  await stalled(portOf(server));
  const broadcast = server.createBroadcast();
  do broadcast.write(Buffer.alloc(1_000_000));
  while (broadcast.writableLength === 0);
  for (let i = 0; i < 20; i++) broadcast.write(Buffer.alloc(1_000_000));
  for (let i = 0; i < 20; i++) await turn();
  expect(broadcast.writableLength).toBeGreaterThan(0);
  server.broadcast('behind');
  jest.advanceTimersByTime(10 * DEFAULT_MS);
  expect(broadcast.destroyed).toBe(false);
});

test('whose turn has not come holds nobody up', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const first = server.createBroadcast({ stallTimeout: false });
  first.write('a');
  const second = server.createBroadcast({ fragmentSize: 100 });
  second.write('b'); // which is collected: there is nothing to send
  server.broadcast('behind');
  jest.advanceTimersByTime(DEFAULT_MS);
  expect(second.destroyed).toBe(false);
  first.end();
  expect(await one!.until(1)).toEqual(['a']);
  jest.advanceTimersByTime(DEFAULT_MS);
  expect(await one!.until(2)).toEqual(['a', 'behind']); // nothing was sent of it, so there was nothing to be ended
  expect(second.destroyed).toBe(true);
});

test('no timer is left behind', async () => {
  const server = await start();
  const idle = jest.getTimerCount();
  const [one] = await joinAll(server, 1);
  const before = jest.getTimerCount();
  const streams = ['ends', 'is destroyed', 'has nobody'].map((text) => {
    const stream = server.createBroadcast();
    stream.write(text);
    return stream;
  });
  expect(jest.getTimerCount()).toBe(before + 3);
  streams[0]!.end();
  streams[1]!.destroy();
  await turn();
  expect(jest.getTimerCount()).toBe(before + 1);
  one!.socket.terminate();
  await one!.socket.closed;
  jest.advanceTimersByTime(DEFAULT_MS);
  expect(jest.getTimerCount()).toBe(idle);
});

test.each<[string, string | Buffer, string[]]>([
  ['a part', '\x01\x84\0\0\0\0part', ['part']],
  ['a header alone', '\x01\x84\0\0\0\0', []],
])('server.messages goes on behind a client that sent %s', async (_name, bytes, expected) => {
  const server = await start({ incoming: 'stream' });
  const failed = errorsOf(server.messages, 'failed');
  server.on('connection', (socket) => socket.messages().pipe(server.messages));
  const [one, two] = await joinAll(server, 2);
  const raw = await reader(server);
  const [socket] = [...server.clients].slice(-1);
  const arrived = once(socket!, 'incoming');
  raw.write(bytes);
  await arrived;
  for (const part of expected) await raw.until(part);
  jest.advanceTimersByTime(10 * DEFAULT_MS);
  await turn();
  expect(failed).toEqual([]);
  one!.client.send('behind');
  while (server.messages.writableLength < 2) await turn();
  jest.advanceTimersByTime(DEFAULT_MS);
  for (const { until } of [one!, two!]) expect(await until(expected.length + 1)).toEqual([...expected, 'behind']);
  expect(failed).toEqual([STALLED]);
  expect(server.clients.size).toBe(3);
});

test('server.messages goes on behind an iterable that never gives its next part', async () => {
  const server = await start();
  const [one] = await joinAll(server, 1);
  const failed = errorsOf(server.messages, 'failed');
  server.messages.write(
    (async function* () {
      yield 'part';
      await new Promise(() => {});
    })(),
  );
  server.messages.write('behind');
  for (let i = 0; i < 10; i++) await turn();
  jest.advanceTimersByTime(DEFAULT_MS);
  expect(await one!.until(2)).toEqual(['part', 'behind']);
  expect(failed).toEqual([STALLED]);
});

test('a stallTimeout that is none is told at once', async () => {
  const server = await start();
  expect(() => server.createBroadcast({ stallTimeout: -1 })).toThrow(
    'stallTimeout is -1, expected an integer of milli',
  );
  expect(() => server.createBroadcast({ stallTimeout: '5' as never })).toThrow(TypeError);
});
