import { PassThrough, type Readable } from 'node:stream';
import { Incoming as Message, type WebSocket } from '@ws/connection';
import { isControl, type FrameHead } from '@ws/frame';
import { FrameDuplex } from '@ws/frame/stream';
import { WholeDuplex } from '../whole-read.js';

/** Of the first frame of a message, as wesos names it. */
export interface IncomingHeader {
  readonly final: boolean;
  readonly masked: boolean;
  readonly opcode: number;
  readonly length: number;
  /** The masking key; empty where there is none. */
  readonly masking: Buffer;
}

export interface IncomingOptions {
  /** Whose end reads: a `'server'` takes masked frames alone, a `'client'` unmasked ones. @default 'any' */
  readonly role?: 'server' | 'client' | 'any' | undefined;
}

/**
 * One message as it comes in: its bytes are read, unmasked; `'header'` comes before them. A `Socket` gives it with the event `'message'`. Made by
 * hand, the bytes of frames are written to it; what follows the message is dropped. An error that nobody listens for is not thrown.
 */
export class Incoming extends WholeDuplex {
  /** Set from the event `'header'` on. */
  header: IncomingHeader | undefined;
  /** The connection that it comes from. */
  readonly webSocket: WebSocket | undefined;
  readonly #payload: Readable;
  /** What is written goes there. */
  readonly #bytes: PassThrough | undefined;
  #isOver = false;

  constructor(source: Message | IncomingOptions = {}, webSocket?: WebSocket) {
    const isMessage = source instanceof Message;
    const sides = { readable: true, writable: !isMessage, allowHalfOpen: true };
    super(sides);
    this.on('error', ignore);
    this.webSocket = webSocket;
    this.#bytes = isMessage ? undefined : new PassThrough();
    this.#payload = isMessage ? source : this.#parse(source, this.#bytes!);
    this.#payload.on('end', () => this.push(null));
    this.#payload.on('error', (error) => {
      if (!this.#isOver) this.destroy(error);
    });
    if (!isMessage) return;
    this.header = headerOf(source.header);
    process.nextTick(() => this.emit('header', this.header));
  }

  /** Nothing is read from the connection before somebody wants it. */
  override _read(): void {
    if (this.#isOver) return;
    const chunk: unknown = this.#payload.read();
    if (chunk === null) this.#payload.once('readable', () => this._read());
    else this.push(chunk);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, next: () => void): void {
    if (this.#isOver || this.#bytes!.write(chunk)) next();
    else this.#bytes!.once('drain', next);
  }

  override _final(done: () => void): void {
    this.#bytes!.end();
    done();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#isOver = true;
    this.#payload.destroy();
    callback(error);
  }

  #parse({ role = 'any' }: IncomingOptions, bytes: PassThrough): FrameDuplex {
    const frames = new FrameDuplex(bytes, { role, raw: true });
    frames.on('head', (head) => {
      if (this.header || isControl(head.opcode)) return;
      this.header = headerOf(head);
      this.emit('header', this.header);
    });
    frames.on('messageEnd', () => {
      if (this.#isOver) return;
      this.#isOver = true;
      const rest = frames.read(frames.readableLength);
      if (rest) this.push(rest);
      this.push(null);
      frames.resume(); // the rest is nobody's
    });
    return frames;
  }
}

function headerOf({ fin, opcode, payloadLength, maskingKey }: FrameHead): IncomingHeader {
  const masking = Buffer.alloc(maskingKey === undefined ? 0 : 4);
  if (maskingKey !== undefined) masking.writeUInt32BE(maskingKey);
  return { final: fin, masked: maskingKey !== undefined, opcode, length: payloadLength, masking };
}

const ignore = (): void => undefined;
