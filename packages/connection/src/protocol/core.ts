import { decodeClosePayload, FrameParser, Opcode, type FrameHead, type MaskingMemory } from '@ws/frame';
import { Assembler } from './assembler.js';
import type { AssemblerEvents } from './assembler-events.js';
import { ClosingHandshake, type ClosingHost } from './closing-handshake.js';
import { ExtensionChain } from './extension-chain.js';
import type { Failure } from './extension.js';
import { FrameLog } from './frame-log.js';
import type { GuardError } from './guard-error.js';
import { isAny, NO_GUARDS, type Guards } from './guards.js';
import type { MessageHead, MessageSink } from './message-sink.js';
import type { ProtocolHandlers, ProtocolOptions } from './options.js';
import { Outlet, type OutletHost } from './outlet.js';
import { Sender, type SenderHost } from './sender.js';
import { raise } from './settle.js';
import { isReceiving } from './state.js';
import type { SendCallback, Transport } from './transport.js';
import { TurnShare, type TurnShareHost } from './turn-share.js';
import { Watch, type WatchHost } from './watch.js';

/** Why nothing is parsed at the moment. */
export const Hold = {
  User: 1,
  Turn: 2,
  Extension: 4,
  Stopped: 8,
  Reader: 16,
  Rate: 32,
  Memory: 64,
  Share: 128,
} as const;

/** What stays of a core on which nothing happens, for the next one: what it has counted, what its guards know, and the frames for the report. */
export interface Past {
  readonly log: FrameLog;
  readonly watch: Watch | undefined;
  readonly lastActivity: number;
  readonly bytesReceived: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
}

/** The parts of a {@link Protocol}, and how they reach each other: what one of them needs of the others is a method here. */
export class Core implements AssemblerEvents, SenderHost, OutletHost, ClosingHost, WatchHost, TurnShareHost {
  readonly options: ProtocolOptions;
  readonly transport: Transport;
  readonly handlers: ProtocolHandlers;
  readonly log: FrameLog;
  readonly extensions: ExtensionChain;
  readonly assembler: Assembler;
  readonly parser: FrameParser;
  readonly outlet: Outlet;
  readonly sender: Sender;
  readonly closing: ClosingHandshake;
  readonly share: TurnShare;
  watch: Watch | undefined;

  readonly openedAt: number;
  lastActivity: number;
  bytesReceived = 0;
  messagesReceived = 0;
  /** Of {@link Hold}, a bit each. */
  holds = 0;
  /** Somebody listens for single frames. */
  tellsFrames = false;
  #unansweredPing: Uint8Array | undefined;
  /** What a handler threw: not the peer's doing. */
  #thrown: { readonly error: unknown } | undefined;

  constructor(options: ProtocolOptions, transport: Transport, handlers: ProtocolHandlers, past?: Past) {
    this.options = options;
    this.transport = transport;
    this.handlers = handlers;
    this.openedAt = this.lastActivity = options.openedAt ?? options.now();
    const { role, limits, isUtf8, validateUtf8 = true, strictLength = true, preserveInput = false } = options;
    const { allocate = allocateZeroed, copy = sliceOf, account, guards = NO_GUARDS } = options;
    this.log = past?.log ?? new FrameLog(options.turnTime ?? options.now);
    if (past === undefined) this.log.dataAt = this.lastActivity;
    const extensions = options.extensions?.length ? new ExtensionChain(options.extensions, account) : NO_EXTENSIONS;
    this.extensions = extensions;
    this.assembler = new Assembler({ limits, extensions, validateUtf8, isUtf8, allocate, copy, account }, this);
    const rules = { role, allowedRsv: extensions.rsv, strictLength, preserveInput, copy };
    this.parser = new FrameParser(rules, this.assembler);
    this.outlet = new Outlet(transport, this.log, this, past?.messagesSent);
    this.sender = new Sender(transport, this.outlet, extensions, this, options.fragmentSize, account);
    this.closing = new ClosingHandshake(this);
    this.share = new TurnShare(this);
    if (past !== undefined) this.#goOn(past);
    else if (isAny(guards)) this.watch = this.#watching(guards, this.openedAt);
  }

