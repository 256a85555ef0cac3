import { Opcode } from '@ws/frame';
import type { BroadcastStream, WebSocketServer } from '@ws/server';

interface Part {
  readonly opcode: Opcode;
  readonly fin: boolean;
}

/** Bytes of one message that may wait for those who are behind, while others wait for the next one. */
const MOST_WAITING = 16_777_216;

/** Ends the message that is open, and is nothing where there is none. Any other empty chunk is an empty message there. */
export const END = Buffer.alloc(0);

/** Messages to all, of which each chunk is a part: an empty one is the last of its message, and so is one that says so. Others are of binary messages. */
export class BroadcastParts {
  readonly #server: WebSocketServer;
  readonly #failed: (error: Error) => void;
  /** The message that is being written. */
  #message: BroadcastStream | undefined;
  /** Somebody has come since the message began, which is not for him. */
  #isOvertaken = false;
  /** What comes behind the chunk in hand is not kept from who is new, though those for whom that is may be behind. */
  #goOn = (): void => {};
  /** Of the message that {@link chunkOf} has begun, and not ended. */
  open: Opcode | undefined;
  readonly #known = new WeakMap<Buffer, Part>();

  constructor(server: WebSocketServer, failed: (error: Error) => void) {
    this.#server = server;
    this.#failed = failed;
    const joined = (): void => {
      this.#isOvertaken = true;
      this.#goOn();
    };
    server.on('connection', () => process.nextTick(joined));
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
    let isCalled = false;
    const proceed = (): void => {
      if (!isCalled) process.nextTick(callback);
      isCalled = true;
    };
    this.#goOn = () => {
      if (message.writableLength <= MOST_WAITING) proceed();
    };
    if (fin) this.#message = undefined;
    if (fin) message.end(chunk, proceed);
    else message.write(chunk, proceed);
    if (this.#isOvertaken) this.#goOn();
  }

  #begin(binary: boolean): BroadcastStream {
    const message = this.#server.createBroadcast({ binary });
    this.#isOvertaken = false;
    return message.once('error', (error) => {
      if (this.#message === message) this.#message = this.open = undefined;
      this.#failed(error);
    });
  }
}
