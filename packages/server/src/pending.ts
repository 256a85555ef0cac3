import type { Socket } from 'node:net';
import type { Refusal } from './refusal.js';

/** A handshake that waits for an answer of user code. */
export interface PendingUpgrade {
  refuse(refusal: Refusal): void;
}

/** A TCP connection that has not come to a request for so long makes room for another, in ms. */
const PATIENCE_MS = 1000;

/**
 * Who is on the way to a connection: TCP connections of the own port without a request yet, and handshakes that wait for user code. Together they
 * are `maxPending` at most. One that comes when all places are taken gets that of the connection which has been silent longest, if that is more
 * than a second, for whoever means it asks at once; else it has to go itself.
 */
export class Pending {
  readonly #max: number;
  readonly #now: () => number;
  /** Since when, in ms; in this order. */
  readonly #silent = new Map<Socket, number>();
  readonly #waiting = new Set<PendingUpgrade>();
  /** Cuts the connection that makes room. */
  evict: (socket: Socket) => void = (socket) => socket.destroy();

  /** @param max 0 for no limit @param now a clock, in ms */
  constructor(max: number, now: () => number = () => performance.now()) {
    this.#max = max || Infinity;
    this.#now = now;
  }

  get size(): number {
    return this.#silent.size + this.#waiting.size;
  }
  /** TCP connections without a request yet. */
  get silent(): Iterable<Socket> {
    return this.#silent.keys();
  }
  /** Handshakes that wait for user code. */
  get waiting(): Iterable<PendingUpgrade> {
    return this.#waiting;
  }

  /** @returns false if there is no place */
  addSilent(socket: Socket): boolean {
    if (!this.#makeRoom()) return false;
    this.#silent.set(socket, this.#now());
    return true;
  }

  /** @returns whether it was one */
  deleteSilent(socket: Socket): boolean {
    return this.#silent.delete(socket);
  }

  /** @returns false if there is no place */
  addWaiting(upgrade: PendingUpgrade): boolean {
    if (!this.#makeRoom()) return false;
    this.#waiting.add(upgrade);
    return true;
  }

  deleteWaiting(upgrade: PendingUpgrade): void {
    this.#waiting.delete(upgrade);
  }

  #makeRoom(): boolean {
    if (this.size < this.#max) return true;
    for (const [socket, since] of this.#silent) {
      if (this.#now() - since <= PATIENCE_MS) return false;
      this.#silent.delete(socket);
      this.evict(socket);
      return true;
    }
    return false;
  }
}
