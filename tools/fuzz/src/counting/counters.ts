/** Counters of all modules in one memory, one uint32 each. */
const CAPACITY = 32_768;
/** Behind them: what a target itself has seen happen, by a hash of its name. */
const SIGHTINGS = 8192;

/** A counter's value as one of eight: 1, 2, 3, 4…7, 8…15, 16…31, 32…127, more. As many counters as that share a byte of features. */
export const BUCKETS = 8;

/** What ran, how often: of one execution, and of all since the beginning. */
export class Counters {
  readonly #memory = new Uint32Array(CAPACITY + SIGHTINGS);
  /** `package/file.ts:line` of each counter. */
  readonly #places: string[] = [];
  readonly #ever = new Uint8Array(CAPACITY);
  readonly #literals = new Set<string | number>();

  /** Called by each module as it is loaded. */
  region(places: readonly string[]): Uint32Array {
    const from = this.#used;
    this.#places.push(...places);
    if (this.#used > CAPACITY) throw new RangeError('more counters than there is room for');
    return this.#memory.subarray(from, this.#used);
  }

  get #used(): number {
    return this.#places.length;
  }

  learn(literals: readonly (string | number)[]): void {
    for (const literal of literals) this.#literals.add(literal);
  }

  get literals(): ReadonlySet<string | number> {
    return this.#literals;
  }

  /** Something happened that no counter of the code shows: a step of a protocol behind another one, say. */
  saw(what: string): void {
    let hash = 0x811c9dc5;
    for (let at = 0; at < what.length; at++) hash = Math.imul(hash ^ what.charCodeAt(at), 0x01000193);
    this.#memory[CAPACITY + ((hash >>> 0) % SIGHTINGS)]!++;
  }

  reset(): void {
    this.#memory.fill(0, 0, this.#used);
    this.#memory.fill(0, CAPACITY);
  }

  /** Steps of the code since `reset`: a measure of work that no other process disturbs. */
  steps(): number {
    let sum = 0;
    for (let at = 0; at < this.#used; at++) sum += this.#memory[at]!;
    return sum;
  }

  /** Features of the execution, each a number below {@link Counters.features}. */
  collect(): number[] {
    const features: number[] = [];
    this.#collect(0, this.#used, features);
    this.#collect(CAPACITY, CAPACITY + SIGHTINGS, features);
    return features;
  }

  /** Those of the code alone. */
  collectCode(): number[] {
    const features: number[] = [];
    this.#collect(0, this.#used, features);
    return features;
  }

  #collect(from: number, to: number, features: number[]): void {
    const memory = this.#memory;
    for (let at = from; at < to; at++) {
      const count = memory[at]!;
      if (count === 0) continue;
      if (at < CAPACITY) this.#ever[at] = 1;
      features.push(at * BUCKETS + bucketOf(count));
    }
  }

  static readonly features = (CAPACITY + SIGHTINGS) * BUCKETS;

  /**
   * Counters reached by now and counters there are, of the files of which a name begins with one of `prefixes`.
   * @throws {RangeError} where there is none for one of them
   */
  reached(prefixes: readonly string[]): { hit: number; total: number } {
    for (const prefix of prefixes) {
      const isThere = this.#places.some((place) => place.startsWith(prefix));
      if (!isThere) throw new RangeError(`there is nothing to be covered in ${prefix}`);
    }
    const counters = this.#of(prefixes);
    return { hit: counters.filter((at) => this.#ever[at]).length, total: counters.length };
  }

  /** `file:line` of what was not reached. */
  missed(prefixes: readonly string[]): string[] {
    return [...new Set(this.#of(prefixes).flatMap((at) => (this.#ever[at] ? [] : [this.#places[at]!])))];
  }

  #of(prefixes: readonly string[]): number[] {
    return [...this.#places.keys()].filter((at) => prefixes.some((prefix) => this.#places[at]!.startsWith(prefix)));
  }
}

function bucketOf(count: number): number {
  if (count <= 3) return count - 1;
  if (count < 8) return 3;
  if (count < 16) return 4;
  if (count < 32) return 5;
  return count < 128 ? 6 : 7;
}
