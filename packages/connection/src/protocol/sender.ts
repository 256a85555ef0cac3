import { Opcode } from '@ws/frame';
import { SHARED_FROM, type Account } from './account.js';
import type { ExtensionChain } from './extension-chain.js';
import type { Failure } from './extension.js';
import { MessageEncoder, type Step } from './message-encoder.js';
import { MessageError } from './message-error.js';
import { OpenMessage, type MessageSource, type OpenMessageHost } from './open-message.js';
import type { Outlet } from './outlet.js';
import { SendQueue, type Entry } from './send-queue.js';
import { settle } from './settle.js';
import type { DeferredPayload, SendCallback, Transport } from './transport.js';

/** A message, or a fragment of one, that waits for its turn. */
interface Message extends Step, Entry {
  payload: Uint8Array | DeferredPayload;
}

/** A step of another kind that waits for its turn. */
export interface Job extends Entry {
  run(done: () => void): void;
  /** It will not run. */
  drop(error: Error): void;
}

type Payload = Uint8Array | string | DeferredPayload;

/** How a whole message is sent. */
export interface MessageOptions extends Pick<Step, 'compress' | 'prepared' | 'callback'> {
  /** What a later message with the same key may take the place of, while this one waits. */
  readonly key: unknown;
}

/** What a sender needs of the core. */
export interface SenderHost {
  encodeText(text: string): Uint8Array;
  fail(error: Failure): void;
  /** A message was given up in its midst. */
  abandon(): void;
}

/** Messages to frames: their order, and what extensions make of them. RFC 6455 §5.4 */
export class Sender implements OpenMessageHost {
  readonly outlet: Outlet;
  readonly #transport: Transport;
  readonly #extensions: ExtensionChain;
  /** A message is a frame: there are no extensions, and no limit to a frame. */
  readonly #isPlain: boolean;
  #encoder: MessageEncoder | undefined;
  readonly #host: SenderHost;
  readonly #fragmentSize: number;
  #queue: SendQueue<Message | Job> | undefined;
  /** The last call of `send` was for a message that goes on: what is no fragment of it waits for its end. */
  #isInFragments = false;
  #behindFragments: (Message | Job)[] | undefined;
  #behindBytes = 0;
  readonly #account: Account | undefined;
  #isCleared = false;
  #why: () => MessageError = closed;
  /** Callbacks of what was dropped with the connection: they come after those of what was sent before. */
  #dropped: SendCallback[] | undefined;
  #droppedBytes = 0;

  constructor(
    transport: Transport,
    outlet: Outlet,
    extensions: ExtensionChain,
    host: SenderHost,
    fragmentSize = Infinity,
    account?: Account,
  ) {
    this.#account = account;
    this.outlet = outlet;
    this.#transport = transport;
    this.#host = host;
    this.#fragmentSize = fragmentSize;
    this.#extensions = extensions;
    this.#isPlain = extensions.isEmpty && fragmentSize === Infinity;
  }

