import type { EventEmitter } from 'node:events';
import type { ConnectionOwner } from './connection.js';
import type { CloseInfo, Failure } from './protocol/index.js';
import type { BinaryType, RawData, WebSocketEvents } from './types.js';

type Emitter = EventEmitter<WebSocketEvents> & { readonly binaryType: BinaryType };

/** What happened on the connection, as events of a WebSocket in the forms of ws 8. */
export class Delivery implements ConnectionOwner {
  readonly #socket: Emitter;
  readonly #onClose: (info: CloseInfo) => void;
  /** Set where events must come one a turn. */
  readonly #onDelivered: (() => void) | undefined;

  constructor(socket: Emitter, onClose: (info: CloseInfo) => void, onDelivered: (() => void) | undefined) {
    this.#socket = socket;
    this.#onClose = onClose;
    this.#onDelivered = onDelivered;
  }

  message(data: Uint8Array | Uint8Array[], isText: boolean): void {
    const socket = this.#socket;
    this.#onDelivered?.();
    if (isText) socket.emit('message', asBuffer(data as Uint8Array), false);
    else socket.emit('message', toBinaryType(data, socket.binaryType) as RawData, true);
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
    this.#socket.emit('closing', code, reason, initiator);
  }

  /** A peer's offence never throws: it is emitted where somebody listens, and it is in `CloseInfo`. */
  failure(error: Failure): void {
    if (this.#socket.listenerCount('error') > 0) this.#socket.emit('error', error);
  }

  drain(): void {
    this.#socket.emit('drain');
  }

  close(info: CloseInfo): void {
    this.#onClose(info);
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
