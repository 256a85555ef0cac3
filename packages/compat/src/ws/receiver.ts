import { Writable } from 'node:stream';
import { Protocol, type Extension, type Failure, type ProtocolHandlers, type Transport } from '@ws/connection/protocol';
import type { PerMessageDeflate } from './permessage-deflate.js';

export interface ReceiverOptions {
  readonly binaryType?: 'nodebuffer' | 'arraybuffer' | 'fragments' | undefined;
  readonly extensions?: Readonly<Record<string, PerMessageDeflate>> | undefined;
  /** Our end: a server takes masked frames only. */
  readonly isServer?: boolean | undefined;
  readonly maxPayload?: number | undefined;
  readonly maxBufferedChunks?: number | undefined;
  readonly maxFragments?: number | undefined;
  readonly skipUTF8Validation?: boolean | undefined;
}

/** Bytes of frames in; `'message'(data, isBinary)`, `'ping'(data)`, `'pong'(data)`, `'conclude'(code, reason)` out. It answers nothing. */
export class Receiver extends Writable {
  readonly #protocol: Protocol;
  #failure: Failure | undefined;
  #next: ((error?: Error) => void) | undefined;

  constructor(options: ReceiverOptions = {}) {
    super();
    const { binaryType = 'nodebuffer', extensions = {}, isServer = false, skipUTF8Validation = false } = options;
    this.#protocol = new Protocol(
      {
        role: isServer ? 'server' : 'client',
        now: () => performance.now(),
        limits: {
          maxPayload: options.maxPayload || Infinity,
          maxFragments: options.maxFragments || Infinity,
          maxBufferedChunks: options.maxBufferedChunks || Infinity,
        },
        closeTimeoutMs: Infinity,
        autoPong: false,
        validateUtf8: !skipUTF8Validation,
        extensions: Object.values(extensions).map(({ codec }): Extension => codec),
        preserveInput: true,
        allocate: (byteLength) => Buffer.allocUnsafe(byteLength),
      },
      NOWHERE,
      this.#handlers(binaryType),
    );
    this.#protocol.keepFragments = binaryType === 'fragments';
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error) => void): void {
    this.#next = callback;
    this.#protocol.receive(chunk);
    if (!this.#protocol.isHeld) this.#settle();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#protocol.stop();
    callback(error);
  }

  #settle(): void {
    const next = this.#next;
    this.#next = undefined;
    next?.(this.#failure);
  }

  #handlers(binaryType: ReceiverOptions['binaryType']): ProtocolHandlers {
    return {
      message: (data, isText) => void this.emit('message', isText ? asBuffer(data) : inForm(data, binaryType), !isText),
      ping: (payload) => void this.emit('ping', asBuffer(payload)),
      pong: (payload) => void this.emit('pong', asBuffer(payload)),
      closing: (code, reason, initiator) => {
        if (initiator === 'local') return;
        this.emit('conclude', code, Buffer.from(reason));
        this.#settle();
        this.end();
      },
      failure: (error) => {
        this.#failure = error;
        if (this.#next) this.#settle();
        else this.destroy(error);
      },
      ready: () => this.#settle(),
      deadline: () => {},
    };
  }
}

/** A peer that is not there: what the protocol would send it goes nowhere. */
const NOWHERE: Transport = {
  frame: (_opcode, _fin, _rsv, payload) => payload.length,
  frameHead: () => {},
  framePart: () => {},
  isFull: false,
  hasRoom: () => true,
  isCongested: false,
  isBroken: false,
  hasBacklog: false,
  progress: 0,
  dropped: () => {},
  end: () => {},
  destroy: () => {},
};

type Bytes = Uint8Array | Uint8Array[];

const asBuffer = (data: Bytes): Buffer =>
  Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);

function inForm(data: Bytes, binaryType: ReceiverOptions['binaryType']): Buffer | ArrayBuffer | Buffer[] {
  if (binaryType === 'fragments') return [data].flat().map(asBuffer);
  const whole = asBuffer(data);
  return binaryType === 'arraybuffer' ? new Uint8Array(whole).buffer : whole;
}
