import { GuardError, type GuardCode } from './guard-error.js';
import { GRACE_MS, soonest, type Guards } from './guards.js';
import { Heartbeat, type HeartbeatHost } from './heartbeat.js';
import { RateGate } from './rate-gate.js';
import type { SendCallback } from './transport.js';

/** What it needs of the core. */
export interface WatchHost extends Omit<HeartbeatHost, 'readingTime'> {
  /** Its end has begun: only what is received is still of interest. */
  readonly isEnding: boolean;
  /** A message has begun and not ended, and whether it is given as it comes. */
  readonly isInMessage: boolean;
  readonly isStreamed: boolean;
  /** When the last data frame went by, in either direction; and when it is to count as if one had. */
  dataAt: number;
  now(): number;
  random(): number;
  /** Reading waits for {@link readOn}. */
  pauseReading(): void;
  readOn(): void;
  /** `Watch.deadline` is earlier than it was. */
  deadline(): void;
  /** Ends it: as the error has it, with a closing handshake, as an offence, or by cutting TCP. */
  close(error: GuardError): void;
  fail(error: GuardError): void;
  cut(error: GuardError): void;
}

/** An event loop that comes so late is not at fault, it is only busy. */
const STALL_MS = 10;
/** After a stall nobody is judged for as long as it lasted, but no longer than this. */
const MAX_RESPITE_MS = 5000;

/**
 * The guards of one connection, as far as they go by the clock: they look only when time is up, and are told no more than what they need then. What
 * the peer has time for is measured by a clock that stands still while we do not read. See docs/decisions/guards.md.
 */
export class Watch implements HeartbeatHost {
  #host: WatchHost;
  readonly #openedAt: number;
  #guards: Guards;
  #heartbeat: Heartbeat | undefined;
  #rates: RateGate | undefined;
  #deadline = Infinity;
  /** What of `maxLifetime` this connection gets. */
  #share: number | undefined;

  /** All the time in which reading was held, and since when it is. */
  #heldMs = 0;
  #heldAt: number | undefined;
  /** A look was due while reading was held. */
  #hasMissed = false;
  #stalledMs = 0;

  // By the clock that stands still while reading is held.
  #heardAt: number;
  #messageAt = 0;
  #pieceAt = 0;
  /** Bytes of the message that is open. */
  #received = 0;
  #progress = 0;

  constructor(
    guards: Guards,
    host: WatchHost,
    { openedAt, heardAt, now }: Record<'openedAt' | 'heardAt' | 'now', number>,
  ) {
    this.#host = host;
    this.#openedAt = openedAt;
    this.#heardAt = heardAt;
    this.#messageAt = this.#pieceAt = now;
    this.#guards = guards;
    this.#apply(guards, now);
    this.#deadline = now > openedAt ? now : now + this.#soonest();
  }

  /** The core may be another one, of the same connection. */
  set host(host: WatchHost) {
    this.#host = host;
  }

  /** Ms of the options' clock at which `handleTimeout` wants to be called; `Infinity`: never. */
  get deadline(): number {
    return this.#rates === undefined ? this.#deadline : Math.min(this.#deadline, this.#rates.until);
  }
  /** {@link frame} is to be called. */
  get limitsRate(): boolean {
    return this.#rates !== undefined;
  }
  /** Ms of a round trip, as the heartbeat knows it. */
  get averageLatency(): number | undefined {
    return this.#heartbeat?.latency;
  }

