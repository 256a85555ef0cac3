import type { Duplex } from 'node:stream';
import type { Opcode } from '@ws/frame';
import { slowConsumerSettings, type ConnectionSettings } from './options.js';
import type { WayOut } from './outgoing.js';
import { isPlainSocket } from './plain-socket.js';
import type { PreparedMessage } from './prepared-message.js';
import {
  MessageError,
  type DeferredPayload,
  type Failure,
  type MessageSource,
  type OpenMessage,
  type Protocol,
  type SendCallback,
  type Transport,
} from './protocol/index.js';
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
  /** There is room again after `send` returned `'queued'`. */
  drain(): void;
  slow(info: SlowInfo): void;
  recovered(info: SlowInfo): void;
}

/** From so many unwritten bytes on, pings are answered later, and messages wait in the core. */
const CONGESTED_FROM = 65_536;

/** The sending half of a connection: what is on its way to the stream, and how far behind the peer is. */
export class Outflow implements Transport, Backlog, WayOut {
  readonly #duplex: Duplex;
  readonly #host: OutflowHost;
  readonly #settings: ConnectionSettings;
  readonly #writer: Writer;
  /** What the stream had written before: the handshake. */
  readonly #bytesBefore: number;
  #isFull = false;
  #needsDrain = false;
  #isClosed = false;
  /** While the peer is behind. */
  #slow: SlowRecipient | undefined;
  #bytesUnsent = 0;

  constructor(duplex: Duplex, maskingKey: (() => number) | undefined, settings: ConnectionSettings, host: OutflowHost) {
    this.#duplex = duplex;
    this.#host = host;
    this.#settings = settings;
    this.#bytesBefore = isPlainSocket(duplex) ? duplex.bytesWritten : 0;
    this.#writer = new Writer(duplex, maskingKey, () => this.#written());
  }

  get isEnded(): boolean {
    return this.#writer.isEnded;
  }
  /** Bytes given to the stream. */
  get bytesSent(): number {
    return this.#writer.bytesTaken;
  }
  /** Bytes that the operating system has not taken. */
  get bufferedAmount(): number {
    return this.#isClosed ? 0 : this.#writer.bufferedBytes + this.#host.protocol.queuedBytes;
  }
  /** The same when the connection ended. */
  get bytesUnsent(): number {
    return this.#bytesUnsent;
  }

  /** `options` is for whole messages: the key of one, and its own rule for slow recipients. */
  send(
    payload: Uint8Array | string | DeferredPayload,
    isText: boolean,
    fin: boolean,
    compress: boolean | undefined,
    callback: SendCallback | undefined,
    options?: SendOptions,
  ): Outcome {
    if (this.#slow === undefined && options?.slowConsumer === undefined) {
      this.#host.protocol.send(payload, isText, fin, compress, callback, options?.key);
      return this.#afterSend();
    }
    const isWhole = fin && this.#host.protocol.isBetweenMessages;
    const message = { compress, prepared: undefined, callback, key: options?.key };
    return this.#sendSlowly(options, isWhole, callback, (mayReplace) => {
      if (mayReplace && this.#host.protocol.replace(payload, isText, message)) return true;
      this.#host.protocol.send(payload, isText, fin, compress, callback, options?.key);
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
      this.#host.protocol.sendPrepared(payload, !isBinary, compress, prepared, callback, key);
      return this.#afterSend();
    }
    return this.#sendSlowly(options, true, callback, (mayReplace) => {
      if (mayReplace && this.#host.protocol.replace(payload, !isBinary, { compress, prepared, callback, key }))
        return true;
      this.#host.protocol.sendPrepared(payload, !isBinary, compress, prepared, callback, key);
      return false;
    });
  }

  // For messages in fragments.

  openMessage(source: MessageSource): OpenMessage {
    return this.#host.protocol.openMessage(source);
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

  /** What is sent from now on leaves with `endTurn`, in one write. */
  beginTurn(): void {
    this.#writer.beginTurn();
  }
  endTurn(): void {
    this.#writer.endTurn();
  }
  flush(): void {
    this.#writer.flush();
  }

  /** The stream is gone. */
  close(): void {
    this.#countUnsent();
    this.#isClosed = true;
    this.#writer.discard(); // what was sent first is told first
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

  slow(info: SlowInfo): void {
    this.#host.slow(info);
  }
  recovered(info: SlowInfo): void {
    this.#host.recovered(info);
  }

  get queueLength(): number {
    return this.#host.protocol.queueLength;
  }
  dropOldest(): boolean {
    return this.#host.protocol.dropOldest();
  }
  cut(error: Failure): void {
    this.#host.protocol.cut(error);
  }

  end(): void {
    this.#host.end();
  }

  /** Ends the stream behind what is written. */
  endStream(): void {
    this.#writer.end(() => this.#host.ended());
  }

  destroy(): void {
    this.#countUnsent();
    this.#duplex.destroy();
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
    if (slow && rule && !(mayReplace && this.#host.protocol.isWaiting(options?.key)) && !slow.admits(rule, isWhole)) {
      if (callback) process.nextTick(callback, new MessageError('WS_ERR_DROPPED'));
      return 'dropped';
    }
    if (send(mayReplace)) slow?.conflated();
    this.#slow = slow;
    return this.#afterSend();
  }

  #afterSend(): Outcome {
    const { bufferedAmount } = this;
    if (bufferedAmount >= this.#settings.watchedBytes || this.#slow) this.#watch();
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

  /** From `gateBytes` on, messages wait in the core. */
  #checkRoom(): void {
    if (this.#isFull || this.#writer.bufferedBytes < this.#settings.gateBytes) return;
    this.#isFull = true;
    this.#writer.reportWrites();
  }

  /** A write is through, or something will not be sent. */
  #written(): void {
    if (this.#isClosed) return;
    const { bufferedBytes } = this.#writer;
    if (bufferedBytes <= this.#settings.gateBytes / 2) this.#isFull = false;
    if (!this.#isFull) this.#host.protocol.drained();
    if (this.#slow?.shrunk()) this.#slow = undefined;
    if (this.#isFull || this.bufferedAmount > Math.min(this.#settings.highWaterMark, CONGESTED_FROM) / 2) return;
    this.#writer.reportsWrites = this.#slow !== undefined;
    if (!this.#needsDrain) return;
    this.#needsDrain = false;
    this.#host.drain();
  }

  /** Destroying a stream empties it: whoever is first here sees the most. */
  #countUnsent(): void {
    const duplex = this.#duplex;
    const { queuedBytes, droppedBytes } = this.#host.protocol;
    const given = isPlainSocket(duplex) ? this.#writer.bytesTaken - (duplex.bytesWritten - this.#bytesBefore) : 0;
    const bytes = Math.max(this.#writer.bufferedBytes, given) + queuedBytes + droppedBytes;
    this.#bytesUnsent = Math.max(this.#bytesUnsent, bytes);
  }
}
