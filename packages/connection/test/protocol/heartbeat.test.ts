import { describe, expect, test } from '@jest/globals';
import { FrameParser, Opcode, type FrameHead } from '@ws/frame';
import { Core, joined, masked, type CoreOptions } from './core.js';
import { ending, guarded, lasts, pass } from './passing.js';

const HEARTBEAT = { intervalMs: 1000, timeoutMs: 400 };
const beating = (options?: CoreOptions): Core => guarded({ heartbeat: HEARTBEAT }, options);
const CUT = ['WS_ERR_HEARTBEAT_TIMEOUT', 'timeout', null, true];

/** Payloads of the pings that were sent since the last call. */
function pings(core: Core): Uint8Array[] {
  const payloads: Uint8Array[] = [];
  const parser = new FrameParser(
    {},
    { frame: ({ opcode }: FrameHead, payload) => void (opcode === Opcode.Ping && payloads.push(payload)) },
  );
  parser.push(joined(...core.take()));
  return payloads;
}

describe('a peer that is silent', () => {
  test('is asked after the interval, and cut after the timeout', () => {
    const core = beating();
    pass(core, 999);
    expect(pings(core)).toEqual([]);
    pass(core, 1);
    expect(pings(core)).toHaveLength(1);
    pass(core, 399);
    expect(core.isDestroyed).toBe(false);
    pass(core, 1);
    expect(ending(core)).toEqual(CUT);
    expect([pings(core), core.protocol.nextDeadline()]).toEqual([[], undefined]);
    expect(core.happened).toEqual([]); // no 'error': it is in the report
  });

  test('its answer is not told, keeps it alive, and is measured', () => {
    const core = beating();
    expect(core.protocol.latency).toBeUndefined();
    pass(core, 1000);
    const [ping] = pings(core);
    pass(core, 40);
    core.protocol.receive(masked(Opcode.Pong, ping!));
    expect(core.happened).toEqual([]);
    expect(core.protocol.latency).toBe(40);
    pass(core, 1000);
    const [second] = pings(core);
    pass(core, 120);
    core.protocol.receive(masked(Opcode.Pong, second!));
    core.protocol.receive(masked(Opcode.Pong, second!));
    expect([core.protocol.latency, core.happened]).toEqual([50, []]); // an eighth of the new one
    expect(lasts(core)).toBe(1400);
  });

  test('the meter gets each round trip', () => {
    const latencies: number[] = [];
    const core = beating({ meter: { message: () => undefined, latency: (ms) => latencies.push(ms) } });
    for (const ms of [10, 30]) {
      pass(core, 1000);
      const [ping] = pings(core);
      pass(core, ms);
      core.protocol.receive(masked(Opcode.Pong, ping!));
    }
    expect(latencies).toEqual([10, 30]);
  });

  test.each([
    ['a message', masked(Opcode.Text, 'x')],
    ["somebody else's pong", masked(Opcode.Pong, 'x')],
    ['a ping', masked(Opcode.Ping, 'x')],
    ['the first byte of a frame', masked(Opcode.Text, 'x').subarray(0, 1)],
  ])('%s is life, before the ping and after it', (_, bytes) => {
    const core = beating();
    pass(core, 990);
    core.protocol.receive(bytes);
    pass(core, 999);
    expect(pings(core)).toEqual([]);
    pass(core, 1);
    expect(pings(core)).toHaveLength(1);
    pass(core, 399);
    core.protocol.receive(masked(Opcode.Text, 'x').subarray(1));
    pass(core, 900);
    expect([core.isDestroyed, pings(core)]).toEqual([false, []]);
  });

  test.each([
    ['of the user', 'x'],
    ['that looks nearly like ours', 'ws\0\0\0\x07'],
    ['of our number 0', 'ws\0\0\0\0'],
    ['that is longer', 'ws\0\0\0\x01!'],
    ['that begins otherwise', 'wx\0\0\0\x01'],
  ])('a pong %s is told', (_, payload) => {
    const core = beating();
    pass(core, 1000);
    core.protocol.receive(masked(Opcode.Pong, payload));
    expect(core.happened).toEqual([['pong', payload]]);
    expect(core.protocol.latency).toBeUndefined();
  });

  test('a late answer to an old ping is not told either, and measures nothing', () => {
    const core = beating();
    pass(core, 1000);
    const [ping] = pings(core);
    core.protocol.receive(masked(Opcode.Text, 'x'));
    pass(core, 1000);
    expect(pings(core)).toHaveLength(1);
    core.protocol.receive(masked(Opcode.Pong, ping!));
    expect(core.happened).toEqual([['message', 'x']]);
    expect(core.protocol.latency).toBeUndefined();
  });

  test('without a timeout it is asked for ever', () => {
    const core = guarded({ heartbeat: { intervalMs: 100, timeoutMs: Infinity } });
    pass(core, 100_000);
    expect([core.isDestroyed, pings(core).length]).toEqual([false, 1]);
    core.protocol.receive(masked(Opcode.Text, 'x'));
    pass(core, 200);
    expect(pings(core)).toHaveLength(1);
  });

  test('a timeout longer than the interval', () => {
    const core = guarded({ heartbeat: { intervalMs: 100, timeoutMs: 1000 } });
    expect(lasts(core)).toBe(1100);
    expect(pings(core)).toHaveLength(1);
  });
});

