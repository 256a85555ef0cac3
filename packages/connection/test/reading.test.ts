import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Opcode } from '@ws/frame';
import { MemoryBudget, WebSocket, type FromOptions } from '../src/index.js';
import { lendFirstRead, reading, sharedMemory, SHARED_BYTES } from '../src/reading.js';
import { MemoryClock } from './memory-clock.js';
import { callbackSymbol, clientFrame, nextTurn, record, tcpPair } from './streams.js';

afterEach(() => {
  reading.isShared = undefined;
});

type OnRead = (this: Socket, byteLength: number, memory: Buffer) => boolean;
const onReadOf = (socket: Socket): OnRead | null =>
  (socket as unknown as Record<symbol, OnRead | null>)[callbackSymbol(socket)]!;
const isShared = (socket: Socket): boolean => onReadOf(socket) !== null;

const bytes = (length: number, first = 0): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (first + i * 31 + (i >> 8)) & 0xff));
const text = (length: number): Buffer => Buffer.from('aß€😀'.repeat(Math.ceil(length / 10)));

/** A server's WebSocket that is read in this way, and the other end of its wire. */
async function served(shared: boolean, options: Partial<FromOptions> = {}) {
  const [near, far] = await tcpPair();
  near.on('error', () => undefined);
  reading.isShared = shared;
  const socket = WebSocket.from(far, { role: 'server', maxPayload: false, ...options });
  reading.isShared = undefined;
  return { near, far, socket };
}

test('before there is a WebSocket, the first bytes are lent, the rest is in the stream, and its own reading follows', async () => {
  const [near, far] = await tcpPair();
  near.on('error', () => undefined);
  const lent: string[] = [];
  const taken = new Promise<void>((resolve) => {
    const lend = lendFirstRead((socket, memory) => {
      expect([socket, memory.buffer]).toEqual([far, sharedMemory(far).bytes.buffer]);
      lent.push(memory.toString());
      resolve();
    });
    expect(lend(far)).toBe(true);
  });
  near.write('first');
  await taken;
  const stored = once(far, 'readable');
  near.write(clientFrame(Opcode.Text, 'early'));
  await stored;
  const socket = WebSocket.from(far, { role: 'server' });
  const messages: string[] = [];
  const both = new Promise<void>((resolve) => {
    socket.on('message', (data) => {
      messages.push(String(data));
      if (messages.length === 2) resolve();
      else near.write(clientFrame(Opcode.Text, 'late'));
    });
  });
  await both;
  expect([lent, messages, isShared(far)]).toEqual([['first'], ['early', 'late'], true]);
  near.destroy();
});

test('where sockets are not read into one memory, nothing is lent', async () => {
  const [near, far] = await tcpPair();
  reading.isShared = false;
  expect(lendFirstRead(() => undefined)(far)).toBe(false);
  expect(isShared(far)).toBe(false);
  near.destroy();
});

