import type { SlowConsumer } from '@ws/connection';

/** What becomes of a recipient of a streamed message that is behind. */
export interface SlowOptions {
  /** For this message, in place of the server's: `limit` and `policy`. */
  readonly slowConsumer?: SlowConsumer | false | undefined;
  /**
   * Another word for the policy: `'skip'` leaves the message out for a recipient to which nothing of it was sent yet, and closes otherwise;
   * `'queue'` and `'close'` close. @default by `slowConsumer`
   */
  readonly onSlow?: 'queue' | 'skip' | 'close' | undefined;
  /** Another word for `slowConsumer.limit`, in bytes; 0 or `false` is none. */
  readonly maxQueue?: number | false | undefined;
}

/** The same with every default filled in. */
export interface SlowRule {
  readonly limit: number;
  readonly policy: NonNullable<SlowConsumer['policy']>;
}

const DEFAULT_LIMIT = 16_777_216;
const POLICIES = { queue: 'close', skip: 'drop-newest', close: 'close' } as const;

/** @returns undefined where nothing is limited */
export function slowRule(
  { slowConsumer, onSlow, maxQueue }: SlowOptions,
  ofServer: SlowConsumer | false,
): SlowRule | undefined {
  const given = slowConsumer ?? ofServer;
  if (!given && onSlow === undefined && maxQueue === undefined) return undefined;
  const { limit = DEFAULT_LIMIT, policy = 'close' } = given || {};
  return {
    limit: (maxQueue ?? limit) || Infinity,
    policy: onSlow === undefined ? policy : POLICIES[onSlow],
  };
}
