import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { encodeClosePayload, type MaskingMemory } from '@ws/frame';
import { closeReport, now } from './close-report.js';
import { coreOptions, type Role } from './core-options.js';
import type { Claim, Holder, Keeper, MemoryAccount } from './memory-account.js';
import { MemoryBudget } from './memory-budget.js';
import { maskingKeysFrom, randomMaskingKey } from './masking-key.js';
import type { ConnectionSettings } from './options.js';
import { Outflow, type OutflowHost } from './outflow.js';
import { isPlainSocket } from './plain-socket.js';
import {
  GuardError,
  Protocol,
  type CloseInfo,
  type Extension,
  type Failure,
  type Initiator,
  type MessageHead,
  type MessageSink,
  type ProtocolHandlers,
} from './protocol/index.js';
import { soonest } from './protocol/guards.js';
import { pauseReading, readShared, sharedMemory, store } from './reading.js';
import { TimerWheel, WheelEntry } from './timer-wheel.js';
import { sharedTimers } from './timers.js';
import type { SlowInfo } from './types.js';

/** Who is told what happens on a connection. */
export interface ConnectionOwner extends Omit<ProtocolHandlers, 'incoming' | 'ready' | 'turnUsed' | 'deadline'> {
  /** A message begins, while `Protocol.streams` is set: as `ProtocolHandlers.incoming`. */
  incoming(head: MessageHead, connection: Connection): MessageSink | undefined;
  /** `send` returns false, for the first time since there was room. */
  full(): void;
  /** There is room again. */
  drain(): void;
  /** The peer is behind, and is not any more. */
  slow(info: SlowInfo): void;
  recovered(info: SlowInfo): void;
  streamClosed(stream: Duplex): void;
  /** Last, once, when the stream is gone and all that came has been given. */
  close(info: CloseInfo): void;
}

/** What has a connection. */
export interface Subject {
  [kOwner](): ConnectionOwner;
}
export const kOwner = Symbol('owner');

/** The connection behind a stream: lets all of them share their listeners. */
const kConnection = Symbol('connection');
type Carrier = Duplex & { [kConnection]?: Connection };

let connections = 0;

/** The protocol core on a Duplex: the one file that reads a stream and has a time limit. */
export class Connection extends WheelEntry implements ProtocolHandlers, OutflowHost, Holder {
  readonly duplex: Duplex;
  readonly #subject: Subject;
  readonly #role: Role;
  /** An integer, which costs no object. */
  readonly #openedAt = Math.ceil(now());
  /** Its place among those that were made before and after. */
  readonly #serial = connections++;
  #settings: ConnectionSettings;
  /** Both halves are made when there is something for them to do: thousands of connections never say a word. */
  #protocol: Protocol | undefined;
  #outflow: Outflow | undefined;
  /** Made with them, and told by nobody else. */
  #owner!: ConnectionOwner;
  #streamError: Error | null = null;
  #inputEnded = false;
  #streamClosed = false;
  #isClosed = false;
  /** Who takes messages at his own pace, and has enough for now. */
  #readers: Set<object> | undefined;
  #account: MemoryAccount | undefined;
  /** What the account knows of that was received and not parsed. */
  #keptBytes = 0;
  /** What the stream had in store at the last look, in one chunk. */
  #gathered = 0;
  #isGathering = false;

  /** @throws {TypeError} when the stream already carries a connection */
  constructor(
    duplex: Duplex,
    role: Role,
    settings: ConnectionSettings,
    extensions: readonly Extension[],
    subject: Subject,
  ) {
    super();
    const carrier: Carrier = duplex;
    if (carrier[kConnection] !== undefined) throw new TypeError('this stream already carries a WebSocket');
    this.duplex = duplex;
    this.#role = role;
    this.#settings = settings;
    this.#subject = subject;
    if (extensions.length > 0) this.#wake(extensions); // which may refuse them
    carrier[kConnection] = this;
  }

  /** Data flows from a later tick on; `head` comes first. */
  start(head: Uint8Array): void {
    const { duplex } = this;
    if (isPlainSocket(duplex)) {
      duplex.setTimeout(0);
      duplex.setNoDelay();
    }
    duplex.allowHalfOpen = true; // what came before the peer's end is seen to before ours
    duplex.on('error', onError);
    duplex.on('close', onClose);
    duplex.on('end', onEnd);
    if (head.length > 0) duplex.unshift(Buffer.from(head));
    readShared(duplex, onRead);
    duplex.on('data', onData);
    this.deadline();
    if (duplex.destroyed) process.nextTick(onClose.bind(duplex));
    else if (duplex.readableEnded) process.nextTick(onEnd.bind(duplex));
  }