describe('the same, whichever way it is read', () => {
  type Step =
    | { readonly kind: 'message'; readonly isText: boolean; readonly sizes: readonly number[] }
    | { readonly kind: 'ping' | 'turn' | 'pause' | 'resume' };
  const size = fc.oneof(
    { weight: 4, arbitrary: fc.nat(130) },
    { weight: 2, arbitrary: fc.integer({ min: 200, max: 5000 }) },
    fc.constantFrom(16_384, 65_522, 65_536, 150_000),
  );
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('message' as const),
        isText: fc.boolean(),
        sizes: fc.array(size, { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('ping', 'turn', 'pause', 'resume') }) },
  );
  const programs = fc.record({
    steps: fc.array(step, { maxLength: 25 }),
    binaryType: fc.constantFrom('nodebuffer' as const, 'fragments' as const, 'arraybuffer' as const),
    incoming: fc.constantFrom('buffer' as const, 'buffer' as const, 'stream' as const),
    isWrong: fc.boolean(),
  });
  type Program = Parameters<Parameters<typeof programs.map>[0]>[0];

  function wireOf(item: Step): Buffer {
    if (item.kind === 'ping') return clientFrame(Opcode.Ping, 'ping');
    if (item.kind !== 'message') return Buffer.alloc(0);
    return Buffer.concat(
      item.sizes.map((length, i) => {
        const opcode = i > 0 ? Opcode.Continuation : item.isText ? Opcode.Text : Opcode.Binary;
        const fin = i === item.sizes.length - 1;
        return clientFrame(opcode, item.isText ? text(length) : bytes(length, i), { fin });
      }),
    );
  }

  /** What was told, with each message as it is at the end: by then nothing is left of memory that was lent. */
  async function run(shared: boolean, { steps, binaryType, incoming, isWrong }: Program): Promise<unknown[]> {
    const { near, far, socket } = await served(shared, { incoming });
    expect(isShared(far)).toBe(shared);
    socket.binaryType = binaryType;
    const told: unknown[][] = [];
    socket.on('message', (data, isBinary) => told.push(['message', data, isBinary]));
    socket.on('ping', (data) => told.push(['ping', data]));
    socket.on('error', (error) => told.push(['error', (error as { code?: string }).code]));
    const streamed: Promise<unknown>[] = [];
    socket.on('incoming', (message) => {
      const entry: unknown[] = ['incoming', message.isBinary];
      told.push(entry);
      streamed.push(
        message.buffer().then(
          (whole) => entry.push(whole),
          ({ code }: { code?: string }) => entry.push(code),
        ),
      );
    });
    for (const item of steps) {
      if (item.kind === 'pause') socket.pause();
      else if (item.kind === 'resume') socket.resume();
      else if (item.kind === 'turn') await nextTurn();
      else near.write(wireOf(item));
    }
    if (isWrong) near.write(clientFrame(Opcode.Text, Buffer.from([0xff])));
    near.end(clientFrame(Opcode.Close, Buffer.from([3, 232])));
    near.resume();
    await nextTurn();
    socket.resume();
    await socket.closed;
    await Promise.all(streamed);
    const digest = (data: unknown): unknown => {
      if (typeof data === 'string' || typeof data === 'boolean') return data;
      const whole = Array.isArray(data) ? Buffer.concat(data as Buffer[]) : Buffer.from(data as Buffer);
      return `${whole.length}: ${createHash('sha1').update(whole).digest('hex')}`;
    };
    return told.map((entry) => entry.map(digest));
  }

  test('messages, fragments, control frames, pauses, streams and an offence', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        expect(await run(true, program)).toEqual(await run(false, program));
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});

describe('fragments that come together', () => {
  const parts = (count: number, size: number, type: Opcode = Opcode.Binary): Buffer[] =>
    Array.from({ length: count }, (_, i) => {
      const payload = type === Opcode.Text ? text(size).subarray(0, size) : bytes(size, i);
      return clientFrame(i === 0 ? type : Opcode.Continuation, payload, { fin: i === count - 1 });
    });
  const bad = clientFrame(Opcode.Continuation, Buffer.from([0x61, 0xff, 0x61]), { fin: false });
  const cases: [string, Buffer[], Partial<FromOptions>][] = [
    ['make a message', parts(16, 1000), {}],
    ['make messages', [...parts(16, 64), ...parts(200, 30), ...parts(2, 0), ...parts(3, 5000)], {}],
    ['make text, of which characters are cut', parts(40, 33, Opcode.Text), {}],
    ['are more than are allowed', parts(100, 10), { maxFragments: 90 }],
    ['are as many as are allowed', parts(100, 10), { maxFragments: 100 }],
    ['are longer than is allowed', parts(100, 100), { maxPayload: 9999 }],
    ['are as long as is allowed', parts(100, 100), { maxPayload: 10_000 }],
    ['have bad text among them', [...parts(10, 30, Opcode.Text).slice(0, 9), bad, ...parts(10, 30).slice(1)], {}],
    [
      'have bad text and are not checked',
      [...parts(4, 30, Opcode.Text).slice(0, 3), bad],
      { skipUTF8Validation: true },
    ],
    [
      'have a ping among them',
      [...parts(9, 50).slice(0, 4), clientFrame(Opcode.Ping, 'x'), ...parts(9, 50).slice(4)],
      {},
    ],
    ['have another message among them', [...parts(9, 50).slice(0, 4), ...parts(9, 50)], {}],
  ];

  async function told(shared: boolean, wire: Buffer, options: Partial<FromOptions>): Promise<unknown[]> {
    const { near, socket } = await served(shared, options);
    const events = record(socket, ['message', 'ping']);
    near.end(wire);
    near.resume();
    const { code, reason, error, sent, frames } = await socket.closed;
    const passed = frames.map(({ direction, opcode, fin, length }) => [direction, opcode, fin, length]);
    const { messagesReceived, bytesReceived } = socket;
    return [...events, code, reason, error?.message, sent, passed, messagesReceived, bytesReceived];
  }

  test.each(cases)('which %s', async (_, frames, options) => {
    const wire = Buffer.concat(frames);
    expect(await told(true, wire, options)).toEqual(await told(false, wire, options));
  });

  test('give a message that is in memory of its size', async () => {
    const { near, socket } = await served(true);
    near.end(Buffer.concat([...parts(16, 1024), clientFrame(Opcode.Close, '')]));
    near.resume();
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.equals(Buffer.concat(Array.from({ length: 16 }, (_, i) => bytes(1024, i))))).toBe(true);
    expect(message.buffer.byteLength).toBe(16_384); // nothing else is kept for it
  });
});

