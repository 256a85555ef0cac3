import { AsyncResource } from 'node:async_hooks';
import { constants, createDeflateRaw, type DeflateRaw } from 'node:zlib';
import type { ContextHolder, Deflated, Deflater } from '../backend.js';
import type { Limiter } from './limiter.js';
import type { TurnBudget } from './turn-budget.js';
import { deflateAtOnce } from './zlib-handle.js';
import type { ZlibSettings } from './zlib-options.js';

/** What a stream of zlib costs beside that: its own state, and its objects. */
const STATE_BYTES = 8192;

/** A compressor with its window, on a stream of node:zlib: at once through its handle, or in the thread pool. */
export class Context implements Deflater {
  readonly windowBits: number;
  /** Of zlib's memory, by its own reckoning. */
  readonly byteLength: number;
  readonly #stream: DeflateRaw;
  readonly #limiter: Limiter;
  readonly #syncLimit: number;
  readonly #turn: TurnBudget | undefined;
  #parts: Buffer[] = [];
  #done: Deflated | undefined;

  /** @param turn undefined where it cannot work at once */
  constructor(windowBits: number, settings: ZlibSettings, limiter: Limiter, turn: TurnBudget | undefined) {
    const { level, memLevel, strategy, deflateChunkSize: chunkSize, syncDeflateLimit } = settings;
    this.windowBits = windowBits;
    this.byteLength = 2 ** (windowBits + 2) + 2 ** (memLevel + 9) + STATE_BYTES;
    this.#limiter = limiter;
    this.#syncLimit = syncDeflateLimit;
    this.#turn = turn;
    const flush = constants.Z_SYNC_FLUSH;
    this.#stream = createDeflateRaw({ windowBits, level, memLevel, strategy, chunkSize, flush });
    this.#stream.on('data', (bytes: Buffer) => this.#parts.push(bytes));
    this.#stream.on('error', (error) => this.#finish(error));
  }

  deflateSync(data: Uint8Array): Uint8Array | undefined {
    if (data.length > this.#syncLimit || this.#turn?.allows(data.length) !== true) return undefined;
    this.#turn.spend(data.length);
    return deflateAtOnce(this.#stream, data);
  }

  deflate(data: Uint8Array, done: Deflated): void {
    const inOwnContext = AsyncResource.bind(done); // the stream has that of nobody
    this.#limiter.run((release) => {
      this.#done = (error, bytes): void => {
        release();
        inOwnContext(error, bytes);
      };
      try {
        this.#stream.write(data, (error) => {
          if (!error) while (this.#stream.read() !== null); // what is not given yet goes to 'data'
          this.#finish(error ?? null);
        });
      } catch (error) {
        this.#finish(error as Error);
      }
    });
  }

  /** zlib has failed: nothing more can be done with it. */
  get isBroken(): boolean {
    return this.#stream.destroyed;
  }

  reset(): void {
    this.#stream.reset();
  }

  close(): void {
    this.#stream.close();
  }

  #finish(error: Error | null): void {
    const done = this.#done;
    const bytes = this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
    this.#done = undefined;
    this.#parts = [];
    done?.(error, bytes);
  }
}

/** Time, as the pool sees it. */
export interface Clock {
  now(): number;
  /** Calls `act` once, without keeping the process alive for it. */
  after(ms: number, act: () => void): void;
}

export interface PoolOptions {
  readonly limit: number;
  readonly idleTimeoutMs: number;
  readonly create: (windowBits: number) => Context;
  readonly clock: Clock;
}

/** Ms for which nobody loses a compressor to another one: else, with one connection too many, each would take it from the next. */
const KEPT_FOR_MS = 1000;

interface Held {
  readonly context: Context;
  isBusy: boolean;
  restingSince: number;
}

/**
 * Compressors for those who need one that remembers. The limit is on all of them together: who comes when it is reached gets that of
 * the one who has rested longest, if that is a second at least; that one begins with a new one later. Who rests for long loses it too.
 */
export class ContextPool {
  readonly #options: PoolOptions;
  /** Those who rested first are first. */
  readonly #held = new Map<ContextHolder, Held>();
  readonly #free: { readonly context: Context; readonly since: number }[] = [];
  #isTimed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#held.size + this.#free.length;
  }

  take(holder: ContextHolder, windowBits: number): Context | undefined {
    const held = this.#held.get(holder);
    if (held) {
      held.isBusy = true;
      return held.context;
    }
    const context = this.#reuse(windowBits) ?? this.#make(windowBits);
    if (context === undefined) return undefined;
    this.#held.set(holder, { context, isBusy: true, restingSince: 0 });
    holder.held?.(context.byteLength);
    return context;
  }

  rest(holder: ContextHolder): void {
    const held = this.#held.get(holder);
    if (held === undefined) return;
    if (held.context.isBroken) return this.release(holder);
    held.isBusy = false;
    held.restingSince = this.#options.clock.now();
    this.#held.delete(holder);
    this.#held.set(holder, held);
    this.#startTimer();
  }

  release(holder: ContextHolder): void {
    const held = this.#held.get(holder);
    if (held === undefined) return;
    this.#takeFrom(holder, held.context);
    if (held.context.isBroken) return;
    this.#free.push({ context: held.context, since: this.#options.clock.now() });
    this.#startTimer();
  }

  /** Frees all that nobody is using at this moment. */
  dropIdle(notAfter = Infinity): void {
    for (const [holder, { isBusy, restingSince, context }] of this.#held) {
      if (isBusy) continue;
      if (restingSince > notAfter) break;
      this.#takeFrom(holder, context);
      context.close();
    }
    while (this.#free[0] && this.#free[0].since <= notAfter) this.#free.shift()!.context.close();
  }

  #takeFrom(holder: ContextHolder, { byteLength }: Context): void {
    this.#held.delete(holder);
    holder.held?.(-byteLength);
  }

  #reuse(windowBits: number): Context | undefined {
    const at = this.#free.findLastIndex(({ context }) => context.windowBits === windowBits);
    if (at < 0) return undefined;
    const [free] = this.#free.splice(at, 1);
    free?.context.reset();
    return free?.context;
  }

  #make(windowBits: number): Context | undefined {
    if (this.size >= this.#options.limit && !this.#makeRoom()) return undefined;
    return this.#options.create(windowBits);
  }

  #makeRoom(): boolean {
    const free = this.#free.shift();
    if (free) {
      free.context.close();
      return true;
    }
    for (const [holder, { isBusy, restingSince, context }] of this.#held) {
      if (isBusy) continue;
      if (restingSince > this.#options.clock.now() - KEPT_FOR_MS) return false;
      this.#takeFrom(holder, context);
      context.close();
      return true;
    }
    return false;
  }

  #startTimer(): void {
    const oldest = this.#oldestRest();
    if (this.#isTimed || oldest === undefined) return;
    this.#isTimed = true;
    const { clock, idleTimeoutMs } = this.#options;
    clock.after(Math.max(0, oldest + idleTimeoutMs - clock.now()), () => {
      this.#isTimed = false;
      this.dropIdle(clock.now() - idleTimeoutMs);
      this.#startTimer();
    });
  }

  #oldestRest(): number | undefined {
    const free = this.#free[0]?.since ?? Infinity;
    for (const { isBusy, restingSince } of this.#held.values()) if (!isBusy) return Math.min(restingSince, free);
    return free === Infinity ? undefined : free;
  }
}
