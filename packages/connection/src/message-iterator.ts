import { Incoming } from './incoming.js';
import { ignore, MessageInbox } from './message-inbox.js';
import type { Message } from './types.js';
import type { WebSocket } from './websocket.js';

interface Waiting {
  resolve(result: IteratorResult<Message, undefined>): void;
  reject(error: unknown): void;
}

const DONE = { done: true, value: undefined } as const;

/**
 * The messages of a socket from the call of `socket[Symbol.asyncIterator]()` on; of several iterators each gets all. It ends
 * with codes 1000, 1001 and 1005, and throws a {@link ClosedError} for others, or what made connecting fail; always after the messages that came before.
 * Leaving the loop closes the socket with 1000 and discards streamed messages that are not read to their end. While more than `highWaterMark` bytes wait here, nothing is read: the peer feels it.
 */
export class MessageIterator implements AsyncIterableIterator<Message, undefined> {
  readonly #socket: WebSocket;
  readonly #inbox: MessageInbox;
  readonly #waiting: Waiting[] = [];
  /** Handed out, and perhaps not read to the end. */
  readonly #open = new Set<Incoming>();
  #isDone = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#inbox = new MessageInbox(socket, () => this.#serve());
  }

  /** Several calls at once are answered in their order. */
  next(): Promise<IteratorResult<Message, undefined>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#serve();
    });
  }

  /** Ends the iteration, and closes the socket with 1000. */
  return(): Promise<IteratorResult<Message, undefined>> {
    this.#leave();
    return Promise.resolve(DONE);
  }

  /** As {@link return}, and rejects with `error`. */
  throw(error: unknown): Promise<IteratorResult<Message, undefined>> {
    this.#leave();
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the caller's, whatever it is
    return Promise.reject(error);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  #serve(): void {
    const waiting = this.#waiting;
    while (waiting.length > 0 && !this.#isDone) {
      const message = this.#inbox.take();
      if (message !== undefined) {
        if (message instanceof Incoming) this.#follow(message);
        waiting.shift()?.resolve({ done: false, value: message });
        continue;
      }
      const { end } = this.#inbox;
      if (end === undefined) return;
      this.#isDone = true;
      if (end.error !== null) waiting.shift()?.reject(end.error);
    }
    if (this.#isDone) for (const { resolve } of waiting.splice(0)) resolve(DONE);
  }

  #follow(message: Incoming): void {
    if (message.destroyed) return;
    this.#open.add(message);
    message.once('close', () => this.#open.delete(message));
  }

  #leave(): void {
    if (this.#isDone) return;
    this.#isDone = true;
    const socket = this.#socket;
    this.#inbox.release();
    for (const message of this.#open) message.discard();
    if (socket.readyState === socket.CONNECTING) socket.on('error', ignore); // to give it up is no news to who leaves
    socket.close(1000);
    this.#serve();
  }
}