test('short messages that are read together are parts of one copy; an ArrayBuffer is its own', async () => {
  const { near, socket } = await served(true);
  const wire = Buffer.concat(Array.from({ length: 100 }, (_, i) => clientFrame(Opcode.Binary, bytes(100, i))));
  const messages: (Buffer | ArrayBuffer)[] = [];
  socket.on('message', (data) => messages.push(data as Buffer | ArrayBuffer));
  for (const binaryType of ['nodebuffer', 'arraybuffer'] as const) {
    socket.binaryType = binaryType;
    const before = messages.length;
    near.write(wire);
    while (messages.length < before + 100) await once(socket, 'message');
  }
  const memories = new Set(messages.slice(0, 100).map((message) => (message as Buffer).buffer));
  expect(memories.size).toBeLessThan(10); // of one read each, whole or cut
  for (const { byteLength } of memories) expect(byteLength).toBeLessThanOrEqual(SHARED_BYTES);
  expect(messages.slice(100).every((message) => message instanceof ArrayBuffer && message.byteLength === 100)).toBe(
    true,
  );
  near.destroy();
});

test('connections that are read in turns keep their own bytes', async () => {
  const peers = await Promise.all(Array.from({ length: 5 }, () => served(true)));
  const received = peers.map(({ socket }) => {
    const messages: Buffer[] = [];
    socket.on('message', (data) => messages.push(data as Buffer));
    return messages;
  });
  const sizes = [100, 70_000, 9000, 200_000, 3];
  await Promise.all(
    peers.map(async ({ near }, i) => {
      for (const size of sizes) {
        const wire = clientFrame(Opcode.Binary, bytes(size, i * 50));
        for (let at = 0; at < wire.length; at += 30_000) {
          near.write(wire.subarray(at, at + 30_000));
          await nextTurn();
        }
      }
      near.end(clientFrame(Opcode.Close, ''));
      near.resume();
    }),
  );
  await Promise.all(peers.map(({ socket }) => socket.closed));
  received.forEach((messages, i) => {
    expect(messages.map(({ length }) => length)).toEqual(sizes);
    messages.forEach((message) => expect(message.equals(bytes(message.length, i * 50))).toBe(true));
  });
});

test.each([true, false])(
  'a data listener of the stream hears what comes meanwhile, as it came (shared: %p)',
  async (shared) => {
    const { near, far, socket } = await served(shared);
    const messages = record(socket, ['message']);
    const frames = [5, 70_000, 40, 9000, 6].map((size, i) => clientFrame(Opcode.Binary, bytes(size, i)));
    const sent = async (from: number, to: number): Promise<void> => {
      near.write(Buffer.concat(frames.slice(from, to)));
      while (messages.length < to) await once(socket, 'message');
    };
    const heard: [Buffer[], Buffer[]] = [[], []];
    const [first, second] = heard.map((chunks) => (chunk: Buffer) => void chunks.push(chunk));
    await sent(0, 1);
    far.on('data', first!);
    await sent(1, 3);
    far.prependListener('data', second!);
    await sent(3, 4);
    far.off('data', first!);
    far.off('data', second!);
    await sent(4, 5);
    expect(heard.map((chunks) => Buffer.concat(chunks).equals(Buffer.concat(frames.slice(1, 4))))).toEqual([
      true,
      false,
    ]);
    expect(Buffer.concat(heard[1]).equals(frames[3]!)).toBe(true);
    messages.forEach(([, data], i) => expect((data as Buffer).equals(bytes((data as Buffer).length, i))).toBe(true));
    near.destroy();
  },
);

