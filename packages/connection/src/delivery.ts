import type { FrameHead } from '@ws/frame';
import { Buffer } from 'node:buffer';
import type { Duplex } from 'node:stream';
import { channels, tellBackpressure, tellMessage } from './channels.js';
import type { ConnectionOwner } from './connection-owner.js';
import { DISCARDED, IncomingFlow, Intake, type HeldConnection } from './incoming-flow.js';
import { kObserver } from './observer.js';
import type { ConnectionSettings } from './options.js';
import type { CloseInfo, Failure, MessageHead, MessageSink } from './protocol/index.js';
import { raise } from './protocol/settle.js';
import { kFinish } from './socket-state.js';
import type { BinaryType, RawData, SlowInfo } from './types.js';
import type { WebSocket } from './websocket.js';

/** What happened on the connection, as events of a WebSocket in the forms of ws 8. */
export class Delivery implements ConnectionOwner {
  readonly #socket: WebSocket;
  readonly #settings: ConnectionSettings;
  /** Set where events must come one a turn. */
  readonly #onDelivered: (() => void) | undefined;
  #flow: IncomingFlow | undefined;

  constructor(socket: WebSocket, settings: ConnectionSettings, onDelivered: (() => void) | undefined) {
    this.#socket = socket;
    this.#settings = settings;
    this.#onDelivered = onDelivered;
  }

  message(data: Uint8Array | Uint8Array[], isText: boolean): void {
    const socket = this.#socket;
    this.#onDelivered?.();
    if (channels.message.hasSubscribers) tellMessage(socket, 'in', data, !isText);
    const { binaryType } = socket;
    if (isText || (binaryType === 'nodebuffer' && !Array.isArray(data))) {
      socket.emit('message', asBuffer(data as Uint8Array), !isText); // nearly every message: no list is made for it
    } else {
      socket.emit('message', toBinaryType(data, binaryType) as RawData, true);
    }
  }

  /** As a stream, if it is to be one. Nobody listens: a message that would be one is dropped, and with `'auto'` given whole. */
  incoming(head: MessageHead, connection: HeldConnection): MessageSink | undefined {
    const socket = this.#socket;
    if (head.isText && socket.incoming === 'binary') return undefined;
    const isAuto = socket.incoming === 'auto';
    if (isAuto && head.header.fin && head.header.payloadLength <= this.#settings.streamThreshold) return undefined;
    if (socket.listenerCount('incoming') === 0) return isAuto ? undefined : DISCARDED;
    this.#flow ??= new IncomingFlow(connection, this.#settings.unreadBytes);
    const intake = new Intake(this.#flow);
    const message = new this.#settings.Incoming(head, intake);
    this.#onDelivered?.();
    if (channels.message.hasSubscribers) tellMessage(socket, 'in', message, message.isBinary);
    try {
      socket.emit('incoming', message);
    } catch (error) {
      raise(error); // its listener's, and comes up by itself: the message goes on
    }
    return intake;
  }

  get isQuiet(): boolean {
    return this.#flow === undefined;
  }

  get hearsFrames(): boolean {
    return this.#socket.listenerCount('frame') > 0;
  }

  frame(head: FrameHead): void {
    this.#socket.emit('frame', head);
  }

  ping(payload: Uint8Array): void {
    this.#onDelivered?.();
    this.#socket.emit('ping', asBuffer(payload));
  }

  pong(payload: Uint8Array): void {
    this.#onDelivered?.();
    this.#socket.emit('pong', asBuffer(payload));
  }

  closing(code: number, reason: string, initiator: 'local' | 'remote'): void {
    this.#socket[kObserver]?.closing(this.#socket, initiator);
    this.#socket.emit('closing', code, reason, initiator);
  }

  /** A peer's offence never throws: it is emitted where somebody listens, and it is in `CloseInfo`. */
  failure(error: Failure): void {
    if (this.#socket.listenerCount('error') > 0) this.#socket.emit('error', error);
  }

  full(): void {
    tellBackpressure(this.#socket, 'full');
  }

  drain(): void {
    tellBackpressure(this.#socket, 'drained');
    this.#socket.emit('drain');
  }

  slow(info: SlowInfo): void {
    tellBackpressure(this.#socket, 'slow');
    this.#socket[kObserver]?.slow(this.#socket, info);
    this.#socket.emit('slow', info);
  }

  recovered(info: SlowInfo): void {
    tellBackpressure(this.#socket, 'recovered');
    this.#socket[kObserver]?.recovered(this.#socket, info);
    this.#socket.emit('recovered', info);
  }

  streamClosed(stream: Duplex): void {
    this.#socket[kObserver]?.streamClosed(stream);
  }

  close(info: CloseInfo): void {
    this.#socket[kFinish](info);
    if (channels.close.hasSubscribers) channels.close.publish({ socket: this.#socket, info });
    this.#socket[kObserver]?.closed(this.#socket, info);
    this.#socket.emit('close', info.code, Buffer.from(info.reason), info);
  }
}

const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function toBinaryType(data: Uint8Array | Uint8Array[], binaryType: BinaryType): RawData | Blob {
  const parts = Array.isArray(data) ? data : [data];
  switch (binaryType) {
    case 'fragments':
      return parts.map(asBuffer);
    case 'blob':
      return new Blob(parts);
    case 'arraybuffer':
      return toArrayBuffer(whole(parts));
    case 'nodebuffer':
      return asBuffer(whole(parts));
  }
}

const whole = (parts: Uint8Array[]): Uint8Array => (parts.length === 1 ? parts[0]! : Buffer.concat(parts));

/** The buffer itself where it holds nothing else. */
function toArrayBuffer(bytes: Uint8Array): ArrayBuffer {
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteLength === buffer.byteLength) return buffer as ArrayBuffer;
  return buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
}
