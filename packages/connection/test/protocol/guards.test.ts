import { describe, expect, test } from '@jest/globals';
import { encodeHeader, Opcode } from '@ws/frame';
import type { Rate } from '../../src/protocol/index.js';
import { NO_GUARDS } from '../../src/protocol/index.js';
import { Core, joined, masked } from './core.js';
import { ending, guarded, lasts, pass } from './passing.js';
import { Sink } from './sink.js';

const part = (bytes: number, fin = false): Uint8Array => masked(Opcode.Continuation, new Uint8Array(bytes), { fin });
const first = (bytes: number): Uint8Array => masked(Opcode.Binary, new Uint8Array(bytes), { fin: false });
/** The header of a binary message of so many bytes. */
const header = (payloadLength: number): Uint8Array =>
  encodeHeader({ opcode: Opcode.Binary, payloadLength, maskingKey: 0 });

test('without guards there is no deadline, and with those that are off neither', () => {
  expect(new Core().protocol.nextDeadline()).toBeUndefined();
  const core = guarded({});
  core.protocol.receive(first(1));
  expect(core.protocol.nextDeadline()).toBeUndefined();
  expect(core.deadlines).toEqual([]);
});

describe('idleTimeout', () => {
  const ENDING = ['WS_ERR_IDLE_TIMEOUT', 'timeout', 1001, false];

  test('no message in either direction: a closing handshake with 1001, which is no offence', () => {
    const core = guarded({ idleTimeoutMs: 1000 });
    expect(lasts(core)).toBe(1000);
    expect(ending(core)).toEqual(ENDING);
    expect([core.happened, core.protocol.state]).toEqual([[['closing', 1001, '', 'local']], 'closeSent']);
    core.protocol.receive(masked(Opcode.Close, new Uint8Array([3, 0xe9])));
    expect([core.isEnded, core.protocol.closing.initiator]).toEqual([true, 'timeout']);
  });

  test.each([
    ['a message that comes', true, (core: Core) => core.protocol.receive(masked(Opcode.Text, 'x'))],
    ['a fragment that comes', true, (core: Core) => core.protocol.receive(first(1))],
    ['a message that is sent', true, (core: Core) => core.protocol.send('x', true, true, undefined, undefined)],
    ['a ping', false, (core: Core) => core.protocol.receive(masked(Opcode.Ping, 'x'))],
    ['a pong', false, (core: Core) => core.protocol.receive(masked(Opcode.Pong, 'x'))],
    ['a ping that is sent', false, (core: Core) => core.protocol.ping('x')],
    ['reading that was held', true, (core: Core) => (core.protocol.pause(), core.protocol.resume())],
  ])('%s: counts %p', (_, counts, act) => {
    const core = guarded({ idleTimeoutMs: 1000 });
    pass(core, 600);
    act(core);
    expect(lasts(core)).toBe(counts ? 1000 : 400);
  });

  test('a message that takes long counts until its last byte, in both directions', () => {
    const core = guarded({ idleTimeoutMs: 1000 });
    core.protocol.receive(header(10));
    for (let n = 0; n < 10; n++) {
      pass(core, 900);
      core.protocol.receive(new Uint8Array(1));
    }
    const message = core.protocol.sender.openMessage({ ready: () => undefined, cut: () => undefined });
    message.open();
    message.beginFrame(Opcode.Binary, 10);
    for (let n = 0; n < 10; n++) {
      pass(core, 900);
      message.part(new Uint8Array(1), undefined);
    }
    expect(ending(core)).toEqual([null, 'transport', null, false]);
    expect(lasts(core)).toBe(1000);
  });

  test('what is still being written is not idle as long as it moves', () => {
    const core = guarded({ idleTimeoutMs: 1000 });
    core.hasBacklog = true;
    for (let n = 0; n < 100; n++) {
      core.progress++;
      pass(core, 500);
    }
    expect(core.protocol.state).toBe('open');
    expect(lasts(core)).toBeLessThanOrEqual(2000);
  });

  test('who does not read hears nothing: his time stands still', () => {
    const core = guarded({ idleTimeoutMs: 1000 });
    core.protocol.pause();
    pass(core, 20_000);
    expect(core.protocol.state).toBe('open');
    core.protocol.resume();
    expect(lasts(core)).toBe(1000);
  });
});

