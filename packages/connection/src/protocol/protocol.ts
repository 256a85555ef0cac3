import { decodeClosePayload, FrameParser, Opcode, type FrameHead } from '@ws/frame';
import { Assembler, type AssemblerEvents, type ReceiveLimits } from './assembler.js';
import type { Initiator } from './close-info.js';
import { ClosingHandshake, type ClosingHost } from './closing-handshake.js';
import { ExtensionChain } from './extension-chain.js';
import type { Failure } from './extension.js';
import { FrameLog, type FrameRecord } from './frame-log.js';
import type { GuardError } from './guard-error.js';
import { isAny, NO_GUARDS, type Guards } from './guards.js';
import type { MessageHead, MessageSink } from './message-sink.js';
import type { ProtocolHandlers, ProtocolOptions } from './options.js';
import { Outlet, type OutletHost } from './outlet.js';
import { Sender, type SenderHost } from './sender.js';
import { raise } from './settle.js';
import { isReceiving, type State } from './state.js';
import type { DeferredPayload, SendCallback, Transport } from './transport.js';
import { Watch, type WatchHost } from './watch.js';

/** Why nothing is parsed at the moment. */
const Hold = { User: 1, Turn: 2, Extension: 4, Stopped: 8, Reader: 16, Rate: 32, Memory: 64 } as const;
const HOLDS = { user: Hold.User, turn: Hold.Turn, reader: Hold.Reader, memory: Hold.Memory } as const;

/** On whose behalf reading stops; they do so independently. A reader is whoever takes messages at his own pace. */
export type Holder = keyof typeof HOLDS;

/**
 * One WebSocket connection after its handshake, without a socket, a timer or a promise: bytes and time go in, frames go
 * out through `Transport`, what happened through `ProtocolHandlers`. RFC 6455 §5 to §7.
 */
export class Protocol {
  /** What is sent, and what waits to be. */
  readonly sender: Sender;
  readonly #options: ProtocolOptions;
  readonly #transport: Transport;
  readonly #handlers: ProtocolHandlers;
  readonly #closing: ClosingHandshake;
  readonly #extensions: ExtensionChain;
  readonly #assembler: Assembler;
  readonly #parser: FrameParser;
  readonly #log: FrameLog;
  readonly #outlet: Outlet;
  readonly #link: WatchHost;
  #watch: Watch | undefined;

  readonly #openedAt: number;
  #lastActivity: number;
  #bytesReceived = 0;
  #messagesReceived = 0;
  #holds = 0;
  #unansweredPing: Uint8Array | undefined;
  /** What a handler threw: not the peer's doing. */
  #thrown: { readonly error: unknown } | undefined;

