import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { FrameParser } from '@ws/frame';
import { WebSocketServer } from '@ws/server';
import { atEnd, listen } from '@ws/testing/peer';
import adapter from '../../src/nodejs-websocket/index.js';
import { original } from './original.js';
import { portOfCore, portOfOld, type Old } from './programs.js';

afterEach(() => {
  for (const { setMaxBufferLength } of [adapter, original]) setMaxBufferLength(2_097_152);
});

describe('A-19 a large binary message', () => {
  const SIZE = 5 * 1024 * 1024;
  const PART = Buffer.alloc(65_536, 'part');

  const oldServer =
    (ws: Old) =>
    (log: (length: number) => void): Promise<number> => {
      ws.setMaxBufferLength(2 * SIZE);
      return portOfOld(
        ws.createServer((conn) => {
          conn.on('binary', (message) => {
            let data = Buffer.alloc(0);
            message.on('readable', () => {
              const next = message.read() as Buffer | null;
              if (next) data = Buffer.concat([data, next]);
            });
            message.on('end', () => log(data.length));
          });
        }),
      );
    };
  const coreServer = (log: (length: number) => void): Promise<number> => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', incoming: 'stream', maxPayload: 2 * SIZE });
    server.on('connection', (socket) => {
      socket.on('incoming', (message) => void message.buffer().then(({ length }) => log(length)));
    });
    return portOfCore(server);
  };
  const oldClient =
    (ws: Old) =>
    (url: string): void => {
      const conn = ws.connect(url, {}, () => {
        const out = conn.beginBinary()!;
        for (let sent = 0; sent < SIZE; sent += PART.length) out.write(PART);
        out.end();
      });
      atEnd(() => conn.socket.destroy());
    };
  const coreClient = (url: string): void => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    atEnd(() => socket.terminate());
    socket.on('open', () => {
      const out = socket.createOutgoing({ binary: true, fragmentSize: 524_288 });
      for (let sent = 0; sent < SIZE; sent += PART.length) out.write(PART);
      out.end();
    });
  };

  const SERVERS = {
    'the adapter': oldServer(adapter),
    'nodejs-websocket': oldServer(original),
    'the core': coreServer,
  };
  const CLIENTS = {
    'the adapter': oldClient(adapter),
    'nodejs-websocket': oldClient(original),
    'the core': coreClient,
  };
  const BOTH = Object.entries(CLIENTS).flatMap(([client, send]) =>
    Object.entries(SERVERS).map(([server, start]) => ({ client, send, server, start })),
  );
  test.each(BOTH)('from $client to $server', async ({ send, start }) => {
    let arrived!: (length: number) => void;
    const arrival = new Promise<number>((resolve) => {
      arrived = resolve;
    });
    const heads: [opcode: number, length: number, fin: boolean, masked: boolean][] = [];
    send(
      await tapped(await start(arrived), ({ opcode, payloadLength, fin, maskingKey }) =>
        heads.push([opcode, payloadLength, fin, maskingKey !== undefined]),
      ),
    );
    expect(await arrival).toBe(SIZE);
    expect(heads.map(([opcode]) => opcode)).toEqual([2, ...Array.from({ length: heads.length - 1 }, () => 0)]);
    expect(heads.filter(([, length]) => length < 524_288).length).toBeLessThanOrEqual(1);
    expect(heads.slice(0, -1).every(([, length, fin]) => length >= 524_288 && !fin)).toBe(true);
    expect(heads.at(-1)![2]).toBe(true);
    expect(heads.every(([, , , masked]) => masked)).toBe(true);
    expect(heads.reduce((sum, [, length]) => sum + length, 0)).toBe(SIZE);
  });

  /** The address of what passes all on to `port`, and hears the heads of the client's frames. */
  async function tapped(
    port: number,
    head: NonNullable<ConstructorParameters<typeof FrameParser>[1]['head']>,
  ): Promise<string> {
    const tap = createTcpServer((socket) => {
      const peer = connectTcp(port, '127.0.0.1');
      atEnd(() => [socket, peer].forEach((each) => each.destroy()));
      const parser = new FrameParser({ role: 'server', preserveInput: true }, { head });
      let opening: Buffer | undefined = Buffer.alloc(0);
      socket
        .on('error', () => peer.destroy())
        .on('data', (chunk: Buffer) => {
          if (opening === undefined) return parser.push(chunk);
          opening = Buffer.concat([opening, chunk]);
          const end = opening.indexOf('\r\n\r\n');
          if (end === -1) return;
          parser.push(opening.subarray(end + 4));
          opening = undefined;
        });
      peer.on('error', () => socket.destroy());
      socket.pipe(peer).pipe(socket);
    });
    return `ws://127.0.0.1:${await listen(tap)}/`;
  }
});