  /** From now on. */
  update(guards: Guards, now: number): void {
    const { idleTimeoutMs, messageTimeoutMs, minProgressRate } = this.#guards;
    if (guards.idleTimeoutMs !== idleTimeoutMs) this.#host.dataAt = now;
    if (guards.messageTimeoutMs !== messageTimeoutMs || guards.minProgressRate !== minProgressRate) {
      this.#messageAt = this.#pieceAt = this.#readingTime(now);
      this.#received = 0;
    }
    this.#guards = guards;
    this.#apply(guards, now);
    if (!this.#host.isEnding) this.#look(now);
    else if (this.#rates?.isShut) this.#host.deadline();
  }

  #apply(guards: Guards, now: number): void {
    const { heartbeat, messageRate, byteRate } = guards;
    if (heartbeat === undefined) this.#heartbeat = undefined;
    else if (this.#heartbeat) this.#heartbeat.rule = heartbeat;
    else this.#heartbeat = new Heartbeat(heartbeat, this);
    if (messageRate ?? byteRate) this.#rates ??= new RateGate();
    this.#rates?.update(guards, now);
    if (guards.maxLifetimeMs !== Infinity) this.#share ??= 1 - this.#host.random() / 10;
  }

  // What happens on the connection.

  /** A chunk has come. @returns whether it may be parsed */
  heard(byteLength: number, now: number): boolean {
    this.#heardAt = this.#readingTime(now);
    if (this.#rates === undefined) return true;
    const error = this.#rates.chunk(byteLength, now);
    if (error) this.#host.fail(error);
    return !error;
  }

  /** It is parsed, as far as it goes. */
  parsed(): void {
    if (this.#rates?.isShut) this.#shut(this.#rates);
  }

  /** A frame begins that is no continuation. @throws {GuardError} */
  frame(now: number): void {
    if (this.#rates === undefined) return;
    const error = this.#rates.message(now);
    if (error) throw error;
    if (this.#rates.isShut) this.#shut(this.#rates);
  }

  /** A message begins that does not lie whole in its chunk. */
  messageBegins(now: number): void {
    this.#messageAt = this.#pieceAt = this.#readingTime(now);
    this.#received = 0;
    const { messageTimeoutMs, minProgressRate } = this.#guards;
    this.#look(now + (minProgressRate > 0 ? Math.min(messageTimeoutMs, GRACE_MS) : messageTimeoutMs));
  }

  piece(byteLength: number, now: number): void {
    this.#received += byteLength;
    this.#pieceAt = this.#readingTime(now);
    this.#host.dataAt = now;
  }

  /** @returns whether it answers a ping of ours, which is no news to anybody else */
  pong(payload: Uint8Array): boolean {
    return this.#heartbeat !== undefined && this.#heartbeat.pong(payload);
  }

  held(now: number): void {
    this.#heldAt = now;
  }

  readsOn(now: number): void {
    if (this.#heldAt === undefined) return;
    this.#heldMs += now - this.#heldAt;
    this.#heldAt = undefined;
    this.#host.dataAt = now;
    if (!this.#hasMissed) return;
    this.#hasMissed = false;
    this.#look(now + 1); // by then what waited is read
  }

  /** `stalledMs`: so much of the time before was nobody's, since this process was busy with something else. */
  handleTimeout(now: number, stalledMs: number): void {
    if (now >= this.#deadline) {
      this.#deadline = Infinity;
      if (!this.#host.isEnding) this.#deadline = now + this.#lookAround(now, stalledMs);
    }
    if (this.#rates?.opens(now)) this.#host.readOn(); // last: it parses
  }

  // For the heartbeat.

  get readingTime(): number {
    return this.#readingTime(this.#host.now());
  }
  get progress(): number {
    return this.#host.progress;
  }
  get hasBacklog(): boolean {
    return this.#host.hasBacklog;
  }
  ping(payload: Uint8Array, callback: SendCallback): void {
    this.#host.ping(payload, callback);
  }
  latency(ms: number): void {
    this.#host.latency(ms);
  }

  /** @returns ms until the next look, `Infinity` where this was the last */
  #lookAround(now: number, stalledMs: number): number {
    if (stalledMs <= Math.max(STALL_MS, 2 * this.#stalledMs)) {
      this.#stalledMs = 0;
      return this.#judge(now);
    }
    this.#stalledMs = stalledMs;
    if (this.#heldAt === undefined) this.#takeOff(stalledMs, now);
    return Math.min(stalledMs, MAX_RESPITE_MS);
  }

  /** A stall is no reading time. What was noted at its end, late, was so at its beginning. */
  #takeOff(stalledMs: number, now: number): void {
    this.#heldMs += stalledMs;
    const time = this.#readingTime(now);
    this.#heardAt = Math.min(this.#heardAt, time);
    this.#messageAt = Math.min(this.#messageAt, time);
    this.#pieceAt = Math.min(this.#pieceAt, time);
    this.#heartbeat?.setBack(time);
  }

  /** @returns as {@link #lookAround} */
  #judge(now: number): number {
    if (this.#heldAt !== undefined) this.#hasMissed = true;
    const { maxLifetimeMs, idleTimeoutMs } = this.#guards;
    let wait = this.#openedAt + maxLifetimeMs * (this.#share ?? 1) - now;
    if (wait <= 0) return this.#end('close', 'WS_ERR_MAX_LIFETIME', `${maxLifetimeMs} ms`);
    if (this.#hasMissed) return Math.min(wait, this.#soonest());
    const time = this.#readingTime(now);
    if (this.#heartbeat) {
      const left = this.#heartbeat.check(time, this.#heardAt);
      if (left <= 0) return this.#end('cut', 'WS_ERR_HEARTBEAT_TIMEOUT', `${this.#heartbeat.rule.timeoutMs} ms`);
      wait = Math.min(wait, left);
    }
    if (this.#host.isInMessage) {
      const left = this.#leftOfMessage(time);
      if (left <= 0) return Infinity;
      wait = Math.min(wait, left);
    }
    if (idleTimeoutMs === Infinity) return wait;
    const left = this.#host.dataAt + idleTimeoutMs - now;
    if (left > 0) return Math.min(wait, left);
    if (this.#isWriting()) return Math.min(wait, idleTimeoutMs);
    return this.#end('close', 'WS_ERR_IDLE_TIMEOUT', `${idleTimeoutMs} ms`);
  }

  #leftOfMessage(time: number): number {
    const { messageTimeoutMs, minProgressRate } = this.#guards;
    const left = messageTimeoutMs - (time - (this.#host.isStreamed ? this.#pieceAt : this.#messageAt));
    if (left <= 0) this.#end('fail', 'WS_ERR_MESSAGE_TIMEOUT', `${messageTimeoutMs} ms`);
    if (left <= 0 || minProgressRate === 0) return left;
    const allowedMs = Math.max(GRACE_MS, (this.#received / minProgressRate) * 1000);
    const leftAtRate = allowedMs - (time - this.#messageAt);
    if (leftAtRate <= 0) {
      const detail = `${this.#received} bytes in ${Math.round(time - this.#messageAt)} ms, ${minProgressRate} a second expected`;
      this.#end('fail', 'WS_ERR_PROGRESS_RATE', detail);
    }
    return Math.min(left, leftAtRate);
  }

  /** A long message is on its way out, and moves. */
  #isWriting(): boolean {
    const { progress, hasBacklog } = this.#host;
    const isWriting = hasBacklog && progress !== this.#progress;
    this.#progress = progress;
    return isWriting;
  }

  #end(how: 'close' | 'fail' | 'cut', code: GuardCode, detail: string): number {
    this.#host[how](new GuardError(code, detail));
    return Infinity;
  }

  #soonest(): number {
    return soonest(this.#guards, this.#host.isInMessage, this.#share);
  }

  #shut(rates: RateGate): void {
    this.#host.pauseReading();
    if (rates.until < this.#deadline) this.#host.deadline();
  }

  #look(at: number): void {
    if (at >= this.#deadline) return;
    this.#deadline = at;
    this.#host.deadline();
  }

  #readingTime(now: number): number {
    return (this.#heldAt ?? now) - this.#heldMs;
  }
}
