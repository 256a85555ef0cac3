import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, expect, test } from '@jest/globals';
import { createPair, type Message } from '@ws/connection';
import { HeldClock } from '@ws/testing';
import { PerMessageDeflate } from '@ws/deflate';
import { zlibBackend, type ZlibBackend } from '@ws/deflate/node';
import fc from 'fast-check';
import { Incoming, MemoryBudget, WebSocket, type MessageError, type Outgoing } from '../src/index.js';
import { opened, peer, portOf, start } from './support.js';

const ROOMY = 2 ** 30;
/** For threads that have to get their turn. */
const PATIENCE_MS = 20_000;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
}

test('above the limit handshakes are refused with 503, and the one that holds too much with 1013', async () => {
  const clock = new HeldClock();
  const memoryLimit = new MemoryBudget(1_000_000, clock);
  const server = await start({ memoryLimit });
  const small = await opened(peer(portOf(server)));
  const large = await opened(peer(portOf(server)));
  large.send(Buffer.alloc(400_000), { fin: false });
  await until(() => memoryLimit.used > 400_000);
  memoryLimit.add(1_020_000 - memoryLimit.used); // another's
  await until(() => memoryLimit.isOver);
  const late = peer(portOf(server));
  const [, response] = (await once(late, 'unexpected-response')) as [
    unknown,
    { statusCode: number; headers: Record<string, string> },
  ];
  expect([response.statusCode, Number(response.headers['retry-after']) > 0]).toEqual([503, true]);
  const closed = once(large, 'close');
  clock.advance(250); // for so long it was waited for
  const [code] = await closed;
  expect([code, memoryLimit.shed, small.readyState]).toEqual([1013, 1, WebSocket.OPEN]);
  await opened(peer(portOf(server)));
});

test('one budget for several servers', async () => {
  const memoryLimit = new MemoryBudget(ROOMY);
  for (const server of [await start({ memoryLimit }), await start({ memoryLimit })]) {
    const before = memoryLimit.used;
    const client = await opened(peer(portOf(server)));
    client.send(Buffer.alloc(10_000), { fin: false });
    await until(() => memoryLimit.used > before);
    expect(memoryLimit.used).toBeGreaterThan(before);
  }
});

const TAKEOVER = { serverNoContextTakeover: false, clientNoContextTakeover: false };
const ALONE = { serverNoContextTakeover: true, clientNoContextTakeover: true };

function pair(
  memoryLimit: MemoryBudget,
  backend: ZlibBackend,
  takeover: boolean,
  options = {},
): ReturnType<typeof createPair> {
  const parameters = takeover ? TAKEOVER : ALONE;
  return createPair({
    memoryLimit,
    ...options,
    extensions: (role) => [new PerMessageDeflate({ role, parameters, backend, threshold: 0 })],
  });
}

test('windows and compressors count for who has them, and go when memory is short', async () => {
  const memoryLimit = new MemoryBudget(ROOMY, new HeldClock());
  const backend = zlibBackend({ contextIdleTimeout: 60_000 });
  const { client, server } = pair(memoryLimit, backend, true);
  const text = Array.from({ length: 20_000 }, (_, i) => `${i}`).join();
  client.send(text);
  await once(server, 'message');
  const context = 2 ** 17 + 2 ** 17;
  const window = 2 ** 15;
  expect(memoryLimit.used).toBeGreaterThanOrEqual(context + window);
  expect(memoryLimit.used).toBeLessThan(1.1 * (context + window));
  memoryLimit.add(ROOMY); // somebody else's
  await until(() => memoryLimit.used < ROOMY + context);
  expect(memoryLimit.used - ROOMY).toBeLessThan(1.1 * window); // which the peer may refer to
  memoryLimit.add(-ROOMY);
  await until(() => !memoryLimit.isOver);
  client.send(text);
  await once(server, 'message');
  expect(memoryLimit.used).toBeGreaterThan(context);
  for (const socket of [client, server]) socket.terminate();
  await Promise.all([client.closed, server.closed]);
  expect(memoryLimit.used).toBe(0);
});

