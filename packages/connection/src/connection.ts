import { isUtf8 } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { encodeClosePayload, type Opcode } from '@ws/frame';
import { closeReport, now } from './close-report.js';
import { maskingKeysFrom, randomMaskingKey } from './masking-key.js';
import { slowConsumerSettings, type ConnectionSettings } from './options.js';
import type { WayOut } from './outgoing.js';
import { isPlainSocket, ownsItsChunks } from './plain-socket.js';
import {
  MessageError,
  Protocol,
  type CloseInfo,
  type DeferredPayload,
  type Extension,
  type Failure,
  type MessageHead,
  type MessageSink,
  type MessageSource,
  type OpenMessage,
  type ProtocolHandlers,
  type SendCallback,
  type Transport,
} from './protocol/index.js';
import type { PreparedMessage } from './prepared-message.js';
import { SlowRecipient, type Backlog, type Outcome } from './slow-recipient.js';
import type { SendOptions, SlowInfo } from './types.js';
import { Writer } from './writer.js';

export type Role = 'server' | 'client';

/** Who is told what happens on a connection. */
export interface ConnectionOwner extends Omit<ProtocolHandlers, 'incoming' | 'ready' | 'deadline'> {
  /** A message begins, while `Protocol.streams` is set: as `ProtocolHandlers.incoming`. */
  incoming(head: MessageHead, connection: Connection): MessageSink | undefined;
  /** There is room again after `send` returned false. */
  drain(): void;
  /** The peer is behind, and is not any more. */
  slow(info: SlowInfo): void;
  recovered(info: SlowInfo): void;
  /** Last, once, when the stream is gone. */
  close(info: CloseInfo): void;
}

/** The connection behind a stream: lets all of them share their listeners. */
const kConnection = Symbol('connection');
type Carrier = Duplex & { [kConnection]?: Connection };

/** From so many unwritten bytes on, pings are answered later. */
const CONGESTED_FROM = 65_536;

/** Node's means for the core. */
const NODE = {
  now,
  isUtf8,
  allocate: (byteLength: number): Uint8Array => Buffer.allocUnsafeSlow(byteLength),
  encodeText: (text: string): Uint8Array => Buffer.from(text),
} as const;

/** The protocol core on a Duplex: the one file that reads a stream and sets a timer. */
export class Connection implements Transport, ProtocolHandlers, Backlog, WayOut {
  readonly duplex: Duplex;
  readonly protocol: Protocol;
  readonly #writer: Writer;
  readonly #owner: ConnectionOwner;
  readonly #settings: ConnectionSettings;
  /** What the stream had written before: the handshake. */
  readonly #bytesBefore: number;
  #timer: NodeJS.Timeout | undefined;
  #streamError: Error | null = null;
  #inputEnded = false;
  #streamClosed = false;
  #isClosed = false;
  /** Above it the core keeps what is sent, where it can still be left out, and be overtaken by control frames. */
  readonly #gate: number;
  /** From so much on, somebody wants to know when there is less. */
  readonly #watchFrom: number;
  #isFull = false;
  #needsDrain = false;
  /** While the peer is behind. */
  #slow: SlowRecipient | undefined;
  #bytesUnsent = 0;
  /** Who takes messages at his own pace, and has enough for now. */
  #readers: Set<object> | undefined;

