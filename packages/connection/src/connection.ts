import { isUtf8 } from 'node:buffer';
import { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Duplex } from 'node:stream';
import { asBuffer } from './delivery.js';
import { maskingKeysFrom, randomMaskingKey } from './masking-key.js';
import type { ConnectionSettings } from './options.js';
import {
  Protocol,
  type CloseInfo,
  type DeferredPayload,
  type Extension,
  type Failure,
  type ProtocolHandlers,
  type SendCallback,
  type Transport,
} from './protocol/index.js';
import { Writer } from './writer.js';

export type Role = 'server' | 'client';

/** Who is told what happens on a connection. */
export interface ConnectionOwner {
  onMessage(data: Uint8Array | Uint8Array[], isText: boolean): void;
  onPing(payload: Buffer): void;
  onPong(payload: Buffer): void;
  onClosing(code: number, reason: string, initiator: 'local' | 'remote'): void;
  onFailure(error: Failure): void;
  onDrain(): void;
  /** Last, once, when the stream is gone. */
  onClose(info: CloseInfo): void;
}

/** The connection behind a stream: lets all of them share their listeners. */
const kConnection = Symbol('connection');
type Carrier = Duplex & { [kConnection]?: Connection };

/** The protocol core on a Duplex: the one file that reads a stream and sets a timer. */
export class Connection {
  readonly duplex: Duplex;
  readonly protocol: Protocol;
  readonly #writer: Writer;
  readonly #owner: ConnectionOwner;
  readonly #highWaterMark: number;
  /** What the stream had written before: the handshake. */
  readonly #bytesBefore: number;
  #timer: NodeJS.Timeout | undefined;
  #streamError: Error | null = null;
  #inputEnded = false;
  #streamClosed = false;
  #isClosed = false;
  #bytesUnsent = 0;

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
    this.#highWaterMark = settings.highWaterMark;
    this.#bytesBefore = duplex instanceof Socket ? duplex.bytesWritten : 0;
    const { generateMask } = settings;
    const maskingKey = role === 'server' ? undefined : generateMask ? maskingKeysFrom(generateMask) : randomMaskingKey;
    this.#writer = new Writer(duplex, maskingKey, () => this.#written());
    this.protocol = new Protocol(
      {
        role,
        now,
        limits: { ...settings.limits },
        closeTimeoutMs: settings.closeTimeoutMs,
        autoPong: settings.autoPong,
        strictLength: settings.strictLength,
        validateUtf8: settings.validateUtf8,
        extensions,
        // A socket's chunks are made for us; those of another Duplex may be somebody's own memory.
        preserveInput: !(duplex instanceof Socket),
        isUtf8,
        allocate: Buffer.allocUnsafeSlow,
        encodeText: (text) => Buffer.from(text),
      },
      this.#transport(),
      this.#handlers(),
    );
    carrier[kConnection] = this;
  }

  /** Data flows from a later tick on; `head` comes first. */
  start(head: Uint8Array): void {
    const { duplex } = this;
    if (duplex instanceof Socket) {
      duplex.setTimeout(0);
      duplex.setNoDelay();
    }
    duplex.on('error', onError);
    duplex.on('close', onClose);
    duplex.on('end', onEnd);
    if (head.length > 0) duplex.unshift(Buffer.from(head));
    duplex.on('data', onData);
    if (duplex.destroyed) process.nextTick(() => this.closed());
  }

  get isOpen(): boolean {
    return this.protocol.state === 'open' && !this.#writer.isEnded && !this.duplex.destroyed;
  }
  get isClosed(): boolean {
    return this.#isClosed;
  }
  get bufferedAmount(): number {
    return this.#isClosed ? 0 : this.#writer.bufferedBytes + this.protocol.queuedBytes;
  }

  /** @returns false above the high-water mark; `onDrain` follows */
  send(
    payload: Uint8Array | string | DeferredPayload,
    isText: boolean,
    fin: boolean,
    compress: boolean | undefined,
    callback: SendCallback | undefined,
  ): boolean {
    this.protocol.send(payload, isText, fin, compress, callback);
    if (this.bufferedAmount < this.#highWaterMark) return true;
    this.#writer.reportsWrites = true;
    return false;
  }

  close(code: number | undefined, reason: string | Uint8Array | undefined): void {
    try {
      this.protocol.close(code, reason);
    } finally {
      this.#armTimer();
    }
  }

  terminate(): void {
    this.protocol.stop('local');
    this.#destroy();
  }

  pause(): void {
    this.protocol.pause();
    if (!this.protocol.isStopped) this.duplex.pause();
  }

  resume(): void {
    this.#inTurn(() => this.protocol.resume());
  }

  /** No further event in this turn of the event loop. */
  endTurn(): void {
    this.protocol.pause('turn');
    setImmediate(() => this.#inTurn(() => this.protocol.resume('turn')));
  }

  /** Bytes from the stream. */
  received(chunk: Uint8Array): void {
    this.#writer.beginTurn();
    let isDone = false;
    try {
      this.protocol.receive(chunk);
      isDone = true;
    } finally {
      this.#writer.endTurn();
      // A listener threw: the rest of the chunk is still to come.
      if (!isDone) setImmediate(() => this.received(NOTHING));
      if (this.protocol.state !== 'open') this.#armTimer();
      if (this.protocol.isHeld && !this.protocol.isStopped) this.duplex.pause();
    }
  }

  /** The peer ended its half; what it sent before that is seen to first. */
  inputEnded(): void {
    this.#inputEnded = true;
    if (!this.protocol.isHeld || this.protocol.isStopped) this.#end();
  }

  /** The stream broke; it destroys itself. */
  failed(error: Error): void {
    this.#streamError ??= error;
  }

  /** The stream is gone; an extension may still be at work on what came before. */
  closed(): void {
    this.#streamClosed = true;
    if (this.#isClosed || this.protocol.isDecoding) return;
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#countUnsent();
    this.protocol.transportEnd();
    this.#writer.discard();
    this.#owner.onClose(this.#closeInfo());
  }

  #inTurn(step: () => void): void {
    this.#writer.beginTurn();
    try {
      step();
    } finally {
      this.#writer.endTurn();
      if (this.protocol.state !== 'open') this.#armTimer();
    }
  }

  #armTimer(): void {
    const deadline = this.protocol.nextDeadline();
    if (deadline === undefined || this.#timer !== undefined || this.#isClosed) return;
    this.#timer = setTimeout(() => this.protocol.handleTimeout(deadline), Math.max(0, deadline - now()));
  }

  #transport(): Transport {
    const writer = this.#writer;
    const isCongested = (): boolean => this.#isCongested();
    return {
      frame: (opcode, fin, rsv, payload, callback) => writer.frame(opcode, fin, rsv, payload, callback),
      get isCongested() {
        return isCongested();
      },
      end: () => this.#end(),
      destroy: () => this.#destroy(),
    };
  }

  #handlers(): ProtocolHandlers {
    const owner = this.#owner;
    return {
      message: (data, isText) => owner.onMessage(data, isText),
      ping: (payload) => owner.onPing(asBuffer(payload)),
      pong: (payload) => owner.onPong(asBuffer(payload)),
      closing: (code, reason, initiator) => owner.onClosing(code, reason, initiator),
      failure: (error) => owner.onFailure(error),
      ready: () => this.#ready(),
    };
  }

  #ready(): void {
    if (this.#streamClosed) return this.closed();
    this.duplex.resume();
    if (this.#inputEnded) this.#end();
  }

  #isCongested(): boolean {
    if (this.bufferedAmount < this.#highWaterMark) return false;
    this.#writer.reportsWrites = true;
    return true;
  }

  #written(): void {
    if (this.#isClosed || this.bufferedAmount > this.#highWaterMark / 2) return;
    this.#writer.reportsWrites = false;
    this.protocol.drained();
    this.#owner.onDrain();
  }

  #end(): void {
    this.#writer.end(() => {
      if (this.#inputEnded) this.duplex.destroy();
    });
    this.duplex.resume(); // what still comes is dropped; its end must be seen
    if (this.#inputEnded && this.duplex.writableFinished) this.duplex.destroy();
  }

  #destroy(): void {
    this.#countUnsent();
    this.duplex.destroy();
  }

  /** Destroying a stream empties it: whoever is first here sees the most. */
  #countUnsent(): void {
    const { duplex } = this;
    const waiting = this.bufferedAmount;
    const given = duplex instanceof Socket ? this.#writer.bytesTaken - (duplex.bytesWritten - this.#bytesBefore) : 0;
    this.#bytesUnsent = Math.max(this.#bytesUnsent, waiting, given);
  }

  #closeInfo(): CloseInfo {
    const { sent, received, error, initiator, lastActivity } = this.protocol;
    const { code, reason } = received ?? { code: 1006, reason: '' };
    const wasClean = sent !== null && received !== null;
    return {
      code,
      reason,
      wasClean,
      initiator,
      sent,
      received,
      error: error ?? this.#streamError,
      bytesUnsent: this.#bytesUnsent,
      lastActivity: sinceEpoch(lastActivity),
      frames: wasClean ? [] : this.protocol.recentFrames().map((frame) => ({ ...frame, at: sinceEpoch(frame.at) })),
    };
  }
}

const NOTHING = new Uint8Array(0);
const now = (): number => performance.now();
const sinceEpoch = (ms: number): number => Math.round(performance.timeOrigin + ms);

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
