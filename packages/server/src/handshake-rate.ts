import type { RateOptions } from '@ws/connection';

interface Bucket {
  tokens: number;
  /** When they were as many, in ms. */
  at: number;
}

/** A token, as far as sums of fractions come to one. */
const ONE = 1 - 1e-9;
/** So many addresses are kept in mind at most. */
const MOST_BUCKETS = 65_536;

/**
 * A token bucket for each client address. One that is full again is forgotten: a new one would be the same. Beyond `mostBuckets` the one that was
 * used longest ago is, full or not.
 */
export class HandshakeRate {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #now: () => number;
  readonly #mostBuckets: number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  /** @param now a clock, in ms */
  constructor({ rate, burst = rate }: Omit<RateOptions, 'exceeded'>, now: () => number, mostBuckets = MOST_BUCKETS) {
    this.#perMs = rate / 1000;
    this.#burst = Math.max(1, burst);
    this.#now = now;
    this.#mostBuckets = mostBuckets;
  }

  /** How many addresses it has in mind. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes a token, if there is one. @returns ms until there is one; 0: taken */
  take(key: string): number {
    const now = this.#now();
    this.#forget(now);
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, at: now };
    bucket.tokens = this.#tokens(bucket, now);
    bucket.at = now;
    if (bucket.tokens < ONE) return this.#msUntilOne(bucket.tokens);
    bucket.tokens--;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    return 0;
  }

  /** @returns ms until there is a token; 0: there is one */
  wait(key: string): number {
    const bucket = this.#buckets.get(key);
    if (bucket === undefined) return 0;
    const tokens = this.#tokens(bucket, this.#now());
    return tokens < ONE ? this.#msUntilOne(tokens) : 0;
  }

  #msUntilOne(tokens: number): number {
    return Math.max(1, Math.round((1 - tokens) / this.#perMs));
  }

  #tokens({ tokens, at }: Bucket, now: number): number {
    return Math.min(this.#burst, tokens + (now - at) * this.#perMs);
  }

  /** Two at most for each one that may be added: so none is left in the long run. */
  #forget(now: number): void {
    let looked = 0;
    for (const [key, bucket] of this.#buckets) {
      if (looked++ === 2) return;
      if (this.#buckets.size < this.#mostBuckets && this.#tokens(bucket, now) < this.#burst) return;
      this.#buckets.delete(key);
    }
  }
}
