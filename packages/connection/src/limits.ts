import { describe } from './option-checks.js';
import { connectionSettings, type ConnectionOptions, type ConnectionSettings } from './options.js';

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
    return heartbeat ? { interval: heartbeat.intervalMs, timeout: heartbeat.timeoutMs } : false;
  }
  get slowConsumer(): NonNullable<LimitOptions['slowConsumer']> {
    return this.#get().slowConsumer ?? false;
  }

  /**
   * Changes those that are given, from the next frame on; those that go by the clock from now on, `maxLifetime` from the beginning of the connection.
   * @throws {TypeError | RangeError} naming the option, before anything is changed
   */
  update(changes: LimitOptions): void {
    if (typeof changes !== 'object' || changes === null)
      throw new TypeError(`limits.update() got ${describe(changes)}, expected an object`);
    const given: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(changes)) {
      if (!NAMES.some((each) => each === name))
        throw new TypeError(`${name} cannot be changed, only ${NAMES.join(', ')}`);
      if (value !== undefined) given[name] = value;
    }
    this.#set(connectionSettings({ ...this.#get().options, ...given }));
  }
}

const orFalse = (limit: number): number | false => (limit === Infinity ? false : limit);

function rateOptions(rate: ConnectionSettings['guards']['messageRate']):
  | {
      rate: number;
      burst: number;
      exceeded: 'wait' | 'close';
    }
  | undefined {
  return rate && { rate: rate.rate, burst: rate.burst, exceeded: rate.closes ? 'close' : 'wait' };
}
