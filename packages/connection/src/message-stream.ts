import { Readable } from 'node:stream';
import { ClosedError } from './closed-error.js';
import { Incoming } from './incoming.js';
import { discardUnread, ignore, MessageInbox } from './message-inbox.js';
import type { Message } from './types.js';
import type { WebSocket } from './websocket.js';

/** See `WebSocket.messages`. */
export class MessageStream extends Readable {
  readonly #inbox: MessageInbox;
  #isAsked = false;
  /** What was pushed last, if it is a stream. */
  #last: Incoming | undefined;
  /** Set while the last message waits to be read. */
  #lateError: Error | undefined;

  constructor(socket: WebSocket) {
    super({ objectMode: true, highWaterMark: 1 });
    this.#inbox = new MessageInbox(socket, () => this.#serve());
  }

  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Message> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<Message>;
  }

  override _read(): void {
    this.#isAsked = true;
    this.#serve();
  }

  override read(size?: number): unknown {
    const message: unknown = super.read(size);
    if (this.readableLength === 0) this.#inbox.handed(0);
    if (this.#lateError && this.readableLength === 0) process.nextTick(() => this.destroy(this.#lateError));
    return message;
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#inbox.release();
    if (this.readableLength > 0) discardUnread(this.#last);
    callback(error);
  }

  #serve(): void {
    if (!this.#isAsked) return;
    const message = this.#inbox.take();
    const { end } = this.#inbox;
    if (message === undefined && end === undefined) return;
    this.#isAsked = false;
    this.#last = message instanceof Incoming ? message : undefined;
    if (end?.error instanceof ClosedError) this.on('error', ignore); // of the peer's making: nobody has to listen
    if (message !== undefined) this.#give(message);
    else if (!end?.error) this.push(null);
    else if (this.readableLength === 0) this.destroy(end.error);
    else this.#lateError = end.error; // a stream that is destroyed gives nothing more
  }

  #give(message: Message): void {
    this.push(message);
    if (this.readableLength > 0) this.#inbox.handed(this.#inbox.lastCost);
  }
}
