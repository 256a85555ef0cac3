import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { decodeHeader, mask } from '@ws/frame';
import { hex } from '@ws/testing';
import { WebSocketServer, type WebSocket as Peer } from 'ws';
import { WebSocket, type ClientOptions } from '../src/index.js';
import {
  atEnd,
  echoServer,
  ending,
  first,
  listen,
  next,
  opened,
  rawServer,
  switching,
  wsServer,
  type RawRequest,
} from './peers.js';

const SIZES = [0, 1, 125, 126, 127, 16 * 1024 - 1, 16 * 1024, 65535, 65536, 1024 * 1024, 16 * 1024 * 1024];

test.each(SIZES)('echo of %d bytes, binary and text', async (size) => {
  const { url } = await echoServer();
  const websocket = await opened(new WebSocket(url));
  const binary = randomBytes(size);
  const before = Buffer.from(binary);
  websocket.send(binary);
  const [data, isBinary] = await next<[Buffer, boolean]>(websocket, 'message');
  expect(isBinary).toBe(true);
  expect(data.equals(before)).toBe(true);
  expect(binary.equals(before)).toBe(true); // masked in a copy
  const text = 'aé€😀'.repeat(Math.ceil(size / 10)).slice(0, size);
  websocket.send(text);
  const [reply, isBinaryReply] = await next<[Buffer, boolean]>(websocket, 'message');
  expect(isBinaryReply).toBe(false);
  expect(reply.toString() === text.toWellFormed()).toBe(true);
});

declare global {
  interface String {
    toWellFormed(): string;
  }
}

test('fragments both ways, pings in between', async () => {
  const received: string[] = [];
  let peer: Peer | undefined;
  const pongs: string[] = [];
  const { url } = await wsServer({}, (end) => {
    peer = end;
    end.on('pong', (data) => pongs.push(data.toString()));
    end.on('ping', (data) => received.push(`ping ${data.toString()}`));
    end.on('message', (data, isBinary) => {
      received.push(`${isBinary ? 'binary' : 'text'} ${(data as Buffer).toString()}`);
      end.send('on', { fin: false });
      end.ping('now');
      end.send('e', { fin: true });
    });
  });
  const websocket = await opened(new WebSocket(url));
  const pinged = next(websocket, 'ping');
  const replied = next(websocket, 'message');
  websocket.send('a', { fin: false });
  websocket.ping('p');
  websocket.send('b', { fin: false });
  websocket.send('c');
  const ponged = next(websocket, 'pong');
  expect(String((await pinged)[0])).toBe('now');
  expect(String((await replied)[0])).toBe('one');
  expect(String((await ponged)[0])).toBe('p');
  expect(received).toEqual(['ping p', 'text abc']);
  (peer as Peer).ping('again');
  while (pongs.length < 2) await next(peer as Peer, 'pong');
  expect(pongs).toEqual(['now', 'again']); // autoPong
});

test('A-35 close codes, from either end', async () => {
  const codes: unknown[] = [];
  const { url, server } = await wsServer({}, (peer) =>
    peer.on('close', (code, reason) => codes.push(code, reason.toString())),
  );
  const websocket = await opened(new WebSocket(url));
  const peerClosed = next(first(server.clients), 'close');
  websocket.close(4000, 'x');
  const info = await websocket.closed;
  await peerClosed;
  expect(codes).toEqual([4000, 'x']);
  expect(info).toMatchObject({ code: 4000, reason: 'x', wasClean: true, initiator: 'local' });
  const second = await opened(new WebSocket(url));
  for (const peer of server.clients) peer.close(1001, 'away');
  expect(await second.closed).toMatchObject({ code: 1001, reason: 'away', wasClean: true, initiator: 'remote' });
});

test('WS-050 ws+unix, and the option socketPath', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ws client-'));
  atEnd(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'a.sock');
  const server = createServer();
  const seen: (string | undefined)[] = [];
  new WebSocketServer({ server }).on('connection', (peer, request) => {
    seen.push(request.url, request.headers.host);
    peer.on('message', (data) => peer.send(`echo ${(data as Buffer).toString()}`));
  });
  await listen(server, path);
  const options: [string, ClientOptions][] = [
    [`ws+unix:${path}:/chat?room=1`, {}],
    ['ws://name.example/chat?room=1', { socketPath: path }],
  ];
  for (const [url, clientOptions] of options) {
    const websocket = await opened(new WebSocket(url, clientOptions));
    websocket.send('hi');
    expect(String((await next(websocket, 'message'))[0])).toBe('echo hi');
    expect(websocket.url).toBe(url.replace(' ', '%20'));
  }
  expect(seen).toEqual(['/chat?room=1', 'localhost', '/chat?room=1', 'name.example']);
  const { events } = await ending(new WebSocket(`ws+unix:${path}.none`));
  expect(events).toEqual(['error ENOENT', 'close 1006']);
});

/** A raw server, and our open connection to it. */
async function wire(options: ClientOptions = {}): Promise<{ websocket: WebSocket; request: RawRequest }> {
  const requests: RawRequest[] = [];
  const port = await rawServer((request) => {
    requests.push(request);
    request.socket.write(switching(request.key));
  });
  const websocket = await opened(new WebSocket(`ws://127.0.0.1:${port}/`, options));
  return { websocket, request: first(requests) };
}

interface Frame {
  readonly key: number | undefined;
  readonly payload: Buffer;
}

