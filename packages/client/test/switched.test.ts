import { connect, type Socket } from 'node:net';
import { expect, test } from '@jest/globals';
import { everySplit, hex } from '@ws/testing';
import { WebSocket } from '../src/index.js';
import { ending, next, rawServer, switching } from './peers.js';
import { connectTo } from './requests.js';

test.each([
  {
    name: 'the 101 is refused',
    changes: { 'Sec-WebSocket-Accept': 'x' },
    listener: () => {},
    code: 'WS_ERR_INVALID_ACCEPT',
  },
  {
    name: 'upgrade calls close()',
    changes: {},
    listener: (websocket: WebSocket) => websocket.close(),
    code: 'WS_ERR_ABORTED',
  },
])('a stream that breaks while it is destroyed is no exception: $name', async ({ changes, listener, code }) => {
  const port = await rawServer(({ key, socket }) => socket.write(switching(key, changes)));
  let broken: Promise<unknown> | undefined;
  const websocket = new WebSocket(`ws://127.0.0.1:${port}/`, {
    createConnection: (options) => {
      const socket = connect(options);
      const destroy = socket._destroy.bind(socket);
      socket._destroy = (_error, done) => destroy(null, () => done(new Error('it broke')));
      broken = next(socket, 'close');
      return socket;
    },
  });
  websocket.on('upgrade', () => listener(websocket));
  expect((await ending(websocket)).events).toEqual(['upgrade', `error ${code}`, 'close 1006']);
  await broken;
});

test('frames in the packet of the 101 are delivered after open', async () => {
  const websocket = await connectTo(({ key, socket }) => {
    socket.write(Buffer.concat([Buffer.from(switching(key)), hex`81 02 6869 | 89 00 | 82 01 00`]));
    socket.write(hex`81 01 21`);
  });
  const events: string[] = [];
  websocket.on('open', () => events.push(`open ${websocket.readyState}`));
  websocket.on('ping', () => events.push('ping'));
  await new Promise<void>((resolve) => {
    websocket.on('message', (data, isBinary) => {
      events.push(`${isBinary ? 'binary' : 'text'} ${(data as Buffer).toString('hex')}`);
      if (events.length === 5) resolve();
    });
  });
  expect(events).toEqual(['open 1', 'text 6869', 'ping', 'binary 00', 'text 21']);
  websocket.terminate();
});

test('a close frame in the packet of the 101', async () => {
  const websocket = await connectTo(({ key, socket }) => {
    socket.end(Buffer.concat([Buffer.from(switching(key)), hex`88 02 0fa0`]));
  });
  expect((await ending(websocket)).events).toEqual(['upgrade', 'open', 'close 4000']);
});

test('the 101 and a frame, split at every byte', async () => {
  const port = await rawServer(({ key, socket }) => {
    const bytes = Buffer.concat([Buffer.from(switching(key)), hex`81 02 6869`]);
    const pieces = splits[turn % splits.length]?.(bytes) ?? [bytes];
    writeOneByOne(socket, pieces);
  });
  let turn = 0;
  const length = Buffer.byteLength(switching('x'.repeat(24))) + 4;
  const splits = [...everySplit(new Uint8Array(length))].map((shape) => (bytes: Buffer): Uint8Array[] => {
    let at = 0;
    return shape.map((piece) => bytes.subarray(at, (at += piece.length)));
  });
  for (turn = 0; turn < splits.length; turn++) {
    const websocket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const [data] = await next<[Buffer]>(websocket, 'message');
    expect(data.toString()).toBe('hi');
    websocket.terminate();
    await websocket.closed;
  }
});

/** Each piece is written when the one before has left, so that they arrive apart. */
function writeOneByOne(socket: Socket, pieces: readonly Uint8Array[]): void {
  socket.setNoDelay();
  const [piece, ...rest] = pieces;
  if (piece !== undefined) socket.write(piece, () => setImmediate(() => writeOneByOne(socket, rest)));
}
