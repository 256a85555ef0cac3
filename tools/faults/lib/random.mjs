// Random numbers that a seed repeats: the same on every machine, and independent of who else draws.

/** A word out of several; what differs in one bit differs in half of them. @param {readonly number[]} parts */
function mix(parts) {
  let hash = 0x9e3779b9;
  for (const part of parts) {
    hash = Math.imul(hash ^ (part >>> 0), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

export class Random {
  #state;

  /** @param {readonly number[]} seeds integers */
  constructor(...seeds) {
    this.#state = mix(seeds);
  }

  /** From 0 to below 1. (mulberry32) */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer from 0 to below `end`. @param {number} end */
  below(end) {
    return Math.floor(this.next() * end);
  }

  /** An integer, both ends included. @param {number} least @param {number} most */
  between(least, most) {
    return least + this.below(most - least + 1);
  }

  /** The same, small ones as likely as ones ten times as large. @param {number} least above 0 @param {number} most */
  logBetween(least, most) {
    return Math.min(most, Math.floor(least * ((most + 1) / least) ** this.next()));
  }

  /** @param {number} probability */
  chance(probability) {
    return this.next() < probability;
  }

  /** @template T @param {readonly [T, ...T[]]} list @returns {T} */
  pick(list) {
    return list[this.below(list.length)] ?? list[0];
  }
}
