import { Opcode, type MaskingMemory } from '@ws/frame';
import type { Initiator } from './close-info.js';
import type { ClosingHandshake } from './closing-handshake.js';
import { Core, Hold, type Past } from './core.js';
import type { Failure } from './extension.js';
import type { FrameRecord } from './frame-log.js';
import type { Guards } from './guards.js';
import type { ProtocolHandlers, ProtocolOptions } from './options.js';
import type { ReceiveLimits } from './receive-limits.js';
import type { Sender } from './sender.js';
import type { State } from './state.js';
import type { DeferredPayload, SendCallback, Transport } from './transport.js';

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
  readonly #core: Core;

  /** @param past of the same connection: see {@link leave} */
  constructor(options: ProtocolOptions, transport: Transport, handlers: ProtocolHandlers, past?: Past) {
    this.#core = new Core(options, transport, handlers, past);
    this.sender = this.#core.sender;
  }

  /** Open, and nothing goes on: another one could go on from here, with {@link leave}. */
  get isQuiet(): boolean {
    return this.#core.isQuiet;
  }
  /** What another one needs to go on from here: without it, while nothing happens, a connection holds little memory. This one is not used any more. */
  leave(): Past {
    return this.#core.leave();
  }

  get state(): State {
    return this.#core.closing.state;
  }
  /** How it ends, and why. */
  get closing(): Pick<ClosingHandshake, 'sent' | 'received' | 'error' | 'initiator'> {
    return this.#core.closing;
  }
  /** When the last byte came, by the options' clock. */
  get lastActivity(): number {
    return this.#core.lastActivity;
  }
  /** All bytes that came. */
  get bytesReceived(): number {
    return this.#core.bytesReceived;
  }
  /** Messages that came to their end. */
  get messagesReceived(): number {
    return this.#core.messagesReceived;
  }
  /** Bytes of messages that are not with the transport yet. */
  get queuedBytes(): number {
    return this.sender.queuedBytes;
  }
  /** Messages of which the last frame is with the transport. */
  get messagesSent(): number {
    return this.#core.outlet.messages;
  }
  /** Nothing is parsed at the moment; the transport should not read on. */
  get isHeld(): boolean {
    return this.#core.holds !== 0;
  }
  /** Whatever comes is dropped: the closing handshake is past the peer's Close frame, or failed. */
  get isStopped(): boolean {
    return (this.#core.holds & Hold.Stopped) !== 0;
  }
  /** Held, but neither by the user nor for a reader: what was received will be delivered without anybody's doing. */
  get isBusy(): boolean {
    return this.#core.isBusy;
  }
  /** Memory of what was received and not parsed. What else is held is with the account, and the sender. */
  get keptBytes(): number {
    return this.#core.parser.retainedBytes;
  }
  /** Ms of a round trip, smoothed: undefined until the heartbeat knows one. */
  get latency(): number | undefined {
    return this.#core.watch?.averageLatency;
  }
  /** From the next frame on. */
  set limits(limits: ReceiveLimits) {
    this.#core.assembler.limits = limits;
  }
  /** From now on. */
  set guards(guards: Guards) {
    this.#core.guardBy(guards);
  }
  /** Give binary messages as lists of buffers. */
  set keepFragments(keep: boolean) {
    this.#core.assembler.keepFragments = keep;
  }
  /** Ask `ProtocolHandlers.incoming` for every message that begins from now on. */
  set streams(streams: boolean) {
    this.#core.assembler.streams = streams;
  }

  /** Tell `ProtocolHandlers.frame` of every frame; small fragments are parsed one by one then. */
  set tellsFrames(tells: boolean) {
    this.#core.tellsFrames = tells;
  }

  /** The last frames, oldest first, their times by the options' clock. */
  recentFrames(): FrameRecord[] {
    return this.#core.log.toArray();
  }

  /** Bytes in. Throws only what a handler threw; a following `receive` or `resume` then goes on behind that event. */
  receive(chunk: Uint8Array): void {
    this.#core.receive(chunk, chunk.length);
  }

  /** As `receive`, for `memory.bytes[0, length)`: it is changed, and the caller's again when this returns. Who has one such memory for all connections allocates none to read. */
  receiveLent(memory: MaskingMemory, length: number): void {
    this.#core.receive(undefined, length, memory);
  }

  /** Stops between two events; what was received and not parsed is kept. */
  pause(holder: Holder = 'user'): void {
    this.#core.holdFor(HOLDS[holder]);
  }

  /** Goes on, at once. Throws only what a handler threw. */
  resume(holder: Holder = 'user'): void {
    this.#core.releaseFor(HOLDS[holder]);
  }

  /** It is the next turn of the event loop after `ProtocolHandlers.turnUsed`: goes on, at once. Throws only what a handler threw. */
  nextTurn(): void {
    this.#core.nextTurn();
  }

  /** Parses what was kept, unless held: for after a handler has thrown. Throws only what a handler threw. */
  proceed(): void {
    this.#core.proceed();
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
    this.#core.outlet.control(Opcode.Ping, payload, callback);
  }

  pong(payload: Uint8Array | string, callback?: SendCallback): void {
    this.#core.outlet.control(Opcode.Pong, payload, callback);
  }

  /**
   * Starts the closing handshake, §7.1.2; the Close frame follows what was sent before it. Does nothing unless open.
   * @param initiator for the report @default 'local'
   * @param error for the report, where it is for one
   * @throws {TypeError | RangeError} for a code that may not travel, or a reason that does not fit: before anything is done
   */
  close(code?: number, reason?: string | Uint8Array, initiator?: Initiator, error?: Failure): void {
    this.#core.closing.begin(code, reason, initiator, error);
  }

  /** Fails the connection, §7.1.7: one Close frame with the error's code, then the end of the byte stream. */
  fail(error: Failure): void {
    this.#core.closing.fail(error);
  }

  /** Cuts the connection, at once and for that. */
  cut(error: Failure): void {
    this.#core.closing.cut(error);
  }

  /** Memory is short: extensions free what can be made again. */
  relieve(): void {
    this.#core.extensions.relieve();
  }

  /** Frees what extensions hold, of a connection that has failed or was cut: nothing can be sent any more. */
  freeExtensions(): void {
    this.#core.extensions.close();
  }

  /** The peer has ended its half of the byte stream. @returns whether ours may end, as far as the closing handshake goes */
  peerEnd(): boolean {
    return this.#core.closing.peerEnd();
  }

  /** The peer has ended its half of the byte stream, and all that came before is seen to: ours must end in time too. */
  inputEnd(): void {
    this.#core.closing.inputEnd();
  }

  /** Nothing more is parsed or delivered, and what waits to be sent is dropped. */
  stop(initiator?: Initiator): void {
    this.#core.closing.stop(initiator);
  }

  /** The transport has room again: what waits goes on. */
  drained(): void {
    this.#core.answerPing();
    this.sender.drained();
  }

  /** The byte stream is gone. */
  transportEnd(): void {
    if (!this.#core.closing.transportEnd()) return;
    this.sender.settleDropped();
    this.#core.extensions.close();
  }

  /** Ms of the options' clock at which `handleTimeout` wants to be called. */
  nextDeadline(): number | undefined {
    const { state, deadline = Infinity } = this.#core.closing;
    const next = Math.min(deadline, this.#core.watch?.deadline ?? Infinity);
    return state === 'closed' || next === Infinity ? undefined : next;
  }

  /** The closing handshake has a time limit. */
  get hasToClose(): boolean {
    return this.#core.closing.deadline !== undefined;
  }

  /** @param stalledMs how much later this is than the caller had in mind: he was busy with something else, and what came meanwhile waits */
  handleTimeout(nowMs: number, stalledMs = 0): void {
    this.#core.closing.handleTimeout(nowMs);
    if (this.#core.closing.state !== 'closed') this.#core.watch?.handleTimeout(nowMs, stalledMs);
  }
}
