import { raise } from './settle.js';

/** One step of sending that may take time; it calls `done` once, at once or later. */
export type Job = (done: () => void) => void;

interface Waiting {
  readonly byteLength: number;
  readonly job: Job;
  readonly onDropped: (() => void) | undefined;
  next: Waiting | undefined;
}

/** Keeps the order of what is sent while a step takes time: the next one starts when the one before is done. */
export class SendQueue {
  #first: Waiting | undefined;
  #last: Waiting | undefined;
  #running = false;
  #bytes = 0;

  /** Nothing runs and nothing waits: whoever sends now needs no job. */
  get isIdle(): boolean {
    return !this.#running;
  }

  /** Bytes of the steps that are not done. */
  get byteLength(): number {
    return this.#bytes;
  }

  /** `onDropped` runs where `clear` comes before the job's turn. */
  push(byteLength: number, job: Job, onDropped?: () => void): void {
    this.#bytes += byteLength;
    const entry = { byteLength, job, onDropped, next: undefined };
    if (this.#last) this.#last.next = entry;
    else this.#first = entry;
    this.#last = entry;
    if (!this.#running) this.#run();
  }

  /** Forgets what waits. A running step finishes into the void: its owner checks the state when it comes back. */
  clear(): void {
    for (let entry = this.#take(); entry !== undefined; entry = this.#take()) {
      this.#bytes -= entry.byteLength;
      entry.onDropped?.();
    }
  }

  #take(): Waiting | undefined {
    const entry = this.#first;
    this.#first = entry?.next;
    if (this.#first === undefined) this.#last = undefined;
    return entry;
  }

  #run(): void {
    this.#running = true;
    for (let entry = this.#take(); entry !== undefined; entry = this.#take()) {
      const { job, byteLength } = entry;
      let done = false;
      let waits = false;
      const finish = (): void => {
        if (done) return;
        done = true;
        this.#bytes -= byteLength;
        if (waits) this.#run();
      };
      try {
        job(finish);
      } catch (error) {
        finish();
        raise(error);
      }
      if (!done) {
        waits = true;
        return;
      }
    }
    this.#running = false;
  }
}
