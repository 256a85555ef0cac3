import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { expect, jest, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { MemoryBudget, WebSocket, WebSocketServer, type ServerOptions } from '../src/index.js';
import { MODES, startAs, type Mode } from './modes.js';
import {
  manage,
  startHttp,
  exchange,
  first,
  handshake,
  isAlive,
  portOf,
  RawPeer,
  shake,
  start,
  type Answer,
} from './support.js';

const HANDSHAKE = handshake();

/** A raw client with an open connection. */
async function enter(
  port: number,
  { text = HANDSHAKE, from }: { text?: string; from?: string } = {},
): Promise<RawPeer> {
  const raw = new RawPeer(port, from).write(text);
  expect(await raw.until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 101 /);
  return raw;
}

function expectLimit(answer: Answer, status: 429 | 503): void {
  expect(answer.status).toBe(status);
  expect(answer.headers['retry-after']).toMatch(/^[1-9][0-9]*$/);
  expect(answer.headers['connection']).toBe('close');
  expect(answer.body).toHaveLength(Number(answer.headers['content-length']));
}

/** Once the server knows that a client of it is gone. */
async function gone(server: WebSocketServer, act: () => unknown): Promise<void> {
  const { clients } = server;
  const client = first([...clients]);
  act();
  await client.closed;
}

const reasonsOf = (server: WebSocketServer): string[] => {
  const reasons: string[] = [];
  server.on('refused', (reason) => reasons.push(reason));
  return reasons;
};

test.each(MODES)(
  'maxConnections holds, and a place is free again after a close and after an RST (%s)',
  async (mode) => {
    const { server, port } = await startAs(mode, { maxConnections: 2 });
    const reasons = reasonsOf(server);
    const one = await enter(port);
    await enter(port);
    for (let i = 0; i < 3; i++) expectLimit(await exchange(port, HANDSHAKE), 503);
    expect(reasons).toEqual(['maxConnections', 'maxConnections', 'maxConnections']);
    expect(server.clients.size).toBe(2);

    await gone(server, () => one.socket.destroy());
    const two = await enter(port);
    expectLimit(await exchange(port, HANDSHAKE), 503);
    await gone(server, () => first([...server.clients]).terminate());
    await enter(port);
    expectLimit(await exchange(port, HANDSHAKE), 503);
    const left = Promise.race([...server.clients].map((client) => client.closed));
    two.socket.resetAndDestroy();
    await left;
    await enter(port);
    expectLimit(await exchange(port, HANDSHAKE), 503);
  },
);

test.each(MODES)('maxConnectionsPerAddress holds, and other addresses have their own (%s)', async (mode) => {
  const { server, port } = await startAs(mode, { maxConnectionsPerAddress: 2 });
  await enter(port);
  await enter(port);
  expectLimit(await exchange(port, HANDSHAKE), 429);
  await enter(port, { from: '127.0.0.2' });
  await enter(port, { from: '127.0.0.2' });
  expectLimit(await exchange(port, HANDSHAKE, '127.0.0.2'), 429);
  await gone(server, () => first([...server.clients]).terminate());
  await enter(port);
  expectLimit(await exchange(port, HANDSHAKE), 429);
  expectLimit(await exchange(port, HANDSHAKE, '127.0.0.2'), 429);
});

test.each(MODES)('rateLimit.handshakes holds, for each address apart (%s)', async (mode) => {
  const { server, port } = await startAs(mode, { rateLimit: { handshakes: { rate: 0.01, burst: 2 } } });
  const reasons = reasonsOf(server);
  await enter(port);
  await enter(port);
  for (let i = 0; i < 2; i++) {
    const answer = await exchange(port, HANDSHAKE);
    expectLimit(answer, 429);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(90); // a token comes every 100 s
  }
  await enter(port, { from: '127.0.0.2' });
  expect(reasons).toEqual(['rateLimit', 'rateLimit']);
});

test.each(MODES)('while the memory budget is over, nobody else is let in (%s)', async (mode) => {
  let isOver = false;
  class Budget extends MemoryBudget {
    override get isOver(): boolean {
      return isOver;
    }
  }
  const { server, port } = await startAs(mode, { memoryLimit: new Budget(1_000_000) });
  const reasons = reasonsOf(server);
  await enter(port);
  isOver = true;
  for (let i = 0; i < 2; i++) expectLimit(await exchange(port, HANDSHAKE), 503);
  expect(reasons).toEqual(['memoryLimit', 'memoryLimit']);
  isOver = false;
  await enter(port);
});

test('what breaks the rules of a handshake counts towards the rate as well', async () => {
  const { port } = await startAs('port', { rateLimit: { handshakes: { rate: 0.01, burst: 2 } } });
  for (let i = 0; i < 2; i++) expect((await exchange(port, handshake({ 'Sec-WebSocket-Key': 'x' }))).status).toBe(400);
  expectLimit(await exchange(port, HANDSHAKE), 429);
});

test.each(MODES)('while the rate is used up, what is wrong with a request is said first (K-08, %s)', async (mode) => {
  const { port } = await startAs(mode, { rateLimit: { handshakes: { rate: 0.01, burst: 1 } }, trustProxy: 1 });
  await enter(port);
  expect((await exchange(port, handshake({ Origin: 'https://evil.example' }))).status).toBe(403);
  expectLimit(await exchange(port, HANDSHAKE), 429);
});

const NEVER = (): Promise<boolean> => new Promise(() => {});

/** Every way in which a handshake can end without a connection, once it has a place. */
const ENDINGS: [name: string, options: Partial<ServerOptions>, text: string, status: number][] = [
  ['verifyClient says no', { verifyClient: () => false }, HANDSHAKE, 401],
  ['verifyClient says no later', { verifyClient: async () => false }, HANDSHAKE, 401],
  ['verifyClient throws', { verifyClient: () => fail() }, HANDSHAKE, 500],
  ['verifyClient rejects', { verifyClient: async () => fail() }, HANDSHAKE, 500],
  ['verifyClient does not answer', { verifyClient: NEVER, handshakeTimeout: 30 }, HANDSHAKE, 503],
  ['handleProtocols throws', { handleProtocols: () => fail() }, handshake({ 'Sec-WebSocket-Protocol': 'a' }), 500],
  ['requireProtocol', { requireProtocol: true }, HANDSHAKE, 400],
];

const fail = (): never => {
  throw new Error('of the user');
};

test.each(ENDINGS)('the place is free again when %s', async (_name, options, text, status) => {
  let good = false;
  const { verifyClient, handleProtocols, requireProtocol, ...rest } = options;
  for (const mode of MODES) {
    good = false;
    const { port } = await startAs(mode, {
      maxConnections: 1,
      maxConnectionsPerAddress: 1,
      ...rest,
      verifyClient: (info, callback) =>
        good || !verifyClient ? callback(true) : answer(verifyClient(info, callback), callback),
      ...(handleProtocols && { handleProtocols: (...given) => (good ? false : handleProtocols(...given)) }),
      requireProtocol,
    });
    for (let i = 0; i < 3; i++) expect([mode, (await exchange(port, text)).status]).toEqual([mode, status]);
    good = true;
    if (!requireProtocol) await enter(port);
  }
});

/** A one-parameter answer as a callback; what is rejected is thrown on, as an async function of two parameters does. */
const answer = (given: unknown, callback: (accept: boolean) => void): void =>
  Promise.resolve(given).then(
    (value) => callback(value as boolean),
    () => callback({ accept: false, code: 500 } as never),
  ) as never;

test.each(['WebSocket', 'headers', 'a line'])(
  'the place is free again when code of the user throws: %s',
  async (name) => {
    let wrong: string | undefined = name;
    class Odd extends WebSocket {
      constructor(...given: ConstructorParameters<typeof WebSocket>) {
        super(...given);
        if (wrong === 'WebSocket') fail();
      }
    }
    const http = await startHttp(createServer());
    const server = manage(new WebSocketServer({ noServer: true, maxConnections: 1, WebSocket: Odd }));
    server.on('headers', (lines) => {
      if (wrong === 'headers') fail();
      if (wrong === 'a line') lines.push('no header');
    });
    const thrown: unknown[] = [];
    http.on('upgrade', (request, socket, head) => {
      try {
        server.handleUpgrade(request, socket, head, () => {});
      } catch (error) {
        thrown.push(error);
      }
    });
    for (let i = 0; i < 2; i++) expect((await exchange(portOf(http), HANDSHAKE)).status).toBe(500);
    expect(thrown).toHaveLength(name === 'a line' ? 0 : 2);
    wrong = undefined;
    await enter(portOf(http));
    expectLimit(await exchange(portOf(http), HANDSHAKE), 503);
  },
);

test.each<Mode>(['server', 'noServer'])(
  'maxPending holds for handshakes that wait for user code (%s)',
  async (mode) => {
    const answers: ((accept: boolean) => void)[] = [];
    const verifyClient: ServerOptions['verifyClient'] = (_info, callback) => void answers.push(callback);
    const { server, port } = await startAs(mode, { maxPending: 2, verifyClient });
    const event = once(server, 'refused');
    const raws = [new RawPeer(port).write(HANDSHAKE), new RawPeer(port).write(HANDSHAKE)];
    while (answers.length < 2) await new Promise(setImmediate);
    expectLimit(await exchange(port, HANDSHAKE), 503);
    expect((await event)[0]).toBe('maxPending');
    expect(answers).toHaveLength(3);
    answers[2]!(true); // too late
    answers[0]!(true);
    await Promise.race(raws.map((raw) => raw.until(' 101 ')));
    const fourth = new RawPeer(port).write(HANDSHAKE);
    while (answers.length < 4) await new Promise(setImmediate);
    answers[3]!(true);
    expect(await fourth.until('\r\n\r\n')).toMatch(/ 101 /);
  },
);

/** A clock for the library, at what it is now and what is added. */
function laterBy(ms: () => number): void {
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + ms());
}

