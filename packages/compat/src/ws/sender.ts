import { encodeHeader, FrameParser, mask as applyMask, Opcode, type FrameHead } from '@ws/frame';
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

/** Frames that are made once and sent to many. */
export class Sender {
  readonly #socket: WebSocket;

  constructor(socket: WebSocket) {
    this.#socket = socket;
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

  /** Sends them in order with all else. */
  sendFrame(list: readonly Buffer[], callback?: Callback): void {
    let head: FrameHead | undefined;
    let pieces: Buffer[] = [];
    const frames: [FrameHead, Buffer][] = [];
    const parser = new FrameParser(
      { preserveInput: true },
      {
        head: (next) => {
          head = next;
          pieces = [];
        },
        payload: (slice) => void pieces.push(Buffer.from(slice.buffer, slice.byteOffset, slice.length)),
        frameEnd: () => {
          if (head) frames.push([head, pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)]);
        },
      },
    );
    for (const chunk of list) parser.push(chunk);
    frames.forEach(([frame, payload], i) => this.#send(frame, payload, i === frames.length - 1 ? callback : undefined));
  }

  #send({ opcode, fin }: FrameHead, payload: Buffer, callback: Callback | undefined): void {
    const socket = this.#socket;
    if (opcode === Opcode.Ping) socket.ping(payload, undefined, callback);
    else if (opcode === Opcode.Pong) socket.pong(payload, undefined, callback);
    else socket.send(payload, { binary: opcode !== Opcode.Text, fin, compress: false }, callback);
  }
}