test('who loses his compressor is not charged for it any more', async () => {
  const memoryLimit = new MemoryBudget(ROOMY);
  const backend = zlibBackend({ contextIdleTimeout: 60_000 });
  const { client, server } = pair(memoryLimit, backend, true);
  client.send('hello '.repeat(100));
  await once(server, 'message');
  expect(memoryLimit.used).toBeGreaterThan(2 ** 18);
  backend.dropIdle();
  await until(() => backend.contexts === 0);
  expect(memoryLimit.used).toBeLessThan(10_000);
  for (const socket of [client, server]) socket.terminate();
  await Promise.all([client.closed, server.closed]);
  expect(memoryLimit.used).toBe(0);
});

test('the unfinished compressed message counts: what is kept of it, and its decompressor', async () => {
  const memoryLimit = new MemoryBudget(ROOMY);
  const server = await start({ memoryLimit, perMessageDeflate: true });
  const client = await opened(peer(portOf(server), '/', [], { perMessageDeflate: { threshold: 0 } }));
  client.send(Buffer.alloc(5000, 'x'), { fin: false, compress: true });
  await until(() => memoryLimit.used > 0);
  expect(memoryLimit.used).toBeLessThan(2000); // a few bytes, not yet decompressed
  const before = memoryLimit.used;
  client.send(Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i) >> 7)), { fin: false, compress: true });
  await until(() => memoryLimit.used > before + 100_000 + 50_000);
  client.terminate();
  await until(() => memoryLimit.used === 0);
});

// Invariant: whatever two ends do with each other, when all has been taken, nothing counts but windows of compression; when both are
// gone and nobody keeps anything of theirs, nothing at all.
const size = fc.oneof(fc.nat(200), fc.nat(20_000), fc.nat(300_000));
const who = fc.constantFrom('client' as const, 'server' as const);
const step = fc.oneof(
  fc.record({ do: fc.constantFrom('text', 'binary', 'noise', 'fragment', 'end'), who, size }),
  fc.record({ do: fc.constantFrom('open', 'write', 'finish', 'break', 'ping', 'prepared'), who, size }),
  fc.record({ do: fc.constantFrom('pause', 'resume', 'iterate', 'next', 'leave', 'read', 'discard'), who, size }),
  fc.record({ do: fc.constantFrom('turn', 'turn', 'turn', 'short', 'close'), who, size }),
);

const noise = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 2654435761) >>> 13));

class End {
  readonly socket: WebSocket;
  readonly begun: Incoming[] = [];
  outgoing: Outgoing | undefined;
  iterators: AsyncIterator<Message>[] = [];
  isInFragments = false;

  constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('incoming', (message) => this.begun.push(message));
  }

  /** Ends what is open, and takes whatever comes. */
  finish(): void {
    const { socket } = this;
    if (this.isInFragments) socket.send('');
    this.outgoing?.end();
    for (const message of this.begun) message.resume();
    socket.on('incoming', (message) => message.resume());
    socket.resume();
    for (const iterator of this.iterators)
      for (let i = 0; i < 200; i++)
        iterator.next().then(
          ({ value }) => value instanceof Incoming && value.resume(),
          () => undefined,
        );
  }

  act(what: string, bytes: number): void {
    const { socket } = this;
    const isOpen = socket.readyState === WebSocket.OPEN;
    switch (what) {
      case 'text':
        return void socket.send('x'.repeat(bytes), { fin: !this.isInFragments });
      case 'binary':
        return void socket.send(Buffer.alloc(bytes), { fin: !this.isInFragments, compress: bytes % 2 === 0 });
      case 'noise':
        return void socket.send(noise.subarray(0, bytes), { fin: !this.isInFragments });
      case 'fragment':
        this.isInFragments = true;
        return void socket.send(Buffer.alloc(bytes, 'y'), { fin: false });
      case 'end':
        this.isInFragments = false;
        return void socket.send('');
      case 'open':
        this.outgoing ??= isOpen ? socket.createOutgoing({ fragmentSize: bytes % 5000 }) : undefined;
        return;
      case 'write':
        if (this.outgoing?.writable) this.outgoing.write(Buffer.alloc(bytes, 'z'));
        return;
      case 'finish':
        this.outgoing?.end();
        this.outgoing = undefined;
        return;
      case 'break':
        this.outgoing?.destroy();
        return;
      case 'ping':
        return socket.ping(Buffer.alloc(bytes % 125));
      case 'pause':
        return socket.pause();
      case 'resume':
        return socket.resume();
      case 'iterate':
        this.iterators.push(socket[Symbol.asyncIterator]());
        return;
      case 'next':
        this.iterators[0]?.next().catch(() => undefined);
        return;
      case 'leave':
        if (bytes > 250_000) void this.iterators.shift()?.return?.();
        return;
      case 'read':
        this.begun.shift()?.resume();
        return;
      case 'discard':
        this.begun.shift()?.discard();
        return;
      case 'close':
        if (bytes > 250_000) socket.close();
        return;
      default:
    }
  }
}

