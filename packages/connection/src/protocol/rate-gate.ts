import { GuardError } from './guard-error.js';
import type { Guards, Rate } from './guards.js';

/** A token bucket. What is taken beyond what it has is owed. */
class Bucket {
  rule: Rate;
  #tokens: number;
  #at: number;

  constructor(rule: Rate, now: number) {
    this.rule = rule;
    this.#tokens = rule.burst;
    this.#at = now;
  }

  /** @returns what is left, negative if more was taken than there was */
  take(count: number, now: number): number {
    const { rate, burst } = this.rule;
    const earned = (Math.max(0, now - this.#at) / 1000) * rate;
    this.#at = Math.max(this.#at, now);
    this.#tokens = Math.min(burst, this.#tokens + earned) - count;
    return this.#tokens;
  }
}

/** How much may come how fast: over it reading waits, or the connection is failed. */
export class RateGate {
  #messages: Bucket | undefined;
  #bytes: Bucket | undefined;
  /** When reading may go on; `Infinity` while it does. */
  #until = Infinity;

  get until(): number {
    return this.#until;
  }

  update({ messageRate, byteRate }: Guards, now: number): void {
    this.#messages = renewed(this.#messages, messageRate, now);
    this.#bytes = renewed(this.#bytes, byteRate, now);
  }

  /** A chunk. @returns what the connection is to be failed for */
  chunk(byteLength: number, now: number): GuardError | undefined {
    return this.#take(this.#bytes, 'bytes', byteLength, 0, now);
  }

  /** A message begins, or a control frame has come. @returns as {@link chunk} */
  message(now: number): GuardError | undefined {
    return this.#take(this.#messages, 'messages', 1, 1, now);
  }

  /** Reading must wait. */
  get isShut(): boolean {
    return this.#until !== Infinity;
  }

  /** @returns whether reading goes on */
  opens(now: number): boolean {
    if (now < this.#until || this.#until === Infinity) return false;
    this.#until = Infinity;
    return true;
  }

  /** `needed`: what must be left for the next one. */
  #take(bucket: Bucket | undefined, what: string, count: number, needed: number, now: number): GuardError | undefined {
    if (bucket === undefined) return undefined;
    const left = bucket.take(count, now);
    const { rate, burst, closes } = bucket.rule;
    if (closes) {
      if (left >= 0) return undefined;
      return new GuardError('WS_ERR_RATE_LIMIT', `${what}, ${rate} a second and ${burst} at once`);
    }
    if (left >= needed) return undefined;
    const at = now + ((needed - left) / rate) * 1000;
    this.#until = this.#until === Infinity ? at : Math.max(this.#until, at);
    return undefined;
  }
}

/** What is left in a bucket stays in it. */
function renewed(bucket: Bucket | undefined, rule: Rate | undefined, now: number): Bucket | undefined {
  if (rule === undefined) return undefined;
  if (bucket === undefined) return new Bucket(rule, now);
  bucket.rule = rule;
  return bucket;
}
