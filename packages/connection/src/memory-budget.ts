import { now } from './close-report.js';
import { MemoryAccount, type Holder } from './memory-account.js';
import { describe } from './option-checks.js';
import { raise } from './protocol/settle.js';
import { SharedMemory } from './shared-memory.js';

/** Time, as a budget sees it. */
export interface BudgetClock {
  /** Ms that never go back. */
  now(): number;
  /** Before anything more is received. */
  soon(act: () => void): void;
  /** When others have had their turn. */
  later(act: () => void): void;
  /** Once, without keeping the process alive for it. */
  after(ms: number, act: () => void): void;
}

const NODE_CLOCK: BudgetClock = {
  now,
  soon: (act) => process.nextTick(act),
  later: (act) => void setImmediate(act),
  after: (ms, act) => void setTimeout(act, ms).unref(),
};

/** Of the limit: what is to be reached before readers go on, … */
const CALM = 0.75;
/** … and from what on nobody is waited for. */
const ALARM = 1.25;
/** Ms for connections to give back what they hold, before some of them are ended; … */
const GRACE_MS = 250;
/** … again as long as they give back so much of the limit in that time: five times at most. */
const PROGRESS = 1 / 16;
/** Ms of quiet that make good for one that was waited: so no more than about this part of the time is waited in the long run. */
const RECOVERY = 32;
/** Ms of grace that are not worth waiting for: who has less left is on probation, for a second after a whole grace, … */
const LEAST_GRACE_MS = GRACE_MS / 8;
/** … and for so much longer whenever the limit is exceeded then, … */
const PROBATION_MS = 1000;
/** … until it takes so many ms for all to be forgotten, nine seconds of probation among them. */
const MOST_RECOVERY_MS = 16_000;
/** Those who hold more than one part in so many of what the largest does are as large as that. */
const ALIKE = 4;
/** Ms after which it is looked at what streams hold that are not read from. */
const SWEEP_MS = 500;
/** Ms for which readers go on in one turn of the event loop. */
const SLICE_MS = 5;

/** Marks every copy of the class, so that a budget is known where a bundler or a test runner loads two. */
const BRAND = Symbol.for('@ws/connection.MemoryBudget');

/**
 * A bound on what connections hold in memory, all together: unfinished messages, what is received and not taken, what is sent and not
 * written, compression. Servers, clients and single connections share one by the option `memoryLimit`.
 *
 * Above the limit all of them stop reading, and idle compression contexts are freed. If that is not enough within 250 ms, or at once above 1.25 times
 * the limit, or when it has waited of late, the newest of the largest holders are ended with 1013 (WS_ERR_MEMORY_LIMIT) until three quarters of it are left.
 */
export class MemoryBudget {
  /** Bytes. */
  readonly limit: number;
  readonly #clock: BudgetClock;
  readonly #accounts = new Set<MemoryAccount>();
  readonly #shared = new SharedMemory();
  readonly #watched = new Set<MemoryAccount>();
  #used = 0;
  #shed = 0;
  #state: 'calm' | 'alerted' | 'waiting' | 'ending' = 'calm';
  /** What has to be noticed at once: more than the one, or not more than the other. */
  #upper: number;
  #lower = -1;
  /** When the grace is whole again. */
  #recovered = -Infinity;
  #waitsSince: number | undefined;
  /** Times of grace so far. */
  #graces = 0;
  #isSweeping = false;

