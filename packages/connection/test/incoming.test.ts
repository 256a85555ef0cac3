import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { everySplit, hex } from '@ws/testing';
import {
  createPair,
  Incoming,
  MessageError,
  type ConnectionOptions,
  type IncomingMode,
  type WebSocket,
} from '../src/index.js';
import { clientFrame, event, nextTurn, record, recorded } from './streams.js';

const { Continuation, Text, Binary, Ping, Close } = Opcode;

const pair = (options: ConnectionOptions = {}): ReturnType<typeof createPair> =>
  createPair({ incoming: 'stream', ...options });
const nextMessage = async (socket: WebSocket): Promise<Incoming> => (await event(socket, 'incoming'))[0] as Incoming;
const codeOf = (error: unknown): unknown => (error as { code?: unknown } | undefined)?.code;
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );
const end = async (...sockets: WebSocket[]): Promise<void> => {
  for (const socket of sockets) socket.terminate();
  for (const socket of sockets) await socket.closed;
};

/** A server's socket, fed by hand, and all that its messages tell: exactly one of end and error each, then close. */
function fed(options: ConnectionOptions = {}): {
  socket: WebSocket;
  feed(bytes: Uint8Array): Promise<void>;
  log: unknown[][];
} {
  const { socket, stream } = recorded({ incoming: 'stream', ...options });
  const log = record(socket, ['message', 'ping', 'closing', 'close', 'error']);
  socket.on('incoming', (message: Incoming) => {
    const chunks: Buffer[] = [];
    log.push(['incoming', message.isBinary]);
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => log.push(['end', Buffer.concat(chunks).toString('latin1')]));
    message.on('error', (error) => log.push(['failed', codeOf(error), codeOf(error.cause)]));
  });
  const feed = async (bytes: Uint8Array): Promise<void> => {
    stream.push(Buffer.from(bytes));
    await nextTurn();
    await nextTurn();
  };
  return { socket, feed, log };
}

test('a message is there before its payload, and is read like any stream', async () => {
  const { client, server } = pair();
  client.send('hel', { fin: false });
  const message = await nextMessage(server);
  expect(message).toBeInstanceOf(Incoming);
  expect(message).toBeInstanceOf(Readable);
  expect([message.isBinary, message.compressed, message.length]).toEqual([false, false, undefined]);
  expect(message.header).toMatchObject({ fin: false, opcode: Text, payloadLength: 3 });
  client.send('lo');
  expect(await message.text()).toBe('hello');
  client.send(Buffer.from('ab'));
  const next = await nextMessage(server);
  expect([next.isBinary, next.length]).toEqual([true, 2]);
  const pieces: unknown[] = [];
  for await (const piece of next) pieces.push(piece);
  expect(pieces).toEqual([Buffer.from('ab')]);
  await end(client, server);
});

test('a whole frame: the event comes before the first byte', async () => {
  const { socket, stream } = recorded({ incoming: 'stream' });
  const lengths: number[] = [];
  socket.on('incoming', (message) => {
    lengths.push(message.readableLength);
    queueMicrotask(() => lengths.push(message.readableLength));
  });
  stream.push(clientFrame(Text, 'abc'));
  await nextTurn();
  expect(lengths).toEqual([0, 3]);
  await end(socket);
});

const WIRES: { name: string; wire: Buffer; log: unknown[][] }[] = [
  {
    name: 'fragments, pings in between, another message',
    wire: Buffer.concat([
      clientFrame(Text, 'h€', { fin: false }),
      clientFrame(Ping, 'p'),
      clientFrame(Continuation, 'llo'),
      clientFrame(Binary, Buffer.of(0, 255)),
    ]),
    log: [
      ['incoming', false],
      ['ping', Buffer.from('p')],
      ['end', Buffer.from('h€llo').toString('latin1')],
      ['incoming', true],
      ['end', '\x00\xff'],
    ],
  },
  {
    name: 'invalid UTF-8',
    wire: clientFrame(Text, hex`61 ff 62`),
    log: [
      ['incoming', false],
      ['closing', 1007, '', 'local'],
      ['error', expect.objectContaining({ code: 'WS_ERR_INVALID_UTF8' })],
      ['failed', 'WS_ERR_INVALID_UTF8', undefined],
    ],
  },
  {
    name: 'an offence behind a fragment',
    wire: Buffer.concat([clientFrame(Text, 'a', { fin: false }), clientFrame(Text, 'b')]),
    log: [
      ['incoming', false],
      ['closing', 1002, '', 'local'],
      ['error', expect.objectContaining({ code: 'WS_ERR_INVALID_OPCODE' })],
      ['failed', 'WS_ERR_INCOMPLETE_MESSAGE', 'WS_ERR_INVALID_OPCODE'],
    ],
  },
  {
    name: "the peer's Close in mid-message",
    wire: Buffer.concat([clientFrame(Text, 'a', { fin: false }), clientFrame(Close, hex`03 e8`)]),
    log: [
      ['incoming', false],
      ['closing', 1000, '', 'remote'],
      ['failed', 'WS_ERR_INCOMPLETE_MESSAGE', undefined],
    ],
  },
];

