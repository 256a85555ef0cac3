import type { FrameHead } from '../index.js';

/** One frame of {@link FrameDuplex.frames}: control frames are among them. */
export interface Frame {
  readonly head: FrameHead;
  /** The payload as it arrives, once; what is left of it is skipped when the next frame is asked for. */
  readonly payload: AsyncIterableIterator<Buffer>;
}

type Item = { readonly head: FrameHead } | { readonly slice: Uint8Array; readonly isLast: boolean };

/** Between a parser that stops after each head and each slice, and a loop that asks for the next one. */
export class FrameCursor {
  readonly #proceed: () => void;
  readonly #stop: () => void;
  #item: Item | undefined;
  /** The frame whose payload may be read. */
  #current: FrameHead | undefined;
  #isEnded = false;
  #error: Error | null = null;
  #arrival: Promise<void> | undefined;
  #arrive: (() => void) | undefined;

  /** @param proceed lets the parser go on: the next item, or the end, follows @param stop the loop was left */
  constructor(proceed: () => void, stop: () => void) {
    this.#proceed = proceed;
    this.#stop = stop;
  }

  give(item: Item): void {
    this.#item = item;
    this.#wake();
  }

  end(error: Error | null): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#error = error;
    this.#wake();
  }

  frames(): AsyncGenerator<Frame, void, undefined> {
    const frames = this.#frames();
    // Left before the first frame was asked for, a generator would not even begin, and never come to its end.
    const leave = frames.return.bind(frames);
    frames.return = (value) => {
      this.#leave();
      return leave(value);
    };
    return frames;
  }

  async *#frames(): AsyncGenerator<Frame, void, undefined> {
    try {
      for (;;) {
        const item = await this.#next();
        if (item === undefined) return;
        this.#item = undefined;
        if (!('head' in item)) continue; // nobody has read it
        this.#current = item.head;
        yield { head: item.head, payload: this.#payload(item.head) };
        this.#current = undefined;
      }
    } finally {
      this.#leave();
    }
  }

  #leave(): void {
    this.#isEnded = true;
    this.#current = undefined;
    this.#stop();
    this.#wake(); // who waits for an item that now goes elsewhere
  }

  async *#payload(head: FrameHead): AsyncGenerator<Buffer, void, undefined> {
    while (this.#current === head) {
      const item = await this.#next();
      if (this.#current !== head || item === undefined || 'head' in item) return;
      this.#item = undefined;
      if (item.isLast) this.#current = undefined;
      const { buffer, byteOffset, length } = item.slice;
      if (length > 0) yield Buffer.from(buffer, byteOffset, length);
    }
  }

  /** Waits for an item and leaves it where it is; undefined at the end. */
  async #next(): Promise<Item | undefined> {
    while (this.#item === undefined && !this.#isEnded) {
      this.#arrival ??= new Promise((resolve) => (this.#arrive = resolve));
      const arrival = this.#arrival;
      this.#proceed();
      await arrival;
    }
    if (this.#item === undefined && this.#error) throw this.#error;
    return this.#item;
  }

  #wake(): void {
    this.#arrive?.();
    this.#arrival = this.#arrive = undefined;
  }
}
