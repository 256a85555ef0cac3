import type { Duplex } from 'node:stream';
import type { MaskingMemory } from '@ws/frame';
import { now } from './close-report.js';
import { kSettings, type Subject } from './connection-owner.js';
import type { Role } from './core-options.js';
import { LiveConnection, type Past } from './live-connection.js';
import type { Claim, Keeper } from './memory-account.js';
import type { Outflow } from './outflow.js';
import type { Extension, Failure, Initiator, Protocol } from './protocol/index.js';
import { soonest } from './protocol/guards.js';
import { catchUp, giveTo, isTaken, listen, type StreamTaker } from './stream-listeners.js';
import { TimerWheel, WheelEntry } from './timer-wheel.js';
import { sharedTimers } from './timers.js';

let connections = 0;

/**
 * A connection on a Duplex, and its time limit. All that is costly is its live part's, which is made when there is something for it to do:
 * thousands of connections never say a word, and it goes when it has had nothing to do for long. See docs/decisions/idle-connections.md.
 */
export class Connection extends WheelEntry implements StreamTaker {
  readonly duplex: Duplex;
  readonly #subject: Subject;
  readonly #role: Role;
  /** An integer, which costs no object. */
  readonly #openedAt = Math.ceil(now());
  readonly #serial = connections++;
  #live: LiveConnection | undefined;
  /** While it sleeps that was awake. */
  #past: Past | undefined;

  /** @throws {TypeError} when the stream already carries a connection */
  constructor(duplex: Duplex, role: Role, extensions: readonly Extension[], subject: Subject) {
    super();
    if (isTaken(duplex)) throw new TypeError('this stream already carries a WebSocket');
    this.duplex = duplex;
    this.#role = role;
    this.#subject = subject;
    if (extensions.length > 0)
      Connection.#wake(this, extensions); // which may refuse them
    else giveTo(this, duplex);
  }

  /** Data flows from a later tick on; `head` comes first. */
  start(head: Uint8Array): void {
    listen(this.duplex, head);
    this.deadline();
    catchUp(this.duplex);
  }

  /** From the first byte in either direction on, and for whatever is asked of it. */
  get live(): LiveConnection {
    return this.#live ?? Connection.#wake(this, []);
  }
  get protocol(): Protocol {
    return this.live.protocol;
  }
  get outflow(): Outflow {
    return this.live.outflow;
  }

  get isOpen(): boolean {
    return !this.duplex.destroyed && (this.#live === undefined || this.#live.isOpen);
  }
  get isClosed(): boolean {
    return this.#live !== undefined && this.#live.isClosed;
  }
  get isPaused(): boolean {
    return this.#live !== undefined && this.#live.isPaused;
  }
  get brokenBy(): Error | null {
    return this.#live?.brokenBy ?? null;
  }

  get bufferedAmount(): number {
    return this.#live ? this.#live.outflow.bufferedAmount : this.duplex.writableLength;
  }
  get bytesReceived(): number {
    return (this.#live?.protocol ?? this.#past)?.bytesReceived ?? 0;
  }
  get bytesSent(): number {
    return this.#live?.outflow.bytesTaken ?? this.#past?.bytesSent ?? 0;
  }
  get messagesReceived(): number {
    return (this.#live?.protocol ?? this.#past)?.messagesReceived ?? 0;
  }
  get messagesSent(): number {
    return (this.#live?.protocol ?? this.#past)?.messagesSent ?? 0;
  }
  get latency(): number | undefined {
    return this.#live ? this.#live.protocol.latency : this.#past?.watch?.averageLatency;
  }
  set keepFragments(keep: boolean) {
    if (keep || this.#live) this.protocol.keepFragments = keep;
  }
  set streams(streams: boolean) {
    if (streams || this.#live) this.protocol.streams = streams;
  }

  /** Does nothing once it is closing: a relay passes on what no Close frame may carry, 1006 of a peer that has cut. @throws as `Protocol.close` */
  closeWith(
    code: number | undefined,
    reason: string | Uint8Array | undefined,
    initiator?: Initiator,
    error?: Failure,
  ): void {
    if (this.isOpen) this.protocol.close(code, reason, initiator, error);
  }

  // What the live part does.

  keep(byteLength: number): void {
    this.live.keep(byteLength);
  }
  claim(keeper: Keeper): Claim | undefined {
    return this.#live?.claim(keeper);
  }
  flush(): void {
    this.#live?.flush();
  }
  terminate(): void {
    this.live.terminate();
  }
  pause(): void {
    this.live.pause();
  }
  resume(): void {
    this.live.resume();
  }
  holdFor(reader: object): void {
    this.live.holdFor(reader);
  }
  readOnFor(reader: object): void {
    this.#live?.readOnFor(reader);
  }
  endTurn(): void {
    this.live.endTurn();
  }

  // What the stream tells first; all that follows it tells the live part.

  received(chunk: Uint8Array): void {
    this.live.received(chunk);
  }
  receivedLent(memory: MaskingMemory, byteLength: number): void {
    this.live.receivedLent(memory, byteLength);
  }
  inputEnded(): void {
    this.live.inputEnded();
  }
  failed(error: Error): void {
    this.live.failed(error);
  }
  closed(): void {
    this.live.closed();
  }

  // The time limit.

  /** It may be another than it was. */
  deadline(): void {
    const protocol = this.#live?.protocol;
    const keepsAlive = protocol !== undefined && protocol.hasToClose;
    const deadline = protocol ? protocol.nextDeadline() : Connection.#firstDeadline(this);
    if (deadline === undefined || this.isClosed) return;
    const isScheduled = TimerWheel.isScheduled(this);
    if (isScheduled && this.wheelTime <= deadline && this.keepsAlive === keepsAlive) return; // it will see then
    sharedTimers.cancel(this);
    this.keepsAlive = keepsAlive; // an open socket keeps the process alive by itself
    sharedTimers.schedule(this, deadline - now());
  }

  expired(stalledMs: number): void {
    try {
      this.live.timeout(stalledMs);
    } finally {
      this.deadline();
    }
  }

  /** The live part is not used any more. */
  sleep(past: Past): void {
    this.#live = undefined;
    this.#past = past;
    giveTo(this, this.duplex);
  }

  /** There is no time limit any more. */
  ends(): void {
    sharedTimers.cancel(this);
  }

  // Not methods: a private method is a field of each instance.

  static #firstDeadline(connection: Connection): number | undefined {
    const ms = soonest(connection.#subject[kSettings].guards, false);
    return ms === Infinity ? undefined : connection.#openedAt + ms;
  }

  static #wake(connection: Connection, extensions: readonly Extension[]): LiveConnection {
    const live = new LiveConnection(connection, {
      role: connection.#role,
      extensions,
      subject: connection.#subject,
      openedAt: connection.#openedAt,
      serial: connection.#serial,
      past: connection.#past,
    });
    connection.#live = live;
    connection.#past = undefined;
    giveTo(live, connection.duplex);
    live.begin();
    return live;
  }
}
