import { Incoming, MemoryBudget, WebSocket } from '@ws/connection';
import { isHostEntry, isOrigin, isToken } from '@ws/handshake';
import type { ServerOptions } from './options.js';

/** What one option may be. The wrong type is a TypeError, a value of the right type that does not fit a RangeError. */
interface Rule {
  readonly expected: string;
  readonly type: (value: unknown) => boolean;
  readonly fits?: (value: never) => boolean;
  /** Where it is an object: what may be in it, and nothing else. */
  readonly members?: Rules;
  readonly isRequired?: boolean;
}

type Rules = Readonly<Record<string, Rule>>;

const isNumber = (value: unknown): boolean => typeof value === 'number';
const isString = (value: unknown): boolean => typeof value === 'string';
const isFunction = (value: unknown): boolean => typeof value === 'function';
const isText = (value: unknown): value is string[] => Array.isArray(value) && value.every(isString);
const isRecord = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);
const isIndex = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;

/** The longest time that Node's timers can wait; a longer one would fire at once. */
const LONGEST_MS = 2 ** 31 - 1;

const flag: Rule = { expected: 'a boolean', type: (value) => typeof value === 'boolean' };
const callback: Rule = { expected: 'a function', type: isFunction };
const limit: Rule = {
  expected: 'a non-negative integer or false',
  type: (value) => value === false || isNumber(value),
  fits: (value: unknown) => value === false || value === Infinity || isIndex(value),
};
const time: Rule = {
  expected: `an integer of milliseconds from 0 to ${LONGEST_MS}`,
  type: isNumber,
  fits: (value: unknown) => isIndex(value) && Number(value) <= LONGEST_MS,
};
const duration: Rule = {
  expected: `${time.expected}, Infinity or false`,
  type: limit.type,
  fits: (value: unknown) => value === false || value === Infinity || time.fits?.(value as never) === true,
};
const anything: Rule = { expected: 'anything', type: () => true };

function oneOf(...values: string[]): Rule {
  const expected = values.map((value) => JSON.stringify(value)).join(' or ');
  return { expected, type: isString, fits: (value: string) => values.includes(value) };
}

const amount: Rule = { expected: 'a non-negative integer', type: isNumber, fits: isIndex };

const slowConsumer: Rule = {
  expected: 'an object of highWaterMark, limit (non-negative integers or false) and policy, or false',
  type: (value) => value === false || isRecord(value),
  members: { highWaterMark: limit, limit, policy: oneOf('close', 'drop-newest', 'drop-oldest', 'conflate') },
};

const positive: Rule = {
  expected: 'a positive number',
  type: isNumber,
  fits: (value: number) => value > 0 && value < Infinity,
};
const exceeded = oneOf('wait', 'close');
const bucket: Rules = { rate: { ...positive, isRequired: true }, burst: positive };
const rate: Rule = {
  expected: 'an object of rate, burst (positive numbers) and exceeded, or false',
  type: (value) => value === false || isRecord(value),
  members: { ...bucket, exceeded },
};
const handshakes: Rule = {
  expected: 'an object of rate and burst (positive numbers), or false',
  type: rate.type,
  members: bucket,
};

const RULES: { readonly [Name in keyof ServerOptions]-?: Rule } = {
  port: {
    expected: 'an integer from 0 to 65535',
    // Digits in a string too: that is how a port comes out of the environment.
    type: (value) => isNumber(value) || (isString(value) && value !== '' && !Number.isNaN(Number(value))),
    fits: (value: number | string) => isIndex(Number(value)) && Number(value) <= 65_535,
  },
  host: { expected: 'a string', type: isString },
  backlog: amount,
  server: { expected: 'an http or https server', type: isHttpServer },
  noServer: flag,
  path: {
    expected: 'a path such as "/chat", without a query',
    type: isString,
    fits: (value: string) => value === '' || (value.startsWith('/') && !value.includes('?') && !value.includes('#')),
  },
  unservedPath: { expected: '400 or 404', type: isNumber, fits: (value: number) => value === 400 || value === 404 },
  clientTracking: flag,
  verifyClient: callback,
  origins: {
    expected: '"same", "any", false, a function, or a list of whole origins such as "https://app.example.com"',
    type: (value) => isString(value) || value === false || isFunction(value) || isText(value),
    fits: (value: unknown) =>
      isString(value) ? value === 'same' || value === 'any' : !isText(value) || value.every(isOrigin),
  },
  handleProtocols: callback,
  protocols: {
    expected: 'a list of subprotocol names, each one a token and there once',
    type: isText,
    fits: (value: string[]) => value.every(isToken) && new Set(value).size === value.length,
  },
  protocolPreference: oneOf('client', 'server'),
  requireProtocol: flag,
  handshakeTimeout: duration,
  maxConnections: limit,
  maxConnectionsPerAddress: limit,
  maxPending: limit,
  trustProxy: {
    expected: 'a number of proxies, a function or false',
    type: (value) => value === false || isNumber(value) || isFunction(value),
    fits: (value: unknown) => !isNumber(value) || isIndex(value),
  },
  allowedHosts: {
    expected: 'a list of hosts such as "localhost", "example.com:8080" and ".example.com", or false',
    type: (value) => value === false || isText(value),
    fits: (value: unknown) => !isText(value) || value.every(isHostEntry),
  },
  maxHeaderSize: limit,
  maxHeaderCount: limit,
  draft08: flag,
  perMessageDeflate: {
    expected: 'a boolean or an object',
    type: (value) => typeof value === 'boolean' || isRecord(value),
  },
  WebSocket: {
    expected: 'a class that extends WebSocket',
    type: (value) => typeof value === 'function' && value.prototype instanceof WebSocket,
  },
  maxPayload: limit,
  maxFragments: limit,
  maxBufferedChunks: limit,
  allowSynchronousEvents: flag,
  autoPong: flag,
  closeTimeout: duration,
  skipUTF8Validation: flag,
  strictLength: flag,
  highWaterMark: limit,
  incoming: oneOf('buffer', 'stream', 'binary', 'auto'),
  Incoming: {
    expected: 'a class that extends Incoming',
    type: (value) => typeof value === 'function' && (value === Incoming || value.prototype instanceof Incoming),
  },
  streamThreshold: limit,
  fragmentSize: limit,
  maxDeclaredFrame: limit,
  slowConsumer,
  heartbeat: {
    expected: 'an object of interval and timeout (ms), or false',
    type: (value) => value === false || isRecord(value),
    members: { interval: duration, timeout: duration },
  },
  idleTimeout: duration,
  maxLifetime: duration,
  messageTimeout: duration,
  minProgressRate: limit,
  memoryLimit: {
    expected: 'a number of bytes, a MemoryBudget, or false',
    type: (value) => value instanceof MemoryBudget || limit.type(value),
    fits: (value: unknown) => value instanceof MemoryBudget || limit.fits?.(value as never) === true,
  },
  rateLimit: {
    expected: 'an object of messages, bytes, handshakes and exceeded, or false',
    type: (value) => value === false || isRecord(value),
    members: { messages: rate, bytes: rate, handshakes, exceeded },
  },
};

