import type { MessageHead, MessageSink, Protocol } from '@ws/connection/protocol';
import { isUtf8 } from 'node:buffer';
import { must } from '../engine/failure.js';

/** Takes messages as they come, and now and then has enough. */
export class Reader {
  /** Of the script: after how many pieces he has enough. */
  mode = 0;
  openMessages = 0;
  #protocol: Protocol | undefined;
  #pieces = 0;
  #isFull = false;
  #waiting: (() => void)[] = [];
  readonly #whole: (isText: boolean, content: Buffer) => void;
  readonly #validateUtf8: boolean;

  constructor(whole: (isText: boolean, content: Buffer) => void, validateUtf8: boolean) {
    this.#whole = whole;
    this.#validateUtf8 = validateUtf8;
  }

  attach(protocol: Protocol): void {
    this.#protocol = protocol;
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  take({ isText }: MessageHead): MessageSink {
    const parts: Buffer[] = [];
    let isOver = false;
    const over = (): void => {
      must(!isOver, 'a message ends twice');
      isOver = true;
      this.openMessages--;
    };
    this.openMessages++;
    const isFull = (): boolean => this.#isFull;
    return {
      get isFull() {
        return isFull();
      },
      whenRoom: (proceed) => {
        if (this.#isFull) this.#waiting.push(proceed);
        else proceed();
      },
      data: (piece) => {
        must(!isOver && piece.length > 0, 'data where there is none');
        parts.push(Buffer.from(piece));
        this.#pieces++;
        const every = this.mode & 7;
        if (every === 0 || this.#pieces % every !== 0) return;
        this.#isFull = true;
        this.#protocol?.pause('reader');
      },
      end: () => {
        over();
        const content = Buffer.concat(parts);
        must(!isText || !this.#validateUtf8 || isUtf8(content), 'text that is none');
        this.#whole(isText, content);
      },
      abort: over,
    };
  }

  /** Has room again. @returns false where there was room */
  goOn(): boolean {
    if (!this.#isFull) return false;
    this.#isFull = false;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#protocol?.resume('reader');
    for (const proceed of waiting) proceed();
    return true;
  }
}
