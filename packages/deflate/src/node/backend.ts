import { AsyncResource } from 'node:async_hooks';
import type { Backend, ContextHolder, Deflated, Deflater, Inflater } from '../backend.js';
import type { Window } from '../window.js';
import { HandleAtOnce, PublicAtOnce, type AtOnce } from './at-once.js';
import { Context, ContextPool, type Clock } from './context-pool.js';
import { Inflation, InflationPool } from './inflation.js';
import { Limiter } from './limiter.js';
import { StreamInflater, type InflaterOptions } from './stream-inflater.js';
import { TurnBudget } from './turn-budget.js';
import { isUsable } from './zlib-handle.js';
import { zlibSettings, type ZlibOptions, type ZlibSettings } from './zlib-options.js';

/** What lives longer than the connection that it was made for is nobody's: it keeps no `AsyncLocalStorage` of theirs. */
const shared = new AsyncResource('WS_DEFLATE');

const NODE_CLOCK: Clock = {
  now: () => performance.now(),
  after: (ms, act) => void shared.runInAsyncScope(() => setTimeout(act, ms).unref()),
};

/** A decompressor of zlib with its window of 15 bits and its objects; beside it, there is output. */
const INFLATER_BYTES = 38_912;

/** Small messages at once, larger ones in the thread pool. Nothing is allocated before it is needed. */
export class ZlibBackend implements Backend {
  readonly syncInflateLimit: number;
  readonly inflaterBytes: number;
  readonly #settings: ZlibSettings;
  readonly #limiter: Limiter;
  readonly #contexts: ContextPool;
  readonly #turn = new TurnBudget();
  #atOnce: AtOnce | undefined;
  readonly #inflations: InflationPool;
  #inflaters: InflaterOptions | undefined;

  constructor(settings: ZlibSettings, clock: Clock = NODE_CLOCK) {
    this.#settings = settings;
    this.syncInflateLimit = settings.syncInflateLimit;
    this.inflaterBytes = INFLATER_BYTES + settings.inflateChunkSize;
    this.#limiter = new Limiter(settings.concurrencyLimit);
    const { inflateChunkSize } = settings;
    this.#inflations = new InflationPool(() => shared.runInAsyncScope(() => new Inflation(inflateChunkSize)));
    this.#contexts = new ContextPool({
      limit: settings.maxContexts,
      idleTimeoutMs: settings.contextIdleTimeout,
      create: (windowBits) => this.#createContext(windowBits),
      clock,
    });
  }

  deflateSync(data: Uint8Array, windowBits: number): Uint8Array | undefined {
    if (data.length > this.#settings.syncDeflateLimit || !this.#turn.allows(data.length)) return undefined;
    this.#turn.spend(data.length);
    return this.#small.deflate(data, zlibBits(windowBits));
  }

  deflate(data: Uint8Array, windowBits: number, done: Deflated, owner?: ContextHolder): void {
    const holder: ContextHolder = { held: (change) => owner?.held?.(change) };
    const bits = zlibBits(windowBits);
    const pooled = this.#contexts.take(holder, bits);
    const context = pooled ?? this.#createContext(bits);
    if (!pooled) owner?.held?.(context.byteLength);
    context.deflate(data, (error, bytes) => {
      if (pooled) this.#contexts.release(holder);
      else {
        context.close();
        owner?.held?.(-context.byteLength);
      }
      done(error, bytes);
    });
  }

  deflater(holder: ContextHolder, windowBits: number): Deflater | undefined {
    return this.#contexts.take(holder, zlibBits(windowBits));
  }

  rest(holder: ContextHolder): void {
    this.#contexts.rest(holder);
  }

  release(holder: ContextHolder): void {
    this.#contexts.release(holder);
  }

  inflateSync(data: Uint8Array, window: Window | undefined, limit: number, most = Infinity): Uint8Array | undefined {
    const { syncInflateLimit, syncOutputLimit } = this.#settings;
    if (data.length > syncInflateLimit || !this.#turn.allows(data.length)) return undefined;
    const atOnce = Math.min(most, syncOutputLimit);
    const bytes = this.#small.inflate(data, window, limit, atOnce);
    this.#turn.spend(bytes?.length ?? atOnce);
    return bytes;
  }

  inflater(window: Window | undefined): Inflater {
    return new StreamInflater((this.#inflaters ??= this.#inflaterOptions()), window);
  }

  /** Compressors with a window of their own that exist now. */
  get contexts(): number {
    return this.#contexts.size;
  }

  /** Frees those that nobody is using at this moment. */
  dropIdle(): void {
    this.#contexts.dropIdle();
    this.#inflations.clear();
  }

  get #small(): AtOnce {
    this.#atOnce ??= this.#hasFastPath ? new HandleAtOnce(this.#settings) : new PublicAtOnce(this.#settings);
    return this.#atOnce;
  }

  get #hasFastPath(): boolean {
    return this.#settings.fastPath && isUsable();
  }

  #inflaterOptions(): InflaterOptions {
    const turn = this.#hasFastPath ? this.#turn : undefined;
    return { limiter: this.#limiter, pool: this.#inflations, syncLimit: this.#settings.syncInflateLimit, turn };
  }

  #createContext(windowBits: number): Context {
    const hasFastPath = this.#hasFastPath;
    return shared.runInAsyncScope(
      () => new Context(windowBits, this.#settings, this.#limiter, hasFastPath ? this.#turn : undefined),
    );
  }
}

/** zlib has no raw window of 8 bits; with 9 its distances stay below 256 all the same. See docs/decisions/window-bits-8.md */
const zlibBits = (windowBits: number): number => Math.max(windowBits, 9);

const known = new Map<string, ZlibBackend>();

/**
 * The backend on node:zlib, the same one for equal options: its compressors are shared by all connections of the process.
 * @throws {TypeError | RangeError} naming the option
 */
export function zlibBackend(options: ZlibOptions = {}): ZlibBackend {
  const settings = zlibSettings(options);
  const key = Object.values(settings).join();
  let backend = known.get(key);
  if (backend === undefined) known.set(key, (backend = new ZlibBackend(settings)));
  return backend;
}
