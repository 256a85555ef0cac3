import { describe, expect, test } from '@jest/globals';
import { collectGarbage } from '@ws/testing';
import fc from 'fast-check';
import type { Holder, Keeper, MemoryAccount } from '../src/memory-account.js';
import { MemoryBudget } from '../src/memory-budget.js';
import { SHARED_BYTES } from '../src/reading.js';
import { MemoryClock } from './memory-clock.js';

const LIMIT = 1000;

let serial = 0;

/** A connection that does nothing but hold memory. */
class Peer implements Holder {
  readonly account: MemoryAccount;
  isPaused = false;
  isShed = false;
  relieved = 0;
  /** What its stream has read all the same, and nobody has counted. */
  uncounted = 0;
  whenReadOn: (() => void) | undefined;

  readonly budget: MemoryBudget;
  readonly name: string;

  constructor(budget: MemoryBudget, name = '') {
    this.budget = budget;
    this.name = name;
    this.account = budget.open(this, serial++);
    budget.ready(this.account);
  }

  pauseForMemory(): void {
    this.isPaused = true;
    this.account.watch();
  }
  readOnForMemory(): void {
    this.isPaused = false;
    this.budget.unwatch(this.account);
    this.whenReadOn?.();
  }
  relieve(): void {
    this.relieved++;
  }
  recount(): void {
    this.account.add(this.uncounted);
    this.uncounted = 0;
  }
  shed(): void {
    this.isShed = true;
  }
}

interface World {
  readonly clock: MemoryClock;
  readonly budget: MemoryBudget;
  readonly peer: (bytes: number, name?: string) => Peer;
  readonly peers: Peer[];
  readonly shed: () => string[];
}

function world(): World {
  const clock = new MemoryClock();
  const budget = new MemoryBudget(LIMIT, clock);
  const peers: Peer[] = [];
  const peer = (bytes: number, name = ''): Peer => {
    const made = new Peer(budget, name);
    peers.push(made);
    made.account.add(bytes);
    return made;
  };
  return { clock, budget, peer, peers, shed: () => peers.filter(({ isShed }) => isShed).map(({ name }) => name) };
}

test('an account of a connection that is gone holds on to nothing of it: old tables of a Set may hold on to the account', () => {
  const { peer } = world();
  const gone = peer(100);
  gone.account.close();
  const { holder } = gone.account;
  expect(holder).not.toBe(gone);
  for (const told of ['pauseForMemory', 'readOnForMemory', 'relieve', 'recount', 'shed'] as const) holder[told]();
  expect([gone.isPaused, gone.relieved, gone.isShed]).toEqual([false, 0, false]);
});

test.each([0, -1, 1.5, NaN, Infinity, 2 ** 53])('a limit of %p is a RangeError', (limit) => {
  expect(() => new MemoryBudget(limit)).toThrow(`limit is ${limit}, expected a positive integer`);
});

test('a limit that is no number is a TypeError', () => {
  expect(() => new MemoryBudget('1' as never)).toThrow(TypeError);
});

test('up to the limit nothing happens', () => {
  const { clock, budget, peer } = world();
  const one = peer(LIMIT);
  clock.advance(10_000);
  expect([budget.used, budget.isOver, one.isPaused, one.relieved]).toEqual([LIMIT, false, false, 0]);
});

test('above it readers pause before anything more is received, and contexts go; at three quarters readers go on', () => {
  const { clock, budget, peer, shed } = world();
  const idle = peer(0);
  const one = peer(600);
  one.account.add(401);
  expect([budget.isOver, one.isPaused]).toEqual([true, false]); // it is in the midst of something
  clock.settle();
  expect([idle, one].map(({ isPaused, relieved }) => [isPaused, relieved])).toEqual([
    [true, 1],
    [true, 1],
  ]);
  const late = peer(0);
  expect(late.isPaused).toBe(true);
  one.account.add(-250);
  clock.turn();
  expect([budget.isOver, one.isPaused]).toEqual([true, true]); // 751
  one.account.add(-1);
  expect(one.isPaused).toBe(true);
  clock.turn();
  expect([budget.isOver, one, idle, late].map((each) => (each instanceof Peer ? each.isPaused : each))).toEqual([
    false,
    false,
    false,
    false,
  ]);
  clock.advance(10_000);
  expect(shed()).toEqual([]);
});

test('what is over before anybody has stopped was nothing', () => {
  const { clock, budget, peer } = world();
  const one = peer(1200);
  one.account.add(-300);
  clock.settle();
  expect([budget.isOver, one.isPaused]).toEqual([false, false]);
});

