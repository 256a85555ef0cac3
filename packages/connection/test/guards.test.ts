// The guards on real streams; each of their rules is a test of the core.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { inspect, promisify } from 'node:util';
import { afterEach, describe, expect, test } from '@jest/globals';
import { Opcode } from '@ws/frame';
import { createPair, Meter, WebSocket, type FromOptions, type LimitOptions } from '../src/index.js';
import { clientFrame, framesOf, nextTurn, Recorder, recorded, summary, tcpPair } from './streams.js';

const sockets: WebSocket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.terminate();
});

/** Two ends over TCP; the far one has no options. */
async function overTcp(options: Partial<FromOptions>): Promise<{ near: WebSocket; far: WebSocket }> {
  const [nearStream, farStream] = await tcpPair();
  const near = WebSocket.from(nearStream, { role: 'server', ...options });
  const far = WebSocket.from(farStream, { role: 'client' });
  sockets.push(near, far);
  return { near, far };
}

/** Tells of the first round trip. */
class Told extends Meter {
  readonly first: Promise<number>;
  #tell: (ms: number) => void = () => undefined;

  constructor() {
    super();
    this.first = new Promise((resolve) => (this.#tell = resolve));
  }
  override latency(ms: number): void {
    super.latency(ms);
    this.#tell(ms);
  }
}

describe('heartbeat', () => {
  test('measures the round trip; its pongs are no events, the pings of the other end are', async () => {
    const meter = new Told();
    const { near, far } = await overTcp({ heartbeat: { interval: 5, timeout: 60_000 }, meter });
    const pongs: string[] = [];
    near.on('pong', (data) => pongs.push(data.toString()));
    expect(near.latency).toBeUndefined();
    const pinged = once(far, 'ping');
    expect(await meter.first).toBeGreaterThanOrEqual(0);
    expect(near.latency).toBeGreaterThanOrEqual(0);
    expect(near.latency).toBeLessThan(5000);
    expect((await pinged)[0]).toHaveLength(6);
    expect(meter.latencies.count).toBeGreaterThanOrEqual(1);
    near.ping('mine');
    await once(near, 'pong');
    expect(pongs).toEqual(['mine']);
    expect(far.latency).toBeUndefined();
  });

  test('a peer that answers nothing is cut; one that we do not read is not', async () => {
    const heartbeat = { interval: 20, timeout: 20 };
    const paused = await overTcp({ heartbeat });
    paused.near.pause();
    const [deadStream, deaf] = await tcpPair();
    const dead = WebSocket.from(deadStream, { role: 'server', heartbeat });
    const info = await dead.closed;
    expect(summary(info)).toEqual([1006, false, 'timeout']);
    expect(info).toMatchObject({ error: { code: 'WS_ERR_HEARTBEAT_TIMEOUT' }, sent: null, received: null });
    expect(info.frames.at(-1)).toMatchObject({ direction: 'out', opcode: Opcode.Ping });
    deaf.destroy();
    paused.far.send('still there');
    expect(paused.near.readyState).toBe(WebSocket.OPEN);
    paused.near.resume();
    expect(`${(await once(paused.near, 'message'))[0]}`).toBe('still there');
  });

  test('a ping that waits behind what the peer does not take: as soon as that does not move', async () => {
    const stream = new Recorder();
    stream.stalled = [];
    const socket = WebSocket.from(stream, { role: 'server', heartbeat: { interval: 10, timeout: 40 } });
    socket.send(Buffer.alloc(100_000));
    const info = await socket.closed;
    expect(info).toMatchObject({ initiator: 'timeout', error: { code: 'WS_ERR_HEARTBEAT_TIMEOUT' } });
    expect(info.bytesUnsent).toBeGreaterThanOrEqual(100_000);
  });

  test('one that is stuck in the kernel too', async () => {
    const [stream, deaf] = await tcpPair();
    const socket = WebSocket.from(stream, { role: 'server', heartbeat: { interval: 10, timeout: 40 } });
    socket.send(Buffer.alloc(50_000_000));
    const info = await socket.closed;
    expect(info).toMatchObject({ initiator: 'timeout', error: { code: 'WS_ERR_HEARTBEAT_TIMEOUT' } });
    expect(info.bytesUnsent).toBeGreaterThan(0);
    deaf.destroy();
  });

  test('goes between the fragments of a message', async () => {
    const { socket, stream } = recorded({ heartbeat: { interval: 5, timeout: 5 } });
    socket.send('a', { fin: false });
    await socket.closed;
    expect(framesOf(stream.bytes).map(({ opcode }) => opcode)).toEqual([Opcode.Text, Opcode.Ping]);
  });
});

test.each([
  { option: { idleTimeout: 20 }, code: 'WS_ERR_IDLE_TIMEOUT', sent: 1001, initiator: 'timeout' },
  { option: { maxLifetime: 20 }, code: 'WS_ERR_MAX_LIFETIME', sent: 1001, initiator: 'limit' },
  { option: { messageTimeout: 20 }, code: 'WS_ERR_MESSAGE_TIMEOUT', sent: 1008, initiator: 'timeout' },
  {
    option: { rateLimit: { messages: { rate: 0.001, burst: 1 }, exceeded: 'close' as const } },
    code: 'WS_ERR_RATE_LIMIT',
    sent: 1008,
    initiator: 'limit',
  },
])('$code: both ends are told', async ({ option, code, sent, initiator }) => {
  const { near, far } = await overTcp(option);
  far.send('part', { fin: false });
  if (code === 'WS_ERR_RATE_LIMIT') far.ping();
  const [ours, theirs] = await Promise.all([near.closed, far.closed]);
  expect(ours).toMatchObject({ error: { code }, initiator, sent: { code: sent, reason: '' } });
  expect(theirs).toMatchObject({ code: sent, initiator: 'remote', wasClean: true });
});

test('rateLimit slows the sender down, and loses nothing', async () => {
  const { near, far } = await overTcp({ rateLimit: { messages: { rate: 200, burst: 10 } } });
  const got: string[] = [];
  near.on('message', (data) => got.push((data as Buffer).toString()));
  const start = performance.now();
  for (let n = 0; n < 30; n++) far.send(`${n}`);
  far.close();
  await far.closed;
  expect(got).toEqual(Array.from({ length: 30 }, (_, n) => `${n}`));
  expect(performance.now() - start).toBeGreaterThanOrEqual(95); // 20 at 200 a second
});

describe('socket.limits', () => {
  const OFF = {
    heartbeat: false,
    idleTimeout: false,
    maxBufferedChunks: 262_144,
    maxFragments: 131_072,
    maxLifetime: false,
    maxPayload: 104_857_600,
    messageTimeout: false,
    minProgressRate: false,
    rateLimit: false,
    slowConsumer: false,
  } as const;
  const SOME = {
    heartbeat: { interval: 1000, timeout: 2000 },
    idleTimeout: 3000,
    maxBufferedChunks: false,
    maxFragments: 5,
    maxLifetime: 6000,
    maxPayload: 7,
    messageTimeout: 8000,
    minProgressRate: 9,
    rateLimit: {
      messages: { rate: 10, burst: 11, exceeded: 'wait' },
      bytes: { rate: 12, burst: 12, exceeded: 'close' },
    },
    slowConsumer: { highWaterMark: 13, limit: 14, policy: 'drop-oldest' },
  } as const;

  const values = ({ limits }: WebSocket): object =>
    Object.fromEntries(Object.keys(OFF).map((name) => [name, limits[name as keyof typeof OFF]]));

  test('are what the options say, and what update() makes of them', () => {
    const { socket } = recorded();
    sockets.push(socket);
    expect(values(socket)).toEqual(OFF);
    expect(socket.limits).toBe(socket.limits);
    socket.limits.update(SOME);
    expect(values(socket)).toEqual(SOME);
    socket.limits.update({ maxPayload: 100, maxFragments: undefined });
    expect(values(socket)).toEqual({ ...SOME, maxPayload: 100 });
    socket.limits.update({ ...OFF, maxPayload: 0, rateLimit: { messages: false, bytes: { rate: 5 } } });
    expect(socket.limits).toMatchObject({ maxPayload: false, rateLimit: { messages: false, bytes: { burst: 5 } } });
    const other = recorded(SOME).socket;
    sockets.push(other);
    expect(values(other)).toEqual(SOME);
  });

  test.each([
    ['a name that is none', { maxpayload: 1 }, TypeError],
    ['an option that cannot change', { highWaterMark: 1 }, TypeError],
    ['a wrong value', { maxPayload: -1 }, RangeError],
    ['a wrong type', { heartbeat: 5 }, 'heartbeat is 5, expected an object of interval, timeout, or false'],
    ['nothing', undefined, TypeError],
    ['a bucket that is none', { rateLimit: { message: { rate: 1 } } }, 'rateLimit.message is not an option'],
    ['a name in a bucket', { rateLimit: { bytes: { rate: 1, brust: 2 } } }, 'rateLimit.bytes.brust is not an option'],
    ['a server’s', { rateLimit: { handshakes: { rate: 1 } } }, 'rateLimit.handshakes cannot be changed'],
    ['a name in heartbeat', { heartbeat: { intervall: 5 } }, 'heartbeat.intervall is not an option'],
    ['a name in slowConsumer', { slowConsumer: { limits: 5 } }, 'slowConsumer.limits is not an option'],
    ['a bucket without a rate', { rateLimit: { bytes: { burst: 5 } } }, 'rateLimit.bytes.rate is undefined'],
  ])('update() refuses %s, and changes nothing', (_, changes, kind) => {
    const { socket } = recorded();
    sockets.push(socket);
    expect(() => socket.limits.update((changes && { idleTimeout: 5, ...changes }) as never)).toThrow(kind);
    expect(values(socket)).toEqual(OFF);
  });

  test('what an object does not name stays; false switches off', () => {
    const { socket } = recorded({
      highWaterMark: 1000,
      rateLimit: { messages: { rate: 1 }, bytes: { rate: 2, exceeded: 'wait' }, exceeded: 'close' },
      heartbeat: { interval: 1, timeout: 2 },
      slowConsumer: { limit: 3, highWaterMark: 4, policy: 'drop-newest' },
    });
    sockets.push(socket);
    const { limits } = socket;
    const messages = { rate: 1, burst: 1, exceeded: 'close' };
    const bytes = { rate: 2, burst: 2, exceeded: 'wait' };
    limits.update({ rateLimit: {}, heartbeat: {}, slowConsumer: { limit: undefined } });
    expect(limits.rateLimit).toEqual({ messages, bytes });
    expect(limits.heartbeat).toEqual({ interval: 1, timeout: 2 });
    expect(limits.slowConsumer).toEqual({ limit: 3, highWaterMark: 4, policy: 'drop-newest' });

    limits.update({ rateLimit: { messages: { rate: 5 } }, heartbeat: { interval: 6 }, slowConsumer: { limit: 7 } });
    expect(limits.rateLimit).toEqual({ messages: { rate: 5, burst: 5, exceeded: 'close' }, bytes });
    expect(limits.heartbeat).toEqual({ interval: 6, timeout: 2 });
    expect(limits.slowConsumer).toEqual({ limit: 7, highWaterMark: 4, policy: 'drop-newest' });
    limits.update({ rateLimit: { bytes: { rate: 8, burst: 9 } }, heartbeat: { interval: undefined, timeout: false } });
    expect(limits.rateLimit).toMatchObject({ messages: { rate: 5 }, bytes: { rate: 8, burst: 9, exceeded: 'wait' } });
    expect(limits.heartbeat).toEqual({ interval: 6, timeout: false });
    limits.update({ rateLimit: { bytes: { rate: 8 }, exceeded: 'close' } });
    expect(limits.rateLimit).toMatchObject({ bytes: { rate: 8, burst: 8, exceeded: 'close' } });
    limits.update({ rateLimit: { exceeded: 'wait' } });
    expect(limits.rateLimit).toMatchObject({ messages: { exceeded: 'wait' }, bytes: { exceeded: 'wait' } });

    const { rateLimit } = limits;
    limits.update({ rateLimit: { messages: false }, slowConsumer: { limit: false, highWaterMark: false } });
    expect(limits.rateLimit).toEqual({ messages: false, bytes: { rate: 8, burst: 8, exceeded: 'wait' } });
    expect(limits.slowConsumer).toEqual({ limit: false, highWaterMark: false, policy: 'drop-newest' });
    limits.update({ rateLimit });
    expect(limits.rateLimit).toEqual(rateLimit);
    limits.update({ rateLimit: false, heartbeat: false, slowConsumer: false });
    limits.update({ rateLimit: {} });
    expect([limits.rateLimit, limits.heartbeat, limits.slowConsumer]).toEqual([false, false, false]);
    limits.update({ rateLimit: { bytes: { rate: 1 } }, heartbeat: {}, slowConsumer: {} });
    expect(limits.rateLimit).toEqual({ messages: false, bytes: { rate: 1, burst: 1, exceeded: 'wait' } });
    expect(limits.heartbeat).toEqual({ interval: 30_000, timeout: 30_000 });
    expect(limits.slowConsumer).toEqual({ limit: 16_777_216, highWaterMark: 1000, policy: 'close' });
  });

  test('printed and as JSON they are the values, and can be given back', () => {
    const { socket } = recorded(SOME);
    sockets.push(socket);
    expect(inspect(socket.limits)).toMatch(/^Limits \{\s+maxPayload: 7,\s/);
    const text = JSON.stringify(socket.limits);
    expect(JSON.parse(text)).toEqual(SOME);
    socket.limits.update(OFF);
    socket.limits.update(JSON.parse(text) as LimitOptions);
    expect(values(socket)).toEqual(SOME);
  });

  test.each([
    { rateLimit: { handshakes: { rate: 1 } } }, // of a server's options
    { slowConsumer: { limit: false, highWaterMark: false } },
  ])('the options %p are taken', (options) => {
    const { socket } = recorded(options as never);
    sockets.push(socket);
    expect(socket.limits.rateLimit).toBe(false);
  });

  test.each([
    [{ rateLimit: { message: { rate: 1 } } }, 'rateLimit.message is not an option'],
    [{ rateLimit: { messages: { rates: 1 } } }, 'rateLimit.messages.rates is not an option'],
    [{ heartbeat: { timeOut: 1 } }, 'heartbeat.timeOut is not an option'],
    [{ slowConsumer: { highwatermark: 1 } }, 'slowConsumer.highwatermark is not an option'],
  ])('the options %j are refused', (options, message) => {
    expect(() => WebSocket.from(new Recorder(), { role: 'server', ...options } as FromOptions)).toThrow(
      new TypeError(message),
    );
  });

  test('hold from the next frame on', async () => {
    const { socket, stream } = recorded();
    const sizes: number[] = [];
    socket.on('message', (data) => sizes.push((data as Buffer).length));
    stream.push(clientFrame(Opcode.Binary, Buffer.alloc(50)));
    await nextTurn();
    socket.limits.update({ maxPayload: 20 });
    stream.push(clientFrame(Opcode.Binary, Buffer.alloc(20)));
    stream.push(clientFrame(Opcode.Binary, Buffer.alloc(21)));
    await nextTurn();
    expect(sizes).toEqual([50, 20]);
    stream.destroy();
    expect(await socket.closed).toMatchObject({ initiator: 'limit', sent: { code: 1009 } });
  });

  test('a heartbeat that is switched on later, and a limit for a consumer that is slow already', async () => {
    const { socket, stream } = recorded();
    stream.stalled = [];
    const slow = once(socket, 'slow');
    socket.send(Buffer.alloc(100_000));
    socket.limits.update({ slowConsumer: { limit: 50_000 } });
    await slow;
    socket.send('one too many');
    expect(await socket.closed).toMatchObject({ error: { code: 'WS_ERR_SLOW_CONSUMER' } });
    const silent = recorded().socket;
    silent.limits.update({ heartbeat: { interval: 5, timeout: 5 } });
    expect(await silent.closed).toMatchObject({ error: { code: 'WS_ERR_HEARTBEAT_TIMEOUT' } });
  });

  test('WebSocket.from: those of the options, whatever a subclass passes on', () => {
    class Silent extends WebSocket {
      constructor() {
        super(null);
      }
    }
    const socket = Silent.from(new Recorder(), { role: 'server', maxPayload: 20, incoming: 'stream' });
    sockets.push(socket);
    expect([socket.limits.maxPayload, socket.incoming]).toEqual([20, 'stream']);
  });

  test('before there is a connection they are those it will have', () => {
    const socket = new WebSocket(null);
    socket.limits.update({ maxPayload: 20 });
    expect([socket.limits.maxPayload, socket.latency]).toEqual([20, undefined]);
  });
});

describe('what keeps a process alive', () => {
  const run = async (program: string): Promise<string> => {
    const code = `import { createPair, WebSocket } from '@ws/connection'; import { Duplex } from 'node:stream';${program}`;
    const args = ['--no-warnings', '--input-type=module', '-e', code];
    return (await promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url) })).stdout;
  };

  test('no guard does', async () => {
    const printed = await run(`
      const guards = { heartbeat: { interval: 20_000 }, idleTimeout: 20_000, maxLifetime: 20_000, messageTimeout: 20_000 };
      const { client } = createPair(guards);
      client.send('x', { fin: false });
      process.on('exit', () => console.log(performance.now() < 15_000));`);
    expect(printed).toBe('true\n');
  });

  test('a closing handshake does, as long as it may take', async () => {
    const printed = await run(`
      const stream = new Duplex({ read() {}, write: (chunk, encoding, callback) => callback() });
      const socket = WebSocket.from(stream, { role: 'server', closeTimeout: 100, heartbeat: { interval: 20_000 } });
      socket.close();
      socket.on('close', (code, reason, { initiator }) => console.log(code, initiator));`);
    expect(printed).toBe('1006 timeout\n');
  });
});

test('a pair in memory has the guards of its options', async () => {
  const { client, server } = createPair({ idleTimeout: 10 });
  const [one, other] = await Promise.all([client.closed, server.closed]);
  expect([one.code, other.code]).toEqual([1001, 1001]);
  expect([one.error ?? other.error]).toMatchObject([{ code: 'WS_ERR_IDLE_TIMEOUT' }]);
});
