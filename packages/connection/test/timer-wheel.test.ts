import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { TimerWheel, WheelEntry } from '../src/timer-wheel.js';
import { FakeWheelClock } from './wheel-clock.js';

class Noted extends WheelEntry {
  readonly calls: { readonly at: number; readonly stalledMs: number }[] = [];
  readonly #clock: FakeWheelClock;
  onExpired: () => void = () => undefined;

  constructor(clock: FakeWheelClock) {
    super();
    this.#clock = clock;
  }
  get at(): number[] {
    return this.calls.map(({ at }) => at);
  }
  expired(stalledMs: number): void {
    this.calls.push({ at: this.#clock.now(), stalledMs });
    this.onExpired();
  }
}

function setUp(): { clock: FakeWheelClock; wheel: TimerWheel; entry: () => Noted } {
  const clock = new FakeWheelClock();
  return { clock, wheel: new TimerWheel(clock), entry: () => new Noted(clock) };
}

/** What the wheel promises: never early, and late by two ms or a fifteenth. */
const latest = (delay: number): number => Math.max(2, delay / 15);

describe('a timer wheel', () => {
  test.each([0, 0.4, 1, 20, 62, 63, 64, 251, 252, 1000, 10_000, 30_000, 86_400_000, 2 ** 31 - 1])(
    'calls once, after %d ms',
    (delay) => {
      const { clock, wheel, entry } = setUp();
      const it = entry();
      clock.advance(12_345.6);
      const start = clock.now();
      wheel.schedule(it, delay);
      clock.advance(delay + latest(delay));
      expect(it.calls).toHaveLength(1);
      expect(it.at[0]! - start).toBeGreaterThanOrEqual(delay);
      expect(it.calls[0]!.stalledMs).toBeLessThan(1);
      expect([TimerWheel.isScheduled(it), clock.isWaiting]).toEqual([false, false]);
      clock.advance(2 ** 32);
      expect(it.calls).toHaveLength(1);
    },
  );

  test.each([2 ** 31, Infinity, NaN])('a delay of %d is refused', (delay) => {
    const { wheel, entry } = setUp();
    expect(() => wheel.schedule(entry(), delay)).toThrow(RangeError);
  });

  test('who is scheduled again is called for the last time alone, who is cancelled never', () => {
    const { clock, wheel, entry } = setUp();
    const [again, cancelled] = [entry(), entry()];
    wheel.schedule(again, 10);
    wheel.schedule(cancelled, 10);
    wheel.schedule(again, 40);
    wheel.cancel(cancelled);
    wheel.cancel(cancelled);
    clock.advance(100);
    expect([again.at, cancelled.at]).toEqual([[40], []]);
  });

  test('one timer for all; an earlier time limit moves it, a later one does not', () => {
    const { clock, wheel, entry } = setUp();
    for (let n = 0; n < 1000; n++) wheel.schedule(entry(), 30_000 + n);
    expect(clock.wakings).toBeLessThan(5);
    const before = clock.wakings;
    const soon = entry();
    wheel.schedule(soon, 5);
    expect(clock.wakings).toBe(before + 1);
    clock.advance(5);
    expect(soon.at).toEqual([5]);
  });

  test('an entry may schedule and cancel from its call, itself included', () => {
    const { clock, wheel, entry } = setUp();
    const [one, two, three] = [entry(), entry(), entry()];
    one.onExpired = () => {
      wheel.schedule(one, 10);
      wheel.cancel(two);
      wheel.schedule(three, 1);
    };
    wheel.schedule(one, 10);
    wheel.schedule(two, 10);
    wheel.schedule(three, 1000);
    clock.advance(25);
    expect([one.at, two.at, three.at]).toEqual([[10, 20], [], [11, 21]]);
  });

  test('a crowd is called in several turns', () => {
    const { clock, wheel, entry } = setUp();
    const crowd = Array.from({ length: 1200 }, entry);
    for (const each of crowd) wheel.schedule(each, 10);
    clock.advance(10);
    expect(crowd.filter(({ calls }) => calls.length === 1)).toHaveLength(512);
    wheel.cancel(crowd[1199]!);
    clock.advance(5);
    expect(crowd.filter(({ calls }) => calls.length === 1)).toHaveLength(1199);
    expect(crowd.filter(({ calls }) => calls.length > 1)).toHaveLength(0);
  });

  test('tells how long the event loop was not there, and is right again afterwards', () => {
    const { clock, wheel, entry } = setUp();
    const [late, next] = [entry(), entry()];
    wheel.schedule(late, 50);
    clock.stall(5000);
    expect(late.calls).toEqual([{ at: 5000, stalledMs: 4950 }]);
    wheel.schedule(next, 50);
    clock.advance(50);
    expect(next.calls).toEqual([{ at: 5050, stalledMs: 0 }]);
  });

  test('the process is kept alive as long as somebody wants it', () => {
    const { clock, wheel, entry } = setUp();
    const [loose, firm] = [entry(), entry()];
    firm.keepsAlive = true;
    wheel.schedule(loose, 10);
    expect(clock.isRef).toBe(false);
    wheel.schedule(firm, 1000);
    expect(clock.isRef).toBe(true);
    clock.advance(20);
    expect([loose.at.length, clock.isRef]).toEqual([1, true]);
    wheel.schedule(loose, 5000);
    wheel.cancel(firm);
    expect(clock.isRef).toBe(false);
    wheel.schedule(firm, 1);
    clock.advance(10);
    expect([firm.at.length, clock.isRef, clock.isWaiting]).toEqual([1, false, true]);
  });

  test('agrees with the naive model, whatever is scheduled, cancelled and stalled', () => {
    const delay = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.double({ min: 0, max: 2 ** 31 - 1, noNaN: true }));
    const step = fc.oneof(
      fc.record({ kind: fc.constant('schedule' as const), which: fc.nat(7), ms: delay }),
      fc.record({ kind: fc.constant('cancel' as const), which: fc.nat(7), ms: fc.constant(0) }),
      fc.record({ kind: fc.constant('advance' as const), which: fc.constant(0), ms: delay }),
      fc.record({ kind: fc.constant('stall' as const), which: fc.constant(0), ms: delay }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { clock, wheel, entry } = setUp();
        const entries = Array.from({ length: 8 }, entry);
        /** When each is due: the model. */
        const due = entries.map((): { at: number; delay: number } | undefined => undefined);
        for (const { kind, which, ms } of steps) {
          const before = entries.map(({ calls }) => calls.length);
          if (kind === 'schedule') {
            wheel.schedule(entries[which]!, ms);
            due[which] = { at: clock.now() + ms, delay: ms };
          } else if (kind === 'cancel') {
            wheel.cancel(entries[which]!);
            due[which] = undefined;
          } else {
            clock[kind](ms);
          }
          const now = clock.now();
          for (const [i, { calls }] of entries.entries()) {
            const limit = due[i];
            if (calls.length > before[i]!) {
              const { at, stalledMs } = calls.at(-1)!;
              expect(calls.length - before[i]!).toBe(1);
              expect(limit).toBeDefined();
              expect(at).toBeGreaterThanOrEqual(limit!.at);
              expect(at - limit!.at - stalledMs).toBeLessThanOrEqual(latest(limit!.delay));
              due[i] = undefined;
            } else if (limit) {
              expect(now).toBeLessThan(limit.at + latest(limit.delay));
            }
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

const run = async (program: string): Promise<string[]> => {
  const code = `import { sharedTimers as timers, WheelTimer } from '@ws/connection';${program}`;
  const args = ['--no-warnings', '--input-type=module', '-e', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: new URL('..', import.meta.url) });
  return stdout.trim().split('\n');
};

describe("the process's timers", () => {
  test('one that throws stops neither the wheel nor the others', async () => {
    const lines = await run(`
      process.on('uncaughtException', (error) => console.log('uncaught', error.message));
      timers.schedule(new WheelTimer(() => { throw new Error('mine'); }), 1);
      timers.schedule(new WheelTimer(() => console.log('beside it')), 1);
      timers.schedule(new WheelTimer(() => console.log('behind it')), 20);`);
    expect(lines.slice(0, 2).toSorted()).toEqual(['beside it', 'uncaught mine']); // the clock may go on between them
    expect(lines.slice(2)).toEqual(['behind it']);
  });

  test('they keep the process alive, or not, and are not early', async () => {
    const lines = await run(`
      const start = performance.now();
      timers.schedule(new WheelTimer(() => console.log('never'), false), 60_000);
      timers.schedule(new WheelTimer(() => console.log(performance.now() - start >= 30)), 30);
      process.on('exit', () => console.log('at the end', performance.now() - start < 10_000));`);
    expect(lines).toEqual(['true', 'at the end true']);
  });

  test('what has arrived while the event loop stood still is read before anybody is called', async () => {
    const lines = await run(`
      const { connect, createServer } = await import('node:net');
      const server = createServer((near) => {
        near.on('data', () => console.log('read'));
        far.end('x');
        far.on('finish', () => setImmediate(() => {
          timers.schedule(new WheelTimer(() => { console.log('called'); near.destroy(); server.close(); }), 5);
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
        }));
      }).listen(0, '127.0.0.1');
      await new Promise((listening) => server.on('listening', listening));
      const far = connect(server.address().port, '127.0.0.1');`);
    expect(lines).toEqual(['read', 'called']);
  });

  test("the listener of a timer has nobody's AsyncLocalStorage", async () => {
    const lines = await run(`
      const { AsyncLocalStorage } = await import('node:async_hooks');
      const storage = new AsyncLocalStorage();
      storage.run('mine', () => timers.schedule(new WheelTimer(() => console.log(storage.getStore())), 1));`);
    expect(lines).toEqual(['undefined']);
  });
});
