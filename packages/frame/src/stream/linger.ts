import type { Duplex } from 'node:stream';

/** `setTimeout` that knows what no limit is, and that keeps no process alive. */
export function after(ms: number, then: () => void): NodeJS.Timeout | undefined {
  return ms === Infinity ? undefined : setTimeout(then, Math.min(ms, 2 ** 31 - 1)).unref();
}

/** Ends our half of `source` and lets the peer's run out unread, so that what we sent last is not lost to a reset; cut after `timeoutMs`. */
export function linger(source: Duplex, timeoutMs: number): void {
  if (source.destroyed) return;
  source.end();
  source.resume();
  const timer = after(timeoutMs, () => source.destroy());
  source.once('close', () => clearTimeout(timer));
}
