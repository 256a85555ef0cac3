import { raise } from './protocol/settle.js';

/** What a wheel goes by, and is woken by. */
export interface WheelClock {
  /** Ms that never go back. */
  now(): number;
  /**
   * Calls back once, in `ms` or later, and in a turn of the event loop that has read before what had arrived by then: whoever judges a peer by
   * its silence knows what it has said.
   */
  wake(ms: number, fire: () => void): Waking;
}

export interface Waking {
  ref(): unknown;
  unref(): unknown;
  cancel(): void;
}

/** A place in a ring of entries. */
export interface Link {
  next: Link | undefined;
  previous: Link | undefined;
}

/** What happens at a time: the owner of the time limit itself, so that one costs nothing beside it. */
export abstract class WheelEntry implements Link {
  /** Its neighbours on the wheel, which alone uses them, while it is scheduled. */
  next: Link | undefined;
  previous: Link | undefined;
  /** When the wheel wants to call it, ms of its clock. */
  wheelTime = 0;
  /** It keeps the process alive while it is scheduled; to be changed only while it is not. */
  keepsAlive = false;

  /** Its time has come, and it is not scheduled any more. `stalledMs`: how much later this is than the wheel had in mind, which is how long the event loop was not there. */
  abstract expired(stalledMs: number): void;
}

/** A time limit of something that is no entry itself. */
export class WheelTimer extends WheelEntry {
  readonly #onExpired: () => void;

  /** It keeps the process alive, as `setTimeout` does, unless told otherwise. */
  constructor(onExpired: () => void, keepsAlive = true) {
    super();
    this.#onExpired = onExpired;
    this.keepsAlive = keepsAlive;
  }

  expired(): void {
    this.#onExpired();
  }
}

/** Where a ring begins and ends. */
class List implements Link {
  next: Link = this;
  previous: Link = this;
}

/** Levels of 64 slots; a slot of one is four of the level below, whose slots are ms. */
const LEVELS = 14;
const SLOTS = 64;
const SHIFT = 2;
/** Below it the distance of a slot is never all around its level. */
const REACH = SLOTS - 1;
/** So many entries are called in one turn of the event loop. */
const PER_TURN = 512;
const MAX_MS = 2 ** 31 - 1;

/**
 * Time limits by the ten thousand, of which nearly all are put off or cancelled: both are O(1), and there is one timer underneath. They come
 * never early, and late by less than two ms or a fifteenth of their delay, whichever is more (a loop that stalls comes on top). See docs/decisions/guards.md.
 */
export class TimerWheel {
  readonly #clock: WheelClock;
  readonly #slots: (List | undefined)[] = new Array<List | undefined>(LEVELS * SLOTS).fill(undefined);
  /** What is to be called in this turn, or the next. */
  readonly #due = new List();
  /** All that was to be called up to this ms is in `#due`, or was called. */
  #at = 0;
  /** No slot's time comes before it. */
  #next = Infinity;
  #waking: Waking | undefined;
  #isRunning = false;
  /** Entries that keep the process alive. */
  #alive = 0;

  constructor(clock: WheelClock) {
    this.#clock = clock;
  }

  /** Calls `entry` in `delayMs`; if it is scheduled already, then instead. @throws {RangeError} beyond what Node's timers take */
  schedule(entry: WheelEntry, delayMs: number): void {
    if (!(delayMs <= MAX_MS)) throw new RangeError(`a delay of ${delayMs} ms, expected at most ${MAX_MS}`);
    this.cancel(entry);
    const now = this.#clock.now();
    this.#at = Math.max(this.#at, Math.min(Math.floor(now), this.#next - 1));
    const ms = Math.max(Math.ceil(now + Math.max(0, delayMs)), this.#at + 1);
    let size = 1;
    let level = 0;
    for (let reach = REACH; ms - this.#at >= reach; reach *= 1 << SHIFT) {
      size *= 1 << SHIFT;
      level++;
    }
    const turn = Math.ceil(ms / size);
    const slot = level * SLOTS + (turn % SLOTS);
    entry.wheelTime = turn * size;
    insert(entry, (this.#slots[slot] ??= new List()));
    if (entry.keepsAlive && this.#alive++ === 0) this.#waking?.ref();
    if (entry.wheelTime >= this.#next) return;
    this.#next = entry.wheelTime;
    if (!this.#isRunning) this.#wake(this.#next - now);
  }

  /** Does nothing unless it is scheduled. */
  cancel(entry: WheelEntry): void {
    if (entry.next === undefined) return;
    remove(entry);
    if (entry.keepsAlive && --this.#alive === 0) this.#waking?.unref();
  }

  static isScheduled(entry: WheelEntry): boolean {
    return entry.next !== undefined;
  }

  #wake(ms: number): void {
    this.#waking?.cancel();
    const waking = this.#clock.wake(Math.min(Math.max(1, Math.ceil(ms)), MAX_MS), this.#run);
    this.#waking = waking;
    if (this.#alive === 0) waking.unref();
  }

  readonly #run = (): void => {
    this.#waking?.cancel();
    this.#waking = undefined;
    this.#collect(Math.floor(this.#clock.now()));
    this.#isRunning = true;
    for (let n = 0; n < PER_TURN && this.#callFirst(); n++);
    this.#isRunning = false;
    if (this.#due.next !== this.#due) this.#wake(0);
    else if ((this.#next = this.#nextTime()) < Infinity) this.#wake(this.#next - this.#clock.now());
  };

  /** @returns false if nothing is due */
  #callFirst(): boolean {
    const first = this.#due.next;
    if (first === this.#due) return false;
    const entry = first as WheelEntry; // nothing else is ever in a list
    this.cancel(entry);
    try {
      entry.expired(Math.max(0, this.#clock.now() - entry.wheelTime));
    } catch (error) {
      raise(error); // its own, and comes up by itself: the others are called
    }
    return true;
  }

  /** Takes all that is due from its slots. */
  #collect(now: number): void {
    const before = this.#at;
    if (now <= before) return;
    this.#at = now;
    for (let level = 0, size = 1; level < LEVELS; level++, size *= 1 << SHIFT) {
      const last = Math.floor(now / size);
      for (let turn = Math.max(Math.floor(before / size) + 1, last - SLOTS + 1); turn <= last; turn++) {
        const list = this.#slots[level * SLOTS + (turn % SLOTS)];
        if (list !== undefined) append(this.#due, list);
      }
    }
  }

  #nextTime(): number {
    let next = Infinity;
    for (let level = 0, size = 1; level < LEVELS; level++, size *= 1 << SHIFT) {
      const first = Math.floor(this.#at / size) + 1;
      for (let turn = first; turn < first + SLOTS && turn * size < next; turn++) {
        const list = this.#slots[level * SLOTS + (turn % SLOTS)];
        if (list !== undefined && list.next !== list) next = turn * size;
      }
    }
    return next;
  }
}

function insert(entry: Link, list: List): void {
  const last = list.previous;
  entry.previous = last;
  entry.next = list;
  last.next = list.previous = entry;
}

function remove(entry: Link): void {
  const { next, previous } = entry;
  if (previous) previous.next = next;
  if (next) next.previous = previous;
  entry.next = entry.previous = undefined;
}

/** Moves all of `list` behind `target`. */
function append(target: List, list: List): void {
  const { next: first, previous: last } = list;
  if (first === list) return;
  target.previous.next = first;
  first.previous = target.previous;
  last.next = target;
  target.previous = last;
  list.next = list.previous = list;
}