test('a burst that is back under the limit in time is only slowed', () => {
  const { clock, budget, peer, shed } = world();
  const one = peer(1100);
  clock.advance(200);
  one.account.add(-150); // not three quarters, but under the limit
  clock.advance(49);
  expect(one.isPaused).toBe(true);
  clock.advance(1);
  expect([budget.isOver, one.isPaused, shed()]).toEqual([false, false, []]);
});

test('who was waited for is on probation: what exceeds the limit is ended at once, and nobody is paused for it', () => {
  const { clock, budget, peer, shed } = world();
  peer(800, 'old');
  const one = peer(201, 'new');
  clock.settle();
  one.account.add(-1);
  clock.advance(250);
  expect([one.isPaused, shed()]).toEqual([false, []]);
  clock.advance(900);
  let pauses = 0;
  one.pauseForMemory = () => pauses++;
  one.account.add(1);
  expect(budget.isOver).toBe(true);
  clock.settle();
  expect([budget.isOver, pauses, shed()]).toEqual([false, 0, ['old', 'new']]);
});

test.each([
  ['falls under three quarters', 240, 900, 0],
  ['ends with somebody being shed', 250, 0, 1],
])('an episode leaves probation as well when it %s', (_how, ms, givenBack, shedSoFar) => {
  const { clock, budget, peer } = world();
  const one = peer(1001, 'one');
  clock.advance(ms);
  one.account.add(-givenBack);
  clock.turn();
  expect([budget.isOver, budget.shed]).toEqual([false, shedSoFar]);
  const two = peer(1001 - budget.used, 'two');
  clock.settle();
  expect([budget.isOver, two.isShed, two.isPaused]).toEqual([false, true, false]);
});

test('probation gets longer whenever the limit is exceeded in it, to nine seconds; after sixteen of quiet all is forgotten', () => {
  const { clock, budget, peer, shed } = world();
  const isWaitedFor = (): boolean => {
    const one = peer(1001 - budget.used, 'tried');
    clock.turn();
    const { isPaused } = one;
    one.account.close();
    clock.turn();
    return isPaused;
  };
  expect(isWaitedFor()).toBe(true);
  peer(1001, 'first');
  clock.advance(250);
  expect(shed()).toEqual(['first']);
  clock.advance(999);
  expect(isWaitedFor()).toBe(false);
  clock.advance(1000); // the first probation would be over
  expect(isWaitedFor()).toBe(false);
  clock.advance(1002);
  expect(isWaitedFor()).toBe(true);
  for (let i = 0; i < 100; i++) {
    peer(1001 - budget.used);
    clock.advance(10);
  }
  clock.advance(8980);
  expect(isWaitedFor()).toBe(false);
  clock.advance(16_000);
  peer(1001, 'last');
  clock.advance(249);
  expect([budget.isOver, shed().includes('last')]).toEqual([true, false]);
  clock.advance(1);
  expect([budget.isOver, shed().includes('last')]).toEqual([false, true]);
});

test('what idle contexts give back is enough: nobody is paused; on probation the limit is', () => {
  const { clock, budget, peer, shed } = world();
  const one = peer(0, 'one');
  one.relieve = () => one.account.add(700 - budget.used);
  one.account.add(1001);
  one.pauseForMemory = () => expect(budget.used).toBe(1001);
  clock.turn();
  expect([budget.isOver, one.isPaused, budget.used]).toEqual([false, false, 700]);
  one.relieve = () => undefined;
  one.account.add(301);
  clock.advance(249);
  one.account.add(-100);
  clock.advance(1);
  one.relieve = () => one.account.add(900 - budget.used);
  one.account.add(100);
  clock.turn();
  expect([budget.isOver, budget.used, shed()]).toEqual([false, 900, []]);
});

test('who gives back is waited for, but not for ever', () => {
  const { clock, peer, shed } = world();
  const one = peer(1200, 'slow');
  clock.settle();
  for (let i = 0; i < 2; i++) {
    one.account.add(-70);
    clock.advance(250);
    expect([one.isPaused, shed()]).toEqual([true, []]);
  }
  one.account.add(-61); // 999
  clock.advance(250);
  expect([one.isPaused, shed()]).toEqual([false, []]);

  clock.advance(16_000);
  one.account.add(200);
  clock.settle();
  one.account.add(-70);
  clock.advance(240);
  one.account.add(10); // as fast as it goes, it comes
  clock.advance(9);
  expect(shed()).toEqual([]);
  clock.advance(1);
  expect(shed()).toEqual(['slow']);
});