  /**
   * @param limit bytes
   * @param clock for tests
   * @throws {TypeError | RangeError} for a limit that is no positive integer
   */
  constructor(limit: number, clock: BudgetClock = NODE_CLOCK) {
    if (typeof limit !== 'number') throw new TypeError(`limit is ${describe(limit)}, expected a positive integer`);
    if (!Number.isSafeInteger(limit) || limit <= 0)
      throw new RangeError(`limit is ${limit}, expected a positive integer`);
    this.limit = limit;
    this.#clock = clock;
    this.#upper = limit;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  /** Bytes held at the moment. */
  get used(): number {
    return this.#used;
  }
  /** The limit was exceeded, and what was done about it is still going on: connections do not read, and servers refuse handshakes. */
  get isOver(): boolean {
    return this.#state !== 'calm';
  }
  /** Connections that were ended for what they held, so far. */
  get shed(): number {
    return this.#shed;
  }

  /** An account for a connection, until `MemoryAccount.close`. @param serial higher for newer ones */
  open(holder: Holder, serial: number): MemoryAccount {
    const account = new MemoryAccount(this, holder, serial);
    this.#accounts.add(account);
    return account;
  }

  /** A connection is ready to be read from: not now, perhaps. */
  ready(account: MemoryAccount): void {
    if (this.#state === 'waiting' || this.#state === 'ending') this.#pause(account);
  }

  // For accounts.

  add(change: number): void {
    const used = (this.#used += change);
    if (used > this.#upper) this.#exceeded();
    else if (used <= this.#lower) this.#relaxed();
  }

  hold(bytes: Uint8Array): void {
    this.add(this.#shared.hold(bytes));
  }

  release(bytes: Uint8Array): void {
    this.add(-this.#shared.release(bytes));
  }

  watch(account: MemoryAccount): void {
    this.#watched.add(account);
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    this.#clock.after(SWEEP_MS, this.#sweep);
  }

  unwatch(account: MemoryAccount): void {
    this.#watched.delete(account);
  }

  leave(account: MemoryAccount): void {
    this.#accounts.delete(account);
    this.#watched.delete(account);
  }

  readonly #sweep = (): void => {
    this.#isSweeping = false;
    const [first] = this.#watched;
    this.#recount();
    if (first !== undefined && this.#watched.size > 0) this.watch(first);
  };

  /** Found in the midst of whatever a connection does: what follows is for a moment in which none of them does anything. */
  #exceeded(): void {
    const isNew = this.#state === 'calm';
    this.#enter(isNew ? 'alerted' : 'ending');
    this.#clock.soon(isNew ? this.#begin : this.#shedSome);
  }

  #relaxed(): void {
    this.#enter('ending');
    this.#clock.soon(() => this.#end());
  }

  readonly #begin = (): void => {
    if (this.#used <= this.limit) return this.#end(); // those of the episode before may not all have gone on
    for (const { holder } of this.#accounts) guarded(() => holder.relieve());
    const grace = this.#grace();
    if (this.#used > ALARM * this.limit || (this.#used > this.limit && grace === 0)) return this.#shedSome();
    if (this.#used <= CALM * this.limit || grace === 0) return this.#end();
    for (const account of this.#accounts) this.#pause(account);
    this.#waitsSince = this.#clock.now();
    this.#wait(grace);
  };

  /** Ms for which an excess is waited for. */
  #grace(): number {
    const time = this.#clock.now();
    const left = GRACE_MS - Math.max(0, this.#recovered - time) / RECOVERY;
    if (left >= LEAST_GRACE_MS) return left;
    this.#recover(time, PROBATION_MS);
    return 0;
  }

  #recover(time: number, ms: number): void {
    this.#recovered = Math.min(Math.max(this.#recovered, time) + ms, time + MOST_RECOVERY_MS);
  }

  #wait(ms: number): void {
    const before = this.#used;
    this.#enter('waiting', ALARM * this.limit, CALM * this.limit);
    const grace = ++this.#graces;
    this.#clock.after(ms, () => {
      if (this.#state === 'waiting' && grace === this.#graces) this.#judge(before, ms);
    });
  }

  /** A time of grace is over. */
  #judge(before: number, ms: number): void {
    this.#enter('ending');
    this.#recount();
    const used = this.#used;
    if (used <= this.limit) this.#end();
    else if (used > ALARM * this.limit || used > before - PROGRESS * this.limit) this.#shedSome();
    else this.#wait(ms);
  }

  /** The largest first; of those that are about alike, the newest. Whoever holds little is safe as long as others hold more. */
  readonly #shedSome = (): void => {
    this.#recount();
    const own = [...this.#accounts].reduce((sum, { bytes }) => sum + bytes, 0);
    const isElsewhere = this.#used - own > CALM * this.limit; // with the user, of connections that are gone: to end the small ones would not help
    const least = isElsewhere ? this.limit / 1024 : 0;
    const holders = [...this.#accounts].filter(({ bytes }) => bytes > least);
    const largest = holders.reduce((most, { bytes }) => Math.max(most, bytes), 0);
    const ranks = new Map(holders.map((account) => [account, rank(account.bytes, largest)]));
    const rankOf = (account: MemoryAccount): number => ranks.get(account) ?? 0;
    holders.sort((a, b) => rankOf(a) - rankOf(b) || b.serial - a.serial);
    for (const account of holders) {
      if (this.#used <= CALM * this.limit) break;
      this.#shed++;
      guarded(() => account.shed());
      account.close();
    }
    this.#end();
  };

  /** Readers go on. */
  #end(): void {
    if (this.#waitsSince !== undefined) {
      const time = this.#clock.now();
      this.#recover(time, RECOVERY * (time - this.#waitsSince));
      this.#waitsSince = undefined;
    }
    if (this.#used <= this.limit) {
      this.#enter('calm', this.limit);
    } else {
      // All that is left is with the user, of connections that are gone: there is nothing to gain by looking all the time.
      this.#enter('calm');
      this.#clock.after(GRACE_MS, () => {
        if (this.#state === 'calm') this.#upper = this.limit;
      });
    }
    this.#clock.later(this.#readOn);
  }

  /** Those who are held are first in the list, and go to its end: whoever comes too late now is first the next time. */
  readonly #readOn = (): void => {
    const { now: time } = this.#clock;
    const from = time();
    for (const account of this.#accounts) {
      if (this.#state !== 'calm' || !account.isPaused) return;
      if (time() - from >= SLICE_MS) return this.#clock.later(this.#readOn);
      account.isPaused = false;
      this.#accounts.delete(account);
      this.#accounts.add(account);
      guarded(() => account.holder.readOnForMemory());
    }
  };

  #pause(account: MemoryAccount): void {
    if (account.isPaused) return;
    account.isPaused = true;
    guarded(() => account.holder.pauseForMemory());
  }

  #recount(): void {
    for (const { holder } of this.#watched) holder.recount();
  }

  #enter(state: 'calm' | 'alerted' | 'waiting' | 'ending', upper = Infinity, lower = -1): void {
    this.#state = state;
    this.#upper = upper;
    this.#lower = lower;
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }
}

/** 0 for those who hold about as much as the largest, more for those who hold less. By absolute sizes, one could stay just below. */
function rank(bytes: number, largest: number): number {
  return Math.floor(Math.log(largest / bytes) / Math.log(ALIKE));
}

/** What a listener of one connection throws comes up by itself: the others must have their turn. */
function guarded(act: () => void): void {
  try {
    act();
  } catch (error) {
    raise(error);
  }
}
