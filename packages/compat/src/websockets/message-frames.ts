import { decodeClosePayload, isControl, Opcode } from '@ws/frame';
import type { OutgoingHead } from '@ws/frame/stream';
import { MessageError, type Outgoing, type WebSocket } from '@ws/server';

export type WriteCallback = (error?: Error | null) => void;

const DEFAULT_HEAD = { opcode: Opcode.Text as Opcode, fin: false, length: 0 };

/** Messages of a connection of the core, written as frames, in the words of a FrameDuplex. Mask and key, limits and the closing handshake are up to the core. */
export class MessageFrames {
  readonly #webSocket: WebSocket;
  /** Of the message that is written. */
  #head = DEFAULT_HEAD;
  /** Of the control frame that is written next. */
  #control: Opcode | undefined;
  /** The message that is being written; of its frame, whether it is the last, and bytes that are missing, where its length was said. */
  #outgoing: Outgoing | undefined;
  #fin = false;
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
    if (this.#missing === 0) this.#fin = this.#head.fin;
    if (this.#fin && missing === 0) return this.writeEnd(chunk, callback);
    const outgoing = (this.#outgoing ??= this.#open());
    this.#head = { ...this.#head, length: 0 };
    this.#missing = missing;
    return missing > 0 ? outgoing.collect(chunk, callback) : outgoing.write(chunk, callback);
  }

  writeEnd(chunk: Uint8Array, callback?: WriteCallback): boolean {
    const missing = this.#missingBehind(chunk);
    if (missing > 0) {
      this.#webSocket.emit('error', new MessageError('WS_ERR_DECLARED_LENGTH', `${missing} more to come`));
      this.#webSocket.terminate(); // nothing can follow a frame that is not whole
      return false;
    }
    const { opcode } = this.#head;
    const outgoing = this.#outgoing;
    this.#head = DEFAULT_HEAD;
    this.#outgoing = undefined;
    this.#missing = 0;
    if (!outgoing) return this.#webSocket.send(chunk, { binary: opcode === Opcode.Binary }, callback);
    outgoing.end(chunk, callback);
    return true;
  }

  /** Ends what is open, and begins the closing handshake; nothing if the connection has ended. */
  end(callback: () => void): void {
    if (this.#outgoing?.writable) this.writeEnd(Buffer.alloc(0));
    this.#webSocket.close();
    callback();
  }

  /** Each write is a frame, or several are one whose length was said: it goes out at once where it is all of the message, else when it is whole. */
  #open(): Outgoing {
    const { opcode, fin, length } = this.#head;
    const options = { binary: opcode === Opcode.Binary, length: fin && length > 0 ? length : undefined };
    return this.#webSocket.createOutgoing(options).on('drain', () => this.#webSocket.emit('drain'));
  }

  /** @throws {RangeError} more than the frame takes */
  #missingBehind(chunk: Uint8Array): number {
    const missing = (this.#missing || this.#head.length || chunk.length) - chunk.length;
    if (missing >= 0) return missing;
    throw new RangeError(`chunk is ${chunk.length} bytes long, ${-missing} more than the frame takes`);
  }

  #writeControl(opcode: Opcode, payload: Uint8Array, callback?: WriteCallback): boolean {
    this.#control = undefined;
    if (opcode === Opcode.Ping) this.#webSocket.ping(payload, undefined, callback);
    else if (opcode === Opcode.Pong) this.#webSocket.pong(payload, undefined, callback);
    else {
      this.#webSocket.close(payload.length > 0 ? decodeClosePayload(payload).code : undefined, payload.subarray(2));
      if (callback) process.nextTick(callback);
    }
    return true;
  }
}