test('an attack is shed after the grace: the largest, of the same size the newest, until three quarters are left', () => {
  const { clock, budget, peer, shed } = world();
  peer(10, 'small');
  peer(300, 'old');
  peer(290, 'older than some');
  peer(280, 'new');
  peer(270, 'newest');
  peer(5, 'smallest');
  clock.advance(249);
  expect(shed()).toEqual([]);
  clock.advance(1);
  expect(shed()).toEqual(['new', 'newest']);
  expect([budget.used, budget.isOver, budget.shed]).toEqual([605, false, 2]);
  expect(budget.used).toBeLessThanOrEqual(0.75 * LIMIT);
});

test('who holds a bit more than many others that came later is not ended in their stead', () => {
  const { clock, peer, shed } = world();
  peer(130, 'upload'); // in the next class, if it went by powers of two
  for (let i = 0; i < 7; i++) peer(125, `attacker ${i}`);
  clock.advance(250);
  expect(shed()).toEqual(['attacker 4', 'attacker 5', 'attacker 6']);
});

test('above 1.25 times the limit nobody is waited for', () => {
  const { clock, budget, peer, shed } = world();
  peer(700, 'a');
  const one = peer(500, 'b');
  clock.advance(100);
  expect(shed()).toEqual([]);
  one.account.add(51);
  clock.settle();
  expect([shed(), budget.used, budget.isOver]).toEqual([['b'], 700, false]);
});

test('what streams have read all the same is counted before anybody is judged, and by and by', () => {
  const { clock, budget, peer } = world();
  const one = peer(1001, 'a');
  one.uncounted = 400;
  clock.advance(250);
  expect([one.isShed, budget.used]).toEqual([true, 0]);
  clock.advance(250);
  const two = peer(1);
  two.account.watch();
  two.uncounted = 99;
  clock.advance(499);
  expect(budget.used).toBe(1);
  clock.advance(1);
  expect(budget.used).toBe(100);
  budget.unwatch(two.account);
  two.uncounted = 99;
  clock.advance(5000);
  expect(budget.used).toBe(100);
});

test('what connections that are gone have left with the user does not cost the small ones their lives', () => {
  const { clock, budget, peer, shed } = world();
  const gone = peer(0);
  const unread = gone.account.claim({ forget: () => undefined });
  unread.set(1100);
  gone.account.close();
  const small = peer(0.5);
  peer(300, 'large');
  clock.advance(300);
  expect([shed(), small.isPaused]).toEqual([['large'], false]);
  clock.advance(10_000);
  expect([shed(), small.isPaused]).toEqual([['large'], false]);
  unread.set(0);
  small.account.close();
  expect(budget.used).toBe(0);
});

test('a reader that fills memory again stops the others from going on; they are the first next time', () => {
  const { clock, peer, budget } = world();
  const [a, b] = [peer(0), peer(0)];
  const one = peer(1001);
  clock.settle();
  one.account.add(-1001);
  a.whenReadOn = () => a.account.add(1001);
  clock.turn();
  clock.turn();
  expect([a, b, one].map(({ isPaused }) => isPaused)).toEqual([true, true, true]);
  a.whenReadOn = undefined;
  a.account.add(-1001);
  const order: string[] = [];
  for (const [name, each] of Object.entries({ a, b, one })) each.whenReadOn = () => order.push(name);
  clock.turn();
  clock.turn();
  expect(order).toEqual(['b', 'one', 'a']);
  expect(budget.isOver).toBe(false);
});

test('a reader that passes the limit for a moment as it goes on does not keep the others from it', () => {
  const { clock, peer, budget } = world();
  const [a, b, c] = [peer(0, 'a'), peer(0, 'b'), peer(0, 'c')];
  a.account.add(1001);
  clock.settle();
  expect([a, b, c].map(({ isPaused }) => isPaused)).toEqual([true, true, true]);
  a.whenReadOn = () => {
    a.account.add(1001);
    a.account.add(-1001);
  };
  a.account.add(-1001);
  clock.turn();
  clock.advance(1);
  expect([a, b, c].map(({ isPaused }) => isPaused)).toEqual([false, false, false]);
  expect([budget.isOver, budget.used]).toEqual([false, 0]);
});

test('what a listener throws comes up by itself, and stops nobody else', () => {
  const { clock, budget, peer, shed } = world();
  const raised: (() => void)[] = [];
  const queue = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (task) => void raised.push(task);
  try {
    peer(700, 'other');
    const rude = peer(600, 'rude');
    rude.shed = () => {
      rude.isShed = true;
      throw new Error('mine');
    };
    clock.settle();
  } finally {
    globalThis.queueMicrotask = queue;
  }
  expect([shed(), budget.used, raised.length]).toEqual([['rude'], 700, 1]);
  expect(raised[0]).toThrow('mine');
});

