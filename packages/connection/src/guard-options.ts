import { checkLimit, checkNames, checkOneOf, checkTimeout, describe } from './option-checks.js';
import type { Guards, Rate } from './protocol/index.js';

/** A token bucket. */
export interface RateOptions {
  /** So many a second. */
  readonly rate: number;
  /** So many at once. @default rate */
  readonly burst?: number | undefined;
  /** @default that of the limits together */
  readonly exceeded?: 'wait' | 'close' | undefined;
}

export interface RateLimit {
  /** Messages and control frames of one connection. @default false */
  readonly messages?: RateOptions | false | undefined;
  /** Bytes of one connection, as they come over the wire. @default false */
  readonly bytes?: RateOptions | false | undefined;
  /** Over it reading waits, which the peer feels; or the connection is closed with 1008. @default 'wait' */
  readonly exceeded?: 'wait' | 'close' | undefined;
}

export interface Heartbeat {
  /** Ms without a byte from the peer after which a ping is sent. @default 30_000 */
  readonly interval?: number | false | undefined;
  /** Ms from then on, for any byte to come; then TCP is cut. @default 30_000 */
  readonly timeout?: number | false | undefined;
}

/** What one connection may cost. `false`, and for a number 0, is off, which is the default but on servers. */
export interface GuardOptions {
  /** Notice a peer that is gone. @default false (servers: `{ interval: 30_000, timeout: 30_000 }`) */
  readonly heartbeat?: Heartbeat | false | undefined;
  /** Ms without a message in either direction, after which the connection is closed with 1001. Pings do not count. @default false */
  readonly idleTimeout?: number | false | undefined;
  /** Ms after which the connection is closed with 1001: at a moment between 90 and 100 % of it, so that those that came together do not leave together. @default false */
  readonly maxLifetime?: number | false | undefined;
  /** Ms for a message from its first byte to its last, or of one that is given as a stream from byte to byte; beyond it, 1008. Time in which we do not read does not count. @default false (servers: 120_000) */
  readonly messageTimeout?: number | false | undefined;
  /** Bytes a second that an unfinished message has to make, from 5 s after its beginning on; below it, 1008. @default false */
  readonly minProgressRate?: number | false | undefined;
  /** How much may come how fast. @default false */
  readonly rateLimit?: RateLimit | false | undefined;
}

/** @throws {TypeError | RangeError} naming the option */
export function readGuards(options: GuardOptions): Guards {
  const { heartbeat = false, idleTimeout = 0, maxLifetime = 0, messageTimeout = 0 } = options;
  const { minProgressRate = 0, rateLimit = false } = options;
  const rate = checkLimit('minProgressRate', minProgressRate);
  return {
    heartbeat: heartbeatSettings(heartbeat),
    idleTimeoutMs: checkTimeout('idleTimeout', idleTimeout),
    maxLifetimeMs: checkTimeout('maxLifetime', maxLifetime),
    messageTimeoutMs: checkTimeout('messageTimeout', messageTimeout),
    minProgressRate: rate === Infinity ? 0 : rate,
    ...rateSettings(rateLimit),
  };
}

function heartbeatSettings(heartbeat: unknown): Guards['heartbeat'] {
  if (heartbeat === false) return undefined;
  const { interval = 30_000, timeout = 30_000 } = checkObject('heartbeat', heartbeat, [
    'interval',
    'timeout',
  ]) as Heartbeat;
  const intervalMs = checkTimeout('heartbeat.interval', interval);
  const timeoutMs = checkTimeout('heartbeat.timeout', timeout);
  return intervalMs === Infinity ? undefined : { intervalMs, timeoutMs };
}

function rateSettings(rateLimit: unknown): Pick<Guards, 'messageRate' | 'byteRate'> {
  if (rateLimit === false) return { messageRate: undefined, byteRate: undefined };
  const { messages, bytes, exceeded = 'wait' } = checkObject('rateLimit', rateLimit, RATE_NAMES) as RateLimit;
  checkOneOf('rateLimit.exceeded', exceeded, EXCEEDED);
  return {
    messageRate: readRate('rateLimit.messages', messages, exceeded),
    byteRate: readRate('rateLimit.bytes', bytes, exceeded),
  };
}

/** `handshakes` is the server's. */
const RATE_NAMES = ['messages', 'bytes', 'exceeded', 'handshakes'];
const EXCEEDED = ['wait', 'close'] as const satisfies RateLimit['exceeded'][];

function readRate(name: string, given: RateOptions | false | undefined, usual: 'wait' | 'close'): Rate | undefined {
  if (given === undefined || given === false) return undefined;
  const {
    rate,
    burst = rate,
    exceeded = usual,
  } = checkObject(name, given, ['rate', 'burst', 'exceeded']) as RateOptions;
  return {
    rate: checkRate(`${name}.rate`, rate),
    burst: Math.max(1, checkRate(`${name}.burst`, burst)),
    closes: checkOneOf(`${name}.exceeded`, exceeded, EXCEEDED) === 'close',
  };
}

function checkRate(name: string, value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`${name} is ${describe(value)}, expected a positive number`);
  if (!(value > 0) || value === Infinity) throw new RangeError(`${name} is ${value}, expected a positive number`);
  return value;
}

function checkObject(name: string, value: unknown, known: readonly string[]): object {
  if (typeof value !== 'object' || value === null)
    throw new TypeError(`${name} is ${describe(value)}, expected an object of ${known.join(', ')}, or false`);
  checkNames(name, value, known);
  return value;
}
