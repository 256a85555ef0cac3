import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket } from '../src/index.js';
import { ending, next, opened, switching, type RawRequest } from './peers.js';
import { connectTo } from './requests.js';

const head = (text: string): RegExp => new RegExp(text);
const STEPS: { name: string; act: (request: RawRequest) => void; codes: RegExp }[] = [
  { name: 'after the request', act: ({ socket }) => socket.resetAndDestroy(), codes: head('ECONNRESET') },
  {
    name: 'in the status line',
    act: ({ socket }) => socket.write('HTTP/1', () => socket.resetAndDestroy()),
    codes: head('ECONNRESET|HPE_'),
  },
  {
    name: 'in the headers',
    act: ({ key, socket }) => socket.write(switching(key).slice(0, 60), () => socket.resetAndDestroy()),
    codes: head('ECONNRESET|HPE_'),
  },
  {
    name: 'before the last byte',
    act: ({ key, socket }) => socket.write(switching(key).slice(0, -1), () => socket.resetAndDestroy()),
    codes: head('ECONNRESET|HPE_'),
  },
];

test.each(STEPS)('RST $name: error, then close 1006', async ({ act, codes }) => {
  const { events } = await ending(await connectTo(act));
  expect(events).toEqual([expect.stringMatching(codes), 'close 1006']);
});

test.each(STEPS)('FIN $name: error, then close 1006', async ({ act }) => {
  const websocket = await connectTo((request) => {
    const socket = new Proxy(request.socket, {
      get: (target, name) => {
        if (name === 'resetAndDestroy') return () => target.end();
        const value: unknown = Reflect.get(target, name);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
    act({ ...request, socket });
  });
  const { events } = await ending(websocket);
  expect(events).toEqual([expect.stringMatching(/^error (ECONNRESET|HPE_)/), 'close 1006']);
});

test('RST right behind the 101: whatever comes first, it ends in close', async () => {
  const websocket = await connectTo(({ key, socket }) => socket.write(switching(key), () => socket.resetAndDestroy()));
  const { events } = await ending(websocket);
  expect(events.at(-1)).toBe('close 1006');
});

test('nobody listens: ECONNREFUSED', async () => {
  const websocket = new WebSocket('ws://127.0.0.1:1/');
  const { events } = await ending(websocket);
  expect(events).toEqual(['error ECONNREFUSED', 'close 1006']);
  expect(await websocket.closed).toMatchObject({ initiator: 'transport', error: { code: 'ECONNREFUSED' } });
});

test('handshakeTimeout cuts a server that never answers', async () => {
  let cut: Promise<unknown> | undefined;
  const websocket = await connectTo(({ socket }) => void (cut = next(socket, 'close')), { handshakeTimeout: 20 });
  const { events, error } = await ending(websocket);
  expect(events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
  expect(error?.message).toBe('Opening handshake has timed out');
  expect(await websocket.closed).toMatchObject({ code: 1006, initiator: 'timeout', error });
  await cut;
});

test('handshakeTimeout holds for a response that somebody has taken and does not read', async () => {
  const websocket = await connectTo(({ socket }) => socket.write('HTTP/1.1 401 No\r\nContent-Length: 9\r\n\r\nx'), {
    handshakeTimeout: 20,
  });
  const done = ending(websocket);
  websocket.on('unexpected-response', () => {});
  expect((await done).events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
});

test('handshakeTimeout and timeout have no effect from open on', async () => {
  const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const websocket = await connectTo(({ key, socket }) => socket.write(switching(key)), {
    handshakeTimeout: 30_000,
    timeout: 30_000,
  });
  expect(timers()).toBeGreaterThan(before);
  await opened(websocket);
  expect(timers()).toBeLessThanOrEqual(before);
  expect((websocket.duplex as Socket).timeout).toBe(0);
});

test('timeout, the idle timeout of http.request, ends a silent handshake', async () => {
  const { events } = await ending(await connectTo(() => {}, { timeout: 20 }));
  expect(events).toEqual(['error WS_ERR_HANDSHAKE_TIMEOUT', 'close 1006']);
});
