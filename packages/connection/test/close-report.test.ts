import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { encodeClosePayload, Opcode } from '@ws/frame';
import { kEnd, WebSocket, type CloseInfo, type ConnectionOptions, type FrameRecord } from '../src/index.js';

// How each kind of end is told, over real TCP: to a server by its client, to a client by its server.

type Role = 'server' | 'client';

const opened: (() => unknown)[] = [];
afterEach(() => opened.splice(0).forEach((close) => close()));

/** The other end: bytes as they are told, and no reaction of its own. */
class Peer {
  readonly #role: Role;
  readonly socket: Socket;

  get isClient(): boolean {
    return this.#role === 'client';
  }

  constructor(socket: Socket, ofRole: Role) {
    this.socket = socket;
    this.#role = ofRole;
  }

  /** @param declared payload bytes by the header; with more than there are, the frame is cut short */
  frame(opcode: number, payload: Uint8Array | string, declared?: number): void {
    const bytes = Buffer.from(payload);
    const length = declared ?? bytes.length;
    const isMasked = this.isClient;
    const bit = isMasked ? 0x80 : 0;
    const head = length < 126 ? [bit | length] : [bit | 126, length >> 8, length & 0xff];
    const key = isMasked ? [0, 0, 0, 0] : []; // the payload stays as it is
    this.socket.write(Buffer.from([0x80 | opcode, ...head, ...key, ...bytes]));
  }

  close(code: number): void {
    this.frame(Opcode.Close, encodeClosePayload(code));
  }
}

const unfinished = (peer: Peer): Uint8Array => Uint8Array.of(0x01, ...(peer.isClient ? [0x80, 0, 0, 0, 0] : [0]));

interface Connected {
  readonly socket: WebSocket;
  readonly peer: Peer;
}

/** Our end of a TCP connection and the raw other one. */
async function connected(role: Role, options: ConnectionOptions = {}): Promise<Connected> {
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  opened.push(() => listener.close());
  await once(listener, 'listening');
  const accepted = once(listener, 'connection');
  const far = connect({ port: (listener.address() as AddressInfo).port, host: '127.0.0.1' });
  far.on('error', () => {});
  const [near] = (await accepted) as [Socket];
  opened.push(
    () => far.destroy(),
    () => near.destroy(),
  );
  const socket = WebSocket.from(near, { role, ...options });
  return { socket, peer: new Peer(far, role === 'server' ? 'client' : 'server') };
}

/** As a line: `in text 5`. */
const NAMES: Record<number, string> = { 0: 'more', 1: 'text', 2: 'binary', 8: 'close', 9: 'ping', 10: 'pong' };
const line = ({ direction, opcode, fin, length }: FrameRecord): string =>
  `${direction} ${NAMES[opcode] ?? opcode} ${length}${fin ? '' : ' unfinished'}`;

interface End {
  readonly name: string;
  readonly options?: ConnectionOptions;
  /** Ends it. */
  act(end: Connected): unknown;
  readonly initiator: CloseInfo['initiator'];
  /** The codes of the Close frames. @default null, none */
  readonly sent?: number;
  readonly received?: number;
  /** Of the error. @default null, no error */
  readonly error?: string;
  /** Whether there is something that the peer did not take. @default false */
  readonly isUnsent?: boolean;
  /** Behind the two frames that all have. */
  readonly frames: readonly string[];
}

const SMALL = { limit: 1_000_000 };
const reset = ({ peer }: Connected): unknown => peer.socket.resetAndDestroy();

