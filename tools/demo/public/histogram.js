/** Buckets per doubling: each is about 2 % wide. */
const PER_DOUBLING = 32;
/** From 1 microsecond to more than a minute. */
const BUCKETS = PER_DOUBLING * 26;

/** Counts durations in logarithmic buckets: constant time to add, constant memory, percentiles to about 2 %. */
export class Histogram {
  #buckets = new Uint32Array(BUCKETS);
  #total = 0;

  get total() {
    return this.#total;
  }

  /** @param {number} ms */
  add(ms) {
    const bucket = Math.floor(Math.log2(Math.max(1, ms * 1000)) * PER_DOUBLING);
    const i = Math.min(BUCKETS - 1, bucket);
    this.#buckets[i] = (this.#buckets[i] ?? 0) + 1;
    this.#total += 1;
  }

  /**
   * @param {number} fraction 0.99 for p99
   * @returns {number} ms; NaN while empty
   */
  percentile(fraction) {
    const rank = Math.max(1, Math.ceil(fraction * this.#total));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#buckets[i] ?? 0;
      if (seen >= rank) return 2 ** ((i + 0.5) / PER_DOUBLING) / 1000;
    }
    return NaN;
  }

  /** @param {Histogram} other */
  include(other) {
    for (let i = 0; i < BUCKETS; i++) this.#buckets[i] = (this.#buckets[i] ?? 0) + (other.#buckets[i] ?? 0);
    this.#total += other.#total;
  }
}
