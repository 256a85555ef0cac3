import { FakeClock } from '@ws/testing';
import type { Waking, WheelClock } from '../src/timer-wheel.js';

/** A clock whose one timer goes off when it is told that time has passed. */
export class FakeWheelClock implements WheelClock {
  readonly #clock = new FakeClock();
  readonly now = this.#clock.now;
  #timer: { readonly at: number; readonly fire: () => void } | undefined;
  /** Would the timer keep a process alive? */
  isRef = false;
  /** Timers that were started. */
  wakings = 0;

  wake(ms: number, fire: () => void): Waking {
    this.wakings++;
    const timer = { at: this.now() + ms, fire };
    this.#timer = timer;
    this.isRef = true;
    return {
      ref: () => (this.isRef = true),
      unref: () => (this.isRef = false),
      cancel: () => {
        if (this.#timer !== timer) return;
        this.#timer = undefined;
        this.isRef = false;
      },
    };
  }

  get isWaiting(): boolean {
    return this.#timer !== undefined;
  }

  /** Time passes, and the timer goes off whenever it is due. */
  advance(ms: number): void {
    const end = this.now() + ms;
    while (this.#timer !== undefined && this.#timer.at <= end) {
      this.#clock.advance(Math.max(0, this.#timer.at - this.now()));
      this.#fire();
    }
    this.#clock.advance(end - this.now());
  }

  /** Time passes, and the event loop is not there; then it is. */
  stall(ms: number): void {
    this.#clock.advance(ms);
    if (this.#timer !== undefined && this.#timer.at <= this.now()) this.#fire();
  }

  #fire(): void {
    const timer = this.#timer;
    this.#timer = undefined;
    timer?.fire();
  }
}
