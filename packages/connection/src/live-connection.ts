import type { FrameHead, MaskingMemory } from '@ws/frame';
import type { Duplex } from 'node:stream';
import { closeReport, now } from './close-report.js';
import type { Connection } from './connection.js';
import { kIsBusy, kOwner, kSettings, type ConnectionOwner, type Subject } from './connection-owner.js';
import { coreOptions, type Role } from './core-options.js';
import { maskingKeysFrom, randomMaskingKey } from './masking-key.js';
import type { Claim, Holder, Keeper, MemoryAccount } from './memory-account.js';
import { MemoryBudget } from './memory-budget.js';
import type { ConnectionSettings } from './options.js';
import { Outflow, type OutflowHost } from './outflow.js';
import {
  GuardError,
  Protocol,
  type Extension,
  type Failure,
  type MessageHead,
  type MessageSink,
  type ProtocolHandlers,
} from './protocol/index.js';
import { pauseReading } from './reading.js';
import { leaves, wakes, type Sleeper } from './sleep.js';
import { StoredInput } from './stored-input.js';
import { letGo, type StreamTaker } from './stream-listeners.js';
import type { SlowInfo } from './types.js';

/** What a connection was told when it began. */
export interface Beginning {
  readonly role: Role;
  readonly extensions: readonly Extension[];
  readonly subject: Subject;
  /** By the core's clock. */
  readonly openedAt: number;
  /** Its place among those that were made before and after. */
  readonly serial: number;
  /** It was awake before. */
  readonly past: Past | undefined;
}

/** What is left of what was awake, while the connection sleeps. */
export interface Past extends ReturnType<Protocol['leave']> {
  readonly bytesSent: number;
}

/** A connection on which something comes to pass: the protocol core and the sending half, what each tells the other, and what the stream tells them. */
export class LiveConnection implements ProtocolHandlers, OutflowHost, Holder, StreamTaker, Sleeper {
  place = -1;
  readonly protocol: Protocol;
  readonly outflow: Outflow;
  readonly #duplex: Duplex;
  readonly #subject: Subject;
  readonly #owner: ConnectionOwner;
  readonly #account: MemoryAccount | undefined;
  readonly #connection: Connection;
  /** Bytes in both directions when it was last asked whether it sleeps. */
  #seen = -1;
  #streamError: Error | null = null;
  #inputEnded = false;
  #streamClosed = false;
  #isClosed = false;
  /** By the user. */
  #isPaused = false;
  /** Who takes messages at his own pace, and has enough for now. */
  #readers: Set<object> | undefined;
  /** What the account knows of that was received and not parsed. */
  #keptBytes = 0;
  #stored: StoredInput | undefined;

  /** @throws {RangeError} for extensions that cannot be together */
  constructor(connection: Connection, { role, extensions, subject, openedAt, serial, past }: Beginning) {
    const { duplex } = connection;
    const settings = subject[kSettings];
    const { memoryLimit, generateMask } = settings;
    const budget = typeof memoryLimit === 'number' ? new MemoryBudget(memoryLimit) : memoryLimit;
    const account = budget?.open(this, serial);
    const maskingKey = role === 'server' ? undefined : generateMask ? maskingKeysFrom(generateMask) : randomMaskingKey;
    this.#connection = connection;
    this.#duplex = duplex;
    this.#account = account;
    this.outflow = new Outflow(duplex, maskingKey, settings, this, account, past?.bytesSent ?? 0);
    const options = coreOptions(settings, { role, openedAt, extensions, duplex, account });
    this.protocol = new Protocol(options, this.outflow, this, past);
    this.#owner = subject[kOwner]();
    this.#subject = subject;
  }

