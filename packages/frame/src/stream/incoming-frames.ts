import type { Duplex } from 'node:stream';
import { ProtocolError } from '../index.js';
import { FrameReader, type FrameEvents } from './frame-reader.js';
import type { Settings } from './options.js';

export interface IncomingEvents extends FrameEvents {
  /** The peer broke the rules; nothing more is parsed. */
  failed(error: ProtocolError): void;
  /** The source has ended and all of it is parsed. `isWhole`: not inside a message. */
  ended(isWhole: boolean): void;
}

/** Why nothing is parsed, as bits: there is enough to read; a message's end is not told; `frames()` was not asked for more. */
export const Hold = { Full: 1, EndOfMessage: 2, Unasked: 4 } as const;
type Hold = (typeof Hold)[keyof typeof Hold];

/** The way from the source to the parser, open while nothing holds it; the source feels it when something does. */
export class IncomingFrames {
  readonly #source: Duplex;
  readonly #reader: FrameReader;
  readonly #events: IncomingEvents;
  #holds = 0;
  #sourceEnded = false;
  #isStopped = false;

  /** @throws {TypeError | RangeError} for bad options of the parser; the source is untouched then */
  constructor(source: Duplex, settings: Settings, events: IncomingEvents) {
    this.#source = source;
    this.#events = events;
    this.#reader = new FrameReader(settings, events);
  }

  /** The source's 'end' was seen: its 'close' cuts nothing off. */
  get sourceEnded(): boolean {
    return this.#sourceEnded;
  }

  start(): void {
    const source = this.#source;
    source.on('end', () => this.#end());
    source.on('data', (chunk: Uint8Array) => {
      if (!this.#isStopped) this.#parse(() => this.#reader.push(chunk));
    });
    source.resume();
    if (source.readableEnded) process.nextTick(() => this.#end());
  }

  /** Parses nothing more; what the source still gives is dropped. */
  stop(): void {
    this.#isStopped = true;
    this.#reader.pause();
    this.#source.resume();
  }

  isHeld(reason: Hold): boolean {
    return (this.#holds & reason) !== 0;
  }

  /** From within an event: nothing more comes after it. */
  hold(reason: Hold): void {
    this.#holds |= reason;
    this.#reader.pause();
    this.#source.pause();
  }

  release(reason: Hold): void {
    if (!this.isHeld(reason)) return;
    this.#holds &= ~reason;
    if (!this.#isOpen) return;
    this.#parse(() => this.#reader.resume());
    if (!this.#isOpen) return;
    if (this.#sourceEnded) this.#endOfInput();
    else this.#source.resume();
  }

  get #isOpen(): boolean {
    return this.#holds === 0 && !this.#isStopped;
  }

  #end(): void {
    this.#sourceEnded = true;
    if (this.#isOpen) this.#endOfInput();
  }

  #endOfInput(): void {
    this.#isStopped = true;
    this.#events.ended(this.#reader.isBetweenMessages);
  }

  #parse(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error; // a listener's
      this.stop();
      this.#events.failed(error);
    }
  }
}
