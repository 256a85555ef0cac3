import { now } from './close-report.js';
import { raise } from './protocol/settle.js';

/** Who has something to write at the end of this turn. */
interface DirtyWriter {
  flush(): void;
}

let dirty: DirtyWriter[] = [];
/** When the first of them got it. */
let dirtySince = 0;

/** The one whose connection is being parsed for. */
let inTurn: DirtyWriter | undefined;
/** The one whose records are being given, as long as it may be that more of them come. */
let amongRecords: DirtyWriter | undefined;
let awaitsLastRecord = false;
let flushesAtExit = false;

/** The time, to within this turn: reading the clock costs as much as a small frame. */
export const turnTime = (): number => (dirty.length > 0 ? dirtySince : now());

export function enterTurn(writer: DirtyWriter): void {
  if (amongRecords !== undefined && amongRecords !== writer) flushRecords();
  if (inTurn !== undefined) markDirty(inTurn); // nobody else knows of it behind this turn, should the process end within its own
  inTurn = writer;
}

export function leaveTurn(): void {
  inTurn = undefined;
}

/**
 * In place of a flush, for a TLS socket: it gives each record of what it has read as an event with ticks of its own. What all of them are
 * answered with leaves together, as soon as another connection has something to read, or nobody has.
 */
export function awaitRecords(writer: DirtyWriter): void {
  if (amongRecords !== undefined && amongRecords !== writer) flushRecords();
  amongRecords = writer;
  if (awaitsLastRecord) return;
  awaitsLastRecord = true;
  setImmediate(lastRecord);
}

function lastRecord(): void {
  awaitsLastRecord = false;
  if (amongRecords !== undefined) flushRecords();
}

function flushRecords(): void {
  const writer = amongRecords;
  amongRecords = undefined;
  if (writer !== undefined) flush(writer);
}

/** What it throws is not the fault of the connection whose turn it is, nor of those that are flushed behind it. */
function flush(writer: DirtyWriter): void {
  try {
    writer.flush();
  } catch (error) {
    raise(error);
  }
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
  if (inTurn !== undefined) flush(inTurn);
  flushRecords();
  flushDirty();
}

function flushDirty(): void {
  const writers = dirty;
  dirty = [];
  for (const writer of writers) if (writer !== amongRecords) flush(writer);
}