const byKind = (log: unknown[][]): unknown[] => [
  log.filter(([name]) => name !== 'end' && name !== 'failed'),
  log.filter(([name]) => name === 'end' || name === 'failed'),
];

test.each(WIRES)('$name: the same however it is cut', async ({ wire, log: expected }) => {
  for (const chunks of everySplit(wire)) {
    const { socket, feed, log } = fed();
    for (const chunk of chunks) if (chunk.length > 0) await feed(chunk);
    expect(byKind(log)).toEqual(byKind(expected)); // a Readable tells of its end in a later tick
    await end(socket);
  }
});

describe('what a broken connection does to a message', () => {
  test('cut at any byte, each message ends exactly once, and in order', async () => {
    const frames = [
      clientFrame(Text, 'a', { fin: false }),
      clientFrame(Ping, 'p'),
      clientFrame(Continuation, 'bc'),
      clientFrame(Binary, ''),
      clientFrame(Binary, Buffer.alloc(126, 'x'), { fin: false }),
      clientFrame(Continuation, ''),
    ];
    const wire = Buffer.concat(frames);
    const upTo = (count: number): number => Buffer.concat(frames.slice(0, count)).length;
    const begins = [6, upTo(3) + 6, upTo(4) + 8]; // where a first header is complete
    const ends = [upTo(3), upTo(4), upTo(6)];
    for (let cut = 0; cut <= wire.length; cut++) {
      const { socket, feed, log } = fed();
      let closed = 0;
      socket.on('incoming', (message) => message.on('close', () => closed++));
      if (cut > 0) await feed(wire.subarray(0, cut));
      socket.duplex?.destroy();
      await socket.closed;
      await nextTurn();
      const begun = begins.filter((at) => at <= cut).length;
      const ended = ends.filter((at) => at <= cut).length;
      const names = log.map(([name]) => name).filter((name) => name === 'end' || name === 'failed');
      expect([closed, names]).toEqual([begun, [...Array(ended).fill('end'), ...Array(begun - ended).fill('failed')]]);
    }
  });

  const CUTS: { name: string; cut: (client: WebSocket, server: WebSocket) => void; cause: unknown }[] = [
    { name: 'terminate() here', cut: (_client, server) => server.terminate(), cause: undefined },
    { name: 'terminate() there', cut: (client) => client.terminate(), cause: undefined },
    {
      name: 'an error of the stream',
      cut: (_client, server) => server.duplex?.destroy(Object.assign(new Error('reset'), { code: 'ECONNRESET' })),
      cause: 'ECONNRESET',
    },
  ];

  test.each(CUTS)('B-10 $name: WS_ERR_INCOMPLETE_MESSAGE, for every way to read', async ({ cut, cause }) => {
    const readers: ((message: Incoming) => Promise<unknown>)[] = [
      (message) => message.text(),
      (message) => message.json(),
      (message) => message.buffer(),
      (message) => pipeline(message, new Writable({ write: (_chunk, _encoding, callback) => callback() })),
      async (message) => {
        for await (const chunk of message) void chunk;
      },
    ];
    for (const read of readers) {
      const { client, server } = pair();
      client.send('{', { fin: false });
      const message = await nextMessage(server);
      const failed = rejection(read(message));
      await nextTurn();
      cut(client, server);
      const error = await failed;
      expect(error).toBeInstanceOf(MessageError);
      expect([codeOf(error), codeOf((error as Error).cause)]).toEqual(['WS_ERR_INCOMPLETE_MESSAGE', cause]);
      expect(codeOf(await rejection(message.text()))).toBe('WS_ERR_INCOMPLETE_MESSAGE');
      await end(client, server);
    }
  });

  test('nobody listens for its error, or for anything: nothing is thrown', async () => {
    const { client, server } = pair();
    client.send('a', { fin: false });
    const message = await nextMessage(server);
    client.terminate();
    await new Promise((resolve) => message.once('close', resolve));
    expect([message.destroyed, codeOf(message.errored)]).toEqual([true, 'WS_ERR_INCOMPLETE_MESSAGE']);
    await end(client, server);
  });

  test('a message that was complete is read to its end afterwards', async () => {
    const { client, server } = pair();
    client.send('all of it');
    const message = await nextMessage(server);
    await end(client, server);
    expect(await message.text()).toBe('all of it');
  });

  test('close() here lets the message come to its end first', async () => {
    const { client, server } = pair();
    client.send('a', { fin: false });
    const message = await nextMessage(server);
    server.close(1000);
    client.send('b');
    expect(await message.text()).toBe('ab');
    expect((await server.closed).wasClean).toBe(true);
    await client.closed;
  });
});