  /** Bytes of messages that are not with the transport yet. */
  get queuedBytes(): number {
    return this.#behindBytes + (this.#queue === undefined ? 0 : this.#queue.byteLength);
  }
  /** What that takes in memory, without payloads that other connections may have too: these are with the account. */
  get retainedBytes(): number {
    const queue = this.#queue;
    if (queue === undefined && this.#behindFragments === undefined) return 0;
    return this.#behindBytes + (queue?.ownBytes ?? 0) + ENTRY_BYTES * this.queueLength;
  }
  /** Bytes of messages that {@link clear} has dropped. */
  get droppedBytes(): number {
    return this.#droppedBytes;
  }
  /** How many messages wait. */
  get queueLength(): number {
    return (this.#behindFragments?.length ?? 0) + (this.#queue?.length ?? 0);
  }
  /** What `send` gets next is a message of its own, not the next fragment of one. */
  get isBetweenMessages(): boolean {
    return !this.#isInFragments;
  }
  /** Between two messages, and none waits. */
  get isQuiet(): boolean {
    const isIdle = this.#queue === undefined || this.#queue.isIdle;
    return isIdle && !this.#isInFragments && this.#behindFragments === undefined && !this.#isCleared;
  }
  hasRoom(): boolean {
    return this.#transport.hasRoom();
  }

  /** A message, or one fragment of it: with `fin` false the next call continues it. */
  send(
    payload: Payload,
    isText: boolean,
    fin: boolean,
    compress: boolean | undefined,
    callback: SendCallback | undefined,
    key?: unknown,
  ): void {
    const isWhole = fin && !this.#isInFragments;
    this.#isInFragments = !fin;
    if (this.#isPlain && this.#isWayFree && !isDeferred(payload)) {
      this.outlet.fragment(isText ? Opcode.Text : Opcode.Binary, fin, 0, payload, callback);
    } else {
      this.#send(this.#message(payload, isText, isWhole, { fin, compress, prepared: undefined, callback, key }));
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
    key?: unknown,
  ): void {
    if (this.#isPlain && this.#isWayFree && !this.#isInFragments) {
      return this.outlet.fragment(isText ? Opcode.Text : Opcode.Binary, true, 0, payload, callback);
    }
    const message = this.#message(payload, isText, true, { fin: true, compress, prepared, callback, key });
    if (this.#isInFragments) this.#putBehind(message);
    else this.#send(message);
  }

  /** A message whose fragments come by and by; those sent behind it wait for its end. */
  openMessage(source: MessageSource): OpenMessage {
    return new OpenMessage(this, source);
  }

  /** It may be sent as one frame whose payload comes in parts (`OpenMessage.beginFrame`): no extension has a say. */
  mayBeOneFrame(compress: boolean | undefined): boolean {
    return compress !== true && !this.#extensions.decodes(0);
  }

  /** Runs `step` behind everything that was sent before. */
  inOrder(step: () => void): void {
    if (this.#queue === undefined || this.#queue.isIdle) return step();
    this.#enqueue(
      job(0, (done) => {
        step();
        done();
      }),
    );
  }

  /** The transport has room again. */
  drained(): void {
    this.outlet.room();
    this.#queue?.run();
  }

  /** Leaves out the message that has waited longest; its callback gets WS_ERR_DROPPED. @returns false if there is none that may be */
  dropOldest(): boolean {
    return this.#leftOut(this.#queue?.dropOldest());
  }

  /** A message with this key waits. */
  isWaiting(key: unknown): boolean {
    return key !== undefined && this.#queue?.has(key) === true;
  }

  /** Puts a whole message in the place of a waiting one with the same key, whose callback gets WS_ERR_DROPPED. @returns false if there is none */
  replace(payload: Payload, isText: boolean, options: MessageOptions): boolean {
    if (this.#queue === undefined || options.key === undefined) return false;
    return this.#leftOut(
      this.#queue.replace(options.key, () => compact(this.#message(payload, isText, true, options))),
    );
  }

  /** Drops what waits, and what is being read; `why` makes the error that tells of it. */
  clear(why: () => MessageError): void {
    this.#isCleared = true;
    this.#why = why;
    this.#droppedBytes += this.queuedBytes;
    const waiting = [...(this.#queue?.clear() ?? []), ...(this.#behindFragments ?? [])];
    this.#behindFragments = undefined;
    this.#behindBytes = 0;
    this.outlet.clear(why);
    for (const entry of waiting) {
      if (isJob(entry)) entry.drop(why());
      else if (entry.callback) (this.#dropped ??= []).push(entry.callback);
    }
  }

  /** The connection is gone, and whoever was sent something before knows: tells those of what was dropped. */
  settleDropped(): void {
    const callbacks = this.#dropped ?? [];
    this.#dropped = undefined;
    for (const callback of callbacks) settle(callback, this.#why());
  }

  // For messages that are open.

  enqueue(entry: Job): void {
    if (this.#isCleared) entry.drop(this.#why());
    else if (this.#isInFragments) this.#putBehind(entry);
    else this.#enqueue(entry);
  }

  withdraw(entry: Job): void {
    this.#queue?.remove(entry);
    this.#behindFragments = this.#behindFragments?.filter((each) => each !== entry);
  }

  fragment(step: Step, payload: Uint8Array, done: () => void): void {
    this.#messages.fragment(step, payload, done);
  }

  abandon(): void {
    this.#host.abandon();
  }

  get #isWayFree(): boolean {
    return (this.#queue === undefined || this.#queue.isIdle) && !this.#transport.isFull;
  }

  /** Made when there is a message for it: one that goes straight to its frame needs none. */
  get #messages(): MessageEncoder {
    this.#encoder ??= new MessageEncoder(this.#transport, this.outlet, this.#extensions, this.#fragmentSize, (error) =>
      this.#host.fail(error),
    );
    return this.#encoder;
  }

  #message(payload: Payload, isText: boolean, isWhole: boolean, options: MessageOptions & { fin?: boolean }): Message {
    const bytes = typeof payload === 'string' ? this.#host.encodeText(payload) : payload;
    const { byteLength } = bytes;
    const { fin = true, compress, prepared, callback, key } = options;
    const opcode = isText ? Opcode.Text : Opcode.Binary;
    const length = isWhole ? byteLength : undefined;
    const shared =
      this.#account && byteLength >= SHARED_FROM && bytes === payload && !isDeferred(bytes) ? bytes : undefined;
    // One literal: objects that are spread cost several times as much, and there may be very many of these.
    return {
      payload: bytes,
      byteLength,
      shared,
      mayDrop: isWhole,
      key,
      opcode,
      fin,
      compress,
      length,
      prepared,
      callback,
    };
  }

  #leftOut(entry: Message | Job | undefined): boolean {
    if (entry === undefined || isJob(entry)) return false;
    settle(entry.callback, new MessageError('WS_ERR_DROPPED'));
    return true;
  }

  #sendWaiting(waiting: readonly (Message | Job)[]): void {
    this.#behindFragments = undefined;
    this.#behindBytes = 0;
    for (const entry of waiting) {
      if (isJob(entry)) this.#enqueue(entry);
      else this.#send(entry);
    }
  }

  /** If nothing waits, there is no need for the queue where the extensions answer at once. */
  #send(message: Message): void {
    if (!this.#isWayFree || isDeferred(message.payload)) return this.#enqueue(message);
    let isDone = false;
    let leave: (() => void) | undefined;
    this.#start(message, () => {
      isDone = true;
      leave?.();
    });
    if (isDone) return;
    this.#enqueue(
      job(
        message.byteLength,
        (done) => {
          if (isDone) done();
          else leave = done;
        },
        message.shared,
      ),
    );
  }

  #putBehind(entry: Message | Job): void {
    (this.#behindFragments ??= []).push(compact(entry));
    this.#behindBytes += entry.byteLength;
  }

  #enqueue(entry: Message | Job): void {
    this.#queue ??= new SendQueue(
      (next, done) => this.#start(next, done),
      () => !this.#transport.hasRoom(),
      this.#account,
    );
    this.#queue.push(compact(entry));
  }

