import { Opcode } from '@ws/frame';
import type { ExtensionChain } from './extension-chain.js';
import type { Failure } from './extension.js';
import type { FrameLog } from './frame-log.js';
import { SendQueue, type Job } from './send-queue.js';
import { raise, settle } from './settle.js';
import type { DeferredPayload, SendCallback, Transport } from './transport.js';

type MessageOpcode = typeof Opcode.Text | typeof Opcode.Binary;

/** One message or fragment on its way out. */
interface Step {
  readonly opcode: MessageOpcode;
  readonly fin: boolean;
  readonly compress: boolean | undefined;
  readonly prepared: Map<unknown, unknown> | undefined;
  readonly callback: SendCallback | undefined;
}

/** A whole message that waits until one in fragments has ended. */
interface Waiting {
  readonly payload: Uint8Array;
  readonly step: Step;
}

/** What a sender needs of the core. */
export interface SenderHost {
  now(): number;
  encodeText(text: string): Uint8Array;
  fail(error: Failure): void;
}

/** Messages to frames: order, fragments, extensions. RFC 6455 §5.4 */
export class Sender {
  readonly #transport: Transport;
  readonly #extensions: ExtensionChain;
  readonly #log: FrameLog;
  readonly #host: SenderHost;
  #queue: SendQueue | undefined;
  /** Type of the message whose last fragment is still to come. */
  #openMessage: MessageOpcode | undefined;
  /** The last call of `send` was for a message that goes on. */
  #isInFragments = false;
  /** Prepared messages are whole ones: they do not go into somebody's fragments. */
  #behindFragments: Waiting[] | undefined;
  #isClosed = false;
  #isCleared = false;

  constructor(transport: Transport, extensions: ExtensionChain, log: FrameLog, host: SenderHost) {
    this.#transport = transport;
    this.#extensions = extensions;
    this.#log = log;
    this.#host = host;
  }

