import { readGuards, type GuardOptions } from './guard-options.js';
import { Incoming } from './incoming.js';
import { MemoryBudget } from './memory-budget.js';
import { checkMeter, type Meter } from './meter.js';
import {
  checkBoolean,
  checkClass,
  checkLimit,
  checkNames,
  checkOneOf,
  checkTimeout,
  describe,
} from './option-checks.js';
import type { Guards, ReceiveLimits } from './protocol/index.js';

/** What becomes of a recipient that takes messages more slowly than they are sent. */
export interface SlowConsumer {
  /** Unsent bytes from which on a recipient is slow: `'slow'`, and `'recovered'` at half of it. @default the option `highWaterMark` */
  readonly highWaterMark?: number | false | undefined;
  /** Unsent bytes, without the newest message, above which the policy is applied. @default 16_777_216 */
  readonly limit?: number | false | undefined;
  /**
   * `'close'` ends the connection with 1013; `'drop-newest'` leaves out the new message, `'drop-oldest'` those that have waited longest; with
   * `'conflate'` a message takes the place of a waiting one with the same `key`, and the limit is that of `'close'`. @default 'close'
   */
  readonly policy?: 'close' | 'drop-newest' | 'drop-oldest' | 'conflate' | undefined;
}

/** The same with every default filled in. */
export interface SlowRule {
  readonly highWaterMark: number;
  readonly limit: number;
  readonly policy: NonNullable<SlowConsumer['policy']>;
}

export type IncomingMode = 'buffer' | 'stream' | 'binary' | 'auto';

/** What one connection may be told. For every limit, 0 or `false` is none. */
export interface ConnectionOptions extends GuardOptions {
  /** Several `'message'`, `'ping'` and `'pong'` events may come in one turn of the event loop. @default true */
  readonly allowSynchronousEvents?: boolean | undefined;
  /** Answer pings. RFC 6455 §5.5.3 @default true */
  readonly autoPong?: boolean | undefined;
  /** Ms from the first Close frame, a fault, or the peer's FIN to the end of TCP; then it is cut. @default 30_000 */
  readonly closeTimeout?: number | false | undefined;
  /** Clients only: behind both Close frames, leave it to the server to end TCP first, whose waiting state it keeps then. False: end our half at once, as ws 8. §7.1.1 @default true */
  readonly waitForTcpClose?: boolean | undefined;
  /** Largest message accepted, in bytes after decompression; beyond it, 1009. @default 104_857_600 (servers: 1_048_576) */
  readonly maxPayload?: number | false | undefined;
  /** Most frames in one message; beyond it, 1008. @default 131_072 */
  readonly maxFragments?: number | false | undefined;
  /** Most chunks that one frame may arrive in; beyond it, 1008. Not counted where they are passed on as they come. @default 262_144 */
  readonly maxBufferedChunks?: number | false | undefined;
  /** Take text as it comes, valid UTF-8 or not. @default false */
  readonly skipUTF8Validation?: boolean | undefined;
  /** Refuse payload lengths that are not in their shortest form, with 1002. §5.2 @default true */
  readonly strictLength?: boolean | undefined;
  /** Bytes waiting to be sent from which on `send` returns false and `'drain'` follows; bytes received and not taken from which on reading stops. @default 65_536 */
  readonly highWaterMark?: number | false | undefined;
  /**
   * How messages are given: whole, as `'message'`; as streams from their first header on, as `'incoming'`; text whole and all else as streams (`'binary'`);
   * or (`'auto'`) as streams where they are in fragments or longer than `streamThreshold`, and somebody listens for `'incoming'`. @default 'buffer'
   */
  readonly incoming?: IncomingMode | undefined;
  /** The class of the streams that `'incoming'` gives, a subclass of ours. */
  readonly Incoming?: typeof Incoming | undefined;
  /** With `incoming: 'auto'`, bytes (as they come in, compressed or not) up to which an unfragmented message is given whole. @default 16_384 */
  readonly streamThreshold?: number | false | undefined;
  /** Most payload bytes in one frame: larger messages are sent in several. `createOutgoing` collects at least as many before it sends a fragment. @default never split, nothing collected */
  readonly fragmentSize?: number | false | undefined;
  /** Longest `length` for which `createOutgoing` sends one frame; no other frame can go out inside it. @default 1_048_576 */
  readonly maxDeclaredFrame?: number | false | undefined;
  /** What becomes of a peer that takes messages more slowly than they are sent. @default false (servers: `{ limit: 16_777_216, policy: 'close' }`) */
  readonly slowConsumer?: SlowConsumer | false | undefined;
  /** Bytes that may be held in memory for this connection, or a budget that it shares with others: see {@link MemoryBudget}. Beyond it, reading waits, and 1013. @default false (servers: a quarter of what the process may use) */
  readonly memoryLimit?: MemoryBudget | number | false | undefined;
  /** Counts sizes and latencies of this connection together with those of others. */
  readonly meter?: Meter | undefined;
  /** Clients only: fills the four bytes of the masking key of each frame, in place of `crypto`. §10.3 */
  readonly generateMask?: ((mask: Buffer) => void) | undefined;
}

