import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { zlibBackend } from '@ws/deflate/node';
import { hex } from '@ws/testing';
import type { PerMessageDeflateOptions as PeerDeflateOptions, WebSocket as PeerSocket } from 'ws';
import { PreparedMessage, type PerMessageDeflateOptions, type ServerOptions, type WebSocket } from '../src/index.js';
import { connection, handshake, opened, peer, portOf, RawPeer, start } from './support.js';

interface Ends {
  readonly socket: WebSocket;
  readonly client: PeerSocket;
  /** The client's TCP connection, of which Node counts the bytes. */
  readonly tcp: Socket;
}

/** Our server, and npm `ws` as its client. */
async function ends(options: ServerOptions, offered: PeerDeflateOptions | boolean = true): Promise<Ends> {
  const server = await start(options);
  const next = connection(server);
  let tcp: Socket | undefined;
  const createConnection = ((where: { port: number; host: string }) =>
    (tcp = connect(where.port, where.host))) as typeof connect;
  const client = await opened(
    peer(portOf(server), '/', [], { perMessageDeflate: offered, createConnection, maxPayload: 2 ** 24 }),
  );
  return { socket: await next, client, tcp: tcp! };
}

/** Bytes on the wire from our server, for a message that is checked to arrive. */
async function sentBytes({ socket, client, tcp }: Ends, data: string, options = {}): Promise<number> {
  const before = tcp.bytesRead;
  const message = once(client, 'message');
  socket.send(data, options);
  expect(String((await message)[0]) === data).toBe(true);
  return tcp.bytesRead - before;
}

/** And to it. */
async function receivedBytes({ socket, client, tcp }: Ends, data: string): Promise<number> {
  const before = tcp.bytesWritten;
  const message = once(socket, 'message');
  client.send(data);
  expect(String((await message)[0]) === data).toBe(true);
  return tcp.bytesWritten - before;
}

const TAKEOVER = { serverNoContextTakeover: false, clientNoContextTakeover: false };

/** Text of which a window of 15 bits sees that it repeats, and one of 9 bits does not. */
const FAR_APART = randomBytes(5000).toString('base64').repeat(2);
/** JSON, as it is sent again and again. */
const record = (i: number): string =>
  JSON.stringify({ type: 'position', id: i, lat: 52.5 + i, lon: 13.4 - i, tags: ['a', 'b'] });

const MESSAGES = [
  ...[0, 1, 125, 1023, 1024, 16_384, 16_385, 100_000, 400_000].map((size) =>
    record(7)
      .repeat(size / 80 + 1)
      .slice(0, size),
  ),
  ...[1, 1024, 20_000].map((size) => randomBytes(size).toString('latin1')),
  ...[1, 2, 3, 4].map(record),
];

const ECHOES: PerMessageDeflateOptions[] = [
  {},
  TAKEOVER,
  { serverNoContextTakeover: false },
  { clientNoContextTakeover: false },
  { ...TAKEOVER, serverMaxWindowBits: 9 },
  { ...TAKEOVER, clientMaxWindowBits: 9 },
  { serverMaxWindowBits: 12, clientMaxWindowBits: 12 },
  { threshold: 0 },
  { threshold: 0, thresholdMode: 'always', ...TAKEOVER },
  {
    zlibDeflateOptions: { level: 9, memLevel: 9, strategy: 1, chunkSize: 1024 },
    zlibInflateOptions: { chunkSize: 64 },
  },
  { fastPath: false, ...TAKEOVER },
  { concurrencyLimit: 1, syncDeflateLimit: 0, syncInflateLimit: 0 },
  { concurrencyLimit: 1, syncDeflateLimit: 0, syncInflateLimit: 0, ...TAKEOVER },
  { maxContexts: 0, contextIdleTimeout: 0, ...TAKEOVER },
  { syncOutputLimit: 0 },
  { maxRatio: 2000 },
];

test.each(ECHOES)('npm ws has its messages back, in order, with %j', async (perMessageDeflate) => {
  const { socket, client } = await ends({ perMessageDeflate }, { threshold: 0 });
  expect([socket.extensions, client.extensions]).toEqual(['permessage-deflate', 'permessage-deflate']);
  socket.on('message', (data, isBinary) => socket.send(data as Buffer, { binary: isBinary }));
  const echoed: string[] = [];
  const all = new Promise<void>((resolve) =>
    client.on('message', (data) => {
      if (echoed.push(data.toString()) === MESSAGES.length) resolve();
    }),
  );
  for (const message of MESSAGES) client.send(message);
  await all;
  expect(echoed.findIndex((echo, i) => echo !== MESSAGES[i])).toBe(-1);
});

test('WS-017 threshold: 1024 bytes and more are compressed, less is not', async () => {
  const both = await ends({ perMessageDeflate: true });
  expect(await sentBytes(both, 'x'.repeat(1023))).toBe(1027);
  expect(await sentBytes(both, 'x'.repeat(1024))).toBeLessThan(40);
  expect(await sentBytes(await ends({ perMessageDeflate: { threshold: 10 } }), 'x'.repeat(40))).toBeLessThan(20);
});