const ENDS: readonly End[] = [
  { name: 'the peer resets TCP', act: reset, initiator: 'transport', error: 'ECONNRESET', frames: [] },
  {
    name: 'the peer ends TCP without a Close frame',
    act: ({ peer }) => peer.socket.end(),
    initiator: 'transport',
    frames: [],
  },
  {
    name: 'the peer ends TCP in the midst of a frame',
    act: ({ peer }) => {
      peer.frame(Opcode.Binary, 'abc', 1000);
      peer.socket.end();
    },
    initiator: 'transport',
    frames: ['in binary 1000'],
  },
  {
    name: 'the peer resets TCP while much is on its way to it',
    act: ({ socket, peer }) => {
      peer.socket.pause();
      socket.send(Buffer.alloc(20_000_000));
      setImmediate(() => peer.socket.resetAndDestroy());
    },
    initiator: 'transport',
    error: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as unknown as string,
    isUnsent: true,
    frames: ['out binary 20000000'],
  },
  {
    name: 'the peer breaks the protocol',
    act: ({ peer }) => peer.frame(0x3, 'abc'),
    initiator: 'protocol',
    sent: 1002,
    error: 'WS_ERR_INVALID_OPCODE',
    frames: ['out close 2'],
  },
  {
    name: 'the peer begins a message within another one',
    act: ({ peer }) => {
      peer.socket.write(unfinished(peer));
      peer.frame(Opcode.Text, 'abc');
    },
    initiator: 'protocol',
    sent: 1002,
    error: 'WS_ERR_INVALID_OPCODE',
    frames: ['in text 0 unfinished', 'in text 3', 'out close 2'],
  },
  {
    name: 'a message is too large',
    options: { maxPayload: 100 },
    act: ({ peer }) => peer.frame(Opcode.Binary, '', 1000),
    initiator: 'limit',
    sent: 1009,
    error: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
    frames: ['in binary 1000', 'out close 2'],
  },
  {
    name: 'text is not UTF-8',
    act: ({ peer }) => peer.frame(Opcode.Text, Uint8Array.of(0x61, 0xff)),
    initiator: 'protocol',
    sent: 1007,
    error: 'WS_ERR_INVALID_UTF8',
    frames: ['in text 2', 'out close 2'],
  },
  {
    name: 'the peer does not take what it is sent',
    options: { slowConsumer: SMALL },
    act: ({ socket, peer }) => {
      peer.socket.pause();
      for (let i = 0; i < 3; i++) socket.send(Buffer.alloc(10_000_000));
    },
    initiator: 'limit',
    error: 'WS_ERR_SLOW_CONSUMER',
    isUnsent: true,
    frames: ['out binary 10000000'],
  },
  {
    name: 'memory is short',
    options: { memoryLimit: 20_000 },
    act: ({ peer }) => peer.frame(Opcode.Binary, Buffer.alloc(60_000), 65_535),
    initiator: 'limit',
    sent: 1013,
    error: 'WS_ERR_MEMORY_LIMIT',
    frames: ['in binary 65535', 'out close 2'],
  },
  {
    name: 'the peer does not answer our Close frame',
    options: { closeTimeout: 40 },
    act: ({ socket }) => socket.close(4000, 'bye'),
    initiator: 'timeout',
    sent: 4000,
    frames: ['out close 5'],
  },
  {
    name: 'the peer is silent',
    act: ({ socket }) => socket.limits.update({ heartbeat: { interval: 30, timeout: 30 } }),
    initiator: 'timeout',
    error: 'WS_ERR_HEARTBEAT_TIMEOUT',
    frames: [expect.stringMatching(/^out ping \d$/) as unknown as string],
  },
  {
    name: 'no message for too long',
    options: { closeTimeout: 20 },
    act: ({ socket }) => socket.limits.update({ idleTimeout: 40 }),
    initiator: 'timeout',
    sent: 1001,
    error: 'WS_ERR_IDLE_TIMEOUT',
    frames: ['out close 2'],
  },
  {
    name: 'a message is not finished in time',
    options: { messageTimeout: 40, closeTimeout: 20 },
    act: ({ peer }) => peer.frame(Opcode.Binary, 'abc', 1000),
    initiator: 'timeout',
    sent: 1008,
    error: 'WS_ERR_MESSAGE_TIMEOUT',
    frames: ['in binary 1000', 'out close 2'],
  },
  {
    name: 'too much in too short a time',
    options: { rateLimit: { messages: { rate: 0.001, burst: 2 }, exceeded: 'close' }, closeTimeout: 20 },
    act: ({ peer }) => [1, 2].forEach(() => peer.frame(Opcode.Text, 'abc')),
    initiator: 'limit',
    sent: 1008,
    error: 'WS_ERR_RATE_LIMIT',
    frames: ['in text 3', 'in text 3', 'out close 2'],
  },
  {
    name: 'it has lived long enough, and the peer does not answer',
    options: { closeTimeout: 20 },
    act: ({ socket }) => socket.limits.update({ maxLifetime: 40 }),
    initiator: 'limit',
    sent: 1001,
    error: 'WS_ERR_MAX_LIFETIME',
    frames: ['out close 2'],
  },
  { name: 'terminate()', act: ({ socket }) => socket.terminate(), initiator: 'local', frames: [] },
  {
    name: 'terminate() with something on its way',
    act: ({ socket, peer }) => {
      peer.socket.pause();
      socket.send(Buffer.alloc(20_000_000));
      socket.terminate();
    },
    initiator: 'local',
    isUnsent: true,
    frames: ['out binary 20000000'],
  },
  {
    name: 'a shutdown that the peer does not answer',
    act: ({ socket }) => {
      socket[kEnd](1012, 'deploy', 'shutdown');
      socket.terminate();
    },
    initiator: 'shutdown',
    sent: 1012,
    frames: ['out close 8'],
  },
  {
    name: 'a shutdown that finds the way blocked',
    act: ({ socket, peer }) => {
      peer.socket.pause();
      for (let i = 0; i < 3; i++) socket.send(Buffer.alloc(10_000_000));
      socket[kEnd](1001, '', 'shutdown');
      setImmediate(() => socket.terminate());
    },
    initiator: 'shutdown',
    isUnsent: true,
    frames: ['out binary 10000000'],
  },
  {
    name: 'the peer closes, and is gone before our answer has reached it',
    act: ({ socket, peer }) => {
      peer.socket.pause();
      socket.send(Buffer.alloc(20_000_000));
      peer.close(4001);
      socket.once('closing', () => peer.socket.resetAndDestroy());
    },
    initiator: 'remote',
    received: 4001,
    sent: expect.anything() as unknown as number,
    error: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) as unknown as string,
    isUnsent: true,
    frames: ['out binary 20000000', 'in close 2', 'out close 2'],
  },
];

