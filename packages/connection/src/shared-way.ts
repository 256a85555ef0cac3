import type { Outflow } from './outflow.js';
import type { Failure, MessageSource, OpenMessage } from './protocol/index.js';

/** How a message that goes to many connections finds its way out of one of them: a member of every WebSocket, for the packages of this library. */
export const kJoin = Symbol.for('@ws/connection.join');

/** What one connection still has to be given of such a message. */
export interface Share extends MessageSource {
  /** Counted in `WebSocket.bufferedAmount`. */
  readonly bufferedAmount: number;
  /** The connection is gone. */
  destroy(error: Error): void;
}

/** The way out of one connection for such a message. */
export class SharedWay {
  readonly message: OpenMessage;
  readonly #outflow: Outflow;
  readonly #leave: () => void;

  /** Made by the WebSocket. */
  constructor(outflow: Outflow, share: Share, leave: () => void) {
    this.message = outflow.openMessage(share);
    this.#outflow = outflow;
    this.#leave = leave;
  }

  /** Other messages wait for its end. */
  get isHoldingUp(): boolean {
    return this.message.hasTurn && this.#outflow.queueLength > 0;
  }

  /** A fragment was given to `message`. Throws what a listener throws. */
  grown(): void {
    this.#outflow.grown();
  }

  /** Cuts the connection, which holds too much. */
  cut(error: Failure): void {
    this.#outflow.cut(error);
  }

  /** Nothing more is to be given. */
  leave(): void {
    this.#leave();
  }
}
