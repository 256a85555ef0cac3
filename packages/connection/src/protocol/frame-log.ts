import { Opcode } from '@ws/frame';

/** One frame that passed, without its payload. */
export interface FrameRecord {
  readonly direction: 'in' | 'out';
  readonly opcode: number;
  readonly fin: boolean;
  /** Payload bytes, as declared. */
  readonly length: number;
  /** In ms; in `CloseInfo` since the epoch. */
  readonly at: number;
}

/** A power of two. */
const KEPT = 8;
const FIELDS = 3;
/** Beside the opcode. */
const OUT = 0x10;
const FIN = 0x20;

/** The last frames of a connection, for the report of an abnormal end. Costs nothing before the first frame, and three stores a frame. */
export class FrameLog {
  readonly #clock: () => number;
  #ring: number[] | undefined;
  #count = 0;
  /** The time that all frames have for now. */
  time: number | undefined;
  /** When the last data frame was noted. */
  dataAt = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  note(isOut: boolean, opcode: number, fin: boolean, length: number): void {
    const at = this.time ?? this.#clock();
    if (opcode < Opcode.Close) this.dataAt = at;
    const ring = (this.#ring ??= new Array<number>(KEPT * FIELDS).fill(0));
    const slot = (this.#count++ & (KEPT - 1)) * FIELDS;
    ring[slot] = opcode | (isOut ? OUT : 0) | (fin ? FIN : 0);
    ring[slot + 1] = length;
    ring[slot + 2] = at;
  }

  /** More of a data frame that was noted. */
  noteData(): void {
    this.dataAt = this.time ?? this.#clock();
  }

  /** Oldest first. */
  toArray(): FrameRecord[] {
    const ring = this.#ring;
    if (ring === undefined) return [];
    const kept = Math.min(this.#count, KEPT);
    return Array.from({ length: kept }, (_, i) => {
      const slot = ((this.#count - kept + i) & (KEPT - 1)) * FIELDS;
      const bits = ring[slot]!;
      return {
        direction: (bits & OUT) === 0 ? 'in' : 'out',
        opcode: bits & 0xf,
        fin: (bits & FIN) !== 0,
        length: ring[slot + 1]!,
        at: ring[slot + 2]!,
      };
    });
  }
}
