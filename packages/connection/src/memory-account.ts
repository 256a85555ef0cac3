import type { MemoryBudget } from './memory-budget.js';
import type { Account } from './protocol/index.js';

/** A connection, as its budget sees it. */
export interface Holder {
  /** Nothing is read until `readOnForMemory`. */
  pauseForMemory(): void;
  readOnForMemory(): void;
  /** Frees what can be made again. */
  relieve(): void;
  /** Counts what comes without its doing. */
  recount(): void;
  /** Ends, and lets go of all it holds, at once. */
  shed(): void;
}

/** Somebody who keeps what a connection has received for the user, also when the connection is gone. */
export interface Keeper {
  /** The connection was shed: lets go of it. */
  forget(): void;
}

const nothing = (): void => {};
/** In place of a holder that is gone: V8 keeps the old tables of a Set that grows and shrinks for a while, with all that was in them, and that is not to be whole connections. */
const GONE: Holder = {
  pauseForMemory: nothing,
  readOnForMemory: nothing,
  relieve: nothing,
  recount: nothing,
  shed: nothing,
};

/** What one connection holds of a {@link MemoryBudget}. */
export class MemoryAccount implements Account {
  readonly budget: MemoryBudget;
  holder: Holder;
  /** Those of newer connections have higher ones. */
  readonly serial: number;
  /** Reading is held for want of memory. */
  isPaused = false;
  #bytes = 0;
  /** What keepers have. */
  #keptBytes = 0;
  #sharedBytes = 0;
  #shared: Uint8Array[] | undefined;
  #keepers: Map<Claim, Keeper> | undefined;
  #isClosed = false;

  constructor(budget: MemoryBudget, holder: Holder, serial: number) {
    this.budget = budget;
    this.holder = holder;
    this.serial = serial;
  }

  /** All it holds, alone or with others. */
  get bytes(): number {
    return this.#bytes + this.#keptBytes + this.#sharedBytes;
  }

  /** It could be closed, and another one opened when there is something to count. */
  get isFree(): boolean {
    return this.bytes === 0 && !this.isPaused && this.#keepers === undefined;
  }

  add(change: number): void {
    if (this.#isClosed) return;
    this.#bytes += change;
    this.budget.add(change);
  }

  hold(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    (this.#shared ??= []).push(bytes);
    this.#sharedBytes += bytes.length;
    this.budget.hold(bytes);
  }

  release(bytes: Uint8Array): void {
    const at = this.#shared?.indexOf(bytes) ?? -1; // what was held first goes first
    if (at < 0) return;
    this.#shared?.splice(at, 1);
    this.#sharedBytes -= bytes.length;
    this.budget.release(bytes);
  }

  /** For what `keeper` has, until that is taken. */
  claim(keeper: Keeper): Claim {
    const claim = new Claim(this.budget, this.#isClosed ? undefined : this);
    if (!this.#isClosed) (this.#keepers ??= new Map<Claim, Keeper>()).set(claim, keeper);
    return claim;
  }

  /** A claim has changed; the budget knows. */
  kept(change: number): void {
    this.#keptBytes += change;
  }

  /** Reading is held, for whatever reason: what the stream has read all the same is counted by and by. */
  watch(): void {
    if (!this.#isClosed) this.budget.watch(this);
  }

  /** Ends the connection for the memory it holds. */
  shed(): void {
    const keepers = [...(this.#keepers?.values() ?? [])];
    try {
      this.holder.shed();
    } finally {
      this.close();
      for (const keeper of keepers) keeper.forget();
    }
  }

  /** The connection is gone. What keepers have counts until it is taken, or they are forgotten themselves. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.isPaused = false;
    for (const bytes of this.#shared ?? []) this.budget.release(bytes);
    this.#shared = undefined;
    this.#sharedBytes = 0;
    this.budget.add(-this.#bytes);
    this.#bytes = this.#keptBytes = 0;
    for (const [claim, keeper] of this.#keepers ?? []) {
      claim.detach();
      if (claim.bytes > 0) forgotten.register(keeper, claim);
    }
    this.#keepers = undefined;
    this.budget.leave(this);
    this.holder = GONE;
  }
}

/** The part of an account that one keeper has. */
export class Claim {
  readonly #budget: MemoryBudget;
  #account: MemoryAccount | undefined;
  #bytes = 0;

  constructor(budget: MemoryBudget, account: MemoryAccount | undefined) {
    this.#budget = budget;
    this.#account = account;
  }

  get bytes(): number {
    return this.#bytes;
  }

  set(bytes: number): void {
    const change = bytes - this.#bytes;
    if (change === 0) return;
    this.#bytes = bytes;
    this.#account?.kept(change);
    this.#budget.add(change);
  }

  /** The connection is gone: nothing of it is to be kept for the sake of this. */
  detach(): void {
    this.#account = undefined;
  }
}

/** Whoever drops a reader of a connection that is gone, unread messages and all, tells nobody. */
const forgotten = new FinalizationRegistry<Claim>((claim) => claim.set(0));
