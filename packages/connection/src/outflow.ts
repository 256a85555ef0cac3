import type { Duplex } from 'node:stream';
import { slowConsumerSettings, type ConnectionSettings } from './options.js';
import type { WayOut } from './outgoing.js';
import { bytesInHand, isPlainSocket } from './plain-socket.js';
import type { PreparedMessage } from './prepared-message.js';
import {
  MessageError,
  type DeferredPayload,
  type Account,
  type Failure,
  type MessageSource,
  type OpenMessage,
  type Protocol,
  type SendCallback,
  type Transport,
} from './protocol/index.js';
import { common } from './slab.js';
import { SlowRecipient, type Backlog, type Outcome } from './slow-recipient.js';
import type { SendOptions, SlowInfo } from './types.js';
import { Writer } from './writer.js';

/** What the sending half needs of its connection. */
export interface OutflowHost {
  readonly protocol: Protocol;
  /** The core wants the stream to end. */
  end(): void;
  /** All is written, and the stream's writable side has ended. */
  ended(): void;
  /** Messages are `'queued'` or `'dropped'`, for the first time since there was room. */
  full(): void;
  /** There is room again. */
  drain(): void;
  slow(info: SlowInfo): void;
  recovered(info: SlowInfo): void;
}

type Payload = Uint8Array | string | DeferredPayload;

/** From so many unwritten bytes on, pings are answered later, and messages wait in the core. */
const CONGESTED_FROM = 65_536;

/** While they are given, so many bytes make one entry in the account. */
const RECOUNT_EACH = 4096;

/** The sending half of a connection: what is on its way to the stream, and how far behind the peer is. */
export class Outflow extends Writer implements Transport, Backlog, WayOut {
  readonly #host: OutflowHost;
  #settings: ConnectionSettings;
  /** What the stream had written before: the handshake. */
  readonly #bytesBefore: number;
  #isFull = false;
  #needsDrain = false;
  #isClosed = false;
  /** While the peer is behind. */
  #slow: SlowRecipient | undefined;
  #bytesUnsent = 0;
  /** What the account knows of. */
  #counted = 0;
  /** Unsent bytes from which on it is to know more. */
  #recountFrom = Infinity;

  constructor(
    duplex: Duplex,
    maskingKey: (() => number) | undefined,
    settings: ConnectionSettings,
    host: OutflowHost,
    account: Account | undefined,
    bytesTaken: number,
  ) {
    super(duplex, maskingKey, account, bytesTaken);
    if (account) this.#recountFrom = RECOUNT_EACH;
    this.#host = host;
    this.#settings = settings;
    this.#bytesBefore = isPlainSocket(duplex) ? duplex.bytesWritten - bytesTaken : 0;
  }

