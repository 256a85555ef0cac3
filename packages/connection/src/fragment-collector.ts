import { MessageBuffer } from './protocol/message-buffer.js';

/** Chunks on their way to a fragment of at least `size` bytes. */
export class FragmentCollector {
  readonly #size: number;
  #buffer: MessageBuffer | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  get byteLength(): number {
    return this.#buffer?.byteLength ?? 0;
  }

  clear(): void {
    this.#buffer = undefined;
  }

  /** Is that, with `chunk`, enough for a fragment? */
  isComplete(chunk: Uint8Array): boolean {
    return this.byteLength + chunk.length >= this.#size;
  }

  /** Keeps a copy. */
  add(chunk: Uint8Array): void {
    this.#buffer ??= new MessageBuffer((byteLength) => Buffer.allocUnsafeSlow(byteLength));
    this.#buffer.append(chunk);
  }

  /** All there is, and `chunk` behind it. */
  take(chunk: Uint8Array): Uint8Array {
    if (this.#buffer === undefined || this.#buffer.byteLength === 0) return chunk;
    this.#buffer.append(chunk);
    return this.#buffer.takeWhole();
  }
}
