import { availableParallelism } from 'node:os';
import { constants } from 'node:zlib';
import { show } from '../codec-options.js';

/** How node:zlib is used. */
export interface ZlibOptions {
  /** Of zlib: `level` 0 to 9 or -1 (@default 1), `memLevel` 1 to 9 (@default 8), `strategy` (@default 0), `chunkSize` (@default 65536). Others are ignored: they are ours to decide. */
  readonly zlibDeflateOptions?: DeflateTuning | undefined;
  /** Of zlib: `chunkSize` (@default 16384): so much more than the limit may be decompressed before it is noticed. */
  readonly zlibInflateOptions?: InflateTuning | undefined;
  /** Calls in the thread pool at the same time; more wait. @default as many as there are cores, 10 at most: more would take the main thread's time */
  readonly concurrencyLimit?: number | undefined;
  /** Bytes of a message up to which it is compressed at once, on the main thread. @default 32_768 at level 0 and 1, else 8192 */
  readonly syncDeflateLimit?: number | undefined;
  /** Compressed bytes of a message up to which it is decompressed at once … @default 65_536 */
  readonly syncInflateLimit?: number | undefined;
  /** … if it does not become more than this many bytes. @default 262_144 */
  readonly syncOutputLimit?: number | undefined;
  /** Compressors with a window that exist at the same time; who gets none compresses each message on its own. @default 128 */
  readonly maxContexts?: number | undefined;
  /** Ms after which an unused one is freed. @default 10_000 */
  readonly contextIdleTimeout?: number | undefined;
  /** Use zlib's handle inside Node where a test at start-up has shown that it works as expected; false: public calls only. @default true */
  readonly fastPath?: boolean | undefined;
}

export interface DeflateTuning extends InflateTuning {
  readonly level?: number | undefined;
  readonly memLevel?: number | undefined;
  readonly strategy?: number | undefined;
}

export interface InflateTuning {
  readonly chunkSize?: number | undefined;
}

/** The same with every default filled in. */
export interface ZlibSettings {
  readonly level: number;
  readonly memLevel: number;
  readonly strategy: number;
  readonly deflateChunkSize: number;
  readonly inflateChunkSize: number;
  readonly concurrencyLimit: number;
  readonly syncDeflateLimit: number;
  readonly syncInflateLimit: number;
  readonly syncOutputLimit: number;
  readonly maxContexts: number;
  readonly contextIdleTimeout: number;
  readonly fastPath: boolean;
}

const DEFAULT_CONCURRENCY = Math.min(10, availableParallelism());
/** What one call compresses or decompresses at once has to fit in memory that is kept for it. */
const MAX_SYNC_BYTES = 2 ** 24;
/** Node's timers take 31 bits of ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
const MAX_CHUNK = 2 ** 24;

/** @throws {TypeError | RangeError} naming the option */
export function zlibSettings(options: ZlibOptions): ZlibSettings {
  const { zlibDeflateOptions = {}, zlibInflateOptions = {}, fastPath = true } = options;
  const {
    level = 1,
    memLevel = 8,
    strategy = constants.Z_DEFAULT_STRATEGY,
    chunkSize: deflateChunkSize = 65_536,
  } = checkObject('zlibDeflateOptions', zlibDeflateOptions);
  const { chunkSize: inflateChunkSize = 16_384 } = checkObject('zlibInflateOptions', zlibInflateOptions);
  const isFast = level >= 0 && level <= 1;
  const { concurrencyLimit = DEFAULT_CONCURRENCY, maxContexts = 128, contextIdleTimeout = 10_000 } = options;
  const { syncDeflateLimit = isFast ? 32_768 : 8192, syncInflateLimit = 65_536, syncOutputLimit = 262_144 } = options;
  if (typeof fastPath !== 'boolean') throw new TypeError(`fastPath is ${show(fastPath)}, expected a boolean`);
  return {
    level: checkInteger('zlibDeflateOptions.level', level, -1, 9),
    memLevel: checkInteger('zlibDeflateOptions.memLevel', memLevel, 1, 9),
    strategy: checkInteger('zlibDeflateOptions.strategy', strategy, 0, 4),
    deflateChunkSize: checkInteger('zlibDeflateOptions.chunkSize', deflateChunkSize, 64, MAX_CHUNK),
    inflateChunkSize: checkInteger('zlibInflateOptions.chunkSize', inflateChunkSize, 64, MAX_CHUNK),
    concurrencyLimit: concurrencyLimit === Infinity ? Infinity : checkInteger('concurrencyLimit', concurrencyLimit, 1),
    syncDeflateLimit: checkInteger('syncDeflateLimit', syncDeflateLimit, 0, MAX_SYNC_BYTES),
    syncInflateLimit: checkInteger('syncInflateLimit', syncInflateLimit, 0, MAX_SYNC_BYTES),
    syncOutputLimit: checkInteger('syncOutputLimit', syncOutputLimit, 0, MAX_SYNC_BYTES),
    maxContexts: checkInteger('maxContexts', maxContexts, 0),
    contextIdleTimeout: checkInteger('contextIdleTimeout', contextIdleTimeout, 0, MAX_TIMEOUT_MS),
    fastPath,
  };
}

function checkObject<T>(name: string, value: T): T {
  if (typeof value === 'object' && value !== null) return value;
  throw new TypeError(`${name} is ${show(value)}, expected an object`);
}

function checkInteger(name: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const expected = `an integer from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`;
  if (typeof value !== 'number') throw new TypeError(`${name} is ${show(value)}, expected ${expected}`);
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value;
  throw new RangeError(`${name} is ${value}, expected ${expected}`);
}
