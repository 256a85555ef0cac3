import { WheelTimer } from './timer-wheel.js';
import { sharedTimers } from './timers.js';

/** Who may fall asleep. */
export interface Sleeper {
  /** Its place among those that are awake; -1 while it is not. */
  place: number;
  /** Falls asleep if nothing has happened since the last call, and nothing goes on. Calls nobody who could wake or end another. @returns whether it has */
  nod(): boolean;
}

/** A connection sleeps when this has gone by twice in silence: one that speaks every few seconds never does. */
const SWEEP_MS = 10_000;
/** What a turn of the event loop has time for. */
const PER_TURN = 1000;

const awake: Sleeper[] = [];
/** Those from here on have been asked in this sweep. */
let asked = 0;
const timer = new WheelTimer(() => sweep(), false);

export function wakes(sleeper: Sleeper): void {
  sleeper.place = awake.push(sleeper) - 1;
  if (awake.length === 1) sharedTimers.schedule(timer, SWEEP_MS);
}

/** It sleeps, or has ended. */
export function leaves(sleeper: Sleeper): void {
  const { place } = sleeper;
  if (place < 0) return;
  sleeper.place = -1;
  const last = awake.pop()!;
  if (last === sleeper) return;
  last.place = place;
  awake[place] = last;
}

/** From the last to the first: who leaves has a place taken by one that was asked already, or came since. Exported for tests. */
export function sweep(): void {
  asked = awake.length;
  askSome();
}

function askSome(): void {
  const until = Math.max(0, asked - PER_TURN);
  for (asked = Math.min(asked, awake.length); asked > until; asked--) {
    const sleeper = awake[asked - 1]!;
    if (sleeper.nod()) leaves(sleeper);
  }
  if (asked > 0) setImmediate(askSome);
  else if (awake.length > 0) sharedTimers.schedule(timer, SWEEP_MS);
}
