import {
  decodeClosePayload,
  decodeHeader,
  encodeHeader,
  FrameParser,
  mask as applyMask,
  Opcode,
  type FrameHead,
} from '@ws/frame';
import type { Duplex } from 'node:stream';
import type { WebSocket } from './websocket.js';

type Callback = (error?: Error) => void;

/** As `ws` has them. */
export interface FrameOptions {
  readonly opcode: number;
  readonly fin?: boolean | undefined;
  readonly rsv1?: boolean | undefined;
  /** Mask the payload, in place unless `readOnly`. */
  readonly mask?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
  readonly generateMask?: ((mask: Buffer) => void) | undefined;
  readonly maskBuffer?: Buffer | undefined;
}

type Frame = readonly [head: Pick<FrameHead, 'opcode' | 'fin'>, payload: Uint8Array];

/** Frames that are made once and sent to many. */
export class Sender {
  readonly #socket: WebSocket;

  /** @throws {TypeError} for anything but a WebSocket: over a stream, `WebSocket.from` of `@ws/connection` sends */
  constructor(socket: WebSocket) {
    if (typeof socket?.ping !== 'function') throw new TypeError('a Sender sends on a WebSocket, not on a stream');
    this.#socket = socket;
  }

  get _socket(): Duplex | null {
    return this.#socket._socket;
  }

  static frame(data: Buffer | string, options: FrameOptions): Buffer[] {
    let payload = typeof data === 'string' ? Buffer.from(data) : data;
    const { opcode, fin = false, rsv1 = false } = options;
    let maskingKey: number | undefined;
    if (options.mask) {
      const key = options.maskBuffer ?? Buffer.alloc(4);
      if (options.generateMask) options.generateMask(key);
      else crypto.getRandomValues(key);
      maskingKey = key.readUInt32BE(0);
      if (options.readOnly || typeof data === 'string') payload = Buffer.from(payload);
      applyMask(payload, maskingKey);
    }
    const head = { opcode: opcode as Opcode, fin, rsv: rsv1 ? 4 : 0, maskingKey, payloadLength: payload.length };
    return [Buffer.from(encodeHeader(head)), payload];
  }

  /**
   * Sends them in order with all else.
   * @throws {ProtocolError | RangeError} for what is no frame, or has RSV1: only the connection knows what its peer can decompress
   */
  sendFrame(list: readonly Buffer[], callback?: Callback): void {
    const frames = framesOf(list);
    if (frames.length === 0) throw new RangeError('sendFrame takes whole frames');
    frames.forEach((frame, i) => this.#send(frame, i === frames.length - 1 ? callback : undefined));
  }

  #send([{ opcode, fin }, payload]: Frame, callback: Callback | undefined): void {
    const socket = this.#socket;
    if (opcode === Opcode.Ping) socket.ping(payload, undefined, callback);
    else if (opcode === Opcode.Pong) socket.pong(payload, undefined, callback);
    else if (opcode === Opcode.Close) this.#close(payload, callback);
    else socket.send(payload, { binary: opcode !== Opcode.Text, fin, compress: false }, callback);
  }

  #close(payload: Uint8Array, callback: Callback | undefined): void {
    const { code, reason } = decodeClosePayload(payload);
    this.#socket.close(payload.length === 0 ? undefined : code, reason);
    if (callback) process.nextTick(callback);
  }
}

function framesOf(list: readonly Buffer[]): Frame[] {
  const [first, second] = list;
  const head = first && list.length === 2 ? decodeHeader(first) : undefined;
  const isPlain = head !== undefined && head.rsv === 0 && head.maskingKey === undefined;
  // What `frame` makes for a server, as socket.io sends it: nothing is copied.
  if (isPlain && head.byteLength === first!.length && head.payloadLength === second!.length) return [[head, second!]];
  const frames: Frame[] = [];
  const frame = (each: FrameHead, payload: Uint8Array): void => void frames.push([each, payload]);
  new FrameParser({ preserveInput: true }, { frame }).push(Buffer.concat(list));
  return frames;
}