  /** @throws {TypeError} when the stream already carries a connection */
  constructor(
    duplex: Duplex,
    role: Role,
    settings: ConnectionSettings,
    extensions: readonly Extension[],
    owner: ConnectionOwner,
  ) {
    const carrier: Carrier = duplex;
    if (carrier[kConnection] !== undefined) throw new TypeError('this stream already carries a WebSocket');
    this.duplex = duplex;
    this.#owner = owner;
    this.#settings = settings;
    const { highWaterMark, slowConsumer } = settings;
    this.#gate = Math.max(CONGESTED_FROM, Math.min(highWaterMark, slowConsumer?.highWaterMark ?? Infinity));
    this.#watchFrom = Math.min(highWaterMark, slowConsumer?.highWaterMark ?? Infinity, slowConsumer?.limit ?? Infinity);
    this.#bytesBefore = isPlainSocket(duplex) ? duplex.bytesWritten : 0;
    const { generateMask, limits, closeTimeoutMs, autoPong, strictLength, validateUtf8, fragmentSize } = settings;
    const maskingKey = role === 'server' ? undefined : generateMask ? maskingKeysFrom(generateMask) : randomMaskingKey;
    this.#writer = new Writer(duplex, maskingKey, () => this.#written());
    const preserveInput = !ownsItsChunks(duplex);
    const rules = { role, limits, closeTimeoutMs, autoPong, strictLength, validateUtf8, fragmentSize };
    this.protocol = new Protocol({ ...NODE, ...rules, extensions, preserveInput }, this, this);
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
    duplex.on('data', onData);
    if (duplex.destroyed) process.nextTick(onClose.bind(duplex));
    else if (duplex.readableEnded) process.nextTick(onEnd.bind(duplex));
  }

  get isOpen(): boolean {
    return this.protocol.state === 'open' && !this.#writer.isEnded && !this.duplex.destroyed;
  }
  get isClosed(): boolean {
    return this.#isClosed;
  }
  /** What broke it: the peer's offence, or an error of the stream. */
  get brokenBy(): Error | null {
    return this.protocol.error ?? this.#streamError;
  }
  /** Bytes given to the stream. */
  get bytesSent(): number {
    return this.#writer.bytesTaken;
  }
  get bufferedAmount(): number {
    return this.#isClosed ? 0 : this.#writer.bufferedBytes + this.protocol.queuedBytes;
  }