  /** It is known where it must be, and may be held for want of memory at once. */
  begin(): void {
    if (!this.#isClosed) wakes(this);
    if (this.#account) this.#account.budget.ready(this.#account);
  }

  /** @returns what is to be kept while the connection sleeps; undefined where something goes on, or may be referred to */
  #leave(): Past | undefined {
    const { protocol, outflow } = this;
    const isUsual = this.#streamError === null && !this.#inputEnded && !this.#streamClosed && !this.#isPaused;
    const isRead = !this.#duplex.isPaused() && this.#duplex.readableLength === 0 && this.#keptBytes === 0;
    const isFree = !this.#readers?.size && this.#owner.isQuiet && !this.#subject[kIsBusy];
    if (!isUsual || !isRead || !isFree || !protocol.isQuiet || !outflow.isQuiet) return undefined;
    if (this.#account?.isFree === false) return undefined;
    this.#account?.close();
    return { ...protocol.leave(), bytesSent: outflow.bytesTaken };
  }

  nod(): boolean {
    const activity = this.protocol.bytesReceived + this.outflow.bytesTaken;
    const isSilent = activity === this.#seen;
    this.#seen = activity;
    const past = isSilent ? this.#leave() : undefined;
    if (past) this.#connection.sleep(past);
    return past !== undefined;
  }

  get isOpen(): boolean {
    return this.protocol.state === 'open' && !this.outflow.isEnded;
  }
  get isClosed(): boolean {
    return this.#isClosed;
  }
  /** What broke it: the peer's offence, or an error of the stream. */
  get brokenBy(): Error | null {
    return this.protocol.closing.error ?? this.#streamError;
  }

  /** As if it had been made with these, as far as they are limits and guards: from the next frame on. */
  update(settings: ConnectionSettings): void {
    this.protocol.limits = settings.limits;
    this.protocol.guards = settings.guards;
    this.outflow.settings = settings;
    this.#connection.deadline();
  }

  /** So many bytes are held for the user as long as there is a connection. */
  keep(byteLength: number): void {
    this.#account?.add(byteLength);
  }

  /** Counts what `keeper` has of what came, until it is taken. */
  claim(keeper: Keeper): Claim | undefined {
    return this.#account?.claim(keeper);
  }

  /** What was sent in this turn is with the stream. */
  flush(): void {
    if (!this.#duplex.destroyed) this.outflow.flush();
  }

  /** Cut, by the user: what was sent in this turn is with the stream before. */
  terminate(): void {
    this.outflow.flush();
    this.protocol.stop('local');
    this.outflow.destroy();
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  pause(): void {
    this.#isPaused = true;
    this.protocol.pause();
    this.#stopReading();
  }

  resume(): void {
    this.#isPaused = false;
    this.#inTurn(() => this.protocol.resume());
  }

  /** `reader` has enough: nothing is read until all such readers are ready again. */
  holdFor(reader: object): void {
    (this.#readers ??= new Set()).add(reader);
    this.protocol.pause('reader');
    this.#stopReading();
    if (this.#streamClosed) process.nextTick(() => this.closed()); // it waited for what nobody takes now
  }

  /** `reader` takes more, or nothing ever again. */
  readOnFor(reader: object): void {
    if (this.#readers?.delete(reader) && this.#readers.size === 0) this.#inTurn(() => this.protocol.resume('reader'));
  }

  // As a holder of memory.

  pauseForMemory(): void {
    this.protocol.pause('memory');
    this.#stopReading();
    if (this.#streamClosed) process.nextTick(() => this.closed());
  }

  readOnForMemory(): void {
    this.#inTurn(() => this.protocol.resume('memory'));
  }

  relieve(): void {
    this.protocol.relieve();
  }

  recount(): void {
    this.#stored?.gather();
    this.#countInput();
  }

  /** The peer is told if nothing waits before that. */
  shed(): void {
    const error = new GuardError('WS_ERR_MEMORY_LIMIT');
    this.outflow.flush();
    try {
      const mayBeTold = this.isOpen && !this.#duplex.destroyed && this.outflow.bufferedAmount === 0;
      this.protocol.stop('limit');
      if (mayBeTold) this.protocol.fail(error);
      else this.protocol.cut(error);
    } finally {
      this.protocol.freeExtensions();
      this.outflow.flush();
    }
  }

  /** No further event in this turn of the event loop. */
  endTurn(): void {
    this.protocol.pause('turn');
    setImmediate(() => this.#inTurn(() => this.protocol.resume('turn')));
  }

  // What the stream tells.

  received(chunk: Uint8Array): void {
    if (this.#stored?.isGathering) return;
    this.outflow.beginTurn(); // as #inTurn does, without a closure for each chunk
    this.protocol.tellsFrames = this.#owner.hearsFrames;
    let isDone = false;
    try {
      this.protocol.receive(chunk);
      isDone = true;
    } finally {
      this.#turnEnds(isDone);
    }
  }

  receivedLent(memory: MaskingMemory, byteLength: number): void {
    this.outflow.beginTurn();
    this.protocol.tellsFrames = this.#owner.hearsFrames;
    let isDone = false;
    try {
      this.protocol.receiveLent(memory, byteLength);
      isDone = true;
    } finally {
      this.#turnEnds(isDone);
    }
  }

  inputEnded(): void {
    this.#inputEnded = true;
    if (!this.protocol.peerEnd()) return; // it ends behind our Close frame
    if (!this.protocol.isHeld || this.protocol.isStopped) this.end();
  }

  failed(error: Error): void {
    this.#streamError ??= error;
    this.outflow.broken();
    this.#duplex.destroy(); // for streams that do not do it by themselves
  }

  closed(): void {
    if (!this.#streamClosed) this.#owner.streamClosed(this.#duplex);
    this.#streamClosed = true;
    if (this.#isClosed || this.protocol.isBusy) return;
    this.#isClosed = true;
    this.#connection.ends();
    leaves(this);
    this.outflow.close();
    this.protocol.transportEnd();
    letGo(this.#duplex);
    this.#account?.close();
    this.#owner.close(closeReport(this.protocol, this.outflow.bytesUnsent, this.#streamError));
  }

  // What the sending half tells.

  ended(): void {
    if (this.#inputEnded) this.#duplex.destroy();
  }

  end(): void {
    if (this.#inputEnded) this.protocol.inputEnd();
    this.outflow.finish();
    this.#duplex.resume(); // what still comes is dropped; its end must be seen
    if (this.#inputEnded && this.#duplex.writableFinished) this.#duplex.destroy();
  }

  full(): void {
    this.#owner.full();
  }
  drain(): void {
    this.#owner.drain();
  }
  slow(info: SlowInfo): void {
    this.#owner.slow(info);
  }
  recovered(info: SlowInfo): void {
    this.#owner.recovered(info);
  }

  // What the core tells.

  message(data: Uint8Array | Uint8Array[], isText: boolean): void {
    this.#owner.message(data, isText);
  }
  incoming(head: MessageHead): MessageSink | undefined {
    return this.#owner.incoming(head, this.#connection);
  }
  frame(head: FrameHead): void {
    this.#owner.frame(head);
  }
  ping(payload: Uint8Array): void {
    this.#owner.ping(payload);
  }
  pong(payload: Uint8Array): void {
    this.#owner.pong(payload);
  }
  closing(code: number, reason: string, initiator: 'local' | 'remote'): void {
    this.#countInput();
    this.outflow.recount();
    this.#owner.closing(code, reason, initiator);
  }
  failure(error: Failure): void {
    this.outflow.recount();
    this.#owner.failure(error);
  }

  ready(): void {
    if (this.#keptBytes !== 0) this.#countInput();
    if (this.#streamClosed) return this.closed();
    if (this.protocol.isHeld && !this.protocol.isStopped) return;
    if (this.#account) this.#account.budget.unwatch(this.#account);
    this.#duplex.resume();
    if (this.#inputEnded && this.protocol.peerEnd()) this.end();
  }

  turnUsed(): void {
    setImmediate(() => this.#inTurn(() => this.protocol.nextTurn()));
  }

  deadline(): void {
    this.#connection.deadline();
  }

  timeout(stalledMs: number): void {
    this.#inTurn(() => this.protocol.handleTimeout(now(), stalledMs));
  }

  /** Parses; what is sent meanwhile leaves in one write. A listener that throws stops only itself: the rest follows. */
  #inTurn(parse: () => void): void {
    this.outflow.beginTurn();
    this.protocol.tellsFrames = this.#owner.hearsFrames;
    let isDone = false;
    try {
      parse();
      isDone = true;
    } finally {
      this.#turnEnds(isDone);
    }
  }

  #turnEnds(isDone: boolean): void {
    this.outflow.endTurn();
    if (!isDone) setImmediate(() => this.#inTurn(() => this.protocol.proceed()));
    const { isHeld } = this.protocol;
    if (isHeld) this.#stopReading();
    if (this.#account && (isHeld || this.#keptBytes !== 0)) this.#countInput();
  }

  /** The stream goes on until it has so much in store. */
  #stopReading(): void {
    if (this.protocol.isStopped) return;
    pauseReading(this.#duplex);
    if (this.#account === undefined) return;
    (this.#stored ??= new StoredInput(this.#duplex)).restart();
    this.#account.watch();
  }

  /** Tells the account what was received and not parsed. */
  #countInput(): void {
    if (this.#account === undefined) return;
    const bytes = this.protocol.keptBytes + (this.#duplex.isPaused() ? this.#duplex.readableLength : 0);
    if (bytes !== this.#keptBytes) this.#account.add(bytes - this.#keptBytes);
    this.#keptBytes = bytes;
  }
}