describe("the peer's time begins when the ping is with the operating system", () => {
  test('not when it was sent', () => {
    const core = beating();
    core.untaken = [];
    core.hasBacklog = true;
    pass(core, 1000);
    pass(core, 300);
    for (const taken of core.untaken.splice(0)) taken();
    core.hasBacklog = false;
    expect(lasts(core)).toBe(400);
    expect(ending(core)).toEqual(CUT);
  });

  test('a ping that stays behind what does not move is as good as unanswered', () => {
    const core = beating();
    core.untaken = [];
    core.hasBacklog = true;
    expect(lasts(core)).toBe(1400);
    expect(ending(core)).toEqual(CUT);
  });

  test('behind what moves, if slowly, it has time', () => {
    const core = beating();
    core.untaken = [];
    core.hasBacklog = true;
    for (let n = 0; n < 100; n++) {
      core.progress++;
      pass(core, 250);
    }
    expect(core.isDestroyed).toBe(false);
    expect(lasts(core)).toBeLessThanOrEqual(400 * 1.25);
  });

  test('inside a frame that we are writing no ping can go, and it does not count', () => {
    const core = beating();
    const ready: unknown[] = [];
    const message = core.protocol.sender.openMessage({ ready: () => ready.push(1), cut: () => undefined });
    message.open();
    message.beginFrame(Opcode.Binary, 10);
    message.part(new Uint8Array(5), undefined);
    core.take();
    pass(core, 20_000);
    expect([core.take(), core.isDestroyed]).toEqual([[], false]);
    message.part(new Uint8Array(5), undefined);
    expect(core.outgoing).toHaveLength(2); // the rest, and the ping
    expect(lasts(core)).toBe(400);
  });

  test('between the fragments of a message it goes', () => {
    const core = beating();
    core.protocol.send('a', true, false, undefined, undefined);
    pass(core, 1000);
    expect(pings(core)).toHaveLength(1);
  });
});

