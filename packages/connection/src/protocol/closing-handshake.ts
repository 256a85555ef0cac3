import { decodeClosePayload, encodeClosePayload, isValidCloseCode } from '@ws/frame';
import type { CloseFrame, Initiator } from './close-info.js';
import type { Failure } from './extension.js';
import { initiatorOf } from './guard-error.js';
import { MessageError } from './message-error.js';
import type { ProtocolHandlers, ProtocolOptions } from './options.js';
import type { Outlet } from './outlet.js';
import type { Sender } from './sender.js';
import { transition, type State, type Trigger } from './state.js';
import type { Transport } from './transport.js';

/** The peer has nothing against us. §7.4.1 */
const ORDERLY: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** What it needs of the core. */
export interface ClosingHost {
  readonly options: Pick<ProtocolOptions, 'role' | 'now' | 'closeTimeoutMs' | 'waitForTcpClose'>;
  readonly transport: Transport;
  readonly handlers: Pick<ProtocolHandlers, 'closing' | 'failure' | 'deadline'>;
  readonly outlet: Outlet;
  readonly sender: Sender;
  /** Nothing more is parsed or delivered. */
  halt(): void;
  /** Calls a handler, and knows what it throws as not the peer's doing. */
  deliver(event: () => void): void;
}

/** From open to closed, by whatever way: who began it, both Close frames, the fault, and the time it may take. RFC 6455 §7 */
export class ClosingHandshake {
  readonly #host: ClosingHost;
  #state: State = 'open';
  #sent: CloseFrame | null = null;
  #received: CloseFrame | null = null;
  #error: Failure | null = null;
  #initiator: Initiator | undefined;
  /** Body of the Close frame that waits for the end of a message, and does without it. */
  #impatient: Uint8Array | undefined;
  #deadline = Infinity;
  #peerEnded = false;

  constructor(host: ClosingHost) {
    this.#host = host;
  }

  get state(): State {
    return this.#state;
  }
  /** Our Close frame, once it is with the transport. */
  get sent(): CloseFrame | null {
    return this.#sent;
  }
  get received(): CloseFrame | null {
    return this.#received;
  }
  /** What the connection was failed for. */
  get error(): Failure | null {
    return this.#error;
  }
  get initiator(): Initiator {
    return this.#initiator ?? 'transport';
  }
  /** It is open no more, or will not be for long. */
  get hasBegun(): boolean {
    return this.#state !== 'open' || this.#initiator !== undefined;
  }
  /** Ms of the options' clock at which `handleTimeout` wants to be called. */
  get deadline(): number | undefined {
    return this.#state === 'closed' || this.#deadline === Infinity ? undefined : this.#deadline;
  }

