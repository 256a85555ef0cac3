import type { Counters } from './counting/counters.js';
import type { Random } from './random.js';

/** What a target is told. */
export interface Tools {
  /** Code steps and sightings of this execution. */
  readonly counters: Counters;
}

/** Something that takes bytes nobody has checked. */
export interface Target {
  readonly name: string;
  /** Files that it is there to reach, as prefixes of `frame/parser.ts`; there must be one for each. */
  readonly covers: readonly string[];
  readonly maxLength: number;
  /** Inputs to begin with, beside those on disk. */
  seeds(): Uint8Array[];
  /** Pieces that are worth putting into an input. */
  readonly dictionary: readonly Uint8Array[];
  /** A mutation that knows how inputs are built; byte-wise ones are made in any case. */
  mutate?(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array;
  /** Throws where the invariant does not hold. */
  run(input: Uint8Array): void | Promise<void>;
  /** An input as a person reads it. */
  describe?(input: Uint8Array): string;
}

export type MakeTarget = (tools: Tools) => Target;