/** The same with every default filled in. */
export interface ConnectionSettings {
  /** What they were made of. */
  readonly options: ConnectionOptions;
  readonly allowSynchronousEvents: boolean;
  readonly autoPong: boolean;
  readonly closeTimeoutMs: number;
  readonly waitForTcpClose: boolean;
  readonly limits: ReceiveLimits;
  readonly guards: Guards;
  readonly validateUtf8: boolean;
  readonly strictLength: boolean;
  readonly highWaterMark: number;
  readonly incoming: IncomingMode;
  readonly Incoming: typeof Incoming;
  readonly streamThreshold: number;
  readonly fragmentSize: number;
  readonly maxDeclaredFrame: number;
  readonly slowConsumer: SlowRule | undefined;
  /** A number: a budget of its own for each connection. */
  readonly memoryLimit: MemoryBudget | number | undefined;
  readonly meter: Meter | undefined;
  /** Unsent bytes from which on the core keeps what is sent, where it can still be left out, and be overtaken by control frames. */
  readonly gateBytes: number;
  /** Bytes received and not taken from which on reading stops; finite also where `highWaterMark` is no limit. */
  readonly unreadBytes: number;
  /** Unsent bytes from which on somebody wants to know when there are less. */
  readonly watchedBytes: number;
  readonly generateMask: ((mask: Buffer) => void) | undefined;
}

/** A server makes all its sockets from one frozen object of options: they are read once. */
const known = new WeakMap<ConnectionOptions, ConnectionSettings>();
const DEFAULTS: ConnectionOptions = Object.freeze({});

/** @throws {TypeError | RangeError} naming the option */
export function connectionSettings(options?: ConnectionOptions | null): ConnectionSettings {
  const given = options ?? DEFAULTS;
  const settings = known.get(given) ?? readSettings(given);
  if (Object.isFrozen(given)) known.set(given, settings);
  return settings;
}

/**
 * What a connection would say to them, for whoever makes it later.
 * @throws {TypeError | RangeError} naming the option
 */
export function checkConnectionOptions(options: ConnectionOptions): void {
  connectionSettings(options);
}