  /** §7.1.2; the Close frame follows what was sent before it. Does nothing unless open. @throws {TypeError | RangeError} */
  begin(
    code: number | undefined,
    reason: string | Uint8Array | undefined,
    initiator: Initiator = 'local',
    error: Failure | null = null,
  ): void {
    const payload = encodeClosePayload(code, reason);
    if (this.#state !== 'open') return;
    this.#enter('sendClose');
    this.#initiator ??= initiator;
    this.#error ??= error;
    this.startTimeout();
    const frame = decodeClosePayload(payload);
    if (!ORDERLY.has(frame.code)) this.#impatient = payload;
    this.#host.sender.inOrder(() => this.#send(payload));
    this.#announce(frame, 'local');
  }

  /** §7.1.7: one Close frame with the error's code, then the end of the byte stream. */
  fail(error: Failure): void {
    if (transition(this.#state, 'fail') === undefined) return this.#failLate(error);
    const { handlers, transport } = this.#host;
    const wasOpen = this.#state === 'open';
    this.#enter('fail');
    this.#error ??= error; // of two, what ended it first
    this.#initiator ??= initiatorOf(error);
    this.startTimeout();
    this.stop();
    if (this.#sent === null) this.#send(encodeClosePayload(isValidCloseCode(error.closeCode) ? error.closeCode : 1011));
    transport.end();
    try {
      if (wasOpen && this.#sent !== null) this.#announce(this.#sent, 'local');
    } finally {
      this.#host.deliver(() => handlers.failure(error));
    }
  }

  /** Both have closed, but our Close frame waits behind a message that may have no end now: what follows must not become its end. */
  #failLate(error: Failure): void {
    if (this.#state !== 'closeDone' || this.#sent !== null) return;
    this.#error ??= error;
    this.abandon();
  }

  /** At once: the peer cannot be told, since all that waits would come first, or since it does not listen. */
  cut(error: Failure): void {
    if (this.#state === 'closed') return;
    this.#error ??= error;
    this.stop(initiatorOf(error));
    this.#host.transport.destroy();
  }

  /** A message was given up in its midst, and the protocol has no word for that: 1011, unless we close for another reason already. */
  abandon(): void {
    const wasOpen = this.#state === 'open';
    if (this.#sent !== null || this.#state === 'failed' || this.#state === 'closed') return;
    this.#host.sender.clear(this.#why);
    if (this.#host.transport.isBroken) {
      this.#initiator ??= 'transport'; // that is why
      return;
    }
    if (wasOpen) {
      this.#enter('sendClose');
      this.#initiator ??= 'local';
    }
    this.startTimeout();
    const payload = this.#impatient ?? encodeClosePayload(1011);
    this.#send(payload);
    if (wasOpen) this.#announce(decodeClosePayload(payload), 'local');
  }

  /** The peer's Close frame. */
  receive(frame: CloseFrame): void {
    const first = this.#state === 'open';
    this.#received = frame;
    this.#enter('receiveClose');
    this.#host.halt(); // §5.5.1: nothing after it counts
    this.startTimeout();
    if (!first) return this.#finish();
    this.#initiator = 'remote';
    const reply = frame.code === 1005 ? encodeClosePayload() : encodeClosePayload(frame.code, frame.reason);
    if (this.#isRefused(frame)) {
      this.#host.sender.clear(this.#why);
      this.#send(reply);
    } else {
      this.#host.sender.inOrder(() => this.#send(reply));
    }
    this.#announce(frame, 'remote');
  }

  /** A peer that is done still gets what is being written. One that closes for a reason of its own does not want it: §5.5.1 lets us stop there. */
  #isRefused({ code }: CloseFrame): boolean {
    const { outlet } = this.#host;
    return !ORDERLY.has(code) && outlet.isOccupied && !outlet.isInFrame;
  }

  /** For whoever has something to send that will not be sent. */
  readonly #why = (): MessageError => {
    const received = this.#received;
    const detail = received === null ? '' : `the peer closed with ${`${received.code} ${received.reason}`.trimEnd()}`;
    return new MessageError('WS_ERR_CLOSED', detail, this.#error ?? undefined);
  };

  /** The peer has ended its half of the byte stream. @returns whether ours may end: not while our answer to its Close frame waits behind what is being sent */
  peerEnd(): boolean {
    this.#peerEnded = true;
    return this.#state !== 'closeReceived';
  }

  /** The peer has ended its half of the byte stream, and nothing keeps ours: it must end in time. */
  inputEnd(): void {
    this.#initiator ??= 'transport';
    this.startTimeout();
  }

  /** Nothing more is parsed or delivered, and what waits to be sent is dropped. */
  stop(initiator?: Initiator): void {
    this.#initiator ??= initiator;
    this.#host.halt();
    this.#host.sender.clear(this.#why);
  }

  /** The byte stream is gone. @returns whether that is news */
  transportEnd(): boolean {
    if (this.#enter('transportEnd') === undefined) return false;
    this.stop();
    return true;
  }

  handleTimeout(nowMs: number): void {
    if (this.#state === 'closed' || nowMs < this.#deadline) return;
    this.#deadline = Infinity;
    if (this.#initiator === 'local' && this.#received === null && this.#error === null) this.#initiator = 'timeout';
    this.stop();
    this.#host.transport.destroy();
  }

  startTimeout(): void {
    if (this.#deadline !== Infinity) return;
    const { options, handlers } = this.#host;
    this.#deadline = options.now() + options.closeTimeoutMs;
    handlers.deadline();
  }

  #send(payload: Uint8Array): void {
    if (this.#state === 'closed' || this.#sent !== null) return;
    const { outlet, transport } = this.#host;
    if (outlet.isInFrame) return transport.destroy(); // nothing can follow but the frame's rest, which will not come
    outlet.close(payload);
    this.#sent = decodeClosePayload(payload);
    if (this.#state === 'closeReceived') this.#enter('sendClose');
    this.#finish();
  }

  /** §7.1.1: the server ends the byte stream first; the client waits for that, unless it was told not to. */
  #finish(): void {
    const { options, transport } = this.#host;
    const isOurs = options.role === 'server' || options.waitForTcpClose === false || this.#peerEnded;
    if (this.#state === 'closeDone' && this.#sent !== null && isOurs) transport.end();
  }

  #announce({ code, reason }: CloseFrame, initiator: 'local' | 'remote'): void {
    this.#host.deliver(() => this.#host.handlers.closing(code, reason, initiator));
  }

  #enter(trigger: Trigger): State | undefined {
    const next = transition(this.#state, trigger);
    if (next !== undefined) this.#state = next;
    return next;
  }
}
