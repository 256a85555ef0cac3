import { decodeClosePayload, isControl, Opcode } from '@ws/frame';
import type { OutgoingHead } from '@ws/frame/stream';
import { MessageError, type Outgoing, type WebSocket } from '@ws/server';

export type WriteCallback = (error?: Error | null) => void;

/** How frames are written, on a byte stream or, in the same words, on a connection. */
export interface Frames {
  destroy(): unknown;
  writeHead(head: OutgoingHead): this;
  write(chunk: Uint8Array, callback?: WriteCallback): boolean;
  writeEnd(chunk: Uint8Array, encoding?: undefined, callback?: WriteCallback): boolean;
  end(callback: () => void): void;
}

const ignore = (): void => {};
const DEFAULT_HEAD = { opcode: Opcode.Text as Opcode, fin: false, length: 0 };

/** The messages of a connection, written as if they were frames: mask and key are up to the core. */
export class ConnectionFrames implements Frames {
  readonly #webSocket: WebSocket;
  #head = DEFAULT_HEAD;
  /** Of the control frame that is written next. */
  #control: Opcode | undefined;
  /** The message that is being written, and bytes that are missing of its frame, where the length of that was said. */
  #outgoing: Outgoing | undefined;
  #missing = 0;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
  }

  writeHead({ opcode = this.#head.opcode, fin = this.#head.fin, length = this.#head.length }: OutgoingHead): this {
    if (isControl(opcode)) this.#control = opcode;
    else this.#head = { opcode, fin, length };
    return this;
  }

  write(chunk: Uint8Array, callback?: WriteCallback): boolean {
    if (this.#control !== undefined) return this.#writeControl(this.#control, chunk, callback);
    const missing = this.#missingBehind(chunk);
    if (this.#head.fin && missing === 0) return this.writeEnd(chunk, undefined, callback);
    const outgoing = (this.#outgoing ??= this.#open());
    this.#head = { ...this.#head, length: 0 };
    this.#missing = missing;
    return outgoing.write(chunk, callback);
  }

  writeEnd(chunk: Uint8Array, _encoding?: undefined, callback: WriteCallback = ignore): boolean {
    const missing = this.#missingBehind(chunk);
    if (missing > 0) return this.#cut(new MessageError('WS_ERR_DECLARED_LENGTH', `${missing} more to come`), callback);
    const { opcode } = this.#head;
    const outgoing = this.#outgoing;
    this.#head = DEFAULT_HEAD;
    this.#outgoing = undefined;
    this.#missing = 0;
    if (!outgoing) return this.#webSocket.send(chunk, { binary: opcode === Opcode.Binary }, callback);
    outgoing.end(chunk, callback);
    return true;
  }

  end(callback: () => void): void {
    this.#outgoing?.end();
    this.#webSocket.close();
    callback();
  }

  /** The closing handshake, where there is one, goes on. */
  destroy(): void {
    const webSocket = this.#webSocket;
    if (webSocket.readyState === webSocket.OPEN) webSocket.terminate();
  }

  /** With a length, and if it ends the message, it is one frame; else each write is one. */
  #open(): Outgoing {
    const webSocket = this.#webSocket;
    const { opcode, fin, length } = this.#head;
    const options = { binary: opcode === Opcode.Binary, length: fin && length > 0 ? length : undefined };
    return webSocket.createOutgoing(options).on('drain', () => webSocket.emit('drain'));
  }

  /** @throws {RangeError} more than the frame takes */
  #missingBehind(chunk: Uint8Array): number {
    const missing = (this.#missing || this.#head.length || chunk.length) - chunk.length;
    if (missing >= 0) return missing;
    throw new RangeError(`chunk is ${chunk.length} bytes long, ${-missing} more than the frame takes`);
  }

  /** Nothing can follow a frame that is not whole. */
  #cut(error: Error, callback: WriteCallback): boolean {
    this.#webSocket.emit('error', error);
    this.#webSocket.terminate();
    process.nextTick(callback, error);
    return false;
  }

  #writeControl(opcode: Opcode, payload: Uint8Array, callback: WriteCallback = ignore): boolean {
    this.#control = undefined;
    if (opcode === Opcode.Ping) this.#webSocket.ping(payload, callback);
    else if (opcode === Opcode.Pong) this.#webSocket.pong(payload, callback);
    else this.#webSocket.close(payload.length > 0 ? decodeClosePayload(payload).code : undefined, payload.subarray(2));
    return true;
  }
}
