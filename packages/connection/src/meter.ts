import { describe } from './option-checks.js';

/** How often what size or time occurred. */
export interface Histogram {
  readonly count: number;
  readonly sum: number;
  /** How many were at most `le`, those of smaller buckets included; the last `le` is `Infinity`. */
  readonly buckets: readonly { readonly le: number; readonly count: number }[];
}

/** Sizes are told apart by a factor of two when they are counted, and by four when they are reported: 16 bytes to 1 GiB. */
const FIRST_SIZE_BITS = 4;
const LAST_SIZE_BITS = 30;
const LATENCIES_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000];

/** Counts for many connections together: a server makes one, others may share one by the option `meter`. */
export class Meter {
  /** By the number of bits of the size less one; no size has more than 53. */
  readonly #sizes = new Float64Array(54);
  #bytes = 0;
  readonly #latencies = new Float64Array(LATENCIES_MS.length + 1);
  #latencySum = 0;

  /** A message of so many bytes came to its end. */
  message(byteLength: number): void {
    const bits = byteLength <= 0x8000_0000 ? 32 - Math.clz32(byteLength - 1) : Math.ceil(Math.log2(byteLength));
    this.#sizes[byteLength === 0 ? 0 : bits]!++;
    this.#bytes += byteLength;
  }

  /** A pong came so many ms after its ping had left. */
  latency(ms: number): void {
    let bucket = 0;
    while (bucket < LATENCIES_MS.length && ms > LATENCIES_MS[bucket]!) bucket++;
    this.#latencies[bucket]!++;
    this.#latencySum += ms;
  }

  /** Payload bytes of the messages received. */
  get sizes(): Histogram {
    const les = [];
    for (let bits = FIRST_SIZE_BITS; bits <= LAST_SIZE_BITS; bits += 2) les.push(2 ** bits);
    return histogram(les, this.#sizes, this.#bytes, (le) => Math.log2(le) + 1);
  }

  /** Ms. */
  get latencies(): Histogram {
    return histogram(LATENCIES_MS, this.#latencies, this.#latencySum, (_le, bucket) => bucket + 1);
  }
}

/** @param end of the counts that belong to a bucket and those before it */
function histogram(
  les: readonly number[],
  counts: Float64Array,
  sum: number,
  end: (le: number, bucket: number) => number,
): Histogram {
  const upTo = (index: number): number => counts.subarray(0, index).reduce((total, count) => total + count, 0);
  const count = upTo(counts.length);
  const buckets = les.map((le, bucket) => ({ le, count: upTo(end(le, bucket)) }));
  return { count, sum, buckets: [...buckets, { le: Infinity, count }] };
}

/** @throws {TypeError} */
export function checkMeter(meter: unknown): Meter | undefined {
  if (meter === undefined || (typeof meter === 'object' && meter !== null && 'message' in meter && 'latency' in meter))
    return meter as Meter | undefined;
  throw new TypeError(`meter is ${describe(meter)}, expected a Meter`);
}
