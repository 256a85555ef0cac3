import type { Socket } from 'node:net';
import { WheelEntry } from '@ws/connection';
import type { Refusal } from './refusal.js';

/** A handshake that waits for an answer of user code. */
export interface PendingUpgrade {
  refuse(refusal: Refusal): void;
}

/** A TCP connection of the own port without a request yet: what there is of it, in one object. */
export class Silent extends WheelEntry {
  readonly socket: Socket;
  /** Since when, in ms. */
  readonly since: number;
  readonly #cut: (socket: Socket) => void;
  /** Its neighbours by age. A Map would keep those that are gone alive, for its tables do so with each other. */
  older: Silent | undefined;
  newer: Silent | undefined;

  /** @param cut what happens when its time is up */
  constructor(socket: Socket, since: number, cut: (socket: Socket) => void) {
    super();
    this.socket = socket;
    this.since = Math.ceil(since); // an integer, which costs no object
    this.#cut = cut;
  }

  expired(): void {
    this.#cut(this.socket);
  }
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
  #oldest: Silent | undefined;
  #newest: Silent | undefined;
  #silentCount = 0;
  readonly #waiting = new Set<PendingUpgrade>();
  /** Cuts the connection that makes room. */
  evict: (silent: Silent) => void = ({ socket }) => socket.destroy();
  /** Cuts one whose time is up. */
  timeOut: (socket: Socket) => void = (socket) => socket.destroy();

  /** @param max 0 for no limit @param now a clock, in ms */
  constructor(max: number, now: () => number = () => performance.now()) {
    this.#max = max || Infinity;
    this.#now = now;
  }

  get size(): number {
    return this.#silentCount + this.#waiting.size;
  }
  /** TCP connections without a request yet, oldest first; whoever is met may go. */
  get silent(): Socket[] {
    const sockets: Socket[] = [];
    for (let silent = this.#oldest; silent; silent = silent.newer) sockets.push(silent.socket);
    return sockets;
  }
  /** Handshakes that wait for user code. */
  get waiting(): Iterable<PendingUpgrade> {
    return this.#waiting;
  }

  /** @returns undefined if there is no place */
  addSilent(socket: Socket): Silent | undefined {
    if (!this.#makeRoom()) return undefined;
    const silent = new Silent(socket, this.#now(), this.timeOut);
    const newest = this.#newest;
    if (newest) newest.newer = silent;
    else this.#oldest = silent;
    silent.older = newest;
    this.#newest = silent;
    this.#silentCount++;
    return silent;
  }

  /** To be called once. */
  deleteSilent(silent: Silent): void {
    const { older, newer } = silent;
    if (older) older.newer = newer;
    else this.#oldest = newer;
    if (newer) newer.older = older;
    else this.#newest = older;
    silent.older = silent.newer = undefined;
    this.#silentCount--;
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
    const oldest = this.#oldest;
    if (!oldest || this.#now() - oldest.since <= PATIENCE_MS) return false;
    this.deleteSilent(oldest);
    this.evict(oldest);
    return true;
  }
}