test('a data listener hears once what is gathered during a pause', async () => {
  const clock = new MemoryClock();
  const { near, far, socket } = await served(true, { memoryLimit: new MemoryBudget(1_000_000, clock) });
  const messages = record(socket, ['message']);
  const heard: Buffer[] = [];
  far.on('data', (chunk: Buffer) => heard.push(chunk));
  const frames = ['one', 'two', 'three'].map((each) => clientFrame(Opcode.Text, each));
  socket.pause();
  let sent = 0;
  for (const frame of frames) {
    near.write(frame);
    sent += frame.length;
    while (far.readableLength < sent) await nextTurn();
    clock.advance(500);
  }
  expect([heard, far.readableLength]).toEqual([[], sent]);
  socket.resume();
  while (messages.length < 3) await once(socket, 'message');
  expect(Buffer.concat(heard)).toEqual(Buffer.concat(frames));
  near.destroy();
});

describe('what a socket has in store', () => {
  test('the head of the handshake, and what was read before, come first', async () => {
    const [near, far] = await tcpPair();
    far.resume();
    far.pause();
    near.write(clientFrame(Opcode.Text, 'second'));
    await once(far, 'readable'); // it is in the stream
    far.removeAllListeners('readable');
    await nextTurn();
    const socket = WebSocket.from(far, { role: 'server', head: clientFrame(Opcode.Text, 'first') });
    near.end(clientFrame(Opcode.Text, 'third'));
    near.resume();
    const events = record(socket, ['message']);
    await socket.closed;
    expect(events.map(([, data]) => String(data))).toEqual(['first', 'second', 'third']);
  });

  test('a pause lets it read on to its high-water mark, and no further; all of it comes in order', async () => {
    const { near, far, socket } = await served(true);
    const seen: number[] = [];
    socket.on('message', (data) => seen.push((data as Buffer).readUInt32BE(0)));
    socket.pause();
    const message = bytes(1000);
    for (let i = 0; i < 20_000; i++) {
      message.writeUInt32BE(i);
      near.write(clientFrame(Opcode.Binary, message));
    }
    near.end();
    near.resume();
    while (far.readableLength < far.readableHighWaterMark) await nextTurn();
    for (let i = 0; i < 20; i++) await nextTurn();
    expect(far.readableLength).toBeLessThan(far.readableHighWaterMark + SHARED_BYTES);
    expect(seen).toEqual([]);
    socket.resume();
    await socket.closed;
    expect(seen).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
  });

  test.each([true, false])('the end of the peer is seen during a pause (shared: %p)', async (shared) => {
    const { near, socket } = await served(shared);
    socket.pause();
    near.resetAndDestroy();
    expect((await socket.closed).code).toBe(1006);
  });
});

describe('which sockets', () => {
  test.each(['data', 'readable'])('not one that somebody listens to, for %p', async (name) => {
    const [near, far] = await tcpPair();
    far.on(name, () => undefined);
    WebSocket.from(far, { role: 'server' }).terminate();
    expect(isShared(far)).toBe(false);
    near.destroy();
  });

  test('not one whose owner has it read into memory of his own', async () => {
    const [near, far] = await tcpPair();
    const mine = (): boolean => true;
    (far as unknown as Record<symbol, unknown>)[callbackSymbol(far)] = mine;
    const before = onReadOf(far);
    WebSocket.from(far, { role: 'server' }).terminate();
    expect(onReadOf(far)).toBe(before);
    near.destroy();
  });

  test('not one that is closed already', () => {
    const socket = new Socket();
    WebSocket.from(socket, { role: 'server' }).terminate();
    expect(isShared(socket)).toBe(false);
  });

  test.each([
    ['Windows', 'platform', 'win32'],
    ['an older Node', 'versions', { ...process.versions, node: '19.9.0' }],
    ['a newer Node', 'versions', { ...process.versions, node: '27.0.0' }],
    ['Bun', 'versions', { ...process.versions, bun: '1.2.3' }],
    ['Deno', 'versions', { ...process.versions, deno: '2.0.0' }],
    ['something else', 'release', { name: 'something else' }],
    ['something that does not say', 'release', undefined],
  ])('none on %s', async (_, name, value) => {
    const [near, far] = await tcpPair();
    const before = Object.getOwnPropertyDescriptor(process, name)!;
    Object.defineProperty(process, name, { ...before, value });
    try {
      WebSocket.from(far, { role: 'server' }).terminate();
    } finally {
      Object.defineProperty(process, name, before);
    }
    expect(isShared(far)).toBe(false);
    near.destroy();
  });
});