  /** Bytes of messages that are not with the transport yet. */
  get queuedBytes(): number {
    const waiting = this.#behindFragments?.reduce((sum, { payload }) => sum + payload.length, 0) ?? 0;
    return waiting + (this.#queue?.byteLength ?? 0);
  }

  /** A message, or one fragment of it: with `fin` false the next call continues it. */
  send(
    payload: Uint8Array | string | DeferredPayload,
    isText: boolean,
    fin: boolean,
    compress: boolean | undefined,
    callback: SendCallback | undefined,
  ): void {
    const opcode = isText ? Opcode.Text : Opcode.Binary;
    this.#isInFragments = !fin;
    if (this.#isIdle && this.#extensions.isEmpty && !isDeferred(payload)) {
      this.#fragment(opcode, fin, 0, payload, callback);
    } else {
      this.#message(payload, { opcode, fin, compress, prepared: undefined, callback });
    }
    if (fin && this.#behindFragments) this.#sendWaiting(this.#behindFragments);
  }

  /** A whole message, of which the encoded form may be known; it waits for the end of a message in fragments. */
  sendPrepared(
    payload: Uint8Array,
    isText: boolean,
    compress: boolean | undefined,
    prepared: Map<unknown, unknown>,
    callback: SendCallback | undefined,
  ): void {
    const step = { opcode: isText ? Opcode.Text : Opcode.Binary, fin: true, compress, prepared, callback };
    if (this.#isInFragments) (this.#behindFragments ??= []).push({ payload, step });
    else this.#message(payload, step);
  }

  /** Goes out between the fragments of whatever is being sent. §5.4 */
  control(opcode: Opcode, payload: Uint8Array | string, callback?: SendCallback): void {
    this.#frame(opcode, true, 0, payload, callback);
  }

  /** The last frame; what is sent after it comes to nothing. §5.5.1 */
  close(payload: Uint8Array): void {
    this.#frame(Opcode.Close, true, 0, payload, undefined);
    this.#isClosed = true;
  }

  /** Runs `step` behind everything that was sent before. */
  inOrder(step: () => void): void {
    if (this.#isIdle) return step();
    this.#enqueue(0, (done) => {
      step();
      done();
    });
  }

  /** Drops what waits, and what is being read. */
  clear(): void {
    this.#isCleared = true;
    this.#queue?.clear();
    for (const { step } of this.#behindFragments ?? []) settle(step.callback, tooLate());
    this.#behindFragments = undefined;
  }

  get #isIdle(): boolean {
    return this.#queue === undefined || this.#queue.isIdle;
  }

  #message(payload: Uint8Array | string | DeferredPayload, step: Step): void {
    const data = typeof payload === 'string' ? this.#host.encodeText(payload) : payload;
    if (this.#isIdle && !isDeferred(data)) return this.#encodeNow(step, data);
    const drop = (): void => settle(step.callback, tooLate());
    this.#enqueue(data.byteLength, (done) => this.#run(step, data, done), drop);
  }

  #sendWaiting(waiting: readonly Waiting[]): void {
    this.#behindFragments = undefined;
    for (const { payload, step } of waiting) this.#message(payload, step);
  }

  /** Nothing waits: there is no need for the queue if the extensions answer at once. */
  #encodeNow(step: Step, data: Uint8Array): void {
    let isDone = false;
    let leaveQueue: (() => void) | undefined;
    this.#encode(step, data, () => {
      isDone = true;
      leaveQueue?.();
    });
    if (!isDone) this.#enqueue(data.byteLength, (done) => (leaveQueue = done));
  }

  #run(step: Step, data: Uint8Array | DeferredPayload, done: () => void): void {
    if (!isDeferred(data)) return this.#encode(step, data, done);
    let isRead = false;
    data.read((error, bytes) => {
      if (isRead) return;
      isRead = true;
      if (error || this.#isCleared) this.#drop(step, error ?? tooLate(), done);
      else this.#encode(step, bytes, done);
    });
  }

  #enqueue(byteLength: number, job: Job, onDropped?: () => void): void {
    this.#queue ??= new SendQueue();
    this.#queue.push(byteLength, job, onDropped);
  }

  #encode(step: Step, payload: Uint8Array, done: () => void): void {
    const { opcode, fin, compress, prepared, callback } = step;
    const first = this.#openMessage === undefined;
    const isWhole = first && fin;
    const fragment = {
      opcode: this.#openMessage ?? opcode,
      first,
      fin,
      compress,
      prepared: isWhole ? prepared : undefined,
    };
    this.#extensions.encode(payload, fragment, (error, encoded, rsv) => {
      if (error) {
        try {
          this.#host.fail(error); // tells listeners, who may throw
        } finally {
          this.#drop(step, error, done);
        }
        return;
      }
      try {
        this.#fragment(opcode, fin, rsv, encoded, callback);
      } catch (thrown) {
        this.#drop(step, thrown as Error, done); // of the transport: a masking key could not be had
        return raise(thrown);
      }
      done();
    });
  }

  /** It will not be sent. */
  #drop({ callback }: Step, error: Error, done: () => void): void {
    done();
    settle(callback, error);
    this.#transport.dropped();
  }

  #fragment(
    opcode: MessageOpcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    callback: SendCallback | undefined,
  ): void {
    const open = this.#openMessage;
    this.#openMessage = fin ? undefined : (open ?? opcode);
    this.#frame(open === undefined ? opcode : Opcode.Continuation, fin, rsv, payload, callback);
  }

  /** The one way out. */
  #frame(
    opcode: Opcode,
    fin: boolean,
    rsv: number,
    payload: Uint8Array | string,
    callback: SendCallback | undefined,
  ): void {
    if (this.#isClosed) {
      return settle(callback, tooLate());
    }
    const length = this.#transport.frame(opcode, fin, rsv, payload, callback);
    this.#log.note(true, opcode, fin, length, this.#host.now());
  }
}

/** Not `instanceof Uint8Array`: bytes may be of another realm than ours. */
const isDeferred = (payload: Uint8Array | string | DeferredPayload): payload is DeferredPayload =>
  typeof payload !== 'string' && 'read' in payload;

const tooLate = (): Error => new Error('the connection was closed before this was sent');