describe('bytes that several connections have', () => {
  test('count once, and for each of them where it is asked who has most', () => {
    const { budget, peer } = world();
    const bytes = new Uint8Array(400);
    const [a, b] = [peer(0), peer(0)];
    a.account.hold(bytes);
    b.account.hold(bytes.subarray());
    a.account.hold(bytes);
    expect([budget.used, a.account.bytes, b.account.bytes]).toEqual([400, 800, 400]);
    a.account.release(bytes);
    a.account.release(bytes);
    a.account.release(bytes); // once too often
    expect([budget.used, a.account.bytes]).toEqual([400, 0]);
    b.account.close();
    expect([budget.used, b.account.bytes]).toEqual([0, 0]);
    b.account.hold(bytes);
    expect(budget.used).toBe(0);
  });

  test('a part keeps the chunk that it came in, and is charged for it; of a buffer that no network gave, no more than that', () => {
    const { budget, peer } = world();
    const { account } = peer(0);
    const chunk = new Uint8Array(SHARED_BYTES);
    const [first, second] = [chunk.subarray(10, 17_010), chunk.subarray(20_000, 60_000)];
    account.hold(first);
    expect(budget.used).toBe(SHARED_BYTES);
    account.hold(second);
    expect(budget.used).toBe(SHARED_BYTES);
    account.release(first);
    account.release(second);
    expect(budget.used).toBe(0);
    const file = new Uint8Array(10_000_000);
    const parts = [file.subarray(0, 20_000), file.subarray(20_000, 220_000)];
    account.hold(parts[0]!);
    expect(budget.used).toBe(SHARED_BYTES);
    account.hold(parts[1]!);
    expect(budget.used).toBe(220_000);
    account.release(parts[0]!);
    expect(budget.used).toBe(200_000);
    account.close();
    expect(budget.used).toBe(0);
  });

  test('parts of one buffer: it is kept until the last of them is gone', () => {
    const { budget, peer } = world();
    const { account } = peer(0);
    const bytes = new Uint8Array(400);
    const parts = [bytes.subarray(0, 100), bytes.subarray(100)];
    for (const part of parts) account.hold(part);
    expect(budget.used).toBe(400);
    account.release(parts[0]!);
    expect(budget.used).toBe(400); // one of them keeps all of it
    account.close();
    expect(budget.used).toBe(0);
  });
});

describe('what a reader keeps when the connection is gone', () => {
  test('counts until it is taken', () => {
    const { budget, peer } = world();
    const { account } = peer(10);
    const claim = account.claim({ forget: () => undefined });
    claim.set(100);
    expect([budget.used, account.bytes]).toEqual([110, 110]);
    account.close();
    expect(budget.used).toBe(100);
    account.add(5);
    expect(budget.used).toBe(100);
    const late = account.claim({ forget: () => undefined });
    late.set(1);
    claim.set(40);
    expect(budget.used).toBe(41);
    claim.set(0);
    late.set(0);
    expect(budget.used).toBe(0);
  });

  test('is let go of when the connection is shed', () => {
    const { clock, budget, peer } = world();
    const { account } = peer(1);
    const claim = account.claim({ forget: () => claim.set(0) });
    claim.set(1500);
    clock.settle();
    expect([budget.used, budget.shed]).toEqual([0, 1]);
  });

  test('counts no more when nobody can take it', async () => {
    const { budget, peer } = world();
    (() => {
      const keeper: Keeper & { all?: unknown } = { forget: () => undefined };
      keeper.all = keeper;
      const { account } = peer(0);
      account.claim(keeper).set(100);
      account.close();
    })();
    expect(budget.used).toBe(100);
    for (let i = 0; i < 100 && budget.used > 0; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      collectGarbage();
    }
    expect(budget.used).toBe(0);
  });
});

// Whatever connections do: memory is bounded as soon as the one in hand is done, nobody is kept from reading for long, nobody is ended
// while somebody holds much more, and nothing counts when all are gone.
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('add' as const), who: fc.nat(30), bytes: fc.nat(400) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('giveBack' as const), who: fc.nat(30), bytes: fc.nat(800) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const), who: fc.nat(30), bytes: fc.nat(10) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), who: fc.nat(30), bytes: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), who: fc.constant(0), bytes: fc.nat(400) }) },
);

