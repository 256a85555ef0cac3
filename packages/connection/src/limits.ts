import { inspect, type InspectOptions } from 'node:util';
import type { RateLimit, RateOptions } from './guard-options.js';
import { describe } from './option-checks.js';
import { connectionSettings, type ConnectionOptions, type ConnectionSettings } from './options.js';
import type { Guards } from './protocol/index.js';

/** The options that can change while a connection is open. */
const NAMES = [
  'maxPayload',
  'maxFragments',
  'maxBufferedChunks',
  'messageTimeout',
  'minProgressRate',
  'idleTimeout',
  'maxLifetime',
  'rateLimit',
  'heartbeat',
  'slowConsumer',
] as const satisfies readonly (keyof ConnectionOptions)[];

/** The limits and guards of a connection, as the options of these names take them. */
export type LimitOptions = Pick<ConnectionOptions, (typeof NAMES)[number]>;

/** What a connection may cost: see {@link GuardOptions} and {@link ConnectionOptions}. What is off is `false`. */
export class Limits {
  readonly #get: () => ConnectionSettings;
  readonly #set: (settings: ConnectionSettings) => void;

  constructor(get: () => ConnectionSettings, set: (settings: ConnectionSettings) => void) {
    this.#get = get;
    this.#set = set;
  }

  /** Bytes of one message. */
  get maxPayload(): number | false {
    return orFalse(this.#get().limits.maxPayload);
  }
  /** Frames of one message. */
  get maxFragments(): number | false {
    return orFalse(this.#get().limits.maxFragments);
  }
  /** Chunks that one frame may arrive in. */
  get maxBufferedChunks(): number | false {
    return orFalse(this.#get().limits.maxBufferedChunks);
  }
  /** Ms. */
  get messageTimeout(): number | false {
    return orFalse(this.#get().guards.messageTimeoutMs);
  }
  /** Bytes a second. */
  get minProgressRate(): number | false {
    return this.#get().guards.minProgressRate || false;
  }
  /** Ms. */
  get idleTimeout(): number | false {
    return orFalse(this.#get().guards.idleTimeoutMs);
  }
  /** Ms. */
  get maxLifetime(): number | false {
    return orFalse(this.#get().guards.maxLifetimeMs);
  }
  get rateLimit(): NonNullable<LimitOptions['rateLimit']> {
    const { messageRate, byteRate } = this.#get().guards;
    if (messageRate === undefined && byteRate === undefined) return false;
    return { messages: rateOptions(messageRate), bytes: rateOptions(byteRate) };
  }
  get heartbeat(): NonNullable<LimitOptions['heartbeat']> {
    const { heartbeat } = this.#get().guards;
    return heartbeat ? { interval: heartbeat.intervalMs, timeout: orFalse(heartbeat.timeoutMs) } : false;
  }
  get slowConsumer(): NonNullable<LimitOptions['slowConsumer']> {
    const { slowConsumer } = this.#get();
    if (slowConsumer === undefined) return false;
    const { highWaterMark, limit, policy } = slowConsumer;
    return { highWaterMark: orFalse(highWaterMark), limit: orFalse(limit), policy };
  }

  /**
   * Changes those that are given, from the next frame on; those that go by the clock from now on, `maxLifetime` from the beginning of the connection.
   * What an object (`rateLimit`, `heartbeat`, `slowConsumer`) does not name stays as it is, and `false` switches off: all of it, or `messages` or `bytes` of
   * `rateLimit`. Those two are each taken as a whole, but for `exceeded`, which stays where none is given.
   * @throws {TypeError | RangeError} naming the option, before anything is changed
   */
  update(changes: LimitOptions): void {
    if (!isObject(changes)) throw new TypeError(`limits.update() got ${describe(changes)}, expected an object`);
    const { options } = this.#get();
    const given: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(changes)) {
      const known = NAMES.find((each) => each === name);
      if (known === undefined) throw new TypeError(`${name} cannot be changed, only ${NAMES.join(', ')}`);
      if (value !== undefined) given[name] = merged(known, options[known], value);
    }
    this.#set(connectionSettings({ ...options, ...given }));
  }

  /** The limits alone. */
  toJSON(): Required<LimitOptions> {
    return Object.fromEntries(NAMES.map((name) => [name, this[name]])) as unknown as Required<LimitOptions>;
  }

  [inspect.custom](_depth: number, options: InspectOptions): string {
    return `Limits ${inspect(this.toJSON(), options)}`;
  }
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** What is not named in an object stays as it was. */
function merged(name: keyof LimitOptions, before: unknown, value: unknown): unknown {
  if (!isObject(value)) return value;
  if (name !== 'rateLimit') return { ...(isObject(before) && before), ...defined(value) };
  if ('handshakes' in value) throw new TypeError('rateLimit.handshakes cannot be changed: it is of the server');
  const old: RateLimit = isObject(before) ? before : {};
  const given: RateLimit = defined(value);
  const own = (bucket: 'messages' | 'bytes'): RateLimit => {
    const [rate, was] = [given[bucket], old[bucket]];
    if (!isObject(rate)) return {};
    const exceeded = given.exceeded === undefined && was ? was.exceeded : undefined;
    return { [bucket]: { ...(exceeded && { exceeded }), ...defined(rate) } };
  };
  return { ...old, ...given, ...own('messages'), ...own('bytes') };
}

/** Without what is undefined. */
const defined = (object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

const orFalse = (limit: number): number | false => (limit === Infinity ? false : limit);

function rateOptions(rate: Guards['messageRate']): Required<RateOptions> | false {
  return rate ? { rate: rate.rate, burst: rate.burst, exceeded: rate.closes ? 'close' : 'wait' } : false;
}