  /** From the next message on. */
  set settings(settings: ConnectionSettings) {
    this.#settings = settings;
    if (!this.#isClosed && this.bufferedAmount >= settings.watchedBytes) this.#watch();
  }

  /** Nothing is on its way, and nobody waits for it. */
  get isQuiet(): boolean {
    const isUsual = this.#slow === undefined && !this.#isFull && !this.#needsDrain && !this.#isClosed;
    return isUsual && this.#counted === 0 && this.isThrough;
  }

  /** Bytes that the operating system has not taken. */
  get bufferedAmount(): number {
    if (this.heldBytes > 0 && !this.duplex.destroyed) this.flush(); // else nobody knows
    return this.#isClosed ? 0 : this.bufferedBytes + this.#host.protocol.sender.queuedBytes;
  }
  /** The same when the connection ended. */
  get bytesUnsent(): number {
    return this.#bytesUnsent;
  }

  /** `options` is for whole messages: the key of one, and its own rule for slow recipients. */
  send(
    payload: Payload,
    isText: boolean,
    fin: boolean,
    compress: boolean | undefined,
    callback: SendCallback | undefined,
    options?: SendOptions,
  ): Outcome {
    if (this.#slow === undefined && options?.slowConsumer === undefined) {
      this.#host.protocol.sender.send(payload, isText, fin, compress, callback, options?.key);
      return this.#afterSend();
    }
    const { sender } = this.#host.protocol;
    const isWhole = fin && sender.isBetweenMessages;
    const fate = this.#fate(options, isWhole);
    const message = { compress, prepared: undefined, callback, key: options?.key };
    if (fate === 'dropped') return this.#leaveOut(callback);
    if (fate === 'queued') sender.send(payload, isText, fin, compress, callback, options?.key);
    else sender.replace(payload, isText, message);
    return this.#afterSend();
  }

  sendPrepared(
    { payload, isBinary, compress, results: prepared }: PreparedMessage,
    callback: SendCallback | undefined,
    options?: SendOptions,
  ): Outcome {
    const { sender } = this.#host.protocol;
    const key = options?.key;
    const isUsual = this.#slow === undefined && options?.slowConsumer === undefined;
    const fate = isUsual ? 'queued' : this.#fate(options, true);
    if (fate === 'dropped') return this.#leaveOut(callback);
    if (fate === 'queued') {
      common.offered = payload;
      try {
        sender.sendPrepared(payload, !isBinary, compress, prepared, callback, key);
      } finally {
        common.offered = undefined;
      }
    } else sender.replace(payload, !isBinary, { compress, prepared, callback, key });
    return this.#afterSend();
  }

  // For messages in fragments.

  openMessage(source: MessageSource): OpenMessage {
    return this.#host.protocol.sender.openMessage(source);
  }
  get fragmentSize(): number {
    const { fragmentSize } = this.#settings;
    return fragmentSize === Infinity ? 0 : fragmentSize;
  }
  get maxDeclaredFrame(): number {
    return this.#settings.maxDeclaredFrame;
  }
  mayBeOneFrame(compress: boolean | undefined): boolean {
    return this.#host.protocol.sender.mayBeOneFrame(compress);
  }
  grown(): void {
    this.#afterSend();
  }
  retain(change: number): void {
    this.account?.add(change);
  }

  /** The stream breaks off. */
  broken(): void {
    this.#countUnsent();
    this.breakOff();
  }

  /** The stream is gone. */
  close(): void {
    this.#countUnsent();
    this.#isClosed = true;
    this.discard(); // what was sent first is told first
  }

  // The core's transport; its frames are the writer's.

  get isFull(): boolean {
    return this.#isFull;
  }

  hasRoom(): boolean {
    if (!this.#isFull && this.bufferedBytes >= this.#settings.gateBytes) {
      this.#isFull = true;
      this.reportWrites();
    }
    return !this.#isFull;
  }

  get isCongested(): boolean {
    if (this.bufferedBytes < CONGESTED_FROM) return false;
    this.reportWrites();
    return true;
  }

  get hasBacklog(): boolean {
    return this.duplex.writableLength > 0;
  }

  get progress(): number {
    return this.bytesTaken - this.duplex.writableLength - bytesInHand(this.duplex);
  }

  dropped(): void {
    this.written();
  }

  // For a peer that is behind.

  slow(info: SlowInfo): void {
    this.#host.slow(info);
  }
  recovered(info: SlowInfo): void {
    this.#host.recovered(info);
  }

  get queueLength(): number {
    return this.#host.protocol.sender.queueLength;
  }
  dropOldest(): boolean {
    return this.#host.protocol.sender.dropOldest();
  }
  cut(error: Failure): void {
    this.#host.protocol.cut(error);
  }

  end(): void {
    this.#host.end();
  }

  /** Ends the stream behind what is written. */
  finish(): void {
    this.endStream(() => this.#host.ended());
  }

  destroy(): void {
    if (this.heldBytes > 0 && !this.duplex.destroyed) this.flush(); // it only waited for others of its kind
    this.broken();
    this.duplex.destroy();
  }

  /** What is to become of a message whose recipient is behind, or that has a rule of its own. */
  #fate(options: SendOptions | undefined, isWhole: boolean): 'queued' | 'replaces' | 'dropped' {
    const { slowConsumer, highWaterMark } = this.#settings;
    const own = options?.slowConsumer;
    const rule = own === undefined ? slowConsumer : slowConsumerSettings(own, highWaterMark);
    if (rule === undefined) return 'queued';
    const slow = (this.#slow ??= new SlowRecipient(this, rule.highWaterMark));
    if (rule.policy === 'conflate' && isWhole && this.#host.protocol.sender.isWaiting(options?.key)) {
      slow.conflated();
      return 'replaces';
    }
    return slow.admits(rule, isWhole) ? 'queued' : 'dropped';
  }

  #leaveOut(callback: SendCallback | undefined): Outcome {
    if (callback) process.nextTick(callback, new MessageError('WS_ERR_DROPPED'));
    this.#needDrain(); // `send` returns false, whatever waits
    this.reportWrites();
    return 'dropped';
  }

  #afterSend(): Outcome {
    const bufferedAmount = this.bufferedBytes + this.#host.protocol.sender.queuedBytes;
    if (bufferedAmount >= this.#recountFrom) this.recount();
    const { watchedBytes, highWaterMark } = this.#settings;
    if (bufferedAmount < watchedBytes && this.#slow === undefined) return 'sent';
    this.#watch();
    if (bufferedAmount < highWaterMark) return 'sent';
    this.#needDrain();
    return 'queued';
  }

  #needDrain(): void {
    if (this.#needsDrain) return;
    this.#needsDrain = true;
    this.#host.full();
  }

  /** The peer may be behind. */
  #watch(): void {
    const { slowConsumer } = this.#settings;
    if (slowConsumer) this.#slow ??= new SlowRecipient(this, slowConsumer.highWaterMark);
    this.hasRoom();
    this.reportWrites();
    this.#slow?.grown();
  }

  /** Tells the account what waits to be written. */
  recount(): void {
    if (this.account === undefined) return;
    const bytes = this.#isClosed ? 0 : this.ownBytes + this.#host.protocol.sender.retainedBytes;
    this.#recountFrom = this.bufferedBytes + this.#host.protocol.sender.queuedBytes + RECOUNT_EACH;
    if (bytes !== this.#counted) this.account.add(bytes - this.#counted);
    this.#counted = bytes;
  }

  protected override flushed(isLeft: boolean): void {
    if (isLeft || this.#counted !== 0 || this.#host.protocol.sender.retainedBytes !== 0) this.recount();
    else this.#recountFrom = RECOUNT_EACH; // what `recount` comes to after nearly every write
  }

  protected override lost(byteLength: number): void {
    if (!this.#isClosed) this.#countUnsent(byteLength);
  }

  /** A write is through, or something will not be sent. */
  protected override written(): void {
    this.#goOn();
    this.recount();
  }

  #goOn(): void {
    if (this.#isClosed || this.duplex.destroyed) return; // what is gone has not been taken: nobody has caught up
    if (this.bufferedBytes <= this.#settings.gateBytes / 2) this.#isFull = false;
    if (!this.#isFull) this.#host.protocol.drained();
    if (this.#slow?.shrunk()) this.#slow = undefined;
    if (this.#isFull || this.bufferedAmount > Math.min(this.#settings.highWaterMark, CONGESTED_FROM) / 2) return;
    this.reportsWrites = this.#slow !== undefined;
    if (!this.#needsDrain || this.duplex.destroyed) return; // a listener may have ended it
    this.#needsDrain = false;
    this.#host.drain();
  }

  /** Destroying a stream empties it: whoever is first here sees the most. */
  #countUnsent(lost = 0): void {
    const { duplex } = this;
    const { queuedBytes, droppedBytes } = this.#host.protocol.sender;
    const given = isPlainSocket(duplex) ? this.bytesTaken - (duplex.bytesWritten - this.#bytesBefore) : 0;
    const bytes = Math.max(this.bufferedBytes + this.heldBytes + lost, given) + queuedBytes + droppedBytes;
    this.#bytesUnsent = Math.max(this.#bytesUnsent, bytes);
  }
}