test('any program', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const { clock, budget, peer } = world();
      const open = new Set<Peer>();
      const opened = (bytes: number): void => {
        const made = peer(bytes);
        made.shed = () => {
          made.isShed = true;
          open.delete(made);
          for (const { account } of open) expect(account.bytes).toBeLessThan(4.001 * made.account.bytes);
        };
        open.add(made);
      };
      for (let i = 0; i < 5; i++) opened(0);
      let overSince: number | undefined;
      for (const { do: what, who, bytes } of steps) {
        const one = [...open][who % Math.max(1, open.size)];
        if (what === 'wait') clock.advance(bytes);
        else if (what === 'open') opened(bytes);
        else if (one !== undefined && what === 'add' && (!one.isPaused || bytes < 50)) one.account.add(bytes);
        else if (one !== undefined && what === 'giveBack') one.account.add(-Math.min(bytes, one.account.bytes));
        else if (one !== undefined && what === 'close') {
          open.delete(one);
          one.account.close();
        }
        clock.settle();
        expect(budget.used).toBeLessThanOrEqual(1.25 * LIMIT);
        expect(budget.used).toBe([...open].reduce((sum, { account }) => sum + account.bytes, 0));
        if (budget.used > LIMIT) expect(budget.isOver).toBe(true);
        overSince = budget.isOver ? (overSince ?? clock.now()) : undefined;
        if (overSince !== undefined) expect(clock.now() - overSince).toBeLessThanOrEqual(1250);
        if (budget.isOver) continue;
        clock.turn();
        for (const each of open) expect(each.isPaused).toBe(false);
      }
      clock.advance(3000);
      expect(budget.isOver).toBe(false);
      for (const { isPaused } of open) expect(isPaused).toBe(false);
      for (const { account } of open) account.close();
      expect(budget.used).toBe(0);
    }),
    { numRuns: 500 },
  );
});

// What attackers gain by coming back, in the long run. Each ms of `program` is one of theirs, between two of an honest peer that connects.
function besieged(
  ms: number,
  program: (world: World, at: number) => void,
): { over: number; refused: number; shed: number } {
  const besiegedWorld = world();
  const { clock, budget, peer } = besiegedWorld;
  const honest = peer(1, 'honest');
  let over = 0;
  let refused = 0;
  for (let at = 0; at < ms; at++) {
    program(besiegedWorld, at);
    clock.advance(1);
    if (budget.isOver) over++;
    if (at % 10 === 0 && budget.isOver) refused++;
  }
  expect(honest.isShed).toBe(false);
  clock.advance(2000);
  expect([budget.isOver, honest.isPaused]).toEqual([false, false]);
  return { over, refused, shed: budget.shed };
}

test('attackers that are shed and come back at once stop the others once, not all the time', () => {
  const { over, refused, shed } = besieged(20_000, ({ budget, peer }) => {
    if (!budget.isOver) for (let i = 0; i < 3; i++) peer(90);
  });
  expect([over, refused]).toEqual([249, 25]);
  expect(shed).toBeGreaterThan(20_000);
});

test('whatever pauses attackers make, they stop the others for a thirtieth of the time', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20_000 }), (quiet) => {
      let last = 0;
      const { over } = besieged(40_000, ({ budget, peer }, at) => {
        if (budget.isOver) last = at;
        else if (at === 0 || at - last >= quiet) peer(334);
      });
      expect(over).toBeLessThanOrEqual(250 + 40_000 / 30);
    }),
    { numRuns: 15 },
  );
});

test('one that swings below three quarters and back does not fare better', () => {
  const times = { hold: fc.integer({ min: 1, max: 249 }), rest: fc.integer({ min: 1, max: 500 }) };
  fc.assert(
    fc.property(fc.record(times), ({ hold, rest }) => {
      let one: Peer | undefined;
      let until = 0;
      const { over } = besieged(40_000, ({ peer }, at) => {
        if (at < until) return;
        if (one === undefined || one.isShed) one = peer(0);
        const isHolding = one.account.bytes > 700;
        one.account.add(isHolding ? -300 : 1000 - one.account.bytes);
        until = at + (isHolding ? rest : hold);
      });
      expect(over).toBeLessThanOrEqual(250 + 40_000 / 30);
    }),
    { numRuns: 15 },
  );
});

test('bursts that are few, or short, only wait', () => {
  const { clock, budget, peer } = world();
  const one = peer(0, 'one');
  const burst = (ms: number): void => {
    one.account.add(1200);
    clock.advance(ms);
    expect(budget.isOver).toBe(true);
    one.account.add(-1200);
    clock.turn();
  };
  for (let i = 0; i < 20; i++) {
    burst(240);
    clock.advance(8000);
  }
  for (let i = 0; i < 200; i++) {
    burst(10);
    clock.advance(320);
  }
  for (let i = 0; i < 10; i++) burst(20);
  expect(budget.shed).toBe(0);
});
