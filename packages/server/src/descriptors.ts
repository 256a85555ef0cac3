import { closeSync, openSync, readFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { guarded } from './uncaught.js';

/** How often is looked while nothing is accepted, in ms: other parts of the process use up descriptors too. */
const LOOK_MS = 1000;
/** And while they are short. */
const LOOK_AGAIN_MS = 100;
/** So many are left to the rest of the process, at most. */
const MOST_RESERVED = 64;

/** Who is told. */
export interface DescriptorListener {
  paused(error: NodeJS.ErrnoException): void;
  resumed(): void;
}

/**
 * Notices that file descriptors run out while there are some left: Node does not tell when none is, it closes what it accepts without a word.
 * A new descriptor is the lowest free number, so that its number says how many are used.
 */
export class Descriptors {
  readonly #listener: DescriptorListener;
  readonly #limit: number;
  /** As few may be left when accepting pauses; twice as many, and it goes on. */
  readonly #reserve: number;
  readonly #lowestFree: () => number;
  #accepted = 0;
  #timer: NodeJS.Timeout | undefined;
  #isShort = false;

  /** @param limit how many the process may have open; Infinity if nobody knows */
  constructor(listener: DescriptorListener, limit = descriptorLimit(), lowestFree = lowestFreeDescriptor) {
    this.#listener = listener;
    this.#limit = limit;
    this.#lowestFree = lowestFree;
    this.#reserve = Math.min(MOST_RESERVED, limit >> 3);
  }

  get isShort(): boolean {
    return this.#isShort;
  }

  start(): void {
    this.#lookIn(LOOK_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  /** One more is in use. */
  accepted(): void {
    if (this.#isShort || ++this.#accepted < this.#reserve >> 2) return;
    this.#accepted = 0;
    this.#look();
  }

  #lookIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#lookIn(this.#isShort ? LOOK_AGAIN_MS : LOOK_MS);
      this.#look();
    }, ms).unref();
  }

  #look(): void {
    const left = this.#left();
    const isShort = typeof left !== 'number' || left <= (this.#isShort ? 2 : 1) * this.#reserve;
    if (isShort === this.#isShort) return;
    this.#isShort = isShort;
    this.#lookIn(isShort ? LOOK_AGAIN_MS : LOOK_MS);
    guarded(() => {
      if (isShort) this.#listener.paused(typeof left === 'number' ? tooManyOpen(left) : left);
      else this.#listener.resumed();
    });
  }

  /** How many more can be opened; the error, if that is none. */
  #left(): number | NodeJS.ErrnoException {
    try {
      return this.#limit - this.#lowestFree();
    } catch (error) {
      return isShortage(error) ? error : this.#limit;
    }
  }
}

/** The number that the next one gets; throws if there is none. */
function lowestFreeDescriptor(): number {
  const descriptor = openSync(devNull, 'r');
  closeSync(descriptor);
  return descriptor;
}

function isShortage(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE');
}

function tooManyOpen(left: number): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`EMFILE: too many open files, ${left} descriptors are left`);
  error.code = 'EMFILE';
  error.syscall = 'accept';
  return error;
}

/** Of this process, where the system says it in a file (Linux). */
export function descriptorLimit(file = '/proc/self/limits'): number {
  try {
    const line = readFileSync(file, 'latin1')
      .split('\n')
      .find((text) => text.startsWith('Max open files'));
    const limit = Number(line?.split(' ').filter((word) => word !== '')[3]);
    return limit > 0 ? limit : Infinity;
  } catch {
    return Infinity;
  }
}