test('maxPending holds on an own port: first nobody makes room, then who has been silent longest', async () => {
  let added = 0;
  laterBy(() => added);
  try {
    const server = await start({ maxPending: 2, verifyClient: (_info, callback) => void setImmediate(callback, true) });
    const port = portOf(server);
    const silent = new RawPeer(port);
    await once(silent.socket, 'connect');
    const half = new RawPeer(port).write(HANDSHAKE.slice(0, 40));
    await once(half.socket, 'connect');
    expectLimit(await exchange(port, HANDSHAKE), 503);
    expectLimit(await exchange(port, ''), 503); // at once, whatever comes

    added = 1100;
    await enter(port);
    expect(await silent.closed).toBe('');
    await enter(port);
    const third = new RawPeer(port);
    await once(third.socket, 'connect');
    await enter(port); // a connection is not pending
    added = 2200;
    const fourth = new RawPeer(port);
    await once(fourth.socket, 'connect');
    await enter(port);
    expect(await half.closed).toMatch(/^HTTP\/1\.1 408 /);
    half.socket.destroy();
    expect(server.clients.size).toBe(4);
  } finally {
    jest.restoreAllMocks();
  }
});

/** So many wait that others are not asked what they want. */
async function crowd(port: number): Promise<RawPeer[]> {
  const silent = Array.from({ length: 64 }, () => new RawPeer(port));
  await Promise.all(silent.map(({ socket }) => once(socket, 'connect')));
  return silent;
}