describe('what is our own doing does not count', () => {
  test('while reading is held the clock stands still, before the ping and after it', () => {
    const core = beating();
    pass(core, 900);
    core.protocol.pause();
    pass(core, 50_000);
    expect(pings(core)).toEqual([]);
    core.protocol.resume();
    pass(core, 99);
    expect(pings(core)).toEqual([]);
    pass(core, 2);
    expect(pings(core)).toHaveLength(1);
    pass(core, 300);
    core.protocol.pause('reader');
    core.protocol.pause('memory');
    pass(core, 50_000);
    core.protocol.resume('reader');
    pass(core, 50_000);
    core.protocol.resume('memory');
    expect(core.isDestroyed).toBe(false);
    expect(Math.abs(lasts(core) - 100)).toBeLessThanOrEqual(2);
  });

  test('pausing now and then does not keep the dead alive', () => {
    const core = beating();
    for (let n = 0; n < 10; n++) {
      pass(core, 100);
      core.protocol.pause();
      pass(core, 100);
      core.protocol.resume();
    }
    expect(pings(core)).toHaveLength(1);
  });

  describe('a ping whose sending is noted behind a stall, before the stall is', () => {
    function stalled(): { core: Core; ping: Uint8Array } {
      const core = beating();
      core.clock.advance(1000);
      core.protocol.handleTimeout(core.clock.now()); // asks; it is noted at once
      const [ping] = pings(core);
      core.clock.advance(100);
      core.protocol.handleTimeout(core.clock.now(), 150);
      return { core, ping: ping! };
    }

    test('has left at its beginning: no round trip is less than nothing, and the next one is asked for', () => {
      const { core, ping } = stalled();
      pass(core, 40);
      core.protocol.receive(masked(Opcode.Pong, ping));
      expect([core.protocol.latency, core.happened]).toEqual([40, []]);
      pass(core, 1000);
      expect(pings(core)).toHaveLength(1);
      expect(lasts(core)).toBe(400);
    });

    test('is answered by anything that comes', () => {
      const { core } = stalled();
      core.protocol.receive(masked(Opcode.Text, 'x'));
      pass(core, 999);
      expect([core.isDestroyed, pings(core)]).toEqual([false, []]);
      pass(core, 1);
      expect(pings(core)).toHaveLength(1);
    });
  });

  test('after a stall of the event loop nobody is judged for as long as it lasted', () => {
    const core = beating();
    pass(core, 1000);
    const [ping] = pings(core);
    core.clock.advance(3000);
    core.protocol.handleTimeout(core.clock.now(), 2900);
    expect(core.isDestroyed).toBe(false);
    pass(core, 2000);
    core.protocol.receive(masked(Opcode.Pong, ping!));
    expect(core.isDestroyed).toBe(false);
    expect(lasts(core)).toBeGreaterThanOrEqual(1400);
  });

  test('a peer that is gone is noticed by a loop that is always late', () => {
    const core = beating();
    for (let n = 0; n < 20 && !core.isDestroyed; n++) {
      core.clock.advance(Math.max(0, core.protocol.nextDeadline()! - core.clock.now()) + 100);
      core.protocol.handleTimeout(core.clock.now(), 100);
    }
    expect(ending(core)).toEqual(CUT);
  });

  test('a call before the time changes nothing', () => {
    const core = beating();
    for (let n = 0; n < 100; n++) {
      core.clock.advance(1);
      core.protocol.handleTimeout(core.clock.now());
    }
    expect(core.outgoing).toEqual([]);
  });
});

test('it ends with the connection: no ping behind a Close frame, and none after the end', () => {
  for (const end of ['close', 'transportEnd'] as const) {
    const core = guarded({ heartbeat: HEARTBEAT }, { closeTimeoutMs: Infinity });
    core.protocol[end]();
    core.take();
    pass(core, 10_000);
    expect([core.outgoing, core.isDestroyed]).toEqual([[], false]);
  }
});

test('it can be switched on, changed, and off while the connection is open', () => {
  const core = new Core();
  pass(core, 5000);
  expect(core.protocol.nextDeadline()).toBeUndefined();
  const guards = { ...guardsOf({ intervalMs: 100, timeoutMs: 50 }) };
  core.protocol.guards = guards;
  pass(core, 1);
  expect(pings(core)).toHaveLength(1); // it was silent for long enough
  core.protocol.guards = guardsOf({ intervalMs: 100, timeoutMs: 5000 });
  pass(core, 4000);
  expect(core.isDestroyed).toBe(false);
  core.protocol.guards = guardsOf(undefined);
  pass(core, 100_000);
  expect([core.isDestroyed, core.protocol.nextDeadline()]).toEqual([false, undefined]);
});

function guardsOf(heartbeat: typeof HEARTBEAT | undefined): NonNullable<CoreOptions['guards']> {
  return {
    heartbeat,
    idleTimeoutMs: Infinity,
    maxLifetimeMs: Infinity,
    messageTimeoutMs: Infinity,
    minProgressRate: 0,
    messageRate: undefined,
    byteRate: undefined,
  };
}
