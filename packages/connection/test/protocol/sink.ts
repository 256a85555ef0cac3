import { expect } from '@jest/globals';
import type { Opcode } from '@ws/frame';
import type { Failure, MessageHead, MessageSink } from '../../src/protocol/index.js';
import { Core, masked, type CoreOptions, type Happening } from './core.js';

export const part = (opcode: Opcode, payload: Uint8Array | string, fin = false): Uint8Array =>
  masked(opcode, payload, { fin });

/** Notes what it is given; what it has of a message stands with the message's end. */
export class Sink implements MessageSink {
  isFull = false;
  given = Buffer.alloc(0);
  pieces = 0;
  onData: (() => void) | undefined;
  readonly #waiting: (() => void)[] = [];
  readonly #note: (...values: Happening) => void;

  constructor(note: (...values: Happening) => void) {
    this.#note = note;
  }
  whenRoom(proceed: () => void): void {
    this.#waiting.push(proceed);
  }
  makeRoom(): void {
    for (const proceed of this.#waiting.splice(0)) proceed();
  }
  data(piece: Uint8Array): void {
    expect(piece.length).toBeGreaterThan(0);
    this.pieces++;
    this.given = Buffer.concat([this.given, piece]);
    this.onData?.();
  }
  end(): void {
    this.#note('end', this.given.toString('latin1'));
  }
  abort(error: Failure | null): void {
    this.#note('abort', error && error.code);
  }
}

/** A core all of whose messages are taken as they come. */
export function streaming(
  options: CoreOptions = {},
  onSink?: (sink: Sink, core: Core) => void,
): { core: Core; sinks: Sink[]; heads: MessageHead[] } {
  const sinks: Sink[] = [];
  const heads: MessageHead[] = [];
  const core: Core = new Core({
    incoming(head) {
      heads.push(head);
      core.happened.push(['incoming', head.isText, head.length]);
      const sink = new Sink((...values) => core.happened.push(values));
      sinks.push(sink);
      onSink?.(sink, core);
      return sink;
    },
    ...options,
  });
  return { core, sinks, heads };
}

/** Without what the owner of the byte stream alone wants to know. */
export const told = (core: Core): Happening[] => core.happened.filter(([name]) => name !== 'ready');
export const latin1 = (text: string): string => Buffer.from(text).toString('latin1');