const signal: Rule = {
  expected: 'an AbortSignal',
  type: (value) => isRecord(value) && 'aborted' in (value as object),
};

/** Those of the recipients and of the message have checks of their own. */
const BROADCAST_RULES: Rules = {
  binary: anything,
  compress: anything,
  except: anything,
  filter: anything,
  key: anything,
  slowConsumer,
};

const BROADCAST_STREAM_RULES: Rules = {
  binary: anything,
  compress: anything,
  except: anything,
  filter: anything,
  slowConsumer,
  onSlow: oneOf('queue', 'skip', 'close'),
  maxQueue: limit,
  fragmentSize: limit,
  forward: {
    expected: '"whole" or a non-negative integer',
    type: (value) => isString(value) || isNumber(value),
    fits: (value: unknown) => value === 'whole' || isIndex(value),
  },
  from: { expected: 'a WebSocket', type: (value) => value instanceof WebSocket },
  stallTimeout: duration,
  signal,
};

const SHUTDOWN_RULES: Rules = {
  code: amount,
  reason: { expected: 'a string', type: isString },
  timeout: duration,
  spread: time,
  signal,
};

/** @throws {TypeError | RangeError} for the first option that is not what it has to be; undefined is left out. Others than ours may be there too, as in `ws` */
export function checkOptions(options: object): void {
  checkMembers(options, RULES);
}

/** @throws {TypeError | RangeError} as {@link checkOptions}, for the options of `broadcast`: these and no others */
export function checkBroadcastOptions(options: object): void {
  checkNames(options, BROADCAST_RULES);
  checkMembers(options, BROADCAST_RULES);
}

/** @throws {TypeError | RangeError} as {@link checkBroadcastOptions}, for the options of `createBroadcast` */
export function checkBroadcastStreamOptions(options: object): void {
  checkNames(options, BROADCAST_STREAM_RULES);
  checkMembers(options, BROADCAST_STREAM_RULES);
}

/** @throws {TypeError | RangeError} as {@link checkBroadcastOptions}, for the options of `shutdown` */
export function checkShutdownOptions(options: object): void {
  checkNames(options, SHUTDOWN_RULES);
  checkMembers(options, SHUTDOWN_RULES);
}

/** @param prefix of their names */
function checkMembers(options: object, rules: Rules, prefix = ''): void {
  for (const [key, rule] of Object.entries(rules)) {
    const value: unknown = Reflect.get(options, key);
    if (value === undefined && rule.isRequired !== true) continue;
    const name = prefix + key;
    if (!rule.type(value)) throw new TypeError(`${name} is ${show(value)}, expected ${rule.expected}`);
    if (rule.fits && !rule.fits(value as never)) {
      throw new RangeError(`${name} is ${show(value)}, expected ${rule.expected}`);
    }
    if (rule.members && typeof value === 'object' && value !== null) {
      checkNames(value, rule.members, `${name}.`);
      checkMembers(value, rule.members, `${name}.`);
    }
  }
}

/** A name that is not known is one that was misspelt: what it was to limit would have no limit. */
function checkNames(options: object, rules: Rules, prefix = ''): void {
  for (const key of Object.keys(options)) {
    if (Object.hasOwn(rules, key)) continue;
    throw new TypeError(`${prefix}${key} is not an option; there are ${Object.keys(rules).join(', ')}`);
  }
}

/** By what we use of it, so that servers which wrap node's are welcome and an application function is not. */
export function isHttpServer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return ['on', 'off', 'prependListener', 'listenerCount', 'address'].every((name) =>
    isFunction(Reflect.get(value, name)),
  );
}

/** A value as it stands in a message: short, and never the inside of an object. */
function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  if (typeof value === 'function') return 'a function';
  if (isText(value)) return JSON.stringify(value).slice(0, 128);
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
