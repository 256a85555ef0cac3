/** A token bucket: `rate` a second, and up to `burst` at once. */
export interface Rate {
  readonly rate: number;
  readonly burst: number;
  /** Over it reading waits, or the connection is closed with 1008. */
  readonly closes: boolean;
}

/** What ends a connection, or slows it down, for what it costs rather than for what it says. `Infinity`, 0 of a rate and `undefined` are none. */
export interface Guards {
  /** Ms without a byte after which a ping is sent, and ms for anything to come in answer. */
  readonly heartbeat: { readonly intervalMs: number; readonly timeoutMs: number } | undefined;
  /** Ms without a data frame in either direction. */
  readonly idleTimeoutMs: number;
  /** Ms after which a connection has lived long enough. */
  readonly maxLifetimeMs: number;
  /** Ms for a message from its first byte to its last; of one that is given as a stream, from byte to byte. */
  readonly messageTimeoutMs: number;
  /** Bytes a second that an unfinished message makes at least. */
  readonly minProgressRate: number;
  /** Messages and control frames. */
  readonly messageRate: Rate | undefined;
  /** Bytes on the wire. */
  readonly byteRate: Rate | undefined;
}

/** A message may be as slow as it likes for so long. */
export const GRACE_MS = 5000;

export const NO_GUARDS: Guards = Object.freeze({
  heartbeat: undefined,
  idleTimeoutMs: Infinity,
  maxLifetimeMs: Infinity,
  messageTimeoutMs: Infinity,
  minProgressRate: 0,
  messageRate: undefined,
  byteRate: undefined,
});

export const isAny = (guards: Guards): boolean =>
  guards.heartbeat !== undefined ||
  guards.minProgressRate > 0 ||
  (guards.messageRate ?? guards.byteRate) !== undefined ||
  Math.min(guards.idleTimeoutMs, guards.maxLifetimeMs, guards.messageTimeoutMs) !== Infinity;

/** The least part of `maxLifetimeMs` that a connection gets. */
const LEAST_SHARE = 0.9;

/** Ms in which nothing can become due that is not due now. @param share of `maxLifetimeMs` */
export function soonest(guards: Guards, isInMessage: boolean, share = LEAST_SHARE): number {
  const { heartbeat, idleTimeoutMs, maxLifetimeMs, messageTimeoutMs, minProgressRate } = guards;
  const beat = heartbeat ? Math.min(heartbeat.intervalMs, heartbeat.timeoutMs) : Infinity;
  const message = isInMessage ? Math.min(messageTimeoutMs, minProgressRate > 0 ? GRACE_MS : Infinity) : Infinity;
  return Math.min(beat, idleTimeoutMs, maxLifetimeMs * share, message);
}
