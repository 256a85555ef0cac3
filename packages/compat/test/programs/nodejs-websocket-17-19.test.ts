import { connect as connectTcp, createServer as createTcpServer } from 'node:net';
import { afterEach, expect } from '@jest/globals';
import { WebSocket } from '@ws/client';
import { FrameParser, type FrameHeader } from '@ws/frame';
import { atEnd, listen, TEXT, Wire } from '@ws/testing/peer';
import adapter from '../../src/nodejs-websocket/index.js';
import { startCore } from '../http-servers.js';
import { inBoth, original, portOfOld, type Old } from '../nodejs-websocket/original.js';
import { OURS, UNDICI, WS } from './client.js';
import { program, until } from './program.js';

program<(print: (line: string) => void) => Promise<number>>('A-17 a server that screams', {
  ...inBoth(
    ({ createServer }) =>
      (print) =>
        portOfOld(
          createServer((conn) => {
            print('New connection');
            conn.on('text', (text) => {
              print(`Received ${text}`);
              conn.sendText(`${text.toUpperCase()}!!!`);
            });
            conn.on('close', () => print('Connection closed'));
          }),
        ),
  ),
  core: async (print) => {
    const { server, port } = await startCore();
    server.on('connection', (socket) => {
      print('New connection');
      socket.on('message', (data) => {
        print(`Received ${String(data)}`);
        socket.send(`${String(data).toUpperCase()}!!!`);
      });
      socket.on('closing', () => print('Connection closed'));
    });
    return port;
  },
  async seen(start, peer) {
    const lines: string[] = [];
    const client = await peer.open(await start((line) => lines.push(line)));
    client.send('hi');
    expect(await client.until(1)).toEqual(['HI!!!']);
    expect(await client.close(1000)).toEqual([1000, '']);
    expect(lines).toEqual(['New connection', 'Received hi', 'Connection closed']);
  },
  async check(start) {
    const wire = await Wire.open(await start(() => {}));
    wire.send(TEXT, 'hi');
    expect(await wire.take(7)).toBe(`8105${Buffer.from('HI!!!').toString('hex')}`);
  },
});

program<() => Promise<number>>('A-18 to all that are connected, while one leaves', {
  adapter: () => {
    const server = adapter.createServer((conn) =>
      conn.on('text', () =>
        server.connections.forEach((each, index) => (index === 0 ? each.close(4000) : each.sendText('to all'))),
      ),
    );
    return portOfOld(server);
  },
  core: async () => {
    const { server, port } = await startCore();
    server.on('connection', (socket) =>
      socket.on('message', () => {
        const [first] = server.clients;
        first?.close(4000);
        server.broadcast('to all');
      }),
    );
    return port;
  },
  async seen(start, peer) {
    const port = await start();
    const [first, second, third] = [await peer.open(port), await peer.open(port), await peer.open(port)];
    third.send('go');
    expect(await first.closed).toEqual([4000, '']);
    await Promise.all([second.until(1), third.until(1)]);
    await Promise.all([second.close(), third.close()]); // nothing came behind
    expect([first, second, third].map(({ heard }) => heard)).toEqual([[], ['to all'], ['to all']]);
  },
});

const SIZE = 5 * 2 ** 20;
const PART = Buffer.alloc(65_536, 'part');

afterEach(() => {
  for (const { setMaxBufferLength } of [adapter, original]) setMaxBufferLength(2_097_152);
});

const sendOld =
  ({ connect }: Old) =>
  (url: string): void => {
    const conn = connect(url, {}, () => {
      const out = conn.beginBinary()!;
      for (let sent = 0; sent < SIZE; sent += PART.length) out.write(PART);
      out.end();
    });
    atEnd(() => conn.socket.destroy());
  };

const CLIENTS: Readonly<Record<string, (url: string) => void>> = {
  'the adapter': sendOld(adapter),
  'nodejs-websocket': sendOld(original),
  'the core': (url) => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    atEnd(() => socket.terminate());
    socket.on('open', () => {
      const out = socket.createOutgoing({ binary: true, fragmentSize: 524_288 });
      for (let sent = 0; sent < SIZE; sent += PART.length) out.write(PART);
      out.end();
    });
  },
};

program<(log: (length: number) => void) => Promise<number>>('A-19 a large binary message', {
  ...inBoth(({ createServer, setMaxBufferLength }) => (log) => {
    setMaxBufferLength(SIZE);
    return portOfOld(
      createServer((conn) =>
        conn.on('binary', (message) => {
          let data = Buffer.alloc(0);
          message.on('readable', () => {
            const chunk = message.read() as Buffer | null;
            if (chunk) data = Buffer.concat([data, chunk]);
          });
          message.on('end', () => log(data.length));
        }),
      ),
    );
  }),
  core: async (log) => {
    const { server, port } = await startCore({ incoming: 'stream', maxPayload: SIZE });
    server.on('connection', (socket) =>
      socket.on('incoming', (message) => void message.buffer().then(({ length }) => log(length))),
    );
    return port;
  },
  by: [WS, UNDICI, OURS],
  async seen(start, peer) {
    const lengths: number[] = [];
    const client = await peer.open(await start((length) => lengths.push(length)));
    client.send(Buffer.alloc(SIZE, 'part'));
    await until(() => lengths.length === 1);
    expect(lengths).toEqual([SIZE]);
  },
  async check(start) {
    for (const [client, send] of Object.entries(CLIENTS)) {
      let arrived!: (length: number) => void;
      const arrival = new Promise<number>((resolve) => (arrived = resolve));
      const heads: FrameHeader[] = [];
      send(await tapped(await start(arrived), (head) => heads.push(head)));
      const arrivedLength = await arrival;
      const last = heads.length - 1;
      const lengths = heads.map(({ payloadLength }) => payloadLength);
      expect({
        client,
        arrivedLength,
        sum: lengths.reduce((sum, length) => sum + length, 0),
        frames: heads.map(({ opcode, fin, maskingKey }) => [opcode, fin, typeof maskingKey]),
        short: lengths.slice(0, -1).filter((length) => length < 524_288),
      }).toEqual({
        client,
        arrivedLength: SIZE,
        sum: SIZE,
        frames: heads.map((_head, n) => [n === 0 ? 2 : 0, n === last, 'number']),
        short: [],
      });
    }
  },
});

/** The address of what passes all on to `port`, and hears the heads of the client's frames. */
async function tapped(port: number, head: (head: FrameHeader) => void): Promise<string> {
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
