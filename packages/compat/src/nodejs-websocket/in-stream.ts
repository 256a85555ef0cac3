import type { Incoming } from '@ws/connection';
import { WholeReadable } from '../whole-read.js';

/**
 * A binary message as it comes in. It is there before its first byte; what is not read of it holds up its connection. If the connection ends
 * before the message, it is destroyed with WS_ERR_INCOMPLETE_MESSAGE; an `'error'` that nobody listens for is not thrown.
 */
export class InStream extends WholeReadable {
  readonly #message: Incoming | undefined;

  /** @param message without one, it is filled by hand: see {@link addData} */
  constructor(message?: Incoming) {
    super();
    this.on('error', () => undefined);
    this.#message = message;
    message?.on('data', (data: Buffer) => this.addData(data)).pause();
    message?.on('end', () => this.end()).on('error', (error) => this.destroy(error));
  }

  addData(data: Uint8Array): void {
    if (!this.push(data)) this.#message?.pause();
  }

  /** The message is complete. */
  end(): void {
    this.push(null);
  }

  override _read(): void {
    this.#message?.resume();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#message?.discard();
    callback(error);
  }
}
