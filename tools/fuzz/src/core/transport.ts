import type { SendCallback, Transport } from '@ws/connection/protocol';
import { must } from '../engine/failure.js';

export interface SentFrame {
  readonly opcode: number;
  readonly fin: boolean;
  readonly rsv: number;
  readonly payload: Buffer;
}

/** The byte stream as the core sees it: holds it to the rules of what may be sent when, and takes everything down. */
export class RecordingTransport implements Transport {
  readonly frames: SentFrame[] = [];
  readonly #log: (entry: unknown) => void;
  isFull = false;
  isCongested = false;
  isEnded = false;
  isDestroyed = false;
  isBroken = false;
  progress = 0;
  #isCompressed = false;
  #part: { readonly opcode: number; missing: number; readonly parts: Buffer[] } | undefined;
  #callbacks: SendCallback[] = [];

  constructor(log: (entry: unknown) => void) {
    this.#log = log;
  }

  /** What comes now is refused, as by every stream that has ended. */
  get isOver(): boolean {
    return this.isEnded || this.isDestroyed;
  }

  frame(opcode: number, fin: boolean, rsv: number, payload: Uint8Array | string, callback?: SendCallback): number {
    must(this.#part === undefined, 'a frame inside another one');
    const bytes = Buffer.from(payload as Uint8Array);
    this.#take(callback);
    this.#sent({ opcode, fin, rsv, payload: bytes });
    return bytes.length;
  }

  frameHead(opcode: number, payloadLength: number): void {
    must(this.#part === undefined && payloadLength > 0, 'a head inside a frame');
    this.#part = { opcode, missing: payloadLength, parts: [] };
  }

  framePart(payload: Uint8Array, callback: SendCallback | undefined): void {
    const part = this.#part;
    must(part !== undefined && payload.length <= part.missing, 'a part of no frame');
    part.missing -= payload.length;
    part.parts.push(Buffer.from(payload));
    this.#take(callback);
    if (part.missing > 0) return;
    this.#part = undefined;
    this.#sent({ opcode: part.opcode, fin: true, rsv: 0, payload: Buffer.concat(part.parts) });
  }

  get hasBacklog(): boolean {
    return this.#callbacks.length > 0;
  }

  hasRoom(): boolean {
    return !this.isFull;
  }

  dropped(): void {
    this.#log('dropped');
  }

  end(): void {
    if (!this.isEnded) this.#log('end');
    this.isEnded = true;
  }

  destroy(): void {
    if (!this.isDestroyed) this.#log('destroy');
    this.isDestroyed = true;
  }

  /** What was written is out, or never will be. */
  settle(error?: Error): void {
    const callbacks = this.#callbacks;
    if (callbacks.length > 0) this.progress++;
    this.#callbacks = [];
    for (const callback of callbacks) callback(error);
  }

  #sent(frame: SentFrame): void {
    must(this.frames.at(-1)?.opcode !== 8, 'something follows our Close frame');
    const { opcode, fin, rsv, payload } = frame;
    if (this.isOver) return;
    if (rsv !== 0) this.#isCompressed = true;
    if (opcode >= 8) must(fin && rsv === 0 && payload.length <= 125, 'a control frame that is none');
    this.frames.push(frame);
    if (opcode >= 8 || !this.#isCompressed) this.#log(['sent', opcode, fin, rsv, payload.toString('hex')]);
    // Where the compressors were needed for others it is longer, and in more frames. What it decodes to is compared elsewhere.
    else if (fin) this.#log(['sent', 'compressed']);
    if (opcode < 8 && fin) this.#isCompressed = false;
  }

  #take(callback: SendCallback | undefined): void {
    if (callback === undefined) return;
    if (this.isOver) queueMicrotask(() => callback(new Error('the stream has ended')));
    else this.#callbacks.push(callback);
  }
}