describe('text, json, buffer', () => {
  const CONTENTS: { name: string; payload: string | Buffer; text: string }[] = [
    { name: 'nothing', payload: '', text: '' },
    { name: 'a byte order mark', payload: '\ufeffa', text: '\ufeffa' },
    { name: 'a long text', payload: 'h€'.repeat(50_000), text: 'h€'.repeat(50_000) },
    { name: 'binary that is no UTF-8', payload: Buffer.of(0x61, 0xff), text: 'a�' },
  ];
  test.each(CONTENTS)('$name', async ({ payload, text }) => {
    const { client, server } = pair();
    client.send(payload);
    expect(await (await nextMessage(server)).text()).toBe(text);
    client.send(payload);
    expect((await (await nextMessage(server)).buffer()).equals(Buffer.from(payload))).toBe(true);
    await end(client, server);
  });

  test('json; what is none rejects with a SyntaxError', async () => {
    const { client, server } = pair();
    client.send('{"a":[1]}');
    expect(await (await nextMessage(server)).json()).toEqual({ a: [1] });
    client.send('{');
    await expect((await nextMessage(server)).json()).rejects.toThrow(SyntaxError);
    await end(client, server);
  });

  test('in many small pieces, also with an encoding', async () => {
    const { client, server } = pair();
    client.send('0', { fin: false });
    const message = await nextMessage(server);
    message.setEncoding('hex');
    const text = message.text();
    for (let i = 1; i < 3000; i++) client.send(String(i), { fin: i === 2999 });
    expect(await text).toBe(Array.from({ length: 3000 }, (_, i) => i).join(''));
    await end(client, server);
  });

  test('twice, or behind a reader: a TypeError; of a discarded one: WS_ERR_ABORTED_MESSAGE', async () => {
    const { client, server } = pair();
    client.send('abc');
    const read = await nextMessage(server);
    const first = read.text();
    await expect(read.buffer()).rejects.toThrow(TypeError);
    expect(await first).toBe('abc');
    await expect(read.text()).rejects.toThrow(TypeError);
    client.send('abc');
    const partly = await nextMessage(server);
    expect(partly.read(1)).toEqual(Buffer.from('a'));
    await expect(partly.text()).rejects.toThrow(TypeError);
    client.send('abc', { fin: false });
    partly.discard();
    const dropped = await nextMessage(server);
    const reading = rejection(dropped.text());
    expect(dropped.discard()).toBe(dropped);
    expect(codeOf(await reading)).toBe('WS_ERR_ABORTED_MESSAGE');
    expect(codeOf(await rejection(dropped.text()))).toBe('WS_ERR_ABORTED_MESSAGE');
    await end(client, server);
  });
});

