// Programs of the old documents, each in the adapter and, as its modern twin, in the core: what is seen is the same.
import { describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from '@ws/connection';
import { decodeHeader, mask } from '@ws/frame';
import { WebSocketServer } from '@ws/server';
import { Program, readmePrograms, stopPrograms } from '@ws/testing';
import { atEnd, CLOSE, frame, PING, portOf, TEXT } from '@ws/testing/peer';
import { createServer, Outgoing, Socket } from '../../src/wesos/index.js';
import { startPages } from '../http-servers.js';
import { join, tcpPair } from './support.js';

type Relay = (http: Awaited<ReturnType<typeof startPages>>) => unknown;

const RELAYS: [name: string, listen: Relay][] = [
  ['wesos', (http) => createServer((wsocket, wserver) => void wsocket.pipe(wserver)).listen(http)],
  [
    'core',
    (http) => {
      const server = new WebSocketServer({ server: http, incoming: 'stream' });
      server.on('connection', (socket) => socket.messages().pipe(server.messages));
    },
  ],
];

test.each(RELAYS)(
  'A-24 WE-015 %s: every client gets every message once, unmixed, and one leaves',
  async (_name, listen) => {
    const http = await startPages();
    listen(http);
    const all = [await join(portOf(http)), await join(portOf(http)), await join(portOf(http))];
    const [a, b, c] = all;
    a!.client.send('text');
    b!.client.send(Buffer.of(1, 2));
    for (const part of ['in ', 'three ', 'parts']) {
      c!.client.send(part, { fin: part === 'parts' });
      a!.client.send(`${part}, at once`);
      await turn();
    }
    const expected = ['binary 0102', 'text in , at once', 'text in three parts', 'text parts, at once', 'text text'];
    for (const { until } of all)
      expect([...(await until(6))].sort()).toEqual([...expected, 'text three , at once'].sort());
    c!.client.close();
    await c!.client.closed;
    b!.client.send('they go on');
    for (const { until } of [a!, b!]) expect((await until(7))[6]).toBe('text they go on');
  },
);

type MakeMessage = () => Writable;

const WRITERS: [name: string, role: 'server' | 'client', open: (stream: Duplex) => MakeMessage][] = (
  ['server', 'client'] as const
).flatMap((role) => [
  [
    'wesos',
    role,
    (stream): MakeMessage => {
      const socket = new Socket(stream, { role });
      return () => new Outgoing(socket);
    },
  ],
  [
    'core',
    role,
    (stream): MakeMessage => {
      const socket = WebSocket.from(stream, { role });
      return () => socket.createOutgoing();
    },
  ],
]);

/** Frames as hex, without their masks. */
function unmasked(wire: Buffer): string {
  const frames: Buffer[] = [];
  for (let rest = wire; rest.length > 0;) {
    const head = decodeHeader(rest)!;
    expect(head.maskingKey).toBeDefined();
    const payload = Buffer.from(rest.subarray(head.byteLength, head.byteLength + head.payloadLength));
    mask(payload, head.maskingKey!);
    frames.push(Buffer.of(rest[0]!, head.payloadLength), payload);
    rest = rest.subarray(head.byteLength + head.payloadLength);
  }
  return Buffer.concat(frames).toString('hex');
}

test.each(WRITERS)('A-25 WE-041 WE-042 %s, %s: what writes and ends are on the wire', async (_name, role, open) => {
  const { near, wire } = await tcpPair();
  const make = open(near);
  const keyLength = role === 'client' ? 8 : 0;
  const sent = async (byteLength: number): Promise<string> => {
    const received = await wire.take(byteLength);
    return role === 'client' ? unmasked(Buffer.from(received, 'hex')) : received;
  };
  const message = make();
  message.write('a');
  message.write('b');
  message.end('c');
  expect(await sent(9 + (3 * keyLength) / 2)).toBe('010161' + '000162' + '800163');
  make().end('x');
  expect(await sent(3 + keyLength / 2)).toBe('810178');
  make().end();
  expect(await sent(2 + keyLength / 2)).toBe('8100');
});

const READERS: [name: string, open: (stream: Duplex) => Promise<Readable>][] = [
  ['wesos', async (stream) => (await once(new Socket(stream), 'message'))[0]],
  [
    'core',
    async (stream) => (await once(WebSocket.from(stream, { role: 'server', incoming: 'stream' }), 'incoming'))[0],
  ],
];

test.each(READERS)(
  'A-26 WE-021 WE-031 WE-032 %s: a message is told before its payload is there',
  async (_name, open) => {
    const { near, wire } = await tcpPair();
    const told = open(near);
    const bytes = frame(TEXT, 'Hello');
    wire.write(bytes.subarray(0, 6));
    const incoming = await told;
    expect(incoming.readableLength).toBe(0);
    const chunks: string[] = [];
    incoming.on('readable', () => {
      for (let chunk; (chunk = incoming.read()) !== null;) chunks.push(String(chunk));
    });
    const ended = once(incoming, 'end');
    wire.write(bytes.subarray(6, 8));
    while (chunks.length === 0) await turn();
    expect(incoming.readableEnded).toBe(false);
    wire.write(bytes.subarray(8));
    await ended;
    expect(chunks.join('')).toBe('Hello');
  },
);

type Tell = (event: string) => void;

const LISTENERS: [name: string, open: (stream: Duplex, tell: Tell) => void][] = [
  [
    'wesos',
    (stream, tell) => {
      const socket = new Socket(stream);
      socket.on('ping', () => tell('ping'));
      socket.on('close', (code, reason) => tell(`close ${code} ${reason}`));
      socket.on('end', () => tell('end'));
    },
  ],
  [
    'core',
    (stream, tell) => {
      const socket = WebSocket.from(stream, { role: 'server' });
      socket.on('ping', () => tell('ping'));
      socket.on('closing', (code, reason) => tell(`close ${code} ${reason}`));
      socket.on('close', () => tell('end'));
    },
  ],
];

describe.each(LISTENERS)('A-27 WE-022 WE-023 WE-024 %s', (_name, open) => {
  test('pings, closes with 4000, cuts: ping, close, end', async () => {
    const { near, wire } = await tcpPair();
    const events: string[] = [];
    open(near, (event) => events.push(event));
    wire.send(PING).send(CLOSE, Buffer.from('0fa0', 'hex'));
    await wire.until('88020fa0');
    expect(events).toEqual(['ping', 'close 4000 ']);
    wire.cut();
    while (events.length < 3) await turn();
    expect(events).toEqual(['ping', 'close 4000 ', 'end']);
  });

  test('cuts at once: end alone', async () => {
    const { near, wire } = await tcpPair();
    const events: string[] = [];
    open(near, (event) => events.push(event));
    wire.socket.resetAndDestroy();
    while (events.length < 1) await turn();
    await turn();
    expect(events).toEqual(['end']);
  });
});

test('the example of the README: every message to everybody', async () => {
  atEnd(stopPrograms);
  const packageFolder = new URL('../../', import.meta.url);
  const [example] = readmePrograms(new URL('README.md', packageFolder), '## @ws/compat/wesos');
  const program = new Program(packageFolder, example!.code);
  const all = [await join(await program.port), await join(await program.port)];
  all[0]!.client.send('to all');
  for (const { until } of all) expect(await until(1)).toEqual(['text to all']);
  expect(program.isRunning).toBe(true);
});
