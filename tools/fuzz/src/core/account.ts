import { must } from '../engine/failure.js';

/** Keeps account of what a connection says it holds: never less than nothing, nor more than it may. */
export class CountingAccount {
  bytes = 0;
  readonly #most: number;
  readonly #held = new Map<Uint8Array, number>();

  constructor(most: number) {
    this.#most = most;
  }

  add(change: number): void {
    must(Number.isSafeInteger(change), `${change} bytes more`);
    this.bytes += change;
    must(this.bytes >= 0 && this.bytes <= this.#most, `${this.bytes} bytes are held, limit ${this.#most}`);
  }

  hold(bytes: Uint8Array): void {
    this.#held.set(bytes, (this.#held.get(bytes) ?? 0) + 1);
    this.add(bytes.length);
  }

  release(bytes: Uint8Array): void {
    const times = this.#held.get(bytes) ?? 0;
    must(times > 0, 'what is not held is released');
    this.#held.set(bytes, times - 1);
    this.add(-bytes.length);
  }
}
