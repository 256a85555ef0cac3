import { isUtf8 } from 'node:buffer';
import {
  FrameParser,
  isControl,
  Opcode,
  ProtocolError,
  Utf8Validator,
  type FrameHandlers,
  type FrameHead,
} from '../index.js';
import type { Settings } from './options.js';

export interface FrameEvents {
  /** Of every frame. */
  head(head: FrameHead): void;
  /** Of every frame, checked; at least once, if only with an empty slice. */
  payload(slice: Uint8Array, isLast: boolean, isControlFrame: boolean): void;
  /** A control frame is complete. */
  control(opcode: Opcode, payload: Buffer): void;
  messageEnd(): void;
}

/** Chunks to frames in their right order: what the parser leaves to be checked. RFC 6455 §5.4, §8.1. Throws {@link ProtocolError}. */
export class FrameReader implements FrameHandlers {
  readonly #parser: FrameParser;
  readonly #events: FrameEvents;
  /** Undefined where text is not checked. */
  readonly #utf8: Utf8Validator | undefined;
  #isOpen = false;
  #isText = false;
  #control: Opcode | undefined;
  #controlPayload: Uint8Array[] = [];

  /** @throws {TypeError | RangeError} for bad rules */
  constructor({ rules, skipUTF8Validation }: Settings, events: FrameEvents) {
    this.#parser = new FrameParser(rules, this);
    this.#events = events;
    this.#utf8 = skipUTF8Validation ? undefined : new Utf8Validator(isUtf8);
  }

  push(chunk: Uint8Array): void {
    this.#parser.push(chunk);
  }
  pause(): void {
    this.#parser.pause();
  }
  resume(): void {
    this.#parser.resume();
  }
  /** The source may end here. */
  get isBetweenMessages(): boolean {
    return !this.#isOpen && !this.#parser.insideFrame;
  }

  head(head: FrameHead): void {
    if (isControl(head.opcode)) this.#control = head.opcode;
    else this.#open(head);
    this.#events.head(head);
  }

  payload(slice: Uint8Array, _offset: number, isLast: boolean): void {
    const isControlFrame = this.#control !== undefined;
    if (isControlFrame) this.#controlPayload.push(slice);
    else if (this.#isText && this.#utf8?.push(slice) === false) throw new ProtocolError('WS_ERR_INVALID_UTF8');
    this.#events.payload(slice, isLast, isControlFrame);
  }

  frameEnd(): void {
    const opcode = this.#control;
    if (opcode === undefined) return;
    const payload = Buffer.concat(this.#controlPayload);
    this.#control = undefined;
    this.#controlPayload = [];
    this.#events.control(opcode, payload);
  }

  messageEnd(): void {
    this.#isOpen = false;
    if (this.#isText && this.#utf8?.end() === false) throw new ProtocolError('WS_ERR_INVALID_UTF8');
    this.#utf8?.reset();
    this.#events.messageEnd();
  }

  #open({ opcode, rsv }: FrameHead): void {
    if (opcode !== Opcode.Continuation) {
      if (this.#isOpen) throw new ProtocolError('WS_ERR_INVALID_OPCODE', 'new message inside a fragmented one');
      this.#isText = opcode === Opcode.Text && rsv === 0;
    } else if (!this.#isOpen) {
      throw new ProtocolError('WS_ERR_INVALID_OPCODE', 'continuation of no message');
    } else if (rsv !== 0) {
      // RFC 7692 §6: on the first frame only.
      throw new ProtocolError((rsv & 3) !== 0 ? 'WS_ERR_UNEXPECTED_RSV_2_3' : 'WS_ERR_UNEXPECTED_RSV_1');
    }
    this.#isOpen = true;
  }
}
