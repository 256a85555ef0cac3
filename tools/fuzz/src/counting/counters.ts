/** Counters of all modules in one memory, one uint32 each. */
const CAPACITY = 32_768;
/** Behind them: what a target itself has seen happen, by a hash of its name. */
const SIGHTINGS = 8192;

/** A counter's value as one of eight: 1, 2, 3, 4…7, 8…15, 16…31, 32…127, more. As many counters as that share a byte of features. */
export const BUCKETS = 8;

interface Region {
  readonly module: string;
  readonly from: number;
  readonly lines: readonly number[];
}

/** What ran, how often: of one execution, and of all since the beginning. */
export class Counters {
  readonly #memory = new Uint32Array(CAPACITY + SIGHTINGS);
  readonly #regions: Region[] = [];
  readonly #ever = new Uint8Array(CAPACITY);
  readonly #literals = new Set<string | number>();
  #used = 0;

  /** Called by each module as it is loaded. */
  region(url: string, lines: readonly number[]): Uint32Array {
    const from = this.#used;
    this.#used += lines.length;
    if (this.#used > CAPACITY) throw new RangeError('more counters than there is room for');
    this.#regions.push({ module: url.slice(url.indexOf('/packages/') + 10).replace('/dist/esm', ''), from, lines });
    return this.#memory.subarray(from, this.#used);
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

  /** Counters reached by now and counters there are, of the modules of which a name begins with one of `prefixes`. */
  reached(prefixes: readonly string[]): { hit: number; total: number } {
    let hit = 0;
    let total = 0;
    for (const { from, lines } of this.#of(prefixes)) {
      total += lines.length;
      for (let at = from; at < from + lines.length; at++) hit += this.#ever[at]!;
    }
    return { hit, total };
  }

  /** `file:line` of what was not reached. */
  missed(prefixes: readonly string[]): string[] {
    const places = new Set<string>();
    for (const { module, from, lines } of this.#of(prefixes))
      for (const [i, line] of lines.entries()) if (this.#ever[from + i] === 0) places.add(`${module}:${line}`);
    return [...places];
  }

  #of(prefixes: readonly string[]): Region[] {
    return this.#regions.filter(({ module }) => prefixes.some((prefix) => module.startsWith(prefix)));
  }
}

function bucketOf(count: number): number {
  if (count <= 3) return count - 1;
  if (count < 8) return 3;
  if (count < 16) return 4;
  if (count < 32) return 5;
  return count < 128 ? 6 : 7;
}
