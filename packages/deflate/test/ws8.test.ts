import { FrameParser, encodeFrame, Opcode, type FrameHead } from '@ws/frame';
import { afterEach, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { WebSocketServer, type WebSocket as Peer } from 'ws';
import { codec, json, noise, PATHS } from './codec.js';
import { give, Reader } from './reader.js';
import type { PerMessageDeflate } from '../src/permessage-deflate.js';

// ws 8 as the other end of a TCP connection, of which the frames are our own: what is streamed, fragment by fragment, both ways.

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server of ws, its end of the connection, and the socket of ours. */
async function connected(takeover: boolean): Promise<{ peer: Peer; socket: Socket }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: { threshold: 0 } });
  cleanups.push(() => server.close());
  await once(server, 'listening');
  const connection = once(server, 'connection') as Promise<[Peer]>;
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  cleanups.push(() => socket.destroy());
  const offer = takeover ? '' : '; server_no_context_takeover; client_no_context_takeover';
  socket.write(
    'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n' +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate${offer}\r\n\r\n`,
  );
  let response = '';
  while (!response.endsWith('\r\n\r\n')) {
    await once(socket, 'readable');
    response += String(socket.read() ?? '');
  }
  expect(response).toContain(`Sec-WebSocket-Extensions: permessage-deflate${offer}`);
  const [peer] = await connection;
  return { peer, socket };
}

/** One message out of `end`, each fragment in a frame of its own. */
async function send(end: PerMessageDeflate, socket: Socket, fragments: readonly Uint8Array[]): Promise<void> {
  for (const [i, part] of fragments.entries()) {
    const [first, fin] = [i === 0, i === fragments.length - 1];
    const [payload, rsv] = await new Promise<[Uint8Array, number]>((resolve, reject) => {
      const fragment = { opcode: Opcode.Binary, first, fin, compress: undefined };
      end.encode(part, fragment, (error, bytes, bits) => (error ? reject(error) : resolve([bytes, bits])));
    });
    const opcode = first ? Opcode.Binary : Opcode.Continuation;
    socket.write(encodeFrame({ opcode, fin, rsv, maskingKey: 0x01020304 + i }, payload));
  }
}

/** Payloads as they arrive, piece by piece, to a reader who now and then is full. */
async function receive(end: PerMessageDeflate, socket: Socket, count: number): Promise<Buffer[]> {
  const pieces: { first: boolean; last: boolean; slice: Uint8Array }[] = [];
  let head: FrameHead | undefined;
  let isNew = true;
  const piece = (slice: Uint8Array, isEnd: boolean): void => {
    pieces.push({ first: isNew, last: isEnd, slice: slice.slice() });
    isNew = isEnd;
  };
  const parser = new FrameParser(
    { role: 'client', allowedRsv: 4, strictLength: true },
    {
      frame(whole, payload) {
        expect(whole.rsv).toBe(isNew ? 4 : 0);
        piece(payload, whole.fin);
      },
      head(begun) {
        head = begun;
      },
      payload: (slice, _offset, isLast) => piece(slice, isLast && head?.fin === true),
      frameEnd() {},
      messageEnd() {},
    },
  );
  const messages: Buffer[] = [];
  let reader = new Reader(1000);
  const onData = (chunk: Buffer): void => parser.push(chunk);
  socket.on('data', onData);
  while (messages.length < count) {
    const next = pieces.shift();
    if (next === undefined) {
      await once(socket, 'data');
      continue;
    }
    const decoding = give(end, next.slice, reader, next);
    while (decoding.error === undefined) {
      await new Promise((resolve) => setImmediate(resolve));
      reader.take();
    }
    expect(decoding.error).toBeNull();
    if (!next.last) continue;
    messages.push(reader.bytes);
    reader = new Reader(1000);
  }
  socket.off('data', onData);
  return messages;
}

const MESSAGES: readonly (readonly Uint8Array[])[] = [
  [json(10), json(20, 1), json(3000, 2)],
  [Buffer.alloc(0), json(100), Buffer.alloc(0), Buffer.alloc(0)],
  [json(40_000), json(1), noise(3000), json(200_000, 4)],
  [json(900)],
  [Buffer.alloc(500_000), json(5)],
];

test.each(PATHS.flatMap((path) => [true, false].map((takeover) => ({ ...path, takeover }))))(
  'fragments of ws 8 to us and of ours to ws 8: $path, takeover $takeover',
  async ({ fastPath, takeover }) => {
    const { peer, socket } = await connected(takeover);
    const parameters = { serverNoContextTakeover: !takeover, clientNoContextTakeover: !takeover };
    const end = codec({ fastPath, parameters, role: 'client' });
    const got: Buffer[] = [];
    const all = new Promise<void>((resolve, reject) => {
      peer.on('error', reject);
      peer.on('message', (data) => {
        if (got.push(data as Buffer) === MESSAGES.length) resolve();
      });
    });
    for (const fragments of MESSAGES) await send(end, socket, fragments);
    await all;
    expect(got.map((bytes, i) => bytes.equals(Buffer.concat(MESSAGES[i]!)))).toEqual(MESSAGES.map(() => true));
    for (const fragments of MESSAGES) {
      for (const [i, part] of fragments.entries()) {
        peer.send(part, { binary: true, compress: true, fin: i === fragments.length - 1 });
      }
    }
    const echoed = await receive(end, socket, MESSAGES.length);
    expect(echoed.map((bytes, i) => bytes.equals(Buffer.concat(MESSAGES[i]!)))).toEqual(MESSAGES.map(() => true));
    end.close();
  },
);