describe('maxLifetime', () => {
  test.each([0, 0.25, 0.999])('ends with 1001 between 90 and 100 %% of it: random is %d', (random) => {
    const core = guarded({ maxLifetimeMs: 10_000 }, { random: () => random });
    const timer = lasts(core);
    expect(timer).toBe(Math.ceil(10_000 - random * 1000));
    expect(ending(core)).toEqual(['WS_ERR_MAX_LIFETIME', 'limit', 1001, false]);
  });

  test('nothing puts it off', () => {
    const core = guarded({ maxLifetimeMs: 1000, heartbeat: { intervalMs: 10, timeoutMs: Infinity } });
    for (let n = 0; n < 9; n++) {
      pass(core, 100);
      core.protocol.receive(masked(Opcode.Text, 'x'));
      core.protocol.pause();
    }
    expect(lasts(core)).toBe(100);
  });

  test('switched on later it still counts from the beginning', () => {
    const core = new Core();
    pass(core, 5000);
    core.protocol.guards = { ...NO_GUARDS, maxLifetimeMs: 6000 };
    expect(lasts(core)).toBe(1000);
  });
});

test('idleTimeout, changed or switched on in a long silence, counts from then', () => {
  for (const before of [{}, { maxLifetimeMs: 1e6 }, { idleTimeoutMs: 10_000 }]) {
    const core = guarded(before);
    pass(core, 5000);
    core.protocol.guards = { ...NO_GUARDS, idleTimeoutMs: 1000 };
    pass(core, 400);
    core.protocol.guards = { ...NO_GUARDS, idleTimeoutMs: 1000, maxLifetimeMs: 1e6 };
    expect(lasts(core)).toBe(600);
    expect(ending(core)[0]).toBe('WS_ERR_IDLE_TIMEOUT');
  }
});

describe('messageTimeout', () => {
  const ENDING = ['WS_ERR_MESSAGE_TIMEOUT', 'timeout', 1008, false];

  test('a message that is collected: from its first byte to its last', () => {
    const core = guarded({ messageTimeoutMs: 1000 });
    pass(core, 5000);
    core.protocol.receive(first(10));
    for (let n = 0; n < 9; n++) {
      pass(core, 100);
      core.protocol.receive(part(1));
    }
    expect(lasts(core)).toBe(100);
    expect(ending(core)).toEqual(ENDING);
    expect(core.happened).toEqual([
      ['closing', 1008, '', 'local'],
      ['failure', 'WS_ERR_MESSAGE_TIMEOUT'],
    ]);
  });

  test('one frame whose payload comes by and by is the same', () => {
    const core = guarded({ messageTimeoutMs: 1000 });
    core.protocol.receive(header(100));
    pass(core, 500);
    core.protocol.receive(new Uint8Array(99));
    expect(lasts(core)).toBe(500);
  });

  test('a message that ends in time, and those that begin after it, have their own time', () => {
    const core = guarded({ messageTimeoutMs: 1000 });
    for (let n = 0; n < 20; n++) {
      core.protocol.receive(first(10));
      pass(core, 900);
      core.protocol.receive(part(1, true));
    }
    pass(core, 100_000);
    expect([core.happened.length, core.protocol.state]).toEqual([20, 'open']);
    core.protocol.receive(first(10));
    expect(lasts(core)).toBe(1000);
  });

  test('a message that is given as it comes: from byte to byte, and pings do not count', () => {
    const sink = new Sink(() => undefined);
    const core = guarded({ messageTimeoutMs: 1000 }, { incoming: () => sink });
    core.protocol.receive(header(1000));
    for (let n = 0; n < 30; n++) {
      pass(core, 900);
      core.protocol.receive(new Uint8Array(1));
    }
    expect(core.protocol.state).toBe('open');
    core.protocol.receive(new Uint8Array(970));
    core.protocol.receive(first(1));
    for (let n = 0; n < 9; n++) {
      pass(core, 100);
      core.protocol.receive(masked(Opcode.Ping, 'x'));
    }
    expect(lasts(core)).toBe(100);
    expect(ending(core)).toEqual(ENDING);
  });

  test('time in which we do not read does not count', () => {
    const core = guarded({ messageTimeoutMs: 1000 });
    core.protocol.receive(first(10));
    pass(core, 900);
    core.protocol.pause();
    pass(core, 50_000);
    core.protocol.resume();
    expect(Math.abs(lasts(core) - 100)).toBeLessThanOrEqual(2);
  });

  test('nor does a stall of the event loop', () => {
    const core = guarded({ messageTimeoutMs: 1000 });
    core.protocol.receive(first(10));
    core.clock.advance(4000);
    core.protocol.handleTimeout(core.clock.now(), 3000);
    core.protocol.receive(part(1, true));
    expect(core.happened).toEqual([['message', Array(11).fill(0)]]);
  });

  test('switched on while a message is open, it counts from then', () => {
    const core = new Core();
    core.protocol.receive(first(1));
    pass(core, 5000);
    core.protocol.guards = { ...NO_GUARDS, messageTimeoutMs: 1000 };
    expect(lasts(core)).toBe(1000);
  });

  test.each([{ messageTimeoutMs: 5000 }, { minProgressRate: 1 / 5 }])('as it does where %p is new', (change) => {
    const core = guarded({ idleTimeoutMs: 60_000 });
    core.protocol.receive(first(1));
    pass(core, 30_000);
    core.protocol.guards = { ...NO_GUARDS, idleTimeoutMs: 60_000, ...change };
    expect(lasts(core)).toBe(5000);
  });
});

