import type { Account } from './account.js';
import { raise } from './settle.js';

/** Something to send that may have to wait. */
export interface Entry {
  /** Bytes that count as waiting until it is done. */
  readonly byteLength: number;
  /** These bytes, which may wait on other connections too: they are held with all of them together. */
  readonly shared?: Uint8Array | undefined;
  /** May be left out for a recipient that is slow. */
  readonly mayDrop: boolean;
  /** What an entry with the same key takes the place of. */
  readonly key: unknown;
}

interface Node<E extends Entry> {
  entry: E;
  previous: Node<E> | undefined;
  next: Node<E> | undefined;
}

/** Keeps the order of what is sent while something takes time: the next entry starts when the one before is done, and no entry starts while `isHeld`. */
export class SendQueue<E extends Entry> {
  /** Starts one; it calls `done` once, at once or later. */
  readonly #start: (entry: E, done: () => void) => void;
  readonly #isHeld: () => boolean;
  #first: Node<E> | undefined;
  #last: Node<E> | undefined;
  #byKey: Map<unknown, Node<E>> | undefined;
  #isRunning = false;
  #bytes = 0;
  #ownBytes = 0;
  #count = 0;
  readonly #account: Account | undefined;

  constructor(start: (entry: E, done: () => void) => void, isHeld: () => boolean, account?: Account) {
    this.#account = account;
    this.#start = start;
    this.#isHeld = isHeld;
  }

  /** Nothing runs and nothing waits. */
  get isIdle(): boolean {
    return !this.#isRunning && this.#first === undefined;
  }
  /** Bytes of the entries that are not done. */
  get byteLength(): number {
    return this.#bytes;
  }
  /** The same without what is shared. */
  get ownBytes(): number {
    return this.#ownBytes;
  }
  /** How many wait. */
  get length(): number {
    return this.#count;
  }

  push(entry: E): void {
    this.#keep(entry);
    this.#count++;
    const node: Node<E> = { entry, previous: this.#last, next: undefined };
    if (this.#last) this.#last.next = node;
    else this.#first = node;
    this.#last = node;
    if (entry.key !== undefined && entry.mayDrop) (this.#byKey ??= new Map()).set(entry.key, node);
    this.run();
  }

  /** Starts what waits, unless something runs or it is held. */
  run(): void {
    while (!this.#isRunning && this.#first !== undefined && !this.#isHeld()) {
      const { entry } = this.#first;
      this.#unlink(this.#first);
      this.#isRunning = true;
      let isDone = false;
      let isLate = false;
      const done = (): void => {
        if (isDone) return;
        isDone = true;
        this.#isRunning = false;
        this.#letGo(entry);
        if (isLate) this.run();
      };
      try {
        this.#start(entry, done);
      } catch (error) {
        done();
        raise(error);
      }
      isLate = true;
    }
  }

  /** Does one with `key` wait? */
  has(key: unknown): boolean {
    return this.#byKey?.has(key) === true;
  }

  /** Puts another entry where one with `key` waits. @returns the one that was there */
  replace(key: unknown, make: () => E): E | undefined {
    const node = this.#byKey?.get(key);
    if (node === undefined) return undefined;
    const { entry: old } = node;
    node.entry = make();
    this.#keep(node.entry);
    this.#letGo(old);
    return old;
  }

  /** Takes out the entry that has waited longest, of those that may be. */
  dropOldest(): E | undefined {
    let node = this.#first;
    while (node !== undefined && !node.entry.mayDrop) node = node.next;
    if (node === undefined) return undefined;
    this.#unlink(node);
    this.#letGo(node.entry);
    return node.entry;
  }

  /** Takes out `entry` if it waits. */
  remove(entry: E): void {
    let node = this.#first;
    while (node !== undefined && node.entry !== entry) node = node.next;
    if (node === undefined) return;
    this.#unlink(node);
    this.#letGo(entry);
  }

  /** Takes out all that waits. What runs finishes into the void: its owner checks the state when it comes back. */
  clear(): E[] {
    const entries: E[] = [];
    for (let node = this.#first; node !== undefined; node = node.next) {
      entries.push(node.entry);
      this.#letGo(node.entry);
    }
    this.#first = this.#last = this.#byKey = undefined;
    this.#count = 0;
    return entries;
  }

  #keep({ byteLength, shared }: E): void {
    this.#bytes += byteLength;
    if (shared === undefined) this.#ownBytes += byteLength;
    else this.#account?.hold(shared);
  }

  #letGo({ byteLength, shared }: E): void {
    this.#bytes -= byteLength;
    if (shared === undefined) this.#ownBytes -= byteLength;
    else this.#account?.release(shared);
  }

  #unlink(node: Node<E>): void {
    const { entry, previous, next } = node;
    if (previous) previous.next = next;
    else this.#first = next;
    if (next) next.previous = previous;
    else this.#last = previous;
    this.#count--;
    if (entry.key !== undefined && this.#byKey?.get(entry.key) === node) this.#byKey.delete(entry.key);
  }
}
