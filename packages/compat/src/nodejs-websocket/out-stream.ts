import { Writable } from 'node:stream';
import type { Outgoing } from '@ws/connection';
import type { Connection } from './connection.js';

type Callback = (error?: Error | null) => void;

/**
 * A binary message as it goes out, in frames of at least `minSize` bytes, and a last one with the rest. A write that fills a frame is
 * done when the operating system has it. If the connection ends before, it is destroyed; an `'error'` that nobody listens for is not thrown.
 */
export class OutStream extends Writable {
  readonly connection: Connection;
  readonly minSize: number;
  /** A frame has been sent. */
  hasSent = false;
  readonly #message: Outgoing | undefined;
  /** Bytes written. */
  #written = 0;

  constructor(connection: Connection, minSize: number) {
    super();
    this.connection = connection;
    this.minSize = minSize;
    this.on('error', () => undefined);
    this.once('finish', this.#leave).once('close', this.#leave);
    const most = Number.MAX_SAFE_INTEGER;
    const fragmentSize = minSize < most ? Math.max(Math.ceil(minSize), 0) : most; // what is no number is never reached
    this.#message = connection.webSocket?.createOutgoing({ binary: true, fragmentSize });
    this.#message?.on('error', (error) => this.destroy(error));
    if (this.#message?.destroyed !== false) this.destroy(new Error('the connection is not open'));
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: Callback): void {
    this.#written += chunk.length;
    this.hasSent ||= this.#written >= this.minSize;
    this.#message?.write(chunk, encoding, callback);
  }

  override _final(callback: Callback): void {
    this.#message?.end(callback);
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#message?.destroy();
    callback(error);
  }

  /** Others may be sent again. */
  readonly #leave = (): void => {
    if (this.connection.outStream === this) this.connection.outStream = null;
  };
}