  get protocol(): Protocol {
    return this.#protocol ?? this.#wake().protocol;
  }
  get outflow(): Outflow {
    return this.#outflow ?? this.#wake().outflow;
  }

  /** So many bytes are held for the user as long as there is a connection. */
  keep(byteLength: number): void {
    if (this.#protocol === undefined) this.#wake();
    this.#account?.add(byteLength);
  }

  get isOpen(): boolean {
    if (this.duplex.destroyed) return false;
    return this.#protocol === undefined || (this.#protocol.state === 'open' && !this.outflow.isEnded);
  }
  get isClosed(): boolean {
    return this.#isClosed;
  }
  /** What broke it: the peer's offence, or an error of the stream. */
  get brokenBy(): Error | null {
    return this.#protocol?.closing.error ?? this.#streamError;
  }

  get bufferedAmount(): number {
    return this.#outflow ? this.#outflow.bufferedAmount : this.duplex.writableLength;
  }
  get bytesReceived(): number {
    return this.#protocol?.bytesReceived ?? 0;
  }
  get bytesSent(): number {
    return this.#outflow?.bytesTaken ?? 0;
  }
  get messagesReceived(): number {
    return this.#protocol?.messagesReceived ?? 0;
  }
  get messagesSent(): number {
    return this.#protocol?.messagesSent ?? 0;
  }
  get latency(): number | undefined {
    return this.#protocol?.latency;
  }
  set keepFragments(keep: boolean) {
    if (keep || this.#protocol) this.protocol.keepFragments = keep;
  }
  set streams(streams: boolean) {
    if (streams || this.#protocol) this.protocol.streams = streams;
  }

  /** As if it had been made with these, as far as they are limits and guards: from the next frame on. */
  set settings(settings: ConnectionSettings) {
    const { protocol, outflow } = this; // by the old ones, for what counts from now on
    this.#settings = settings;
    protocol.limits = settings.limits;
    protocol.guards = settings.guards;
    outflow.settings = settings;
    this.deadline();
  }

  /** @throws as `Protocol.close`, in every state */
  closeWith(
    code: number | undefined,
    reason: string | Uint8Array | undefined,
    initiator?: Initiator,
    error?: Failure,
  ): void {
    if (this.isOpen) this.protocol.close(code, reason, initiator, error);
    else encodeClosePayload(code, reason);
  }

  /** Cut, by the user: what was sent in this turn is with the stream before. */
  terminate(): void {
    this.outflow.flush();
    this.protocol.stop('local');
    this.outflow.destroy();
  }

  pause(): void {
    this.protocol.pause();
    this.#stopReading();
  }

  resume(): void {
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

  /** Counts what `keeper` has of what came, until it is taken. */
  claim(keeper: Keeper): Claim | undefined {
    return this.#account?.claim(keeper);
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
    this.#gather();
    this.#countInput();
  }

  /** The peer is told if nothing waits before that. */
  shed(): void {
    const error = new GuardError('WS_ERR_MEMORY_LIMIT');
    this.outflow.flush();
    try {
      const mayBeTold = this.isOpen && this.outflow.bufferedAmount === 0;
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
    if (this.#isGathering) return;
    this.outflow.beginTurn(); // as #inTurn does, without a closure for each chunk
    let isDone = false;
    try {
      this.protocol.receive(chunk);
      isDone = true;
    } finally {
      this.#turnEnds(isDone);
    }
  }

  /** The memory is everybody's: it is used for as long as this call takes. */
  receivedLent(memory: MaskingMemory, byteLength: number): void {
    this.outflow.beginTurn();
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
    this.duplex.destroy(); // for streams that do not do it by themselves
  }

  closed(): void {
    const { protocol } = this;
    if (!this.#streamClosed) this.#owner.streamClosed(this.duplex);
    this.#streamClosed = true;
    if (this.#isClosed || protocol.isBusy) return;
    this.#isClosed = true;
    sharedTimers.cancel(this);
    this.outflow.close();
    this.protocol.transportEnd();
    this.#letGo();
    this.#account?.close();
    this.#owner.close(closeReport(this.protocol, this.outflow.bytesUnsent, this.#streamError));
  }

  // What the sending half tells.

  ended(): void {
    if (this.#inputEnded) this.duplex.destroy();
  }

  end(): void {
    if (this.#inputEnded) this.protocol.inputEnd();
    this.outflow.finish();
    this.duplex.resume(); // what still comes is dropped; its end must be seen
    if (this.#inputEnded && this.duplex.writableFinished) this.duplex.destroy();
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
    return this.#owner.incoming(head, this);
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
    this.duplex.resume();
    if (this.#inputEnded && this.protocol.peerEnd()) this.end();
  }

  turnUsed(): void {
    setImmediate(() => this.#inTurn(() => this.protocol.nextTurn()));
  }

  deadline(): void {
    const keepsAlive = this.#protocol?.hasToClose ?? false;
    const deadline = this.#protocol ? this.#protocol.nextDeadline() : this.#firstDeadline;
    if (deadline === undefined || this.#isClosed) return;
    const isScheduled = TimerWheel.isScheduled(this);
    if (isScheduled && this.wheelTime <= deadline && this.keepsAlive === keepsAlive) return; // it will see then
    sharedTimers.cancel(this);
    this.keepsAlive = keepsAlive; // an open socket keeps the process alive by itself
    sharedTimers.schedule(this, deadline - now());
  }

  // What the wheel tells.

  expired(stalledMs: number): void {
    try {
      this.#inTurn(() => this.protocol.handleTimeout(now(), stalledMs));
    } finally {
      this.deadline();
    }
  }

  get #firstDeadline(): number | undefined {
    const ms = soonest(this.#settings.guards, false);
    return ms === Infinity ? undefined : this.#openedAt + ms;
  }

  /** From the first byte in either direction on, and for whatever is asked of it. */
  #wake(extensions: readonly Extension[] = []): { protocol: Protocol; outflow: Outflow } {
    const { duplex } = this;
    const settings = this.#settings;
    const role = this.#role;
    const { memoryLimit, generateMask } = settings;
    const budget = typeof memoryLimit === 'number' ? new MemoryBudget(memoryLimit) : memoryLimit;
    const account = budget?.open(this, this.#serial);
    const maskingKey = role === 'server' ? undefined : generateMask ? maskingKeysFrom(generateMask) : randomMaskingKey;
    const outflow = new Outflow(duplex, maskingKey, settings, this, account);
    const protocol = new Protocol(
      coreOptions(settings, { role, openedAt: this.#openedAt, extensions, duplex, account }),
      outflow,
      this,
    );
    this.#owner = this.#subject[kOwner]();
    this.#account = account;
    this.#outflow = outflow;
    this.#protocol = protocol;
    if (account) account.budget.ready(account);
    return { protocol, outflow };
  }

  /** Parses; what is sent meanwhile leaves in one write. A listener that throws stops only itself: the rest follows. */
  #inTurn(parse: () => void): void {
    this.outflow.beginTurn();
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
    pauseReading(this.duplex);
    this.#gathered = 0;
    this.#account?.watch();
  }

  /** What the stream has in store may be many small chunks, each of which is objects of a hundred times its size: one takes their place. */
  #gather(): void {
    const { duplex } = this;
    const { readableLength, readableHighWaterMark } = duplex;
    if (!duplex.isPaused() || duplex.destroyed || readableLength === this.#gathered || readableLength === 0) return;
    const isFull = readableLength >= readableHighWaterMark;
    if (isFull && this.#gathered >= readableHighWaterMark) return; // each look has it read one chunk more
    this.#gathered = readableLength;
    this.#isGathering = true;
    const bytes = duplex.read(readableLength) as Buffer | null; // without a number, Node 26 gives the first chunk only
    this.#isGathering = false;
    if (bytes !== null) duplex.unshift(bytes);
  }

  /** Tells the account what was received and not parsed. */
  #countInput(): void {
    if (this.#account === undefined) return;
    const bytes = this.protocol.keptBytes + (this.duplex.isPaused() ? this.duplex.readableLength : 0);
    if (bytes !== this.#keptBytes) this.#account.add(bytes - this.#keptBytes);
    this.#keptBytes = bytes;
  }

  /** The stream is the user's again, but for errors that come late. */
  #letGo(): void {
    const carrier: Carrier = this.duplex;
    carrier.off('data', onData);
    carrier.off('end', onEnd);
    carrier.off('close', onClose);
    delete carrier[kConnection];
  }
}

function onData(this: Carrier, chunk: Buffer): void {
  this[kConnection]?.received(chunk);
}
function onRead(this: Socket, byteLength: number): boolean {
  if (this.isPaused() || this.readableLength > 0) return store(this, byteLength);
  (this as Carrier)[kConnection]?.receivedLent(sharedMemory(), byteLength);
  return true;
}
function onEnd(this: Carrier): void {
  this[kConnection]?.inputEnded();
}
function onError(this: Carrier, error: Error): void {
  this[kConnection]?.failed(error);
}
function onClose(this: Carrier): void {
  this[kConnection]?.closed();
}
