import { decodeClosePayload, isControl, Opcode } from '@ws/frame';
import type { OutgoingHead } from '@ws/frame/stream';
import type { Outgoing, WebSocket } from '@ws/server';

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
const DEFAULT_HEAD = { opcode: Opcode.Text as Opcode, fin: false };

/** The messages of a connection, written as if they were frames: mask, key and length are up to the core. */
export class ConnectionFrames implements Frames {
  readonly #webSocket: WebSocket;
  #head = DEFAULT_HEAD;
  /** Of the control frame that is written next. */
  #control: Opcode | undefined;
  /** The message that is being written. */
  #outgoing: Outgoing | undefined;

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
  }

  writeHead({ opcode = this.#head.opcode, fin = this.#head.fin }: OutgoingHead): this {
    if (isControl(opcode)) this.#control = opcode;
    else this.#head = { opcode, fin };
    return this;
  }

  write(chunk: Uint8Array, callback?: WriteCallback): boolean {
    if (this.#control !== undefined) return this.#writeControl(this.#control, chunk, callback);
    return this.#head.fin ? this.writeEnd(chunk, undefined, callback) : this.#open().write(chunk, callback);
  }

  writeEnd(chunk: Uint8Array, _encoding?: undefined, callback?: WriteCallback): boolean {
    const { opcode } = this.#head;
    const outgoing = this.#outgoing;
    this.#head = DEFAULT_HEAD;
    this.#outgoing = undefined;
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

  #open(): Outgoing {
    const webSocket = this.#webSocket;
    const binary = this.#head.opcode === Opcode.Binary;
    return (this.#outgoing ??= webSocket.createOutgoing({ binary }).on('drain', () => webSocket.emit('drain')));
  }

  #writeControl(opcode: Opcode, payload: Uint8Array, callback: WriteCallback = ignore): boolean {
    this.#control = undefined;
    if (opcode === Opcode.Ping) this.#webSocket.ping(payload, callback);
    else if (opcode === Opcode.Pong) this.#webSocket.pong(payload, callback);
    else this.#webSocket.close(payload.length > 0 ? decodeClosePayload(payload).code : undefined, payload.subarray(2));
    return true;
  }
}
