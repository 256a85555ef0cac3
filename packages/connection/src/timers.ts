import { AsyncResource } from 'node:async_hooks';
import { now } from './close-report.js';
import { TimerWheel, type Waking, type WheelClock } from './timer-wheel.js';

/** The timer is everybody's: it keeps no `AsyncLocalStorage` of whoever happened to start it. */
const shared = new AsyncResource('WS_TIMERS');

/** One of Node's timers; the check phase behind it comes after what had arrived is read. */
class NodeWaking implements Waking {
  readonly #timer: NodeJS.Timeout;
  #immediate: NodeJS.Immediate | undefined;

  constructor(ms: number, fire: () => void) {
    this.#timer = setTimeout(() => (this.#immediate = setImmediate(fire)), ms);
  }

  ref(): void {
    this.#timer.ref();
  }
  unref(): void {
    this.#timer.unref();
  }
  cancel(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }
}

const NODE_CLOCK: WheelClock = {
  now,
  wake: (ms, fire) => shared.runInAsyncScope(() => new NodeWaking(ms, fire)),
};

/** The time limits of this process, for the packages of this library. */
export const sharedTimers = new TimerWheel(NODE_CLOCK);
