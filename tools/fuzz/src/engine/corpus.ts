import { Counters } from '../counting/counters.js';
import type { Random } from '../random.js';

interface Entry {
  readonly input: Uint8Array;
  /** Features of which it is the shortest input. */
  owned: number;
  picked: number;
}

/**
 * The inputs worth changing: for each feature the shortest one that shows it. Who is the shortest for none any more is dropped, so the
 * corpus stays small by itself.
 */
export class Corpus {
  readonly #owners: (Entry | undefined)[] = new Array<Entry | undefined>(Counters.features);
  #entries: Entry[] = [];
  #features = 0;

  /** Features seen so far. */
  get features(): number {
    return this.#features;
  }
  get size(): number {
    return this.#entries.length;
  }
  get inputs(): Uint8Array[] {
    return this.#entries.map(({ input }) => input);
  }

  /** @returns whether it was new, or shorter than what was known */
  offer(input: Uint8Array, features: readonly number[]): boolean {
    let entry: Entry | undefined;
    for (const feature of features) {
      const owner = this.#owners[feature];
      if (owner !== undefined && owner.input.length <= input.length) continue;
      entry ??= { input: Uint8Array.from(input), owned: 0, picked: 0 };
      entry.owned++;
      this.#owners[feature] = entry;
      if (owner === undefined) this.#features++;
      else owner.owned--;
    }
    if (entry === undefined) return false;
    this.#entries = this.#entries.filter(({ owned }) => owned > 0);
    this.#entries.push(entry);
    return true;
  }

  /** Of two, the one that had fewer turns. */
  pick(random: Random): Uint8Array {
    if (this.#entries.length === 0) return new Uint8Array(0);
    const one = random.pick(this.#entries);
    const other = random.pick(this.#entries);
    const chosen = one.picked <= other.picked ? one : other;
    chosen.picked++;
    return chosen.input;
  }

  any(random: Random): Uint8Array {
    return this.#entries.length === 0 ? new Uint8Array(0) : random.pick(this.#entries).input;
  }
}