function readSettings(options: ConnectionOptions): ConnectionSettings {
  const {
    allowSynchronousEvents = true,
    autoPong = true,
    closeTimeout = 30_000,
    waitForTcpClose = true,
    maxPayload = 104_857_600,
    maxFragments = 131_072,
    maxBufferedChunks = 262_144,
    skipUTF8Validation = false,
    strictLength = true,
    highWaterMark = 65_536,
    incoming = 'buffer',
    Incoming: IncomingClass = Incoming,
    streamThreshold = 16_384,
    fragmentSize = 0,
    maxDeclaredFrame = 1_048_576,
    slowConsumer = false,
    memoryLimit = false,
    meter,
    generateMask,
  } = options;
  if (generateMask !== undefined && typeof generateMask !== 'function') {
    throw new TypeError(`generateMask is ${typeof generateMask}, expected a function`);
  }
  const highWaterMarkBytes = checkLimit('highWaterMark', highWaterMark);
  const slowRule = slowConsumerSettings(slowConsumer, highWaterMarkBytes);
  const slowBytes = slowRule?.highWaterMark ?? Infinity;
  const halfLimit = (slowRule?.limit ?? Infinity) / 2; // the other half is for what can still be left out
  return {
    options,
    allowSynchronousEvents: checkBoolean('allowSynchronousEvents', allowSynchronousEvents),
    autoPong: checkBoolean('autoPong', autoPong),
    closeTimeoutMs: checkTimeout('closeTimeout', closeTimeout),
    waitForTcpClose: checkBoolean('waitForTcpClose', waitForTcpClose),
    limits: {
      maxPayload: checkLimit('maxPayload', maxPayload),
      maxFragments: checkLimit('maxFragments', maxFragments),
      maxBufferedChunks: checkLimit('maxBufferedChunks', maxBufferedChunks),
    },
    guards: readGuards(options),
    validateUtf8: !checkBoolean('skipUTF8Validation', skipUTF8Validation),
    strictLength: checkBoolean('strictLength', strictLength),
    highWaterMark: highWaterMarkBytes,
    incoming: checkOneOf('incoming', incoming, INCOMING_MODES),
    Incoming: checkClass('Incoming', IncomingClass, Incoming),
    streamThreshold: checkLimit('streamThreshold', streamThreshold),
    fragmentSize: checkLimit('fragmentSize', fragmentSize),
    maxDeclaredFrame: checkLimit('maxDeclaredFrame', maxDeclaredFrame),
    slowConsumer: slowRule,
    memoryLimit: memoryLimit instanceof MemoryBudget ? memoryLimit : checkMemoryLimit(memoryLimit),
    meter: checkMeter(meter),
    unreadBytes: finite(highWaterMarkBytes),
    gateBytes: Math.min(Math.max(MIN_GATE, Math.min(finite(highWaterMarkBytes), slowBytes)), halfLimit),
    watchedBytes: Math.min(highWaterMarkBytes, slowBytes, halfLimit),
    generateMask,
  };
}

function checkMemoryLimit(value: unknown): number | undefined {
  const bytes = checkLimit('memoryLimit', value);
  return bytes === Infinity ? undefined : bytes;
}

export const INCOMING_MODES = ['buffer', 'stream', 'binary', 'auto'] as const satisfies IncomingMode[];
/** Without a mark, streams still go no faster than they are taken, in both directions. */
const finite = (bytes: number): number => (bytes === Infinity ? MIN_GATE : bytes);

/** Less does not fill the socket of a fast peer. */
const MIN_GATE = 65_536;
const SLOW_NAMES = ['highWaterMark', 'limit', 'policy'];
const POLICIES = ['close', 'drop-newest', 'drop-oldest', 'conflate'] as const satisfies SlowConsumer['policy'][];

/** @throws {TypeError | RangeError} naming the option */
export function slowConsumerSettings(
  given: SlowConsumer | false | undefined,
  defaultHighWaterMark: number,
): SlowRule | undefined {
  if (given === false || given === undefined) return undefined;
  if (typeof given !== 'object' || given === null)
    throw new TypeError(`slowConsumer is ${describe(given)}, expected an object or false`);
  checkNames('slowConsumer', given, SLOW_NAMES);
  const { highWaterMark = defaultHighWaterMark, limit = 16_777_216, policy = 'close' } = given;
  return {
    highWaterMark: checkLimit('slowConsumer.highWaterMark', highWaterMark),
    limit: checkLimit('slowConsumer.limit', limit),
    policy: checkOneOf('slowConsumer.policy', policy, POLICIES),
  };
}
