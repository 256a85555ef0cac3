interface Waiting {
  readonly chunk: Uint8Array;
  next: Waiting | undefined;
}

/** Chunks that were received and not yet parsed, in order. Adding and taking cost the same however many there are. */
export class ByteQueue {
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #byteLength = 0;
  #length = 0;

  /** How many there are. */
  get length(): number {
    return this.#length;
  }
  get byteLength(): number {
    return this.#byteLength;
  }

  add(chunk: Uint8Array): void {
    const waiting: Waiting = { chunk, next: undefined };
    if (this.#last === undefined) this.#first = waiting;
    else this.#last.next = waiting;
    this.#last = waiting;
    this.#byteLength += chunk.length;
    this.#length++;
  }

  take(): Uint8Array | undefined {
    const waiting = this.#first;
    if (waiting === undefined) return undefined;
    this.#first = waiting.next;
    if (waiting.next === undefined) this.#last = undefined;
    this.#byteLength -= waiting.chunk.length;
    this.#length--;
    return waiting.chunk;
  }

  clear(): void {
    this.#first = this.#last = undefined;
    this.#byteLength = this.#length = 0;
  }
}
