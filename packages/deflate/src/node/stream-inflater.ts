import { AsyncResource } from 'node:async_hooks';
import type { Inflater } from '../backend.js';
import type { DeflateError } from '../errors.js';
import type { Flow } from '../extension.js';
import type { Window } from '../window.js';
import { endingOf, isComplete, MAX_ENDING } from './ending.js';
import { corrupt, incomplete, MAX_FINAL_BLOCKS, tooLong, tooManyFinalBlocks } from './failures.js';
import type { Inflation, InflationPool } from './inflation.js';
import type { Limiter } from './limiter.js';
import type { TurnBudget } from './turn-budget.js';
import { inflateAtOnce, inflateBehind, resetHandle, SCRATCH_BYTES } from './zlib-handle.js';

/** What all messages have in common. */
export interface InflaterOptions {
  readonly limiter: Limiter;
  readonly pool: InflationPool;
  /** Bytes of a piece up to which it may be decompressed at once. */
  readonly syncLimit: number;
  /** Undefined where nothing can be done at once. */
  readonly turn: TurnBudget | undefined;
}

interface Call {
  /** What stands behind the last piece. */
  readonly ending: Uint8Array | undefined;
  readonly limit: number;
  readonly output: (bytes: Uint8Array) => void;
  readonly done: (error: DeflateError | null) => void;
  readonly flow: Flow | undefined;
  /** What may be done at once is counted here; undefined: all of it is for the thread pool. */
  readonly turn: TurnBudget | undefined;
  length: number;
}

/**
 * A message in pieces, decompressed in the thread pool. If it is given on as it comes, small pieces are decompressed at once, and all of
 * them as fast as they are taken: what waits for room is at most one part, and waits in nobody's way.
 */
export class StreamInflater implements Inflater {
  readonly #options: InflaterOptions;
  readonly #window: Window | undefined;
  /** None before the first piece, and behind a final block. */
  #inflation: Inflation | undefined;
  /** Bytes of output that are the window, and no part of the message. */
  #toSkip = 0;
  #call: Call | undefined;
  #finalBlocks = 0;
  #lastBytes: Uint8Array = Buffer.alloc(0);
  /** Gives back the place in the thread pool. */
  #leave: (() => void) | undefined;
  #context: AsyncResource | undefined;
  #isWaiting = false;
  /** All input is with zlib, and no output comes of it that is not in the stream yet. */
  #isWritten = false;
  #isClosed = false;

  /** @param window what the message may refer to, and where its output is added by whoever gets it */
  constructor(options: InflaterOptions, window: Window | undefined) {
    this.#options = options;
    this.#window = window;
  }

