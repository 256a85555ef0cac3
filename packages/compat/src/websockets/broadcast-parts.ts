import { Opcode } from '@ws/frame';
import type { BroadcastStream, WebSocketServer } from '@ws/server';

interface Part {
  readonly opcode: Opcode;
  readonly fin: boolean;
}

/** Ends the message that is open, and is nothing where there is none. Any other empty chunk is an empty message there. */
export const END = Buffer.alloc(0);

/** Messages to all, of which each chunk is a part: an empty one is the last of its message, and so is one that says so. Others are of binary messages. */
export class BroadcastParts {
  readonly #server: WebSocketServer;
  readonly #failed: (error: Error) => void;
  /** The message that is being written. */
  #message: BroadcastStream | undefined;
  /** Of the message that {@link chunkOf} has begun, and not ended. */
  open: Opcode | undefined;
  readonly #known = new WeakMap<Buffer, Part>();

  constructor(server: WebSocketServer, failed: (error: Error) => void) {
    this.#server = server;
    this.#failed = failed;
  }

  /** A chunk that says what it is, to be written when its turn comes: a copy, as the same bytes may be two of them. */
  chunkOf(bytes: Uint8Array, opcode: Opcode, fin: boolean): Buffer {
    const chunk = Buffer.from(bytes);
    this.#known.set(chunk, { opcode, fin });
    this.open = fin ? undefined : opcode;
    return chunk;
  }

  /** One after the other: the next chunk after the callback. */
  write(chunk: Buffer, callback: () => void): void {
    if (chunk === END && this.#message === undefined) return callback();
    const { opcode, fin } = this.#known.get(chunk) ?? { opcode: Opcode.Binary, fin: chunk.length === 0 };
    const message = (this.#message ??= this.#begin(opcode === Opcode.Binary));
    if (!fin) return void message.write(chunk, () => callback());
    this.#message = undefined;
    message.end(chunk, () => callback());
  }

  #begin(binary: boolean): BroadcastStream {
    const message = this.#server.createBroadcast({ binary });
    return message.once('error', (error) => {
      if (this.#message === message) this.#message = this.open = undefined;
      this.#failed(error);
    });
  }
}
