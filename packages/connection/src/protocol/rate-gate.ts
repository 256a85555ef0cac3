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

  /** What is left in it stays in it. */
  change(rule: Rate, now: number): void {
    this.take(0, now);
    this.rule = rule;
  }

  /** @returns ms until `needed` are there; 0 for one that nobody waits for */
  wait(needed: number, now: number): number {
    if (this.rule.closes) return 0;
    return (Math.max(0, needed - this.take(0, now)) / this.rule.rate) * 1000;
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

  /** A gate that is shut opens when the new rules have it. */
  update({ messageRate, byteRate }: Guards, now: number): void {
    this.#messages = renewed(this.#messages, messageRate, now);
    this.#bytes = renewed(this.#bytes, byteRate, now);
    if (this.isShut) this.#until = now + Math.max(this.#messages?.wait(1, now) ?? 0, this.#bytes?.wait(0, now) ?? 0);
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

function renewed(bucket: Bucket | undefined, rule: Rate | undefined, now: number): Bucket | undefined {
  if (rule === undefined) return undefined;
  const isStricter = rule.closes && bucket?.rule.closes === false; // what came when it was to wait closes nothing
  if (bucket === undefined || isStricter) return new Bucket(rule, now);
  bucket.change(rule, now);
  return bucket;
}