test('X-26 thresholdMode: where contexts are taken over, small messages are compressed unless it is always', async () => {
  expect(await sentBytes(await ends({ perMessageDeflate: TAKEOVER }), 'x'.repeat(100))).toBeLessThan(20);
  const always = await ends({ perMessageDeflate: { ...TAKEOVER, thresholdMode: 'always' } });
  expect(await sentBytes(always, 'x'.repeat(100))).toBe(102);
});

test('WS-071 compress: false sends a message as it is', async () => {
  const both = await ends({ perMessageDeflate: { threshold: 0 } });
  expect(await sentBytes(both, 'x'.repeat(2000), { compress: false })).toBe(2004);
  expect(await sentBytes(both, 'x'.repeat(2000), { compress: true })).toBeLessThan(40);
});

test('WS-014 takeover: the second of two equal messages is a reference to the first, each way as agreed', async () => {
  const text = randomBytes(2000).toString('base64');
  for (const [options, sends, receives] of [
    [TAKEOVER, true, true],
    [{ serverNoContextTakeover: false }, true, false],
    [{ clientNoContextTakeover: false }, false, true],
    [{}, false, false],
  ] as const) {
    const both = await ends({ perMessageDeflate: options }, { threshold: 0 });
    await sentBytes(both, text);
    await receivedBytes(both, text);
    expect((await sentBytes(both, text)) < 100).toBe(sends);
    expect((await receivedBytes(both, text)) < 100).toBe(receives);
  }
});

test('WS-015 windows: what lies further back than agreed is not referred to', async () => {
  for (const [options, sends, receives] of [
    [{}, true, true],
    [{ serverMaxWindowBits: 9 }, false, true],
    [{ clientMaxWindowBits: 9 }, true, false],
  ] as const) {
    const both = await ends({ perMessageDeflate: options }, { threshold: 0, zlibDeflateOptions: { level: 9 } });
    const half = FAR_APART.length * 0.6;
    expect((await sentBytes(both, FAR_APART)) < half).toBe(sends);
    expect((await receivedBytes(both, FAR_APART)) < half).toBe(receives);
  }
});

test('zlibDeflateOptions.level has its effect', async () => {
  const text = Array.from({ length: 3000 }, (_, i) => ((i * i * 7919) % 1009).toString(5)).join(' ');
  const sizes = [];
  for (const level of [9, 1, 0]) {
    sizes.push(await sentBytes(await ends({ perMessageDeflate: { zlibDeflateOptions: { level } } }), text));
  }
  expect(sizes).toEqual([...sizes].sort((a, b) => a - b));
  expect(new Set(sizes).size).toBe(3);
});

test.each([true, { fastPath: false }, { syncInflateLimit: 0 }])(
  'B-22 maxPayload holds for what a message inflates to: 1009, with %j',
  async (perMessageDeflate) => {
    const { socket, client } = await ends({ perMessageDeflate, maxPayload: 100_000 });
    const faults = once(socket, 'error');
    const closing = once(client, 'close');
    client.send('x'.repeat(100_001));
    expect([(await faults)[0].code, (await closing)[0]]).toEqual(['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 1009]);
  },
);

test('maxRatio: what inflates by more is 1009', async () => {
  const both = await ends({ perMessageDeflate: { maxRatio: 50 } });
  await receivedBytes(both, record(1).repeat(20));
  const { socket, client } = both;
  const faults = once(socket, 'error');
  const closing = once(client, 'close');
  client.send('x'.repeat(100_000));
  expect([(await faults)[0].code, (await closing)[0]]).toEqual(['WS_ERR_INFLATION_RATIO', 1009]);
});

test('corrupt data: 1007, and the socket says so', async () => {
  const server = await start({ perMessageDeflate: true });
  const next = connection(server);
  const raw = new RawPeer(portOf(server)).write(handshake({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }));
  const socket = await next;
  const faults = once(socket, 'error');
  raw.write(hex`c1 83 00000000 ffffff`);
  expect((await faults)[0]).toMatchObject({ name: 'DeflateError', code: 'WS_ERR_INVALID_DEFLATE_DATA' });
  expect((await raw.closed).includes('\x88')).toBe(true);
});

test('a prepared message goes to all, compressed or not', async () => {
  const compressed = await ends({ perMessageDeflate: true });
  const taken = await ends({ perMessageDeflate: TAKEOVER });
  const plain = await ends({});
  const text = record(3).repeat(100);
  const prepared = new PreparedMessage(text);
  const all = [compressed, taken, plain].map(({ client }) => once(client, 'message'));
  for (const { socket } of [compressed, taken, plain]) socket.send(prepared);
  for (const message of all) expect(String((await message)[0]) === text).toBe(true);
});

test('no compressor exists before a message needs one', async () => {
  const perMessageDeflate = { ...TAKEOVER, maxContexts: 77 }; // nobody else's
  const backend = zlibBackend(perMessageDeflate);
  const both = await ends({ perMessageDeflate });
  await receivedBytes(both, record(1));
  await sentBytes(both, record(1), { compress: false });
  expect(backend.contexts).toBe(0);
  await sentBytes(both, record(1));
  expect(backend.contexts).toBe(1);
});
