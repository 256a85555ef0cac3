import { randomBytes } from 'node:crypto';
import type { AddressInfo, Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { zlibBackend } from '@ws/deflate/node';
import { WebSocketServer, type ServerOptions, type WebSocket as ServerSocket } from '@ws/server';
import type { PerMessageDeflateOptions as PeerDeflateOptions, WebSocket as PeerSocket } from 'ws';
import { PreparedMessage, WebSocket, type PerMessageDeflateOptions } from '../src/index.js';
import { atEnd, next, opened, wsServer } from './peers.js';

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

/** All messages there and back, in order. */
async function echoesAll(websocket: WebSocket): Promise<void> {
  const echoed: string[] = [];
  const all = new Promise<void>((resolve) =>
    websocket.on('message', (data) => {
      if (echoed.push(String(data)) === MESSAGES.length) resolve();
    }),
  );
  for (const message of MESSAGES) websocket.send(message);
  await all;
  expect(echoed.findIndex((message, i) => message !== MESSAGES[i])).toBe(-1);
}

/** Either server's end of a connection. */
type Peer = PeerSocket | ServerSocket;

function echo(peer: Peer): void {
  const end = peer as ServerSocket;
  end.on('message', (data, isBinary) => end.send(data as Buffer, { binary: isBinary }));
}

/** The bytes that one message of the client's takes on the wire. */
async function sentBytes(websocket: WebSocket, peer: ServerSocket, data: string, options = {}): Promise<number> {
  const tcp = websocket.duplex as Socket;
  const before = tcp.bytesWritten;
  const message = next(peer, 'message');
  websocket.send(data, options);
  expect(String((await message)[0]) === data).toBe(true);
  return tcp.bytesWritten - before;
}

/** A server of ours: the address, and its next connection. */
async function ourServer(options: ServerOptions): Promise<{ url: string; connection: Promise<ServerSocket> }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  atEnd(() => {
    for (const peer of server.clients) peer.terminate();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const connection = new Promise<ServerSocket>((resolve) => server.once('connection', resolve));
  await next(server, 'listening');
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, connection };
}

const PEERS: [ours: PerMessageDeflateOptions, theirs: PeerDeflateOptions][] = [
  [{}, {}],
  [{}, { threshold: 0 }],
  [{ threshold: 0 }, { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 }],
  [{ serverNoContextTakeover: true }, { threshold: 0 }],
  [{ clientNoContextTakeover: true, threshold: 0 }, {}],
  [{ serverMaxWindowBits: 9 }, {}],
  [{ clientMaxWindowBits: 9 }, {}],
  [{}, { serverMaxWindowBits: 10, clientMaxWindowBits: 10 }],
  [{ clientMaxWindowBits: false }, { threshold: 0 }],
  [{ fastPath: false }, { threshold: 0 }],
  [{ concurrencyLimit: 1, syncDeflateLimit: 0, syncInflateLimit: 0 }, { threshold: 0 }],
  [{ maxContexts: 0, zlibDeflateOptions: { level: 9, memLevel: 9 } }, { threshold: 0 }],
];

test.each(PEERS)('with %j, a server of npm ws with %j sends back what it got', async (ours, theirs) => {
  const { url } = await wsServer({ perMessageDeflate: theirs }, echo);
  const websocket = await opened(new WebSocket(url, { perMessageDeflate: ours }));
  expect(websocket.extensions).toBe('permessage-deflate');
  await echoesAll(websocket);
});

test('WS-013 a server of npm ws without it takes our offer, and our messages', async () => {
  const { url } = await wsServer({}, echo);
  const websocket = await opened(new WebSocket(url));
  expect(websocket.extensions).toBe('');
  await echoesAll(websocket);
});

const TAKEOVER = { serverNoContextTakeover: false, clientNoContextTakeover: false };
const PAIRS: [
  client: PerMessageDeflateOptions | boolean,
  server: PerMessageDeflateOptions | boolean,
  agreed: string,
][] = [
  [true, true, 'permessage-deflate'],
  [true, TAKEOVER, 'permessage-deflate'],
  [{ threshold: 0, thresholdMode: 'always' }, { ...TAKEOVER, maxContexts: 1 }, 'permessage-deflate'],
  [{ serverMaxWindowBits: 8, clientMaxWindowBits: 8 }, TAKEOVER, 'permessage-deflate'],
  [true, { ...TAKEOVER, serverMaxWindowBits: 8, clientMaxWindowBits: 8 }, 'permessage-deflate'],
  [
    { serverMaxWindowBits: 15, clientMaxWindowBits: 9 },
    { ...TAKEOVER, clientMaxWindowBits: false },
    'permessage-deflate',
  ],
  [{ serverNoContextTakeover: true }, { clientNoContextTakeover: false }, 'permessage-deflate'],
  [{ clientNoContextTakeover: true }, { serverNoContextTakeover: false }, 'permessage-deflate'],
  [{ maxRatio: 2000, syncOutputLimit: 100 }, { syncDeflateLimit: 0, syncInflateLimit: 0 }, 'permessage-deflate'],
  [{ fastPath: false }, TAKEOVER, 'permessage-deflate'],
  [{ serverNoContextTakeover: true }, { serverNoContextTakeover: false }, ''],
  [{ serverMaxWindowBits: 9 }, { serverMaxWindowBits: 10 }, ''],
  [{ clientMaxWindowBits: false }, { clientMaxWindowBits: 10 }, ''],
  [true, false, ''],
  [false, true, ''],
];

test.each(PAIRS)('ours with %j and ours with %j: "%s"', async (perMessageDeflate, ofServer, agreed) => {
  const { url, connection } = await ourServer({ perMessageDeflate: ofServer });
  const websocket = await opened(new WebSocket(url, { perMessageDeflate }));
  const socket = await connection;
  echo(socket);
  expect([websocket.extensions, socket.extensions]).toEqual([agreed, agreed]);
  await echoesAll(websocket);
});

test('thresholds, compress and takeover do for a client what they do for a server', async () => {
  const x = 'x'.repeat(100);
  const text = randomBytes(2000).toString('base64');
  const sizes = async (
    perMessageDeflate: PerMessageDeflateOptions,
    server: PerMessageDeflateOptions,
  ): Promise<number[]> => {
    const { url, connection } = await ourServer({ perMessageDeflate: server });
    const websocket = await opened(new WebSocket(url, { perMessageDeflate }));
    const peer = await connection;
    const list = [];
    for (const data of [x, x + x, text, text]) list.push(await sentBytes(websocket, peer, data));
    list.push(await sentBytes(websocket, peer, text, { compress: false }));
    return list;
  };
  const isLess = (list: number[]): boolean[] => list.map((size, i) => size < [50, 50, 2600, 100, 2600][i]!);
  expect(isLess(await sizes({}, TAKEOVER))).toEqual([true, true, true, true, false]);
  expect(isLess(await sizes({}, {}))).toEqual([false, false, true, false, false]);
  expect(isLess(await sizes({ threshold: 150 }, {}))).toEqual([false, true, true, false, false]);
  expect(isLess(await sizes({ threshold: 150, thresholdMode: 'always' }, TAKEOVER))).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  expect(isLess(await sizes({ clientNoContextTakeover: true }, { serverNoContextTakeover: false }))).toEqual([
    false,
    false,
    true,
    false,
    false,
  ]);
});

test('B-22 maxPayload and maxRatio hold for what a message inflates to', async () => {
  const bomb = 'x'.repeat(100_001);
  for (const [options, code] of [
    [{ maxPayload: 100_000 }, 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'],
    [{ perMessageDeflate: { maxRatio: 50 } }, 'WS_ERR_INFLATION_RATIO'],
  ] as const) {
    const { url, connection } = await ourServer({ perMessageDeflate: true });
    const websocket = await opened(new WebSocket(url, options));
    const peer = await connection;
    const ends = [next(websocket, 'error'), next(peer, 'close')] as const;
    peer.send(bomb);
    expect([(await ends[0])[0], (await ends[1])[0]]).toMatchObject([{ code }, 1009]);
  }
});

test('a prepared message is sent by clients too', async () => {
  const { url, connection } = await ourServer({ perMessageDeflate: TAKEOVER });
  const websocket = await opened(new WebSocket(url));
  echo(await connection);
  const prepared = new PreparedMessage(record(1).repeat(50));
  for (let i = 0; i < 3; i++) {
    const message = next(websocket, 'message');
    websocket.send(prepared);
    expect(String((await message)[0])).toBe(record(1).repeat(50));
  }
});

test('no compressor exists before a message needs one', async () => {
  const perMessageDeflate = { maxContexts: 79 }; // nobody else's
  const backend = zlibBackend(perMessageDeflate);
  const { url, connection } = await ourServer({ perMessageDeflate: TAKEOVER });
  const websocket = await opened(new WebSocket(url, { perMessageDeflate }));
  const peer = await connection;
  const message = next(websocket, 'message');
  peer.send(record(1));
  await message;
  await sentBytes(websocket, peer, record(1), { compress: false });
  expect(backend.contexts).toBe(0);
  await sentBytes(websocket, peer, record(1));
  expect(backend.contexts).toBe(1);
});
