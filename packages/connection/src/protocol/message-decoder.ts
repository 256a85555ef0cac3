import { Opcode, type FrameHead } from '@ws/frame';
import type { AssemblerEvents } from './assembler-events.js';
import type { ExtensionChain } from './extension-chain.js';
import type { Failure, Flow } from './extension.js';

/** Whose the message is. */
export interface DecodedTaker {
  /** It was not discarded meanwhile. */
  readonly isOpen: boolean;
  /** The next bytes of the message; throws what is wrong with them. `isLate`: they come later than the call that gave the piece. */
  takeDecoded(part: Uint8Array, isLate: boolean): void;
  /** The message's own offence. */
  offends(offence: Failure): Failure;
  messageEnd(): void;
}

/** Pieces of encoded messages to what extensions make of them, one message after the other: at once, or later. RFC 6455 §9. */
export class MessageDecoder {
  readonly #extensions: ExtensionChain;
  readonly #taker: DecodedTaker;
  readonly #events: AssemblerEvents;
  #isText = false;
  /** The bits of the first frame. */
  #rsv = 0;
  #isFirst = true;
  #isBusy = false;
  #endsAfterwards = false;

  constructor(extensions: ExtensionChain, taker: DecodedTaker, events: AssemblerEvents) {
    this.#extensions = extensions;
    this.#taker = taker;
    this.#events = events;
  }

  /** A piece is still being decoded. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  begin({ opcode, rsv }: FrameHead): void {
    this.#isText = opcode === Opcode.Text;
    this.#rsv = rsv;
    this.#isFirst = true;
  }

  /** The message's last frame was taken: it ends with the piece that is being decoded. */
  endAfterwards(): void {
    this.#endsAfterwards = true;
  }

  /** `length`, `remaining` and `flow` as an extension is told of them. Throws what is wrong with the message, if that is known by then. */
  decode(
    slice: Uint8Array,
    last: boolean,
    length: number | undefined,
    remaining: number,
    flow: Flow | undefined,
  ): void {
    const opcode = this.#isText ? Opcode.Text : Opcode.Binary;
    const piece = { opcode, first: this.#isFirst, last, length, remaining, flow };
    this.#isFirst = false;
    this.#isBusy = true;
    let sync = true;
    let failure: Failure | undefined;
    const output = (part: Uint8Array): void => {
      if (failure || !this.#taker.isOpen) return; // discarded meanwhile
      if (sync) this.#events.decoded(part.length);
      try {
        this.#taker.takeDecoded(part, !sync);
      } catch (error) {
        failure = error as Failure;
      }
    };
    this.#extensions.decode(slice, piece, this.#rsv, output, (error) => {
      this.#isBusy = false;
      failure ??= error ?? undefined;
      if (failure) this.#taker.offends(failure);
      if (!sync) this.#decoded(failure);
    });
    sync = false;
    if (this.#isBusy) this.#events.hold();
    else if (failure) throw failure;
  }

  /** A piece came back later than the call that gave it. */
  #decoded(failure: Failure | undefined): void {
    const ends = this.#endsAfterwards;
    this.#endsAfterwards = false;
    try {
      if (failure) this.#events.caught(failure);
      else if (ends && this.#taker.isOpen) this.#taker.messageEnd(); // else it was discarded meanwhile
    } catch (error) {
      this.#events.caught(error);
    } finally {
      this.#events.release();
    }
  }
}