  #goOn({ watch, lastActivity, bytesReceived, messagesReceived }: Past): void {
    this.watch = watch;
    if (watch) watch.host = this;
    this.lastActivity = lastActivity;
    this.bytesReceived = bytesReceived;
    this.messagesReceived = messagesReceived;
  }

  /** Between two frames, with nothing to send, to wait for or to tell: another core could go on from here. */
  get isQuiet(): boolean {
    const isOpen = this.closing.state === 'open' && !this.closing.hasBegun && this.extensions.isEmpty;
    const isHeld = this.holds !== 0 || this.share.isAsked || this.#unansweredPing !== undefined;
    const isBetween = !this.parser.insideFrame && this.assembler.isQuiet;
    return isOpen && !isHeld && isBetween && this.outlet.isQuiet && this.sender.isQuiet;
  }

  /** What another core needs to go on from here. This one is not used any more. */
  leave(): Past {
    const { log, watch, lastActivity, bytesReceived, messagesReceived } = this;
    if (watch) watch.host = NOBODY;
    return { log, watch, lastActivity, bytesReceived, messagesReceived, messagesSent: this.outlet.messages };
  }

  // Bytes and time in.

  /** `lent`: the chunk is so much of this memory, which is somebody else's again behind this call. */
  receive(chunk: Uint8Array | undefined, byteLength: number, lent?: MaskingMemory): void {
    this.bytesReceived += byteLength;
    if (!isReceiving(this.closing.state)) return;
    this.lastActivity = this.options.now();
    const { watch, log } = this;
    if (watch !== undefined && !watch.heard(byteLength, this.lastActivity)) return;
    log.time = this.lastActivity; // what is sent while a chunk is parsed is sent at its time
    try {
      if (lent !== undefined) this.parser.pushLent(lent, byteLength);
      else if (chunk !== undefined) this.parser.push(chunk);
    } catch (error) {
      this.caught(error);
    } finally {
      log.time = undefined;
      this.assembler.count();
      this.share.parsed();
      watch?.parsed();
    }
  }

  proceed(): void {
    if (this.holds === 0) {
      try {
        this.parser.resume();
      } catch (error) {
        this.caught(error);
      }
    }
    this.share.parsed();
    this.assembler.count();
    if (!this.isBusy) this.handlers.ready();
  }

  get isBusy(): boolean {
    const { holds } = this;
    return (
      (holds & (Hold.Turn | Hold.Extension | Hold.Share)) !== 0 &&
      (holds & (Hold.Stopped | Hold.Reader | Hold.Memory)) === 0
    );
  }

  holdFor(reason: number): void {
    if (this.holds === 0) this.watch?.held(this.now());
    this.holds |= reason;
    this.parser.pause();
  }

  releaseFor(reason: number): void {
    if ((this.holds & reason) === 0) return;
    this.holds &= ~reason;
    if (this.holds === 0) this.watch?.readsOn(this.now());
    this.proceed();
  }

  /** From now on. */
  guardBy(guards: Guards): void {
    const now = this.options.now();
    if (this.watch) return this.watch.update(guards, now);
    if (!isAny(guards)) return;
    this.dataAt = now;
    this.watch = this.#watching(guards, now);
    if (this.holds !== 0) this.watch.held(now);
    this.handlers.deadline();
  }

  #watching(guards: Guards, now: number): Watch {
    return new Watch(guards, this, { openedAt: this.openedAt, heardAt: this.lastActivity, now });
  }

  /** The ping that could not be answered when it came. */
  answerPing(): void {
    const payload = this.#unansweredPing;
    if (payload === undefined || this.transport.isCongested) return;
    this.#unansweredPing = undefined;
    if (this.closing.state === 'open') this.outlet.control(Opcode.Pong, payload, undefined);
  }

  // What frames and messages come out of the bytes.

  frame(head: FrameHead): void {
    const { opcode, fin, payloadLength } = head;
    this.log.note(false, opcode, fin, payloadLength);
    this.share.frame();
    if (this.watch?.limitsRate && opcode !== Opcode.Continuation) this.watch.frame(this.now());
    if (this.tellsFrames) this.#tell(head);
  }
  #tell(head: FrameHead): void {
    guarded(() => this.handlers.frame?.(head));
    if ((this.holds & Hold.Stopped) !== 0) throw STOPPED; // nothing is made of a frame at which the connection was cut
  }
  continuation(fin: boolean, payloadLength: number): void {
    this.log.note(false, Opcode.Continuation, fin, payloadLength);
    this.share.frame();
  }
  mayContinue(frames: number): boolean {
    return !this.tellsFrames && this.share.has(frames);
  }
  decoded(byteLength: number): void {
    this.share.decoded(byteLength);
  }
  begins(): void {
    this.watch?.messageBegins(this.now());
  }
  piece(byteLength: number): void {
    this.watch?.piece(byteLength, this.now());
  }
  message(data: Uint8Array | Uint8Array[], isText: boolean): void {
    this.messagesReceived++;
    this.options.meter?.message(Array.isArray(data) ? totalLength(data) : data.length);
    try {
      this.handlers.message(data, isText);
    } catch (error) {
      this.#thrown = { error };
      throw error;
    }
  }
  incoming(head: MessageHead): MessageSink | undefined {
    return guarded(() => this.handlers.incoming?.(head));
  }
  give(sink: MessageSink, piece: Uint8Array): void {
    guarded(() => sink.data(piece));
  }
  ended(sink: MessageSink, byteLength: number): void {
    this.messagesReceived++;
    this.options.meter?.message(byteLength);
    guarded(() => sink.end());
  }
  aborted(sink: MessageSink, error: Failure | null): void {
    guarded(() => sink.abort(error));
  }
  control(opcode: Opcode, payload: Uint8Array): void {
    if (opcode === Opcode.Close) return this.closing.receive(decodeClosePayload(payload));
    if (opcode === Opcode.Pong) {
      if (this.watch?.pong(payload)) return;
      return this.deliver(() => this.handlers.pong(payload));
    }
    if (this.closing.state === 'open' && this.options.autoPong !== false) {
      if (this.transport.isCongested || this.outlet.isInFrame)
        this.#unansweredPing = new Uint8Array(payload); // §5.5.3: the newest one is enough
      else this.outlet.control(Opcode.Pong, payload, undefined);
    }
    this.deliver(() => this.handlers.ping(payload));
  }
  hold(): void {
    this.holdFor(Hold.Extension);
  }
  release(): void {
    this.releaseFor(Hold.Extension);
  }
  rest(): void {
    this.holdFor(Hold.Share);
  }
  askForTurn(): boolean {
    this.handlers.turnUsed?.();
    return this.handlers.turnUsed !== undefined;
  }
  nextTurn(): void {
    this.share.begin();
    this.log.time = this.options.now(); // for thousands of frames, as in `receive`
    try {
      this.releaseFor(Hold.Share);
    } finally {
      this.log.time = undefined;
    }
  }
  /** The one place where what the deep code threw becomes a failed connection. */
  caught(error: unknown): void {
    if (error === STOPPED) return;
    if (this.#thrown?.error === error) {
      this.#thrown = undefined;
      throw error;
    }
    this.fail(error as Failure);
  }
  /** Calls a handler, and knows what it throws as not the peer's doing. */
  deliver(event: () => void): void {
    try {
      event();
    } catch (error) {
      this.#thrown = { error };
      throw error;
    }
  }

  // What goes out.

  encodeText(text: string): Uint8Array {
    return (this.options.encodeText ?? encodeUtf8)(text);
  }
  frameEnd(): void {
    this.answerPing();
  }
  ping(payload: Uint8Array, callback: SendCallback): void {
    this.outlet.control(Opcode.Ping, payload, callback);
  }

  // How it ends.

  fail(error: Failure): void {
    this.closing.fail(error);
  }
  abandon(): void {
    this.closing.abandon();
  }
  close(error: GuardError): void {
    this.closing.begin(error.closeCode, undefined, error.initiator, error);
  }
  cut(error: GuardError): void {
    this.closing.cut(error);
  }
  halt(): void {
    this.holdFor(Hold.Stopped);
    this.parser.discard();
    this.assembler.discard();
  }

  // What the guards look at.

  get isEnding(): boolean {
    return this.closing.hasBegun;
  }
  get isInMessage(): boolean {
    return this.assembler.isOpen;
  }
  get isStreamed(): boolean {
    return this.assembler.isStreamed;
  }
  get dataAt(): number {
    return this.log.dataAt;
  }
  set dataAt(time: number) {
    this.log.dataAt = time;
  }
  get hasBacklog(): boolean {
    return this.transport.hasBacklog;
  }
  get progress(): number {
    return this.transport.progress;
  }
  /** To within this turn. */
  now(): number {
    return this.log.time ?? (this.options.turnTime ?? this.options.now)();
  }
  random(): number {
    return this.options.random?.() ?? 0;
  }
  latency(ms: number): void {
    this.options.meter?.latency(ms);
  }
  pauseReading(): void {
    this.holdFor(Hold.Rate);
  }
  readOn(): void {
    this.releaseFor(Hold.Rate);
  }
  deadline(): void {
    this.handlers.deadline();
  }
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

const STOPPED = new Error('stopped');
/** While there is no core nobody asks the guards. */
const NOBODY = {} as WatchHost;
const totalLength = (parts: Uint8Array[]): number => parts.reduce((total, { length }) => total + length, 0);
const NO_EXTENSIONS = new ExtensionChain([]);
const sliceOf = (memory: Uint8Array, from: number, to: number): Uint8Array =>
  Uint8Array.prototype.slice.call(memory, from, to);
const allocateZeroed = (byteLength: number): Uint8Array => new Uint8Array(byteLength);
const utf8Encoder = new TextEncoder();
const encodeUtf8 = (text: string): Uint8Array => utf8Encoder.encode(text);
