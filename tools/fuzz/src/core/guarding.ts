import type { GuardCode, GuardError, Guards } from '@ws/connection/protocol';
import { must } from '../engine/failure.js';

/** After a stall of our own nobody is judged for so long. */
const RESPITE_MS = 10_000;
const HEARTBEAT = { intervalMs: 1000, timeoutMs: 500 };

/** An octet of a script as guards: one bit for each, and the last for what happens above a rate. */
export function guardsOf(octet: number): Guards {
  const bit = (at: number): boolean => ((octet >> at) & 1) === 1;
  const closes = bit(7);
  return {
    heartbeat: bit(0) ? HEARTBEAT : undefined,
    idleTimeoutMs: bit(1) ? 3000 : Infinity,
    maxLifetimeMs: bit(2) ? 20_000 : Infinity,
    messageTimeoutMs: bit(3) ? 2000 : Infinity,
    minProgressRate: bit(4) ? 100 : 0,
    messageRate: bit(5) ? { rate: 5, burst: 3, closes } : undefined,
    byteRate: bit(6) ? { rate: 1000, burst: 50, closes } : undefined,
  };
}

/** Ms after which one who says nothing is gone, for what is on at the end; with what looking coarsely may add. */
export function patience({ heartbeat, idleTimeoutMs, maxLifetimeMs }: Guards): number {
  const beat = heartbeat ? heartbeat.intervalMs + heartbeat.timeoutMs : Infinity;
  return RESPITE_MS + 2 * Math.min(beat, 2 * idleTimeoutMs, maxLifetimeMs);
}

interface Times {
  readonly now: number;
  readonly openedAt: number;
  readonly heardAt: number;
}

/** A guard may only end a connection that it was on for, and not before its time. */
export function checkVerdict(error: GuardError, everOn: readonly Guards[], { now, openedAt, heardAt }: Times): void {
  const least = (of: (guards: Guards) => number): number => Math.min(...everOn.map(of));
  const rates = everOn.flatMap(({ messageRate, byteRate }) => [messageRate, byteRate]);
  const earliest: Partial<Record<GuardCode, number>> = {
    WS_ERR_HEARTBEAT_TIMEOUT: heardAt + least(({ heartbeat }) => heartbeat?.timeoutMs ?? Infinity),
    WS_ERR_IDLE_TIMEOUT: openedAt + least(({ idleTimeoutMs }) => idleTimeoutMs),
    WS_ERR_MAX_LIFETIME: openedAt + 0.9 * least(({ maxLifetimeMs }) => maxLifetimeMs),
    WS_ERR_MESSAGE_TIMEOUT: openedAt + least(({ messageTimeoutMs }) => messageTimeoutMs),
    WS_ERR_PROGRESS_RATE: openedAt + (everOn.some(({ minProgressRate }) => minProgressRate > 0) ? 5000 : Infinity),
    WS_ERR_RATE_LIMIT: rates.some((rate) => rate?.closes === true) ? openedAt : Infinity,
  };
  must(now >= (earliest[error.code] ?? Infinity), () => `${error.code} at ${now}, opened at ${openedAt}, heard at ${heardAt}`); // prettier-ignore
}
