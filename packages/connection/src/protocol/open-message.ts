import type { Step } from './message-encoder.js';
import { MessageError } from './message-error.js';
import type { MessageOpcode, Occupant, Outlet } from './outlet.js';
import type { Job } from './sender.js';
import type { SendCallback } from './transport.js';

/** Who writes a message in fragments. */
export interface MessageSource {
  /** `OpenMessage.isReady` has become true. */
  ready(): void;
  /** The connection is over, or the message was given up: nothing more can be written. */
  cut(error: Error): void;
}

/** What an open message needs of the sender. */
export interface OpenMessageHost {
  readonly outlet: Outlet;
  hasRoom(): boolean;
  enqueue(job: Job): void;
  /** It waits no more. */
  withdraw(job: Job): void;
  /** `done` is called once, at once or later, when the fragment is with the transport, or will never be. */
  fragment(step: Step, payload: Uint8Array, done: () => void): void;
  /** Ends the connection: there is no other way to say that a message has no end. */
  abandon(): void;
}

/**
 * The way out for one message whose fragments come by and by. Its place among the messages is taken by `open`; once its turn has
 * come, other messages wait for its end, and control frames go between its frames. RFC 6455 §5.4
 */
export class OpenMessage implements Job, Occupant {
  readonly byteLength = 0;
  readonly mayDrop = false;
  readonly key = undefined;
  readonly #host: OpenMessageHost;
  readonly #source: MessageSource;
  #state: 'new' | 'waiting' | 'open' | 'ended' = 'new';
  #isEncoding = false;
  #isBegun = false;
  #leave: (() => void) | undefined;

  constructor(host: OpenMessageHost, source: MessageSource) {
    this.#host = host;
    this.#source = source;
  }

  /** The next fragment, or part of a frame, may be written. */
  get isReady(): boolean {
    return this.#state === 'open' && !this.#isEncoding && this.#host.hasRoom();
  }

  /** Its turn has come: the messages behind it wait for its end. */
  get hasTurn(): boolean {
    return this.#state === 'open';
  }

  /** Takes its place; the first call counts. */
  open(): void {
    if (this.#state !== 'new') return;
    this.#state = 'waiting';
    this.#host.enqueue(this);
  }

  /** Sends the next fragment; `taken` runs when another one may follow, room permitting. */
  fragment(payload: Uint8Array, step: Omit<Step, 'prepared'>, taken: () => void): void {
    this.#isBegun = true;
    this.#isEncoding = true;
    this.#host.fragment({ ...step, prepared: undefined }, payload, () => {
      this.#isEncoding = false;
      if (step.fin) this.#end();
      taken();
    });
  }

  /** The message is one frame of so many bytes, written through {@link part}. */
  beginFrame(opcode: MessageOpcode, payloadLength: number): void {
    this.#isBegun = true;
    this.#host.outlet.beginFrame(opcode, payloadLength);
  }

  part(payload: Uint8Array, callback: SendCallback | undefined): void {
    this.#host.outlet.part(payload, callback);
    if (!this.#host.outlet.isInFrame) this.#end();
  }

  /** It will not be ended: nothing happens unless a part of it has been sent. */
  giveUp(): void {
    const state = this.#state;
    if (state === 'ended') return;
    if (state === 'waiting') this.#host.withdraw(this);
    if (state !== 'open' || !this.#isBegun) return this.#end();
    this.#state = 'ended';
    this.#host.abandon();
  }

  // As a job, and as the occupant of the way out.

  run(done: () => void): void {
    if (this.#host.outlet.isClosed) {
      done(); // §5.5.1
      return this.cut(new MessageError('WS_ERR_CLOSED'));
    }
    this.#leave = done;
    this.#state = 'open';
    this.#host.outlet.occupy(this);
    this.#source.ready();
  }

  drop(error: Error): void {
    this.cut(error);
  }

  room(): void {
    if (this.isReady) this.#source.ready();
  }

  cut(error: Error): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended'; // and it does not leave: nothing may follow in its place
    this.#source.cut(error);
  }

  #end(): void {
    this.#state = 'ended';
    const leave = this.#leave;
    if (leave === undefined) return;
    this.#leave = undefined;
    this.#host.outlet.leave(this);
    leave();
  }
}