describe('minProgressRate', () => {
  test('a message may be slow for five seconds, then it must have come so fast from its beginning', () => {
    const core = guarded({ minProgressRate: 100 });
    core.protocol.receive(header(100_000));
    core.protocol.receive(new Uint8Array(700));
    expect(lasts(core)).toBe(7000);
    expect(ending(core)).toEqual(['WS_ERR_PROGRESS_RATE', 'timeout', 1008, false]);
  });

  test('nothing came: five seconds', () => {
    const core = guarded({ minProgressRate: 100 });
    core.protocol.receive(first(1));
    expect(lasts(core)).toBe(5000);
  });

  test('as fast as that is fast enough, and so is a message that is quick', () => {
    const core = guarded({ minProgressRate: 100 });
    core.protocol.receive(first(10));
    for (let n = 0; n < 100; n++) {
      pass(core, 100);
      core.protocol.receive(part(11));
    }
    core.protocol.receive(part(1, true));
    pass(core, 60_000);
    expect(core.protocol.state).toBe('open');
  });

  test('time in which we do not read does not count', () => {
    const core = guarded({ minProgressRate: 100 });
    core.protocol.receive(first(600));
    core.protocol.pause('reader');
    pass(core, 60_000);
    core.protocol.resume('reader');
    expect(Math.abs(lasts(core) - 6000)).toBeLessThanOrEqual(2);
  });

  test('both limits: the sooner one', () => {
    const core = guarded({ minProgressRate: 1, messageTimeoutMs: 2000 });
    core.protocol.receive(first(600));
    expect(lasts(core)).toBe(2000);
    expect(ending(core)[0]).toBe('WS_ERR_MESSAGE_TIMEOUT');
  });
});

