import type { Guards } from './guards.js';
import type { SendCallback } from './transport.js';

/** What it needs of the core. Its times are those of a clock that stands still while nothing is read. */
export interface HeartbeatHost {
  readonly readingTime: number;
  ping(payload: Uint8Array, callback: SendCallback): void;
  /** Changes whenever the byte stream has taken something that waited for it. */
  readonly progress: number;
  /** Something waits for the byte stream. */
  readonly hasBacklog: boolean;
  /** A round trip has taken so many ms. */
  latency(ms: number): void;
}

/** Weight of the newest round trip in the average. */
const NEWEST = 1 / 8;
/** While the ping waits behind other bytes, they are looked at so many times in the time it has. */
const LOOKS = 4;
/** `ws`, which tells our pings from the user's, and a number. */
const PAYLOAD_BYTES = 6;
const [W, S] = [0x77, 0x73];

/**
 * Asks a peer that is silent for a sign of life. Any byte is one. The peer's time runs from when the ping was with the operating system; a ping that
 * cannot get there counts as unanswered as soon as what it waits behind does not move either.
 */
export class Heartbeat {
  rule: NonNullable<Guards['heartbeat']>;
  /** Ms of a round trip, smoothed. */
  latency: number | undefined;
  readonly #host: HeartbeatHost;
  #number = 0;
  /** When the newest ping was sent, as long as nothing was heard since. */
  #askedAt: number | undefined;
  #sentAt = 0;
  /** The newest ping is with the operating system. */
  #isTaken = false;
  #progress = 0;
  #progressAt = 0;

  constructor(rule: NonNullable<Guards['heartbeat']>, host: HeartbeatHost) {
    this.rule = rule;
    this.#host = host;
  }

  /** @returns ms until it wants to look again; none are left if the peer is gone */
  check(now: number, heardAt: number): number {
    const { intervalMs, timeoutMs } = this.rule;
    if (this.#askedAt === undefined || heardAt >= this.#askedAt) {
      this.#askedAt = undefined;
      const wait = intervalMs - (now - heardAt);
      if (wait > 0) return wait;
      this.#ask(now);
      return Math.min(timeoutMs / LOOKS, intervalMs);
    }
    if (this.#isTaken) return Math.min(timeoutMs - (now - this.#sentAt), intervalMs);
    const { progress, hasBacklog } = this.#host;
    if (progress !== this.#progress || !hasBacklog) this.#progressAt = now; // it waits, if at all, for the end of a frame that we are writing
    this.#progress = progress;
    return Math.min(timeoutMs - (now - this.#progressAt), timeoutMs / LOOKS, intervalMs);
  }

  /** The clock was set back to `now`, from what was noted meanwhile. */
  setBack(now: number): void {
    if (this.#askedAt !== undefined) this.#askedAt = Math.min(this.#askedAt, now);
    this.#sentAt = Math.min(this.#sentAt, now);
    this.#progressAt = Math.min(this.#progressAt, now);
  }

  /** @returns whether it answers a ping of ours, be it an old one */
  pong(payload: Uint8Array): boolean {
    if (payload.length !== PAYLOAD_BYTES || payload[0] !== W || payload[1] !== S) return false;
    const number = new DataView(payload.buffer, payload.byteOffset).getUint32(2);
    if (number === 0 || number > this.#number) return false;
    if (number === this.#number && this.#isTaken) {
      this.#isTaken = false; // a second pong to it tells nothing
      const ms = this.#host.readingTime - this.#sentAt;
      this.latency = this.latency === undefined ? ms : this.latency + NEWEST * (ms - this.latency);
      this.#host.latency(ms);
    }
    return true;
  }

  #ask(now: number): void {
    const number = ++this.#number;
    const payload = new Uint8Array(PAYLOAD_BYTES);
    payload.set([W, S]);
    new DataView(payload.buffer).setUint32(2, number);
    this.#askedAt = this.#progressAt = now;
    this.#isTaken = false;
    this.#progress = this.#host.progress;
    this.#host.ping(payload, (error) => {
      if (error || number !== this.#number) return;
      this.#isTaken = true;
      this.#sentAt = this.#host.readingTime;
    });
  }
}
