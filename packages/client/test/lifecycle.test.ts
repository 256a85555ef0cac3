import { Agent } from 'node:http';
import type { Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { WebSocket as Connection } from '@ws/connection';
import { hex } from '@ws/testing';
import { WebSocket } from '../src/index.js';
import { atEnd, echoServer, ending, next, opened, rawServer, switching, wsServer } from './peers.js';

test.each(['close', 'terminate'] as const)(
  'A-35 B-44 %s while CONNECTING: error, then close 1006, and nothing is left',
  async (method) => {
    let requests = 0;
    const port = await rawServer(() => requests++);
    const websocket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const done = ending(websocket);
    websocket[method]();
    expect(websocket.readyState).toBe(WebSocket.CLOSING);
    websocket[method](); // a second time changes nothing
    const { events, error } = await done;
    expect(events).toEqual(['error WS_ERR_ABORTED', 'close 1006']);
    expect(error?.message).toBe('WebSocket was closed before the connection was established');
    expect(websocket.readyState).toBe(WebSocket.CLOSED);
    expect(await websocket.closed).toMatchObject({
      code: 1006,
      wasClean: false,
      initiator: 'local',
      sent: null,
      received: null,
      error: { code: 'WS_ERR_ABORTED' },
    });
  },
);

test('A-35 B-44 close after the request was sent cuts the connection', async () => {
  const websockets: WebSocket[] = [];
  const cut = new Promise<void>((resolve, reject) => {
    rawServer(({ socket }) => {
      socket.once('close', () => resolve());
      websockets[0]?.close(1000, 'changed my mind');
    }).then((port) => websockets.push(new WebSocket(`ws://127.0.0.1:${port}/`)), reject);
  });
  while (websockets[0] === undefined) await new Promise(setImmediate);
  expect((await ending(websockets[0])).events).toEqual(['error WS_ERR_ABORTED', 'close 1006']);
  await cut;
});

test('WS-080 an onerror listener counts as one, and onclose follows', async () => {
  const websocket = new WebSocket('ws://127.0.0.1:1/');
  const events: string[] = [];
  websocket.onerror = ({ type, message, error }) =>
    events.push(`${type} ${message} ${(error as NodeJS.ErrnoException).code}`);
  await new Promise<void>((resolve) => {
    websocket.onclose = ({ type, code, wasClean }) => {
      events.push(`${type} ${code} ${wasClean}`);
      resolve();
    };
  });
  expect(events).toEqual([expect.stringMatching(/^error connect ECONNREFUSED .* ECONNREFUSED$/), 'close 1006 false']);
});

test('send, ping and pong throw while CONNECTING', async () => {
  const { url } = await wsServer();
  const websocket = new WebSocket(url);
  expect(() => websocket.send('x')).toThrow('CONNECTING');
  expect(() => websocket.ping('x')).toThrow('CONNECTING');
  expect(() => websocket.pong('x')).toThrow('CONNECTING');
  await opened(websocket);
});

test('AbortSignal that is aborted already: no connection is made, bad options still throw', async () => {
  let requests = 0;
  const port = await rawServer(() => requests++);
  const url = `ws://127.0.0.1:${port}/`;
  const signal = AbortSignal.abort();
  expect(() => new WebSocket(url, { signal, headers: { 'a b': 'c' } })).toThrow(TypeError);
  let isCalled = false;
  const createConnection = (): never => {
    isCalled = true;
    throw new Error('a connection was made');
  };
  const websocket = new WebSocket(url, { signal, createConnection });
  expect(websocket.readyState).toBe(WebSocket.CLOSING);
  const { events, error } = await ending(websocket);
  expect(events).toEqual(['error ABORT_ERR', 'close 1006']);
  expect(error).toMatchObject({ name: 'AbortError', cause: signal.reason });
  expect([isCalled, requests]).toEqual([false, 0]);
});

const REASONS = [
  { name: 'its reason', reason: new RangeError('too slow'), expected: { name: 'RangeError', message: 'too slow' } },
  {
    name: 'an AbortError around a reason that is no error',
    reason: 'bored',
    expected: { name: 'AbortError', code: 'ABORT_ERR', cause: 'bored' },
  },
  { name: 'an AbortError around null', reason: null, expected: { name: 'AbortError', code: 'ABORT_ERR', cause: null } },
];

test.each(REASONS)(
  'AbortSignal while CONNECTING: the error is $name, and the connection is cut',
  async ({ reason, expected }) => {
    const controller = new AbortController();
    let cut: Promise<unknown> | undefined;
    const port = await rawServer(({ socket }) => {
      cut = next(socket, 'close');
      controller.abort(reason);
    });
    const websocket = new WebSocket(`ws://127.0.0.1:${port}/`, { signal: controller.signal });
    const { events, error } = await ending(websocket);
    expect(events).toHaveLength(2);
    expect(events[1]).toBe('close 1006');
    expect(error).toMatchObject(expected);
    expect(await websocket.closed).toMatchObject({ initiator: 'local', error });
    await cut;
  },
);

test('AbortSignal.timeout limits the time to connect', async () => {
  const port = await rawServer(() => {});
  const { error } = await ending(new WebSocket(`ws://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(20) }));
  expect(error?.name).toBe('TimeoutError');
});

test('AbortSignal has no effect from open on, and keeps no listener', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const counts = { add: 0, remove: 0 };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    counts.add++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    counts.remove++;
    removeEventListener.apply(signal, args);
  };
  const { url } = await echoServer();
  const websocket = await opened(new WebSocket(url, { signal }));
  expect(counts).toEqual({ add: 1, remove: 1 });
  controller.abort();
  websocket.send('still here');
  expect(String((await next(websocket, 'message'))[0])).toBe('still here');
});

test('nothing of the handshake stays on the socket', async () => {
  const { url } = await wsServer();
  const plain = await opened(new WebSocket(url));
  const agent = new Agent({ keepAlive: true, timeout: 60_000 });
  const busy = await opened(
    new WebSocket(url, {
      agent,
      handshakeTimeout: 60_000,
      timeout: 60_000,
      followRedirects: true,
      signal: new AbortController().signal,
    }),
  );
  const listeners = ({ duplex }: WebSocket): object =>
    Object.fromEntries((duplex?.eventNames() ?? []).map((name) => [String(name), duplex?.listenerCount(name)]));
  expect(listeners(busy)).toEqual(listeners(plain));
  // All of them are the connection's: node:net's own listener of 'end' has nothing to do.
  expect(listeners(plain)).toEqual({ close: 1, data: 1, end: 1, error: 1 });
  for (const { duplex } of [plain, busy]) {
    const { parser, _httpMessage } = duplex as Socket & { parser?: unknown; _httpMessage?: unknown };
    expect([parser ?? null, _httpMessage ?? null]).toEqual([null, null]);
  }
  agent.destroy();
});

test('WS-041 null: the base behaviour, for setSocket and from', async () => {
  const websocket = new WebSocket(null);
  expect([websocket.readyState, websocket.url]).toEqual([WebSocket.CONNECTING, '']);
  expect(() => new WebSocket(null, undefined, { maxPayload: -1 })).toThrow(RangeError);
  const done = ending(websocket);
  websocket.close();
  expect((await done).events).toEqual(['error WS_ERR_ABORTED', 'close 1006']);
});

test('K-13 WebSocket.from makes an instance of this class', async () => {
  const sockets: Socket[] = [];
  const port = await rawServer(({ socket, key }) => {
    sockets.push(socket);
    socket.write(switching(key));
  });
  const client = await opened(new WebSocket(`ws://127.0.0.1:${port}/`));
  const [stream] = sockets as [Socket];
  stream.removeAllListeners('data');
  const server = WebSocket.from(stream, { role: 'server' });
  atEnd(() => server.terminate());
  expect(server).toBeInstanceOf(WebSocket);
  expect(client).toBeInstanceOf(Connection);
  client.send('hello');
  expect(String((await next(server, 'message'))[0])).toBe('hello');
});

test('subclasses of the client connect as it does', async () => {
  class Bot extends WebSocket<{ name: string }> {
    override data = { name: 'bot' };
  }
  const { url } = await echoServer();
  const bot = new Bot(url);
  await opened(bot);
  expect(bot.data.name).toBe('bot');
  expect(bot).toBeInstanceOf(Connection);
});

test('the peer breaks the protocol after open: an error where somebody listens, then close', async () => {
  const port = await rawServer(({ socket, key }) => {
    socket.write(Buffer.concat([Buffer.from(switching(key)), hex`83 00`]));
    socket.on('end', () => socket.end());
  });
  const { events } = await ending(new WebSocket(`ws://127.0.0.1:${port}/`));
  expect(events).toEqual(['upgrade', 'open', 'error WS_ERR_INVALID_OPCODE', 'close 1006']);
});

test('B-25 close always follows error: a hundred failing connects', async () => {
  const port = await rawServer(({ socket }, count) => {
    const ways = [
      () => socket.resetAndDestroy(),
      () => socket.end(),
      () => socket.write('HTTP/1.1 500 No\r\n\r\n'),
      () => socket.write('garbage\r\n\r\n'),
      () => socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n'),
    ];
    ways[count % ways.length]?.();
  });
  const endings = await Promise.all(
    Array.from({ length: 100 }, () => ending(new WebSocket(`ws://127.0.0.1:${port}/`))),
  );
  for (const { events } of endings) {
    const outcome = events.filter((event) => event !== 'upgrade');
    expect(outcome).toEqual([expect.stringMatching(/^error /), 'close 1006']);
  }
});