/** That of the frames, which nobody sets while the process runs. */
const clock = (): number => performance.timeOrigin + performance.now();

/** Two frames, one in each direction, and what the clock said before and behind them. */
async function exchange({ socket, peer }: Connected): Promise<void> {
  const message = once(socket, 'message');
  const got = once(peer.socket, 'data');
  peer.frame(Opcode.Text, 'hello');
  await message;
  socket.send('hi');
  await got;
  peer.socket.resume();
}

describe.each<Role>(['server', 'client'])('a %s is told', (role) => {
  test.each(ENDS)('$name', async ({ options, act, initiator, sent, received, error, isUnsent = false, frames }) => {
    const both = await connected(role, options);
    const events: unknown[] = [];
    both.socket.on('close', (code, reason, info) => events.push([code, String(reason), info]));
    const from = clock();
    await exchange(both);
    act(both);
    const info = await both.socket.closed;

    const code = received ?? 1006;
    expect(info).toMatchObject({ initiator, code, wasClean: false });
    expect({ sent: info.sent?.code ?? null, received: info.received?.code ?? null }).toEqual({
      sent: sent ?? null,
      received: received ?? null,
    });
    expect((info.error as { code?: string } | null)?.code ?? null).toEqual(error ?? null);
    if (isUnsent) expect(info.bytesUnsent).toBeGreaterThan(100_000);
    else expect(info.bytesUnsent).toBe(0);
    expect(info.frames.map(line)).toEqual(['in text 5', 'out text 2', ...frames]);
    const times = [from, ...info.frames.map(({ at }) => at), clock()];
    for (const [i, time] of times.entries()) if (i > 0) expect(time).toBeGreaterThanOrEqual(times[i - 1]! - 1); // rounded
    expect(info.lastActivity).toBeGreaterThanOrEqual(from - 1);
    expect(info.lastActivity).toBeLessThanOrEqual(clock());
    expect(events).toEqual([[code, info.reason, info]]);
  });

  test.each(['SIGKILL', 'SIGTERM'] as const)('its peer is a process that ends by %s', async (signal) => {
    const listener = createServer({ allowHalfOpen: true });
    listener.listen(0, '127.0.0.1');
    opened.push(() => listener.close());
    await once(listener, 'listening');
    const hello = role === 'server' ? '818500000000' : '8105';
    const program = `
      const socket = require('node:net').connect(${(listener.address() as AddressInfo).port}, '127.0.0.1');
      socket.write(Buffer.from('${hello}68656c6c6f', 'hex'));
      socket.resume();`;
    const child = spawn(process.execPath, ['-e', program], { stdio: 'ignore' });
    opened.push(() => child.kill('SIGKILL'));
    const [near] = (await once(listener, 'connection')) as [Socket];
    const socket = WebSocket.from(near, { role });
    await once(socket, 'message');
    socket.send('hi', () => child.kill(signal));
    const info = await socket.closed;
    expect(info).toMatchObject({ initiator: 'transport', code: 1006, wasClean: false, sent: null, received: null });
    expect(info.frames.map(line)).toEqual(['in text 5', 'out text 2']);
  });

  test.each(['the peer resets TCP', 'terminate()'])(
    'what did not get through has its callback told so: %s',
    async (how) => {
      const { socket, peer } = await connected(role);
      peer.socket.pause();
      const told: unknown[] = [];
      const sent = new Promise<void>((resolve) => socket.send('first', () => resolve()));
      await sent;
      socket.send(Buffer.alloc(20_000_000), (error) => told.push((error as { code?: string } | undefined)?.code));
      setImmediate(() => (how === 'terminate()' ? socket.terminate() : peer.socket.resetAndDestroy()));
      const { bytesUnsent } = await socket.closed;
      expect(bytesUnsent).toBeGreaterThan(100_000);
      expect(told).toEqual(['WS_ERR_CLOSED']);
    },
  );

  test('only of the last eight frames, oldest first; of none after a clean end', async () => {
    const both = await connected(role);
    for (let length = 0; length < 12; length++) both.peer.frame(Opcode.Binary, Buffer.alloc(length));
    await new Promise<void>((resolve) => {
      both.socket.on('message', (data) => (data as Buffer).length === 11 && resolve());
    });
    both.socket.terminate();
    const info = await both.socket.closed;
    expect(info.frames.map(line)).toEqual([4, 5, 6, 7, 8, 9, 10, 11].map((length) => `in binary ${length}`));

    const other = await connected(role);
    other.peer.frame(Opcode.Text, 'hello');
    other.peer.close(1000);
    other.peer.socket.on('data', () => other.peer.socket.end());
    expect(await other.socket.closed).toMatchObject({ initiator: 'remote', wasClean: true, frames: [], error: null });
  });
});