describe('rateLimit', () => {
  const rate = (each: number, burst: number, closes = false): Rate => ({ rate: each, burst, closes });
  const messages = (count: number): Uint8Array =>
    joined(...Array.from({ length: count }, (_, n) => masked(Opcode.Text, `${n}`)));
  const given = (core: Core): number => core.happened.filter(([name]) => name === 'message').length;

  test('messages wait: a burst at once, then so many a second, none lost, in order', () => {
    const core = guarded({ messageRate: rate(10, 5) });
    core.protocol.receive(messages(30));
    expect([given(core), core.protocol.isHeld]).toEqual([5, true]);
    pass(core, 1000);
    expect(given(core)).toBe(15);
    pass(core, 1500);
    expect(core.happened.filter(([name]) => name === 'message').map(([, text]) => text)).toEqual(
      Array.from({ length: 30 }, (_, n) => `${n}`),
    );
    pass(core, 1000);
    expect([core.protocol.isHeld, core.protocol.nextDeadline()]).toEqual([false, undefined]);
  });

  test('control frames count, continuations do not', () => {
    const core = guarded({ messageRate: rate(1, 10, true) });
    core.protocol.receive(joined(first(1), ...Array.from({ length: 50 }, () => part(1)), part(1, true)));
    for (let n = 0; n < 9; n++) core.protocol.receive(masked(Opcode.Ping, 'x'));
    expect(core.protocol.state).toBe('open');
    core.protocol.receive(masked(Opcode.Pong, 'x'));
    expect(ending(core)).toEqual(['WS_ERR_RATE_LIMIT', 'limit', 1008, false]);
  });

  test('bytes wait: what is over is owed', () => {
    const core = guarded({ byteRate: rate(1000, 500) });
    const chunk = masked(Opcode.Binary, new Uint8Array(1494)); // 1502 bytes
    expect(chunk).toHaveLength(1502);
    core.protocol.receive(chunk);
    expect([given(core), core.protocol.isHeld]).toEqual([1, true]);
    pass(core, 1001);
    expect(core.protocol.isHeld).toBe(true);
    pass(core, 2);
    expect(core.protocol.isHeld).toBe(false);
  });

  test("exceeded: 'close' closes with 1008, and what is over is not given", () => {
    const many = guarded({ messageRate: rate(10, 5, true) });
    many.protocol.receive(messages(30));
    expect([given(many), ...ending(many)]).toEqual([5, 'WS_ERR_RATE_LIMIT', 'limit', 1008, false]);
    expect(String(many.protocol.closing.error)).toContain('messages, 10 a second and 5 at once');
    const much = guarded({ byteRate: rate(100, 100, true) });
    much.protocol.receive(masked(Opcode.Binary, new Uint8Array(90)));
    pass(much, 959);
    much.protocol.receive(masked(Opcode.Binary, new Uint8Array(90)));
    expect(much.protocol.state).toBe('open');
    much.protocol.receive(masked(Opcode.Binary, new Uint8Array(90)));
    expect([given(much), ...ending(much)]).toEqual([2, 'WS_ERR_RATE_LIMIT', 'limit', 1008, false]);
  });

  test('a bucket holds no more than its burst', () => {
    const core = guarded({ messageRate: rate(10, 5, true) });
    pass(core, 100_000);
    core.protocol.receive(messages(6));
    expect(given(core)).toBe(5);
  });

  test('both wait: the longer one', () => {
    const core = guarded({ messageRate: rate(10, 1), byteRate: rate(1, 1) });
    core.protocol.receive(messages(1)); // 7 bytes
    pass(core, 5999);
    expect(core.protocol.isHeld).toBe(true);
    pass(core, 2);
    expect(core.protocol.isHeld).toBe(false);
  });

  test('who waits for the rate is not dead, nor slow', () => {
    const core = guarded({
      messageRate: rate(0.01, 1),
      heartbeat: { intervalMs: 100, timeoutMs: 100 },
      messageTimeoutMs: 100,
      idleTimeoutMs: 1000,
    });
    core.protocol.receive(joined(masked(Opcode.Text, 'a'), first(1)));
    pass(core, 99_000);
    expect(core.protocol.state).toBe('open');
  });

  test('a closing handshake is seen behind what waits', () => {
    const core = guarded({ messageRate: rate(10, 1) });
    core.protocol.receive(joined(messages(3), masked(Opcode.Close, '')));
    core.protocol.close();
    pass(core, 1000);
    expect([given(core), core.protocol.state, core.isEnded]).toEqual([3, 'closeDone', true]);
  });

  test.each([
    ['switched off', NO_GUARDS, 0],
    ['that closes from now on', { ...NO_GUARDS, messageRate: rate(1000, 20, true) }, 0],
    ['a higher one', { ...NO_GUARDS, messageRate: rate(10, 30) }, 100],
    ['a lower one', { ...NO_GUARDS, messageRate: rate(0.5, 1) }, 2000],
    ['bytes in its place', { ...NO_GUARDS, byteRate: rate(1, 1) }, 0],
  ])('changed while reading waits: %s', (_, guards, ms) => {
    const core = guarded({ messageRate: rate(1, 1) });
    core.protocol.receive(messages(2));
    expect([given(core), core.protocol.isHeld, core.protocol.nextDeadline()]).toEqual([1, true, 1000]);
    core.protocol.guards = guards;
    expect(core.deadlines.at(-1)).toBe(0); // to look at it anew
    pass(core, 0);
    if (ms > 0) pass(core, ms - 1);
    expect(core.protocol.isHeld).toBe(ms > 0);
    pass(core, 1);
    expect([given(core), core.protocol.isHeld]).toEqual([2, ms > 0]); // the bucket is empty again
  });

  test('changed in the closing handshake: it is seen as soon', () => {
    const core = guarded({ byteRate: rate(1, 1) });
    core.protocol.receive(messages(3));
    core.protocol.close();
    core.protocol.guards = NO_GUARDS;
    expect([core.deadlines.at(-1), core.protocol.nextDeadline()]).toEqual([0, 0]);
    pass(core, 0);
    expect(core.protocol.isHeld).toBe(false);
  });

  test('bytes that were owed when waiting was the rule close nothing', () => {
    const core = guarded({ byteRate: rate(100, 100) });
    core.protocol.receive(masked(Opcode.Binary, new Uint8Array(10_000)));
    core.protocol.guards = { ...NO_GUARDS, byteRate: rate(100, 100, true) };
    pass(core, 1000);
    core.protocol.receive(masked(Opcode.Binary, new Uint8Array(80)));
    expect([core.protocol.state, given(core)]).toEqual(['open', 2]);
  });

  test('changed, what is left in the bucket stays', () => {
    const core = guarded({ messageRate: rate(1, 5, true) });
    core.protocol.receive(messages(5));
    core.protocol.guards = { ...NO_GUARDS, messageRate: rate(1000, 5, true) };
    pass(core, 2);
    core.protocol.receive(messages(2));
    expect(core.protocol.state).toBe('open');
    core.protocol.receive(messages(2));
    expect(ending(core)[0]).toBe('WS_ERR_RATE_LIMIT');
  });

  test('a listener that throws while reading goes on stops no guard', () => {
    const core = guarded(
      { messageRate: rate(10, 1), idleTimeoutMs: 5000 },
      {
        onEvent: (name) => {
          if (name === 'message' && core.happened.length > 1) throw new Error('mine');
        },
      },
    );
    core.protocol.receive(messages(2));
    core.clock.advance(100);
    expect(() => core.protocol.handleTimeout(core.clock.now())).toThrow('mine');
    expect(lasts(core)).toBe(5100); // until then reading waited once more
  });
});
