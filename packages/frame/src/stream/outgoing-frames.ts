import type { Duplex, Writable } from 'node:stream';
import { encodeClosePayload, Opcode } from '../index.js';
import { StreamError } from './errors.js';
import { FrameWriter } from './frame-writer.js';
import type { Settings } from './options.js';

export type WriteCallback = (error?: Error | null) => void;

interface Control {
  readonly opcode: Opcode;
  readonly frame: Uint8Array;
  readonly callback: WriteCallback | undefined;
}

export interface OutgoingEvents {
  /** These bytes, in their order, and back to {@link OutgoingFrames.write}: through the queue of the stream. */
  send(frame: Uint8Array, callback?: WriteCallback): boolean;
  /** A Close frame was sent, or could not be. */
  closeSent(): void;
}

/** What goes out, in its order: control frames between frames, nothing behind a Close frame. RFC 6455 §5.5. */
export class OutgoingFrames {
  readonly writer: FrameWriter;
  readonly #source: Duplex;
  /** In whose queue frames wait for the source. */
  readonly #stream: Writable;
  readonly #events: OutgoingEvents;
  readonly #raw: boolean;
  /** Control frames that wait for the end of a frame. */
  #controls: Control[] = [];
  /** The answer to the newest ping. */
  #pong: Uint8Array | undefined;
  #closeSent = false;
  /** Of a write that waits for the source's 'drain'. */
  #afterDrain: WriteCallback | undefined;

  constructor({ mask, allowedRsv, raw }: Settings, source: Duplex, stream: Writable, events: OutgoingEvents) {
    this.writer = new FrameWriter(mask, allowedRsv);
    this.#source = source;
    this.#stream = stream;
    this.#events = events;
    this.#raw = raw;
  }

  /** Never in raw mode, where the user sees to it. */
  get isClosed(): boolean {
    return this.#closeSent;
  }

  /** @throws {RangeError} as `FrameWriter`; nothing was sent */
  send(chunk: Uint8Array, isEnd: boolean, callback: WriteCallback | undefined): boolean {
    if (this.#closeSent) return refuse(callback);
    const { writer } = this;
    const { controlOpcode } = writer;
    if (controlOpcode !== undefined) return this.#sendControl(controlOpcode, writer.writeControl(chunk), callback);
    const hasRoom = this.#events.send(writer.write(chunk, isEnd), callback);
    this.#flush();
    return hasRoom;
  }

  answerPing(payload: Uint8Array): void {
    this.#pong = this.writer.control(Opcode.Pong, payload);
    this.#flush();
  }

  /** §5.5.1: repeats code and reason. */
  answerClose(payload: Uint8Array): void {
    this.#sendControl(Opcode.Close, this.writer.control(Opcode.Close, payload), undefined);
  }

  /** §7.1.7. @returns false where no Close frame can be sent: inside a frame, or behind others that the peer does not read */
  fail(closeCode: number): boolean {
    if (this.#stream.writableLength > 0 || this.writer.isInsideFrame || this.#source.writableEnded) return false;
    if (!this.#closeSent) this.#source.write(this.writer.control(Opcode.Close, encodeClosePayload(closeCode)));
    return true;
  }

  /** A frame, or a part of one, for the source. The callback follows when the source has room for more. */
  write(frame: Uint8Array, callback: WriteCallback): void {
    if (this.#source.write(frame)) callback();
    else this.#afterDrain = callback;
  }

  /** The source has room again, or an error says that it never will. */
  drained(error?: Error): void {
    const callback = this.#afterDrain;
    this.#afterDrain = undefined;
    callback?.(error);
    this.#flush();
  }

  /** Nothing waits any more. */
  discard(error: Error): void {
    this.#afterDrain?.(error);
    this.#afterDrain = undefined;
    for (const { callback } of this.#controls.splice(0)) callback?.(error);
  }

  #sendControl(opcode: Opcode, frame: Uint8Array, callback: WriteCallback | undefined): boolean {
    this.#controls.push({ opcode, frame, callback });
    this.#flush();
    return this.#afterDrain === undefined;
  }

  #flush(): void {
    if (this.writer.isInsideFrame) return;
    for (const { opcode, frame, callback } of this.#controls.splice(0)) {
      if (this.#closeSent || !this.#stream.writable) refuse(callback);
      else this.#events.send(frame, callback);
      if (opcode === Opcode.Close && !this.#raw) this.#close();
    }
    // While the source is full, the newest pong waits, and there are no others.
    if (this.#pong === undefined || this.#afterDrain !== undefined) return;
    if (!this.#closeSent && this.#stream.writable) this.#events.send(this.#pong);
    this.#pong = undefined;
  }

  #close(): void {
    this.#closeSent = true;
    this.#events.closeSent();
  }
}

function refuse(callback: WriteCallback | undefined): false {
  if (callback) process.nextTick(callback, new StreamError('WS_ERR_CLOSED'));
  return false;
}