const backends = { fast: zlibBackend({ maxContexts: 2 }), public: zlibBackend({ maxContexts: 2, fastPath: false }) };
afterAll(() => {
  for (const backend of Object.values(backends)) backend.dropIdle();
});

test('any program leaves nothing behind', async () => {
  let most = 0;
  let shed = 0;
  let idle = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        takeover: fc.boolean(),
        backend: fc.constantFrom('fast' as const, 'public' as const),
        incoming: fc.constantFrom('buffer' as const, 'stream' as const, 'auto' as const),
        limit: fc.constantFrom(ROOMY, 2_000_000, 300_000),
        fragmentSize: fc.constantFrom(0, 1000),
      }),
      fc.array(step, { minLength: 5, maxLength: 100, size: 'max' }),
      async ({ takeover, backend, limit, ...options }, steps) => {
        const memoryLimit = new MemoryBudget(limit);
        const made = pair(memoryLimit, backends[backend], takeover, options);
        const ends = { client: new End(made.client), server: new End(made.server) };
        for (const each of steps) {
          if (each.do === 'turn') await turn();
          else if (each.do === 'short') backends[backend].dropIdle();
          else {
            try {
              ends[each.who].act(each.do, each.size);
            } catch (error) {
              expect((error as MessageError).message).toMatch(/open|CLOS/); // too late
            }
          }
          most = Math.max(most, memoryLimit.used);
        }
        await turn();
        for (const end of Object.values(ends)) end.finish();
        backends[backend].dropIdle();
        const windows = takeover ? 2 * (2 ** 15 + 5) : 0;
        const isIdle = (): boolean => memoryLimit.used <= windows;
        for (const from = Date.now(); !isIdle() && memoryLimit.shed === 0 && Date.now() - from < PATIENCE_MS;) {
          await new Promise((resolve) => setTimeout(resolve, 1));
          backends[backend].dropIdle();
        }
        if (memoryLimit.shed === 0) expect(memoryLimit.used).toBeLessThanOrEqual(windows);
        if (made.client.readyState === WebSocket.OPEN && made.server.readyState === WebSocket.OPEN) idle++;
        for (const { socket } of Object.values(ends)) socket.terminate();
        for (const { socket, begun, iterators } of Object.values(ends)) {
          await socket.closed;
          for (const iterator of iterators) void iterator.return?.();
          for (const message of begun) message.discard();
        }
        for (const from = Date.now(); memoryLimit.used !== 0 && Date.now() - from < PATIENCE_MS;) await turn();
        expect(memoryLimit.used).toBe(0);
        shed += memoryLimit.shed;
      },
    ),
    { numRuns: 200 },
  );
  expect(most).toBeGreaterThan(1_000_000);
  expect(shed).toBeGreaterThan(0);
  expect(idle).toBeGreaterThan(20);
}, 60_000);
