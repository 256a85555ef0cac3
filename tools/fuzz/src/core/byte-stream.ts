import { Duplex } from 'node:stream';

/** The byte stream below a WebSocket, with the peer's half in our hands. */
export class ByteStream extends Duplex {
  readonly #written: Buffer[] = [];
  #isFull = false;
  #taken: (() => void) | undefined;

  constructor() {
    super({ autoDestroy: true, emitClose: true });
  }

  get written(): Buffer {
    return Buffer.concat(this.#written);
  }

  /** Writes wait while it is full. */
  get isFull(): boolean {
    return this.#isFull;
  }
  set isFull(isFull: boolean) {
    this.#isFull = isFull;
    const taken = this.#taken;
    if (isFull || taken === undefined) return;
    this.#taken = undefined;
    taken();
  }

  override _read(): void {
    // the script pushes
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#take([chunk], callback);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    this.#take(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  #take(chunks: readonly Buffer[], callback: () => void): void {
    this.#written.push(...chunks.map((chunk) => Buffer.from(chunk)));
    if (this.#isFull) this.#taken = callback;
    else process.nextTick(callback);
  }
}