  /** `options` is for what is whole: its key, and its own rule for slow recipients. */
  sendMessage(
    payload: Uint8Array | string | DeferredPayload,
    isText: boolean,
    fin: boolean,
    compress: boolean | undefined,
    callback: SendCallback | undefined,
    options?: SendOptions,
  ): Outcome {
    if (this.#slow === undefined && options?.slowConsumer === undefined) {
      this.protocol.send(payload, isText, fin, compress, callback, options?.key);
      return this.#afterSend();
    }
    const isWhole = fin && this.protocol.isBetweenMessages;
    const message = { compress, prepared: undefined, callback, key: options?.key };
    return this.#sendSlowly(options, isWhole, callback, (mayReplace) => {
      if (mayReplace && this.protocol.replace(payload, isText, message)) return true;
      this.protocol.send(payload, isText, fin, compress, callback, options?.key);
      return false;
    });
  }

  sendPrepared(
    { payload, isBinary, compress, results: prepared }: PreparedMessage,
    callback: SendCallback | undefined,
    options?: SendOptions,
  ): Outcome {
    const key = options?.key;
    if (this.#slow === undefined && options?.slowConsumer === undefined) {
      this.protocol.sendPrepared(payload, !isBinary, compress, prepared, callback, key);
      return this.#afterSend();
    }
    return this.#sendSlowly(options, true, callback, (mayReplace) => {
      if (mayReplace && this.protocol.replace(payload, !isBinary, { compress, prepared, callback, key })) return true;
      this.protocol.sendPrepared(payload, !isBinary, compress, prepared, callback, key);
      return false;
    });
  }

  // For messages in fragments.

  openMessage(source: MessageSource): OpenMessage {
    return this.protocol.openMessage(source);
  }
  get fragmentSize(): number {
    const { fragmentSize } = this.#settings;
    return fragmentSize === Infinity ? 0 : fragmentSize;
  }
  get maxDeclaredFrame(): number {
    return this.#settings.maxDeclaredFrame;
  }
  grown(): void {
    this.#afterSend();
  }

  /** @throws as `Protocol.close`, in every state */
  closeWith(code: number | undefined, reason: string | Uint8Array | undefined): void {
    if (this.isOpen) this.protocol.close(code, reason);
    else encodeClosePayload(code, reason);
  }

  /** Cut, by the user: what was sent in this turn is with the stream before. */
  terminate(): void {
    this.#writer.flush();
    this.protocol.stop('local');
    this.destroy();
  }

  pause(): void {
    this.protocol.pause();
    if (!this.protocol.isStopped) this.duplex.pause();
  }

  resume(): void {
    this.#inTurn(() => this.protocol.resume());
  }

  /** `reader` has enough: nothing is read until all such readers are ready again. */
  holdFor(reader: object): void {
    (this.#readers ??= new Set()).add(reader);
    this.protocol.pause('reader');
    if (!this.protocol.isStopped) this.duplex.pause();
  }

  /** `reader` takes more, or nothing ever again. */
  readOnFor(reader: object): void {
    if (this.#readers?.delete(reader) && this.#readers.size === 0) this.#inTurn(() => this.protocol.resume('reader'));
  }

  /** No further event in this turn of the event loop. */
  endTurn(): void {
    this.protocol.pause('turn');
    setImmediate(() => this.#inTurn(() => this.protocol.resume('turn')));
  }

  // What the stream tells.

  received(chunk: Uint8Array): void {
    this.#inTurn(() => this.protocol.receive(chunk));
  }

  inputEnded(): void {
    this.#inputEnded = true;
    if (!this.protocol.isHeld || this.protocol.isStopped) this.end();
  }

  failed(error: Error): void {
    this.#streamError ??= error;
    this.duplex.destroy(); // for streams that do not do it by themselves
  }

  closed(): void {
    this.#streamClosed = true;
    if (this.#isClosed || this.protocol.isBusy) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#countUnsent();
    this.#writer.discard(); // what was sent first is told first
    this.protocol.transportEnd();
    this.#letGo();
    this.#owner.close(closeReport(this.protocol, this.#bytesUnsent, this.#streamError));
  }

  // The core's transport.

  frame(
    opcode: Opcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    callback: SendCallback | undefined,
  ): number {
    const length = this.#writer.frame(opcode, fin, rsv, payload, callback);
    this.#checkRoom();
    return length;
  }

  frameHead(opcode: Opcode, payloadLength: number): void {
    this.#writer.frameHead(opcode, payloadLength);
  }

  framePart(payload: Uint8Array, callback: SendCallback | undefined): void {
    this.#writer.framePart(payload, callback);
    this.#checkRoom();
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  get isCongested(): boolean {
    if (this.#writer.bufferedBytes < CONGESTED_FROM) return false;
    this.#writer.reportWrites();
    return true;
  }

  dropped(): void {
    this.#written();
  }

  // For a peer that is behind.

  get queueLength(): number {
    return this.protocol.queueLength;
  }
  dropOldest(): boolean {
    return this.protocol.dropOldest();
  }
  cut(error: Failure): void {
    this.protocol.cut(error);
  }
  slow(info: SlowInfo): void {
    this.#owner.slow(info);
  }
  recovered(info: SlowInfo): void {
    this.#owner.recovered(info);
  }

  end(): void {
    if (this.#inputEnded) this.protocol.inputEnd();
    this.#writer.end(() => {
      if (this.#inputEnded) this.duplex.destroy();
    });
    this.duplex.resume(); // what still comes is dropped; its end must be seen
    if (this.#inputEnded && this.duplex.writableFinished) this.duplex.destroy();
  }

  destroy(): void {
    this.#countUnsent();
    this.duplex.destroy();
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
    this.#owner.closing(code, reason, initiator);
  }
  failure(error: Failure): void {
    this.#owner.failure(error);
  }

  ready(): void {
    if (this.#streamClosed) return this.closed();
    if (this.protocol.isHeld && !this.protocol.isStopped) return;
    this.duplex.resume();
    if (this.#inputEnded) this.end();
  }

  deadline(): void {
    const deadline = this.protocol.nextDeadline();
    if (deadline === undefined || this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => this.protocol.handleTimeout(deadline), Math.max(0, deadline - now()));
  }

  /** Parses; what is sent meanwhile leaves in one write. A listener that throws stops only itself: the rest follows. */
  #inTurn(parse: () => void): void {
    this.#writer.beginTurn();
    let isDone = false;
    try {
      parse();
      isDone = true;
    } finally {
      this.#writer.endTurn();
      if (!isDone) setImmediate(() => this.#inTurn(() => this.protocol.proceed()));
      if (this.protocol.isHeld && !this.protocol.isStopped) this.duplex.pause();
    }
  }

  /** For a recipient that is behind, or a message with a rule of its own. `send` tells whether it took the place of another one. */
  #sendSlowly(
    options: SendOptions | undefined,
    isWhole: boolean,
    callback: SendCallback | undefined,
    send: (mayReplace: boolean) => boolean,
  ): Outcome {
    const { slowConsumer, highWaterMark } = this.#settings;
    const own = options?.slowConsumer;
    const rule = own === undefined ? slowConsumer : slowConsumerSettings(own, highWaterMark);
    const slow = this.#slow ?? (rule && new SlowRecipient(this, rule.highWaterMark));
    const mayReplace = rule?.policy === 'conflate' && isWhole;
    if (slow && rule && !(mayReplace && this.protocol.isWaiting(options?.key)) && !slow.admits(rule, isWhole)) {
      if (callback) process.nextTick(callback, new MessageError('WS_ERR_DROPPED'));
      return 'dropped';
    }
    if (send(mayReplace)) slow?.conflated();
    this.#slow = slow;
    return this.#afterSend();
  }

  #afterSend(): Outcome {
    const { bufferedAmount } = this;
    if (bufferedAmount >= this.#watchFrom || this.#slow) this.#watch();
    if (bufferedAmount < this.#settings.highWaterMark) return 'sent';
    this.#needsDrain = true;
    return 'queued';
  }

  /** The peer may be behind. */
  #watch(): void {
    const { slowConsumer } = this.#settings;
    if (slowConsumer) this.#slow ??= new SlowRecipient(this, slowConsumer.highWaterMark);
    this.#writer.reportWrites();
    this.#slow?.grown();
  }

  /** From `#gate` on, messages wait in the core. */
  #checkRoom(): void {
    if (this.#isFull || this.#writer.bufferedBytes < this.#gate) return;
    this.#isFull = true;
    this.#writer.reportWrites();
  }

  /** A write is through, or something will not be sent. */
  #written(): void {
    if (this.#isClosed) return;
    const { bufferedBytes } = this.#writer;
    if (bufferedBytes <= this.#gate / 2) this.#isFull = false;
    if (!this.#isFull) this.protocol.drained();
    if (this.#slow?.shrunk()) this.#slow = undefined;
    if (this.#isFull || this.bufferedAmount > Math.min(this.#settings.highWaterMark, CONGESTED_FROM) / 2) return;
    this.#writer.reportsWrites = this.#slow !== undefined;
    if (!this.#needsDrain) return;
    this.#needsDrain = false;
    this.#owner.drain();
  }

  /** Destroying a stream empties it: whoever is first here sees the most. */
  #countUnsent(): void {
    const { duplex } = this;
    const { queuedBytes, droppedBytes } = this.protocol;
    const given = isPlainSocket(duplex) ? this.#writer.bytesTaken - (duplex.bytesWritten - this.#bytesBefore) : 0;
    const bytes = Math.max(this.#writer.bufferedBytes, given) + queuedBytes + droppedBytes;
    this.#bytesUnsent = Math.max(this.#bytesUnsent, bytes);
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
function onEnd(this: Carrier): void {
  this[kConnection]?.inputEnded();
}
function onError(this: Carrier, error: Error): void {
  this[kConnection]?.failed(error);
}
function onClose(this: Carrier): void {
  this[kConnection]?.closed();
}