function framesOf(bytes: Buffer): Frame[] {
  const frames: Frame[] = [];
  for (let at = 0; at < bytes.length;) {
    const head = decodeHeader(bytes.subarray(at));
    if (head === undefined) throw new Error('the last frame is not whole');
    at += head.byteLength;
    const payload = Buffer.from(bytes.subarray(at, (at += head.payloadLength)));
    if (head.maskingKey !== undefined) mask(payload, head.maskingKey);
    frames.push({ key: head.maskingKey, payload });
  }
  return frames;
}

test('B-16 every frame is masked, with a key of its own that nobody foresees', async () => {
  const { websocket, request } = await wire();
  const count = 3000; // more than one block of keys
  for (let i = 0; i < count; i++) websocket.send('same');
  const frames = framesOf(await request.received(count * 10));
  expect(frames).toHaveLength(count);
  expect(frames.every(({ payload }) => payload.toString() === 'same')).toBe(true);
  const keys = frames.map(({ key }) => key ?? -1);
  expect(keys).not.toContain(-1);
  // 3000 draws of 32 bits: more than a handful of repeats means that they are not random.
  expect(new Set(keys).size).toBeGreaterThan(count - 10);
  // Each bit is set about half the time (six standard deviations are 164).
  for (let bit = 0; bit < 32; bit++) {
    const set = keys.filter((key) => (key >>> bit) & 1).length;
    expect(Math.abs(set - count / 2)).toBeLessThan(164);
  }
});

test('control frames and large frames are masked as well', async () => {
  const { websocket, request } = await wire();
  const large = randomBytes(70_000);
  const before = Buffer.from(large);
  websocket.ping('p');
  websocket.pong('q');
  websocket.send(large);
  websocket.close(1000, 'bye');
  const frames = framesOf(await request.received(7 + 7 + 14 + 70_000 + 11));
  expect(frames.map(({ payload }) => payload)).toEqual([
    Buffer.from('p'),
    Buffer.from('q'),
    before,
    Buffer.from('\x03\xe8bye', 'latin1'),
  ]);
  expect(new Set(frames.map(({ key }) => key)).size).toBe(4);
  expect(large.equals(before)).toBe(true);
});

test('generateMask fills the key of each frame', async () => {
  let calls = 0;
  const { websocket, request } = await wire({
    generateMask: (bytes) => {
      expect(bytes).toHaveLength(4);
      bytes.writeUInt32BE(++calls);
    },
  });
  websocket.send('a');
  websocket.ping();
  websocket.send(Buffer.alloc(20_000));
  const frames = framesOf(await request.received(7 + 6 + 8 + 20_000));
  expect(frames.map(({ key }) => key)).toEqual([1, 2, 3]);
});

const LIMITS: { name: string; options: ClientOptions; wire: Uint8Array; code: string; closeCode: number }[] = [
  {
    name: 'maxPayload',
    options: { maxPayload: 4 },
    wire: hex`82 05`,
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    closeCode: 1009,
  },
  {
    name: 'maxPayload over fragments',
    options: { maxPayload: 4 },
    wire: hex`02 03 616161 | 80 02`,
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    closeCode: 1009,
  },
  {
    name: 'maxFragments',
    options: { maxFragments: 2 },
    wire: hex`01 00 | 00 00 | 00 00`,
    code: 'WS_ERR_TOO_MANY_BUFFERED_PARTS',
    closeCode: 1008,
  },
  {
    name: '100 MiB and a byte, the default',
    options: {},
    wire: hex`82 7f 0000000006400001`,
    code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    closeCode: 1009,
  },
  { name: 'strictLength', options: {}, wire: hex`81 7e 0001 61`, code: 'WS_ERR_NON_MINIMAL_LENGTH', closeCode: 1002 },
  {
    name: 'a masked frame',
    options: {},
    wire: hex`81 81 00000000 61`,
    code: 'WS_ERR_UNEXPECTED_MASK',
    closeCode: 1002,
  },
  {
    name: 'RSV1 without an extension',
    options: {},
    wire: hex`c1 01 61`,
    code: 'WS_ERR_UNEXPECTED_RSV_1',
    closeCode: 1002,
  },
  { name: 'invalid UTF-8', options: {}, wire: hex`81 01 ff`, code: 'WS_ERR_INVALID_UTF8', closeCode: 1007 },
];

test.each(LIMITS)('$name: $code, close frame $closeCode', async ({ options, wire: bytes, code, closeCode }) => {
  const { websocket, request } = await wire(options);
  const done = ending(websocket);
  request.socket.write(bytes);
  const [frame] = framesOf(await request.received(6 + 2));
  expect(frame?.payload.readUInt16BE()).toBe(closeCode);
  request.socket.end();
  expect((await done).events).toEqual([`error ${code}`, 'close 1006']);
});

test.each([
  { name: 'strictLength: false', options: { strictLength: false }, wire: hex`81 7e 0001 61`, text: 'a' },
  { name: 'skipUTF8Validation', options: { skipUTF8Validation: true }, wire: hex`81 01 ff`, text: '\ufffd' },
  { name: 'maxPayload: false', options: { maxPayload: false as const }, wire: hex`81 01 61`, text: 'a' },
])('$name reaches the connection', async ({ options, wire: bytes, text }) => {
  const { websocket, request } = await wire(options);
  const message = next(websocket, 'message');
  request.socket.write(bytes);
  expect(String((await message)[0])).toBe(text);
});

test('autoPong: false reaches the connection', async () => {
  const { websocket, request } = await wire({ autoPong: false });
  const pinged = next(websocket, 'ping');
  request.socket.write(hex`89 01 61`);
  await pinged;
  websocket.send('after');
  expect(framesOf(await request.received(11)).map(({ payload }) => payload.toString())).toEqual(['after']);
});