test('while many wait, who cannot be let in is turned away at the door, without an event', async () => {
  const server = await start({ maxConnections: 1 });
  const port = portOf(server);
  const reasons = reasonsOf(server);
  const refused: unknown[] = [];
  const hear = (told: unknown): void => void refused.push((told as { reason: string }).reason);
  const client = await enter(port);
  const silent = await crowd(port);
  subscribe('ws:refused', hear);
  try {
    expectLimit(await exchange(port, ''), 503); // at once: it has not asked for anything
  } finally {
    unsubscribe('ws:refused', hear);
  }
  expect([reasons, refused]).toEqual([[], ['maxConnections']]);
  for (const { socket } of silent) socket.destroy();
  await gone(server, () => client.socket.destroy());
  await enter(port);
});

test('who is turned away at the door and stays is cut', async () => {
  const server = await start({ maxConnections: 1 });
  await enter(portOf(server));
  await crowd(portOf(server));
  const raw = new RawPeer(portOf(server));
  raw.socket.allowHalfOpen = true;
  await raw.until('Retry-After');
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve)); // not before every TCP connection is gone
  expect([raw.received.slice(0, 13), raw.socket.closed]).toEqual(['HTTP/1.1 503 ', false]);
});

test('many that are turned away at once are all told, and the server is there for its clients', async () => {
  const server = await start({ maxConnections: 1 });
  const port = portOf(server);
  const client = await enter(port);
  const answers = await Promise.all(Array.from({ length: 300 }, () => exchange(port, HANDSHAKE)));
  for (const one of answers) expectLimit(one, 503);
  await gone(server, () => client.socket.destroy());
  expect(await isAlive(server)).toBe(true);
});

test('those refused together are asked to come back one after the other', async () => {
  const { port } = await startAs('server', { maxConnections: 1 });
  await enter(port);
  const seconds: (string | undefined)[] = [];
  for (let i = 0; i < 8; i++) seconds.push((await shake(port, HANDSHAKE)).headers['retry-after']);
  expect(new Set(seconds).size).toBe(8);
});