  inflate(
    data: Uint8Array,
    isLast: boolean,
    limit: number,
    output: Call['output'],
    done: Call['done'],
    flow?: Flow,
  ): void {
    const { syncLimit, turn } = this.#options;
    this.#lastBytes = Buffer.concat([this.#lastBytes, data.subarray(-MAX_ENDING)]).subarray(-MAX_ENDING);
    const ending = isLast ? endingOf(this.#lastBytes) : undefined;
    const isAtOnce = flow !== undefined && data.length <= syncLimit;
    this.#call = { ending, limit, output, done, flow, turn: isAtOnce ? turn : undefined, length: 0 };
    const endedBefore = this.#finalBlocks > 0 && this.#inflation === undefined && data.length === 0;
    if (endedBefore || (ending === undefined && data.length === 0)) return this.#finish(null);
    const piece = ending ? Buffer.concat([data, ending]) : data;
    if (flow?.isFull) this.#whenRoom(flow, () => this.#advance(piece, SCRATCH_BYTES));
    else this.#advance(piece, data.length);
  }

  close(): void {
    this.#isClosed = true;
    if (this.#call === undefined) return this.#giveBack();
    if (!this.#isWaiting) return; // it sees so itself
    this.#isWaiting = false;
    this.#free();
    process.nextTick(() => this.#finish(null));
  }

  /** @param cost bytes of which it depends whether they are worked on at once */
  #advance(piece: Uint8Array, cost: number): void {
    const call = this.#call;
    if (call?.turn?.allows(cost)) this.#atOnce(piece, call, call.turn);
    else this.#inThreadPool(() => this.#write(piece));
  }

  #atOnce(piece: Uint8Array, call: Call, turn: TurnBudget): void {
    for (let left = piece; ;) {
      const room = Math.min(SCRATCH_BYTES, call.limit - call.length + 1);
      let inflated;
      try {
        inflated = inflateAtOnce((this.#inflation ??= this.#open()).stream, left, room);
      } catch (error) {
        return this.#fail(corrupt(error as Error));
      }
      const { bytes, unread } = inflated;
      left = left.subarray(left.length - unread);
      turn.spend(bytes.length);
      this.#give(bytes);
      if (call !== this.#call) return;
      if (bytes.length < room) {
        if (unread === 0) return call.ending ? this.#fail(incomplete()) : this.#finish(null);
        if (!this.#goesOnBehindFinalBlock(call, left)) return;
        resetHandle(this.#inflation.stream);
        this.#putWindowBefore(this.#inflation);
      }
      const rest = left;
      if (call.flow?.isFull) return this.#whenRoom(call.flow, () => this.#advance(rest, SCRATCH_BYTES));
      if (!turn.allows(SCRATCH_BYTES)) return this.#inThreadPool(() => this.#write(rest));
    }
  }

  /** A step of the limiter must not throw: it may run for somebody else who has ended. */
  #inThreadPool(step: () => void): void {
    const act = (): void => {
      if (this.#isClosed) return this.#finish(null);
      try {
        step();
      } catch (error) {
        this.#fail(corrupt(error as Error));
      }
    };
    if (this.#leave) return act();
    this.#options.limiter.run((leave) => {
      this.#leave = leave;
      act();
    });
  }

  #write(piece: Uint8Array): void {
    const data = this.#inflation === undefined ? this.#behindWindow(piece) : piece;
    const inflation = (this.#inflation ??= this.#open());
    const { stream } = inflation;
    const before = stream.bytesWritten;
    const onEnd = this.#inOwnContext(() => {
      if (inflation === this.#inflation) this.#finalBlock(data.subarray(stream.bytesWritten - before));
    });
    const onWritten = this.#inOwnContext(() => {
      if (inflation !== this.#inflation) return;
      if (stream.bytesWritten - before < data.length) return; // a final block: its end is told when all output is taken
      stream.off('end', onEnd);
      this.#isWritten = true;
      this.#drain(inflation);
    });
    inflation.onBytes = this.#inOwnContext((bytes: Buffer) => this.#take(inflation, bytes));
    inflation.onError = this.#inOwnContext((error: Error) => this.#fail(corrupt(error)));
    this.#isWritten = false;
    stream.once('end', onEnd);
    stream.write(data, onWritten);
    if (stream.isPaused()) stream.resume();
  }

  /** What is not given yet goes to `onBytes`. */
  #drain(inflation: Inflation): void {
    while (inflation === this.#inflation && !this.#isWaiting && inflation.stream.read() !== null);
    if (inflation !== this.#inflation || this.#isWaiting) return;
    if (this.#call?.ending === undefined) this.#finish(null);
    else this.#fail(incomplete());
  }

  #finalBlock(rest: Uint8Array): void {
    const call = this.#call;
    this.#free();
    if (call && this.#goesOnBehindFinalBlock(call, rest)) this.#inThreadPool(() => this.#write(rest));
  }

  /** §7.2.3.4: what comes behind it is compressed data again, in the window of the session where there is one. */
  #goesOnBehindFinalBlock({ ending }: Call, rest: Uint8Array): boolean {
    this.#finalBlocks++;
    if (ending ? isComplete(rest.length, ending) : rest.length === 0) this.#finish(null);
    else if (ending && rest.length < ending.length) this.#fail(incomplete());
    else if (this.#finalBlocks > MAX_FINAL_BLOCKS) this.#fail(tooManyFinalBlocks());
    else return true;
    return false;
  }

  /** The window goes in as a block of the data: zlib's own way, a dictionary, is not known to raw streams of every runtime. */
  #behindWindow(data: Uint8Array): Uint8Array {
    const window = this.#window;
    if (window === undefined || window.length === 0 || this.#options.turn) return data;
    this.#toSkip = window.length;
    return Buffer.concat([window.block, data]);
  }

  #open(): Inflation {
    const inflation = this.#options.pool.take();
    if (this.#options.turn) this.#putWindowBefore(inflation);
    return inflation;
  }

  #putWindowBefore({ stream }: Inflation): void {
    if (this.#window && this.#window.length > 0) inflateBehind(stream, this.#window.block);
  }

  #take({ stream }: Inflation, output: Buffer): void {
    const call = this.#call;
    const bytes = output.subarray(this.#toSkip);
    this.#toSkip -= output.length - bytes.length;
    this.#give(bytes);
    if (call === undefined || call !== this.#call || !call.flow?.isFull) return;
    stream.pause(); // it goes on until it has a chunk in store
    this.#leaveThreadPool();
    this.#whenRoom(call.flow, () =>
      this.#inThreadPool(() => {
        if (this.#inflation && this.#isWritten) this.#drain(this.#inflation);
        else stream.resume();
      }),
    );
  }

  #give(bytes: Uint8Array): void {
    const call = this.#call;
    if (call === undefined || bytes.length === 0) return;
    call.length += bytes.length;
    if (call.length > call.limit) return this.#fail(tooLong(call.limit));
    call.output(bytes);
    if (this.#isClosed) this.#finish(null);
  }

  /** Who has called back is not asked again before he got a part: he may want nothing any more, and be full for ever. */
  #whenRoom(flow: Flow, proceed: () => void): void {
    const call = this.#call;
    this.#isWaiting = true;
    const act = (): void => {
      if (call !== this.#call || !this.#isWaiting) return;
      this.#isWaiting = false;
      proceed();
    };
    flow.whenRoom(this.#inOwnContext(act));
  }

  /** Neither zlib's stream, which is everybody's, nor the reader calls back in the context of the connection. */
  #inOwnContext<Args extends unknown[]>(act: (...args: Args) => void): (...args: Args) => void {
    const context = (this.#context ??= new AsyncResource('WS_INFLATE'));
    return (...args) => context.runInAsyncScope(act, undefined, ...args); // `bind` is slow in Node 20
  }

  #fail(error: DeflateError): void {
    this.#free();
    this.#finish(error);
  }

  #finish(error: DeflateError | null): void {
    const call = this.#call;
    this.#call = undefined;
    if (this.#isClosed) this.#free();
    this.#leaveThreadPool();
    call?.done(error);
  }

  #leaveThreadPool(): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.();
  }

  #free(): void {
    this.#inflation?.close();
    this.#inflation = undefined;
  }

  /** For the next message, of whomever. */
  #giveBack(): void {
    const { pool, turn } = this.#options;
    if (this.#inflation === undefined || turn === undefined) return this.#free();
    pool.giveBack(this.#inflation);
    this.#inflation = undefined;
  }
}
