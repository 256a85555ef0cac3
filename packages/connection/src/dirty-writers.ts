import { now } from './close-report.js';

/** Who has something to write at the end of this turn. */
interface DirtyWriter {
  flush(): void;
}

let dirty: DirtyWriter[] = [];
/** When the first of them got it. */
let dirtySince = 0;

/** The one whose connection is being parsed for. */
let inTurn: DirtyWriter | undefined;
let flushesAtExit = false;

/** The time, to within this turn: reading the clock costs as much as a small frame. */
export const turnTime = (): number => (dirty.length > 0 ? dirtySince : now());

export function enterTurn(writer: DirtyWriter | undefined): void {
  inTurn = writer;
}

/** It is flushed at the end of this turn, with all others, by one `process.nextTick`. */
export function markDirty(writer: DirtyWriter): void {
  if (dirty.push(writer) > 1) return;
  dirtySince = now();
  process.nextTick(flushDirty);
}

/** `process.exit()` right behind `send`: what the operating system takes at once still goes out. */
export function flushAtExit(): void {
  if (!flushesAtExit) process.once('exit', flushAll);
  flushesAtExit = true;
}

function flushAll(): void {
  inTurn?.flush();
  flushDirty();
}

function flushDirty(): void {
  const writers = dirty;
  dirty = [];
  for (const writer of writers) writer.flush();
}