  constructor(options: ProtocolOptions, transport: Transport, handlers: ProtocolHandlers) {
    this.#options = options;
    this.#transport = transport;
    this.#handlers = handlers;
    this.#openedAt = this.#lastActivity = options.now();
    this.#log = new FrameLog(options.turnTime ?? options.now);
    this.#extensions = options.extensions?.length
      ? new ExtensionChain(options.extensions, options.account)
      : NO_EXTENSIONS;
    const { role, limits, isUtf8, validateUtf8 = true, strictLength = true, preserveInput = false } = options;
    const { allocate = allocateZeroed, account } = options;
    const link = new Protocol.#Link(this);
    this.#assembler = new Assembler(
      { limits, extensions: this.#extensions, validateUtf8, isUtf8, allocate, account },
      link,
    );
    const allowedRsv = this.#extensions.rsv;
    this.#parser = new FrameParser({ role, allowedRsv, strictLength, preserveInput }, this.#assembler);
    const outlet = new Outlet(transport, this.#log, link);
    this.sender = new Sender(transport, outlet, this.#extensions, link, options.fragmentSize, account);
    this.#outlet = outlet;
    this.#closing = new ClosingHandshake(link);
    this.#link = link;
    this.#log.dataAt = this.#lastActivity;
    const { guards = NO_GUARDS } = options;
    if (isAny(guards)) this.#watch = this.#watching(guards, this.#openedAt);
  }

  get state(): State {
    return this.#closing.state;
  }
  /** How it ends, and why. */
  get closing(): Pick<ClosingHandshake, 'sent' | 'received' | 'error' | 'initiator'> {
    return this.#closing;
  }
  /** When the last byte came, by the options' clock. */
  get lastActivity(): number {
    return this.#lastActivity;
  }
  /** All bytes that came. */
  get bytesReceived(): number {
    return this.#bytesReceived;
  }
  /** Messages that came to their end. */
  get messagesReceived(): number {
    return this.#messagesReceived;
  }
  /** Bytes of messages that are not with the transport yet. */
  get queuedBytes(): number {
    return this.sender.queuedBytes;
  }
  /** Messages of which the last frame is with the transport. */
  get messagesSent(): number {
    return this.#outlet.messages;
  }
  /** Nothing is parsed at the moment; the transport should not read on. */
  get isHeld(): boolean {
    return this.#holds !== 0;
  }
  /** Whatever comes is dropped: the closing handshake is past the peer's Close frame, or failed. */
  get isStopped(): boolean {
    return (this.#holds & Hold.Stopped) !== 0;
  }
  /** Held, but neither by the user nor for a reader: what was received will be delivered without anybody's doing. */
  get isBusy(): boolean {
    const holds = this.#holds;
    return (holds & (Hold.Turn | Hold.Extension)) !== 0 && (holds & (Hold.Stopped | Hold.Reader | Hold.Memory)) === 0;
  }
  /** Memory of what was received and not parsed. What else is held is with the account, and the sender. */
  get keptBytes(): number {
    return this.#parser.retainedBytes;
  }
  /** Ms of a round trip, smoothed: undefined until the heartbeat knows one. */
  get latency(): number | undefined {
    return this.#watch?.averageLatency;
  }
  /** From the next frame on. */
  set limits(limits: ReceiveLimits) {
    this.#assembler.limits = limits;
  }
  /** From now on. */
  set guards(guards: Guards) {
    const now = this.#options.now();
    if (this.#watch) {
      this.#watch.update(guards, now);
    } else if (isAny(guards)) {
      this.#watch = this.#watching(guards, now);
      if (this.#holds !== 0) this.#watch.held(now);
      this.#handlers.deadline();
    }
  }
  /** Give binary messages as lists of buffers. */
  set keepFragments(keep: boolean) {
    this.#assembler.keepFragments = keep;
  }
  /** Ask `ProtocolHandlers.incoming` for every message that begins from now on. */
  set streams(streams: boolean) {
    this.#assembler.streams = streams;
  }

  /** The last frames, oldest first, their times by the options' clock. */
  recentFrames(): FrameRecord[] {
    return this.#log.toArray();
  }

  /** Bytes in. Throws only what a handler threw; a following `receive` or `resume` then goes on behind that event. */
  receive(chunk: Uint8Array): void {
    this.#bytesReceived += chunk.length;
    if (!isReceiving(this.#closing.state)) return;
    this.#lastActivity = this.#options.now();
    const watch = this.#watch;
    if (watch !== undefined && !watch.heard(chunk.length, this.#lastActivity)) return;
    this.#log.time = this.#lastActivity; // what is sent while a chunk is parsed is sent at its time
    try {
      this.#parser.push(chunk);
    } catch (error) {
      this.#caught(error);
    } finally {
      this.#log.time = undefined;
      this.#assembler.count();
      watch?.parsed();
    }
  }

  /** Stops between two events; what was received and not parsed is kept. */
  pause(holder: Holder = 'user'): void {
    this.#hold(HOLDS[holder]);
  }

  /** Goes on, at once. Throws only what a handler threw. */
  resume(holder: Holder = 'user'): void {
    this.#release(HOLDS[holder]);
  }

  /** Parses what was kept, unless held: for after a handler has thrown. Throws only what a handler threw. */
  proceed(): void {
    if (this.#holds === 0) {
      try {
        this.#parser.resume();
      } catch (error) {
        this.#caught(error);
      }
    }
    this.#assembler.count();
    if (!this.isBusy) this.#handlers.ready();
  }

  /**
   * Sends a message, or one fragment of it: with `fin` false the next call continues it. Order is kept while extensions
   * or deferred payloads take their time. Everything else that can be done with messages is the {@link sender}'s.
   */
  send(
    payload: Uint8Array | string | DeferredPayload,
    isText: boolean,
    fin: boolean,
    compress: boolean | undefined,
    callback: SendCallback | undefined,
  ): void {
    this.sender.send(payload, isText, fin, compress, callback);
  }

  /** Goes out between the fragments of whatever is being sent. §5.4 */
  ping(payload: Uint8Array | string, callback?: SendCallback): void {
    this.#outlet.control(Opcode.Ping, payload, callback);
  }

  pong(payload: Uint8Array | string, callback?: SendCallback): void {
    this.#outlet.control(Opcode.Pong, payload, callback);
  }

  /**
   * Starts the closing handshake, §7.1.2; the Close frame follows what was sent before it. Does nothing unless open.
   * @param initiator for the report @default 'local'
   * @param error for the report, where it is for one
   * @throws {TypeError | RangeError} for a code that may not travel, or a reason that does not fit: before anything is done
   */
  close(code?: number, reason?: string | Uint8Array, initiator?: Initiator, error?: Failure): void {
    this.#closing.begin(code, reason, initiator, error);
  }

  /** Fails the connection, §7.1.7: one Close frame with the error's code, then the end of the byte stream. */
  fail(error: Failure): void {
    this.#closing.fail(error);
  }

  /** Cuts the connection, at once and for that. */
  cut(error: Failure): void {
    this.#closing.cut(error);
  }

  /** Memory is short: extensions free what can be made again. */
  relieve(): void {
    this.#extensions.relieve();
  }

  /** Frees what extensions hold, of a connection that has failed or was cut: nothing can be sent any more. */
  freeExtensions(): void {
    this.#extensions.close();
  }

  /** The peer has ended its half of the byte stream. @returns whether ours may end, as far as the closing handshake goes */
  peerEnd(): boolean {
    return this.#closing.peerEnd();
  }

  /** The peer has ended its half of the byte stream, and all that came before is seen to: ours must end in time too. */
  inputEnd(): void {
    this.#closing.inputEnd();
  }

  /** Nothing more is parsed or delivered, and what waits to be sent is dropped. */
  stop(initiator?: Initiator): void {
    this.#closing.stop(initiator);
  }

  /** The transport has room again: what waits goes on. */
  drained(): void {
    this.#answerPing();
    this.sender.drained();
  }

  /** The byte stream is gone. */
  transportEnd(): void {
    if (!this.#closing.transportEnd()) return;
    this.sender.settleDropped();
    this.#extensions.close();
  }

  /** Ms of the options' clock at which `handleTimeout` wants to be called. */
  nextDeadline(): number | undefined {
    const { state, deadline = Infinity } = this.#closing;
    const next = Math.min(deadline, this.#watch?.deadline ?? Infinity);
    return state === 'closed' || next === Infinity ? undefined : next;
  }

  /** The closing handshake has a time limit. */
  get hasToClose(): boolean {
    return this.#closing.deadline !== undefined;
  }

  /** @param stalledMs how much later this is than the caller had in mind: he was busy with something else, and what came meanwhile waits */
  handleTimeout(nowMs: number, stalledMs = 0): void {
    this.#closing.handleTimeout(nowMs);
    if (this.#closing.state !== 'closed') this.#watch?.handleTimeout(nowMs, stalledMs);
  }

  #watching(guards: Guards, now: number): Watch {
    return new Watch(guards, this.#link, { openedAt: this.#openedAt, heardAt: this.#lastActivity, now });
  }

  #receiveControl(opcode: Opcode, payload: Uint8Array): void {
    if (opcode === Opcode.Close) return this.#closing.receive(decodeClosePayload(payload));
    if (opcode === Opcode.Pong) {
      if (this.#watch?.pong(payload)) return;
      return this.#deliver(() => this.#handlers.pong(payload));
    }
    if (this.#closing.state === 'open' && this.#options.autoPong !== false) {
      if (this.#transport.isCongested || this.#outlet.isInFrame)
        this.#unansweredPing = new Uint8Array(payload); // §5.5.3: the newest one is enough
      else this.#outlet.control(Opcode.Pong, payload, undefined);
    }
    this.#deliver(() => this.#handlers.ping(payload));
  }

  /** The one that could not be answered when it came. */
  #answerPing(): void {
    const payload = this.#unansweredPing;
    if (payload === undefined || this.#transport.isCongested) return;
    this.#unansweredPing = undefined;
    if (this.#closing.state === 'open') this.#outlet.control(Opcode.Pong, payload, undefined);
  }

  #hold(reason: number): void {
    if (this.#holds === 0) this.#watch?.held(this.#time());
    this.#holds |= reason;
    this.#parser.pause();
  }

  #release(reason: number): void {
    if ((this.#holds & reason) === 0) return;
    this.#holds &= ~reason;
    if (this.#holds === 0) this.#watch?.readsOn(this.#time());
    this.proceed();
  }

  /** The time, to within this turn. */
  #time(): number {
    return this.#log.time ?? (this.#options.turnTime ?? this.#options.now)();
  }

  #deliver(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#thrown = { error };
      throw error;
    }
  }

  /** The one place where what the deep code threw becomes a failed connection. */
  #caught(error: unknown): void {
    if (this.#thrown?.error === error) {
      this.#thrown = undefined;
      throw error;
    }
    this.fail(error as Failure);
  }

  /** How the parts of the core reach it: one object a connection instead of a function for each of these. */
  static readonly #Link = class implements AssemblerEvents, SenderHost, OutletHost, ClosingHost, WatchHost {
    readonly #core: Protocol;

    constructor(core: Protocol) {
      this.#core = core;
    }

    frame({ opcode, fin, payloadLength }: FrameHead): void {
      const core = this.#core;
      core.#log.note(false, opcode, fin, payloadLength);
      if (core.#watch?.limitsRate && opcode !== Opcode.Continuation) core.#watch.frame(core.#time());
    }
    begins(): void {
      this.#core.#watch?.messageBegins(this.#core.#time());
    }
    piece(byteLength: number): void {
      this.#core.#watch?.piece(byteLength, this.#core.#time());
    }
    message(data: Uint8Array | Uint8Array[], isText: boolean): void {
      this.#core.#messagesReceived++;
      this.#core.#options.meter?.message(Array.isArray(data) ? totalLength(data) : data.length);
      try {
        this.#core.#handlers.message(data, isText);
      } catch (error) {
        this.#core.#thrown = { error };
        throw error;
      }
    }
    incoming(head: MessageHead): MessageSink | undefined {
      return guarded(() => this.#core.#handlers.incoming?.(head));
    }
    give(sink: MessageSink, piece: Uint8Array): void {
      guarded(() => sink.data(piece));
    }
    ended(sink: MessageSink, byteLength: number): void {
      this.#core.#messagesReceived++;
      this.#core.#options.meter?.message(byteLength);
      guarded(() => sink.end());
    }
    aborted(sink: MessageSink, error: Failure | null): void {
      guarded(() => sink.abort(error));
    }
    control(opcode: Opcode, payload: Uint8Array): void {
      this.#core.#receiveControl(opcode, payload);
    }
    hold(): void {
      this.#core.#hold(Hold.Extension);
    }
    release(): void {
      this.#core.#release(Hold.Extension);
    }
    caught(error: unknown): void {
      this.#core.#caught(error);
    }

    encodeText(text: string): Uint8Array {
      return (this.#core.#options.encodeText ?? encodeUtf8)(text);
    }
    fail(error: Failure): void {
      this.#core.fail(error);
    }
    abandon(): void {
      this.#core.#closing.abandon();
    }

    get options(): ProtocolOptions {
      return this.#core.#options;
    }
    get transport(): Transport {
      return this.#core.#transport;
    }
    get handlers(): ProtocolHandlers {
      return this.#core.#handlers;
    }
    get outlet(): Outlet {
      return this.#core.#outlet;
    }
    get sender(): Sender {
      return this.#core.sender;
    }
    halt(): void {
      this.#core.#hold(Hold.Stopped);
      this.#core.#parser.discard();
      this.#core.#assembler.discard();
    }
    deliver(event: () => void): void {
      this.#core.#deliver(event);
    }
    frameEnd(): void {
      this.#core.#answerPing();
    }

    get isEnding(): boolean {
      return this.#core.#closing.hasBegun;
    }
    get isInMessage(): boolean {
      return this.#core.#assembler.isOpen;
    }
    get isStreamed(): boolean {
      return this.#core.#assembler.isStreamed;
    }
    get dataAt(): number {
      return this.#core.#log.dataAt;
    }
    set dataAt(time: number) {
      this.#core.#log.dataAt = time;
    }
    get hasBacklog(): boolean {
      return this.#core.#transport.hasBacklog;
    }
    get progress(): number {
      return this.#core.#transport.progress;
    }
    now(): number {
      return this.#core.#time();
    }
    random(): number {
      return this.#core.#options.random?.() ?? 0;
    }
    ping(payload: Uint8Array, callback: SendCallback): void {
      this.#core.ping(payload, callback);
    }
    latency(ms: number): void {
      this.#core.#options.meter?.latency(ms);
    }
    pauseReading(): void {
      this.#core.#hold(Hold.Rate);
    }
    readOn(): void {
      this.#core.#release(Hold.Rate);
    }
    deadline(): void {
      this.#core.#handlers.deadline();
    }
    close(error: GuardError): void {
      this.#core.close(error.closeCode, undefined, error.initiator, error);
    }
    cut(error: GuardError): void {
      this.#core.cut(error);
    }
  };
}

/** What a reader of messages throws is his, and comes up by itself: the message goes on. */
function guarded<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch (error) {
    raise(error);
    return undefined;
  }
}

const totalLength = (parts: Uint8Array[]): number => parts.reduce((total, { length }) => total + length, 0);
const NO_EXTENSIONS = new ExtensionChain([]);
const allocateZeroed = (byteLength: number): Uint8Array => new Uint8Array(byteLength);
const utf8Encoder = new TextEncoder();
const encodeUtf8 = (text: string): Uint8Array => utf8Encoder.encode(text);
