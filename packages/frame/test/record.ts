import { expect } from '@jest/globals';
import {
  FrameParser,
  MaskingMemory,
  ProtocolError,
  type FrameHandlers,
  type FrameHead,
  type FrameParserOptions,
} from '../src/index.js';

/** A frame as it was reported, however many pieces its payload came in. */
export interface ReportedFrame {
  head: FrameHead;
  payload: string;
  complete: boolean;
}

/** What a parser said: its frames with message ends between them, and the code of the violation that ended it. */
export interface Report {
  events: (ReportedFrame | 'messageEnd')[];
  error: string | undefined;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Handlers that write a report, and check what holds for every piece of payload. `whole` listens for `frame` as well. */
class Recorder implements FrameHandlers {
  readonly report: Report = { events: [], error: undefined };
  readonly frame?: (head: FrameHead, payload: Uint8Array) => void;
  /** What was given for good, and what it was then. */
  readonly given: [Uint8Array, string][] = [];
  readonly lentPayload?: (slice: Uint8Array, offset: number, isLast: boolean) => void;
  readonly joins?: (count: number, byteLength: number) => boolean;
  #open: ReportedFrame | undefined;

  constructor(whole: boolean, lent: boolean) {
    if (lent) {
      this.lentPayload = (slice, offset, isLast) => this.#piece(slice, offset, isLast);
      this.joins = (_, byteLength) => byteLength % 3 > 0;
    }
    if (!whole) return;
    this.frame = (head, payload) => {
      expect(payload.length).toBe(head.payloadLength);
      this.head(head);
      this.payload(payload, 0, true);
      this.frameEnd();
      if (head.fin && head.opcode < 8) this.messageEnd();
    };
  }

  head(head: FrameHead): void {
    expect(this.#open).toBeUndefined();
    this.#open = { head, payload: '', complete: false };
    this.report.events.push(this.#open);
  }

  payload(slice: Uint8Array, offset: number, isLast: boolean): void {
    this.given.push([slice, text(slice)]);
    this.#piece(slice, offset, isLast);
  }

  /** As the calls that it stands for. The report has no masking keys of continuations: they are not told of. */
  lentFragments(payload: Uint8Array, offset: number, lengths: ArrayLike<number>, count: number, fin: boolean): void {
    const joined = Array.from(lengths).slice(0, count);
    let at = payload.length - joined.reduce((sum, length) => sum + length, 0);
    this.#piece(payload.subarray(0, at), offset, true);
    this.frameEnd();
    for (const [i, payloadLength] of joined.entries()) {
      this.head({ fin: fin && i === count - 1, rsv: 0, opcode: 0, maskingKey: undefined, payloadLength });
      this.#piece(payload.subarray(at, (at += payloadLength)), 0, true);
      this.frameEnd();
    }
  }

  #piece(slice: Uint8Array, offset: number, isLast: boolean): void {
    const open = this.#open!;
    expect(open.complete).toBe(false);
    expect(offset).toBe(open.payload.length / 2);
    expect(isLast).toBe(offset + slice.length === open.head.payloadLength);
    if (slice.length === 0) expect(open.head.payloadLength).toBe(0);
    open.payload += text(slice);
    open.complete = isLast;
  }

  frameEnd(): void {
    expect(this.#open?.complete).toBe(true);
    this.#open = undefined;
  }

  messageEnd(): void {
    const frame = this.report.events.at(-1) as ReportedFrame;
    expect(frame).toMatchObject({ complete: true, head: { fin: true } });
    this.report.events.push('messageEnd');
  }
}

/** Memory that is lent to every parser, and spoilt as soon as it comes back. */
const shared = new MaskingMemory(100_000);
const volatile = new MaskingMemory(100_000, true);

/** The same handlers, behind each of which the memory is spoilt. */
function spoiling(recorder: Recorder): FrameHandlers {
  return new Proxy(recorder, {
    get(target, name) {
      const handler: unknown = Reflect.get(target, name, target);
      if (typeof handler !== 'function') return handler;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(handler, target, args);
        volatile.bytes.fill(0xdd);
        return result;
      };
    },
  });
}

/**
 * Parses copies of `chunks`; anything thrown but a `ProtocolError` goes on to the test.
 * @param lend the parser gets them by `pushLent`, and listens for `lentPayload`, or not, or spoils what is lent before it returns from any call
 */
export function parse(
  chunks: readonly Uint8Array[],
  options: FrameParserOptions = {},
  whole = true,
  lend?: 'listens' | 'does not listen' | 'spoils',
): Report {
  const recorder = new Recorder(whole, lend === 'listens' || lend === 'spoils');
  const parser = new FrameParser(options, lend === 'spoils' ? spoiling(recorder) : recorder);
  const memory = lend === 'spoils' ? volatile : shared;
  const { report } = recorder;
  for (const chunk of chunks) {
    try {
      if (lend === undefined) parser.push(Uint8Array.from(chunk));
      else {
        memory.bytes.set(chunk);
        try {
          parser.pushLent(memory, chunk.length);
        } finally {
          memory.bytes.fill(0xee);
        }
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      expect(report.error).toBeUndefined(); // one violation, and then nothing
      expect(parser.error).toBe(error);
      report.error = error.code;
    }
  }
  for (const [slice, then] of recorder.given) expect(text(slice)).toBe(then);
  expect(parser.bufferedBytes).toBe(0);
  expect(parser.error?.code).toBe(report.error);
  return report;
}