  #start(entry: Message | Job, done: () => void): void {
    if (isJob(entry)) return entry.run(done);
    const { payload } = entry;
    if (!isDeferred(payload)) return this.#messages.message(entry, payload, done);
    let isRead = false;
    payload.read((error, bytes) => {
      if (isRead) return;
      isRead = true;
      if (error || this.#isCleared) this.#messages.drop(entry, error ?? this.#why(), done);
      else this.#messages.message(entry, bytes, done);
    });
  }
}

/** A payload that would keep so many times its size from being freed does not wait as it is. */
const MAX_RETAINED = 4;

/** What waits keeps no more in memory than it counts: a few bytes of a chunk that was received, and is echoed, would keep all of it. */
function compact<Waiting extends Message | Job>(entry: Waiting): Waiting {
  if (isJob(entry) || isDeferred(entry.payload) || entry.shared !== undefined) return entry;
  const { payload } = entry;
  if (payload.buffer.byteLength > MAX_RETAINED * payload.byteLength) entry.payload = new Uint8Array(payload);
  return entry;
}

/** What an entry costs beside its bytes: measured, 200 to 280. */
const ENTRY_BYTES = 256;

const job = (byteLength: number, run: Job['run'], shared?: Uint8Array): Job => ({
  byteLength,
  shared,
  mayDrop: false,
  key: undefined,
  run,
  drop: () => undefined,
});

const closed = (): MessageError => new MessageError('WS_ERR_CLOSED');

const isJob = (entry: Message | Job): entry is Job => 'run' in entry;

/** Not `instanceof Uint8Array`: bytes may be of another realm than ours. */
const isDeferred = (payload: Payload): payload is DeferredPayload =>
  typeof payload !== 'string' && !ArrayBuffer.isView(payload);
