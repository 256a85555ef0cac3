import { Opcode } from '@ws/frame';
import type { FrameLog } from './frame-log.js';
import { MessageError } from './message-error.js';
import { settle } from './settle.js';
import type { SendCallback, Transport } from './transport.js';

export type MessageOpcode = typeof Opcode.Text | typeof Opcode.Binary;

/** Who has the way out for longer than a call, and waits for room. */
export interface Occupant {
  room(): void;
  /** The connection is over. */
  cut(error: Error): void;
}

/** What it needs of the core. */
export interface OutletHost {
  /** A frame that went out in parts is complete. */
  frameEnd(): void;
}

/** The one way out for frames: control frames between those of a message, nothing behind a Close frame. RFC 6455 §5.4, §5.5 */
export class Outlet {
  readonly #transport: Transport;
  readonly #log: FrameLog;
  readonly #host: OutletHost;
  /** Type of the message whose last frame is still to come. */
  #openMessage: MessageOpcode | undefined;
  /** Bytes that are missing of a frame whose head is out. */
  #missing = 0;
  /** Control frames that wait for the end of that frame. */
  #behindFrame: { readonly send: () => void; readonly callback: SendCallback | undefined }[] | undefined;
  #occupant: Occupant | undefined;
  #isClosed = false;
  #messages: number;

  /** @param messages how many were sent before */
  constructor(transport: Transport, log: FrameLog, host: OutletHost, messages = 0) {
    this.#messages = messages;
    this.#transport = transport;
    this.#log = log;
    this.#host = host;
  }

  /** The Close frame is out. */
  get isClosed(): boolean {
    return this.#isClosed;
  }
  get openMessage(): MessageOpcode | undefined {
    return this.#openMessage;
  }
  /** A frame is out in part: no other one can go. */
  get isInFrame(): boolean {
    return this.#missing > 0;
  }
  /** Messages of which the last frame is out. */
  get messages(): number {
    return this.#messages;
  }

  /** Between two messages. */
  get isQuiet(): boolean {
    const isFree = this.#openMessage === undefined && this.#occupant === undefined && !this.#isClosed;
    return isFree && !this.isInFrame && this.#behindFrame === undefined;
  }

  occupy(occupant: Occupant): void {
    this.#occupant = occupant;
  }

  leave(occupant: Occupant): void {
    if (this.#occupant === occupant) this.#occupant = undefined;
  }

  /** A message is being written. */
  get isOccupied(): boolean {
    return this.#occupant !== undefined;
  }

  /** The transport has room again. */
  room(): void {
    this.#occupant?.room();
  }

  /** A message, or the next fragment of the one that is open. */
  fragment(
    opcode: MessageOpcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    callback: SendCallback | undefined,
  ): void {
    const open = this.#openMessage;
    this.#openMessage = fin ? undefined : (open ?? opcode);
    if (fin) this.#messages++;
    // As #frame does: this is the way of every message, and the shorter it is, the more of it is compiled in one piece.
    if (this.#isClosed) return settle(callback, new MessageError('WS_ERR_CLOSED'));
    const sent = open === undefined ? opcode : Opcode.Continuation;
    const length = this.#transport.frame(sent, fin, rsv, payload, callback);
    this.#log.note(true, sent, fin, length);
  }

  /** A message as one frame, of which the payload follows through {@link part}. */
  beginFrame(opcode: MessageOpcode, payloadLength: number): void {
    this.#missing = payloadLength;
    this.#transport.frameHead(opcode, payloadLength);
    this.#log.note(true, opcode, true, payloadLength);
  }

  part(payload: Uint8Array, callback: SendCallback | undefined): void {
    this.#missing -= payload.length;
    this.#transport.framePart(payload, callback);
    this.#log.noteData();
    if (this.#missing > 0) return;
    this.#messages++;
    const waiting = this.#behindFrame ?? [];
    this.#behindFrame = undefined;
    for (const { send } of waiting) send();
    this.#host.frameEnd();
  }

  control(opcode: Opcode, payload: Uint8Array | string, callback: SendCallback | undefined): void {
    if (!this.isInFrame) return this.#frame(opcode, true, 0, payload, callback);
    (this.#behindFrame ??= []).push({ send: () => this.#frame(opcode, true, 0, payload, callback), callback });
  }

  /** The last frame; what is sent after it comes to nothing. §5.5.1 */
  close(payload: Uint8Array): void {
    this.#frame(Opcode.Close, true, 0, payload, undefined);
    this.#isClosed = true;
  }

  /** Drops what waits. */
  clear(why: () => MessageError): void {
    const occupant = this.#occupant;
    this.#occupant = undefined;
    occupant?.cut(why());
    const waiting = this.#behindFrame ?? [];
    this.#behindFrame = undefined;
    for (const { callback } of waiting) settle(callback, why());
  }

  #frame(
    opcode: Opcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    callback: SendCallback | undefined,
  ): void {
    if (this.#isClosed) return settle(callback, new MessageError('WS_ERR_CLOSED'));
    const length = this.#transport.frame(opcode, fin, rsv, payload, callback);
    this.#log.note(true, opcode, fin, length);
  }
}