describe('who gets what', () => {
  const MODES: { mode: IncomingMode; listens: boolean; fragments: (string | Buffer)[]; becomes: string }[] = [
    { mode: 'stream', listens: true, fragments: ['a'], becomes: 'incoming' },
    { mode: 'stream', listens: false, fragments: ['a'], becomes: '' },
    { mode: 'stream', listens: false, fragments: ['a', 'b'], becomes: '' },
    { mode: 'binary', listens: true, fragments: ['a'], becomes: 'message' },
    { mode: 'binary', listens: true, fragments: ['a', 'b'], becomes: 'message' },
    { mode: 'binary', listens: true, fragments: [Buffer.from('a')], becomes: 'incoming' },
    { mode: 'binary', listens: true, fragments: [Buffer.from('a'), Buffer.from('b')], becomes: 'incoming' },
    { mode: 'binary', listens: false, fragments: ['a'], becomes: 'message' },
    { mode: 'binary', listens: false, fragments: [Buffer.from('a')], becomes: '' },
    { mode: 'auto', listens: true, fragments: ['x'.repeat(20)], becomes: 'message' },
    { mode: 'auto', listens: true, fragments: ['x'.repeat(21)], becomes: 'incoming' },
    { mode: 'auto', listens: true, fragments: ['', ''], becomes: 'incoming' },
    { mode: 'auto', listens: true, fragments: [''], becomes: 'message' },
    { mode: 'auto', listens: false, fragments: ['x'.repeat(21)], becomes: 'message' },
    { mode: 'auto', listens: false, fragments: ['a', 'b'], becomes: 'message' },
  ];
  test.each(MODES)(
    '$mode, listener $listens, $fragments: "$becomes"',
    async ({ mode, listens, fragments, becomes }) => {
      const { client, server } = pair({ incoming: mode, streamThreshold: 20 });
      const log: unknown[][] = [];
      server.on('message', (data) => log.push(['message', (data as Buffer).toString()]));
      if (listens) server.on('incoming', (message) => void message.text().then((text) => log.push(['incoming', text])));
      fragments.forEach((fragment, i) => client.send(fragment, { fin: i === fragments.length - 1 }));
      client.ping('behind');
      await event(server, 'ping');
      await nextTurn();
      expect(log).toEqual(becomes ? [[becomes, fragments.join('')]] : []);
      expect(server.messagesReceived).toBe(1);
      await end(client, server);
    },
  );

  test('of a class of its own, which can be filled by hand as well', async () => {
    class Upper extends Incoming {
      override async text(): Promise<string> {
        return (await super.text()).toUpperCase();
      }
    }
    const { client, server } = pair({ Incoming: Upper });
    client.send('hello');
    const message = await nextMessage(server);
    expect(message).toBeInstanceOf(Upper);
    expect(await message.text()).toBe('HELLO');
    const made = new Upper();
    expect(made).toMatchObject({ isBinary: true, compressed: false, length: undefined, header: { opcode: Binary } });
    made.push(Buffer.from('by '));
    made.push(Buffer.from('hand'));
    made.push(null);
    expect(await made.text()).toBe('BY HAND');
    expect(new Upper().discard().destroyed).toBe(true);
    for (const wrong of ['Incoming', Readable, () => undefined, null])
      expect(() => pair({ Incoming: wrong as never })).toThrow(
        /^Incoming is .*, expected a class that extends Incoming$/s,
      );
    await end(client, server);
  });

  test('a dropped message is still checked', async () => {
    const { socket, stream } = recorded({ incoming: 'stream' });
    stream.push(clientFrame(Text, hex`61 ff`, { fin: false }));
    const [error] = await event(socket, 'error');
    expect(codeOf(error)).toBe('WS_ERR_INVALID_UTF8');
    await end(socket);
  });

  test('the property changes it from the next message on', async () => {
    const { client, server } = pair({ incoming: 'buffer' });
    expect([server.incoming, client.incoming]).toEqual(['buffer', 'buffer']);
    client.send('a');
    expect(String((await event(server, 'message'))[0])).toBe('a');
    server.incoming = 'stream';
    client.send('b', { fin: false });
    const message = await nextMessage(server);
    server.incoming = 'buffer';
    client.send('c');
    expect(await message.text()).toBe('bc');
    client.send('d');
    await event(server, 'message');
    expect(() => (server.incoming = 'x' as 'buffer')).toThrow(RangeError);
    expect(() => (server.incoming = 1 as never)).toThrow(TypeError);
    await end(client, server);
  });

  test('with allowSynchronousEvents false, one event a turn, in order', async () => {
    const { socket, stream } = recorded({ incoming: 'auto', streamThreshold: 1, allowSynchronousEvents: false });
    const log: unknown[] = [];
    let turn = 0;
    const note = (name: string): number => log.push([name, turn]);
    socket.on('incoming', (message) => {
      note('incoming');
      void message.text().then((text) => log.push(text));
    });
    socket.on('ping', () => note('ping'));
    socket.on('message', () => note('message'));
    const [first, second] = [clientFrame(Text, 'ab'), clientFrame(Text, 'c')];
    stream.push(Buffer.concat([first, clientFrame(Ping, ''), second, first]));
    for (; turn < 8; turn++) await nextTurn();
    const events = log.filter((entry) => Array.isArray(entry)) as [string, number][];
    expect(events.map(([name]) => name)).toEqual(['incoming', 'ping', 'message', 'incoming']);
    expect(new Set(events.map(([, at]) => at)).size).toBe(4);
    expect(log.filter((entry) => entry === 'ab')).toHaveLength(2);
    await end(socket);
  });
});

test('counters and their snapshot', async () => {
  const { client, server } = pair();
  server.on('incoming', (message) => message.discard());
  client.send('abc');
  client.send('defg');
  client.ping();
  await event(server, 'ping');
  expect(server.stats).toMatchObject({ bytesReceived: 9 + 10 + 6, messagesReceived: 2 });
  expect(client.bytesSent).toBe(server.bytesReceived);
  await end(client, server);
  expect(server.bytesReceived).toBe(25);
  const unborn = new (server.constructor as typeof WebSocket)(null);
  expect(unborn.stats).toMatchObject({ bytesReceived: 0, bytesSent: 0, messagesReceived: 0 });
});
