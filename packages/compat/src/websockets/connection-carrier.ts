import { decodeClosePayload, isControl, Opcode } from '@ws/frame';
import type { OutgoingHead } from '@ws/frame/stream';
import { Incoming, MessageError, type Outgoing, type WebSocket } from '@ws/server';
import type { Arrival, Carrier, WriteCallback } from './carrier.js';

const DEFAULT_HEAD = { opcode: Opcode.Text as Opcode, fin: false, length: 0 };

/** A connection of the core: its messages, written as if they were frames. Mask and key, limits and the closing handshake are up to the core. */
export class ConnectionCarrier implements Carrier {
  readonly core: WebSocket;
  readonly waitsForReader = false;
  readonly endsByErrors = false;
  /** Of the message that is written. */
  #head = DEFAULT_HEAD;
  /** Of the control frame that is written next. */
  #control: Opcode | undefined;
  /** The message that is being written; of its frame, whether it is the last, and bytes that are missing, where its length was said. */
  #outgoing: Outgoing | undefined;
  #fin = false;
  #missing = 0;

  constructor(webSocket: WebSocket) {
    this.core = webSocket;
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
      this.core.emit('error', new MessageError('WS_ERR_DECLARED_LENGTH', `${missing} more to come`));
      this.core.terminate(); // nothing can follow a frame that is not whole
      return false;
    }
    const { opcode } = this.#head;
    const outgoing = this.#outgoing;
    this.#head = DEFAULT_HEAD;
    this.#outgoing = undefined;
    this.#missing = 0;
    if (!outgoing) return this.core.send(chunk, { binary: opcode === Opcode.Binary }, callback);
    outgoing.end(chunk, callback);
    return true;
  }

  send(message: Uint8Array, binary: boolean): void {
    this.core.send(message, { binary });
  }

  end(callback: () => void): void {
    if (this.#outgoing) this.writeEnd(Buffer.alloc(0));
    this.core.close();
    callback();
  }

  async *messages(): AsyncGenerator<Arrival> {
    for await (const message of this.core) {
      if (message instanceof Incoming) yield { head: message.header, payload: message, buffer: () => message.buffer() };
      else yield wholeMessage(typeof message === 'string', Buffer.from(message as string));
    }
  }

  set streams(areWanted: boolean) {
    this.core.incoming = areWanted ? 'auto' : 'buffer';
  }

  /** The closing handshake, where there is one, goes on. */
  destroy(): void {
    if (this.core.readyState === this.core.OPEN) this.core.terminate();
  }

  /** Each write is a frame, or several are one whose length was said: it goes out at once where it is all of the message, else when it is whole. */
  #open(): Outgoing {
    const { opcode, fin, length } = this.#head;
    const options = { binary: opcode === Opcode.Binary, length: fin && length > 0 ? length : undefined };
    return this.core.createOutgoing(options).on('drain', () => this.core.emit('drain'));
  }

  /** @throws {RangeError} more than the frame takes */
  #missingBehind(chunk: Uint8Array): number {
    const missing = (this.#missing || this.#head.length || chunk.length) - chunk.length;
    if (missing >= 0) return missing;
    throw new RangeError(`chunk is ${chunk.length} bytes long, ${-missing} more than the frame takes`);
  }

  #writeControl(opcode: Opcode, payload: Uint8Array, callback?: WriteCallback): boolean {
    this.#control = undefined;
    if (opcode === Opcode.Ping) this.core.ping(payload, undefined, callback);
    else if (opcode === Opcode.Pong) this.core.pong(payload, undefined, callback);
    else {
      this.core.close(payload.length > 0 ? decodeClosePayload(payload).code : undefined, payload.subarray(2));
      if (callback) process.nextTick(callback);
    }
    return true;
  }
}

function wholeMessage(isText: boolean, bytes: Buffer): Arrival {
  const head = { opcode: isText ? Opcode.Text : Opcode.Binary, fin: true, payloadLength: bytes.length };
  return { head, payload: [bytes], buffer: () => Promise.resolve(bytes) };
}
