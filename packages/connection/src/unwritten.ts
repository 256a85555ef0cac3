import type { Account } from './protocol/index.js';

interface Held {
  readonly bytes: Uint8Array;
  /** Of what is to be written, so much is this. */
  readonly written: number;
}

/** Memory of others from which a stream has still to write: what the user gave, and the slab that all connections share. */
export class Unwritten {
  readonly #account: Account;
  readonly #held: Held[] = [];
  /** How many of these it is waited for. */
  #awaited = 0;
  #byteLength = 0;

  constructor(account: Account) {
    this.#account = account;
  }

  /** Bytes to be written that are the user's. */
  get byteLength(): number {
    return this.#byteLength;
  }

  addSlab(bytes: Uint8Array): void {
    this.#hold({ bytes, written: 0 });
  }

  addPayload(bytes: Uint8Array): void {
    this.#hold({ bytes, written: bytes.length });
  }

  /** Something goes out behind what is here now, and tells when it is out. */
  await(): void {
    this.#awaited = this.#held.length;
  }

  /** It is out. */
  arrived(): void {
    for (const { bytes, written } of this.#held.splice(0, this.#awaited)) {
      this.#byteLength -= written;
      this.#account.release(bytes);
    }
    this.#awaited = 0;
  }

  #hold(held: Held): void {
    this.#held.push(held);
    this.#byteLength += held.written;
    this.#account.hold(held.bytes);
  }
}
