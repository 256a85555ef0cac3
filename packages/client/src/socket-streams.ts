import {
  ReadableStream,
  WritableStream,
  type ReadableStreamDefaultController,
  type WritableStreamDefaultController,
} from 'node:stream/web';
import { types } from 'node:util';
import type { ClosedError, CloseInfo, Message, MessageIterator } from '@ws/connection';
import { connectionError, WebSocketError, type CloseFields } from './websocket-error.js';
import type { WebSocket } from './websocket.js';

/** Bytes up to which a chunk is copied, so that `write` need not wait until they have left. */
const COPIED_UP_TO = 16_384;

type Chunk = string | Uint8Array;

/** How a connection ended: null is a clean end. */
export type OnEnd = (info: CloseInfo, error: WebSocketError | null) => void;

interface Pending {
  resolve(): void;
  reject(error: unknown): void;
}

/** The two streams of a socket that is open. Its messages are taken one by one, as they are read. */
export class SocketStreams {
  readonly readable: ReadableStream<Chunk>;
  readonly writable: WritableStream<unknown>;
  readonly #socket: WebSocket;
  readonly #onEnd: OnEnd;
  readonly #messages: MessageIterator;
  #source!: ReadableStreamDefaultController<Chunk>;
  #sink!: WritableStreamDefaultController;
  /** Taken before anybody reads: who does not read sees the end all the same. */
  #next: Chunk | undefined;
  #onRead: (() => void) | undefined;
  #isCancelled = false;
  /** We close, and nobody wants the messages that still come. */
  #isDropping = false;
  /** The write that waits for the peer, and whether for `'drain'`. */
  #write: (Pending & { readonly awaitsDrain: boolean }) | undefined;
  #closing: Pending | undefined;
  #failure: WebSocketError | null | undefined;

  constructor(socket: WebSocket, onEnd: OnEnd) {
    this.#socket = socket;
    this.#onEnd = onEnd;
    this.#messages = socket[Symbol.asyncIterator]();
    socket.on('drain', () => {
      if (this.#write?.awaitsDrain) this.#written();
    });
    socket.on('close', (_code, _reason, info) => {
      queueMicrotask(() => this.#end(info)); // the readable, which hears of it from the iterator, is first
    });
    this.readable = new ReadableStream<Chunk>(
      {
        start: (controller) => void (this.#source = controller),
        pull: () => this.#pull(),
        cancel: (reason: unknown) => {
          this.#isCancelled = true;
          this.close(fieldsOf(reason));
        },
      },
      { highWaterMark: 0 },
    );
    this.writable = new WritableStream({
      start: (controller) => {
        this.#sink = controller;
        // The stream itself would wait for the write before it aborts.
        const { signal } = controller as WritableStreamDefaultController & { readonly signal: AbortSignal };
        signal.addEventListener('abort', () => this.#fail(signal.reason));
      },
      write: (chunk: unknown) => this.#send(chunk),
      close: () => this.#closeSink(),
      abort: (reason: unknown) => this.close(fieldsOf(reason)),
    });
    this.#fetch();
  }

  /** Starts the closing handshake. What was not read by then is dropped, as in browsers. */
  close({ closeCode, reason }: CloseFields): void {
    this.#socket.close(closeCode, reason);
    this.#isDropping = true;
    if (this.#next === undefined) return; // the next message is being waited for
    this.#next = undefined;
    this.#fetch();
  }

  // The readable.

  #fetch(): void {
    this.#messages.next().then(
      (result) => {
        if (result.done !== true) this.#take(result.value);
        else if (!this.#isCancelled) this.#source.close();
      },
      (error: unknown) => {
        const failure = this.#outcome((error as ClosedError).info);
        if (this.#isCancelled) return;
        if (failure === null) this.#source.close();
        else this.#source.error(failure);
      },
    );
  }

  #take(message: Message): void {
    if (this.#isDropping) return this.#fetch();
    this.#next = typeof message === 'string' ? message : new Uint8Array(message as ArrayBuffer);
    this.#give();
  }

  #pull(): Promise<void> {
    return new Promise((resolve) => {
      this.#onRead = resolve;
      this.#give();
    });
  }

  #give(): void {
    const [message, onRead] = [this.#next, this.#onRead];
    if (message === undefined || onRead === undefined) return;
    this.#next = this.#onRead = undefined;
    this.#source.enqueue(message);
    onRead();
    this.#fetch();
  }

  // The writable.

  /** @returns nothing where the next chunk may follow at once */
  #send(chunk: unknown): Promise<void> | undefined {
    const data = toMessage(chunk);
    const socket = this.#socket;
    // Dropped, as in browsers: the stream fails when the connection is closed. It must get a chance to be.
    if (socket.readyState !== socket.OPEN) return new Promise((resolve) => void setImmediate(resolve));
    const isLarge = typeof data !== 'string' && data.byteLength > COPIED_UP_TO;
    if (isLarge) {
      return this.#wait(false, () => {
        socket.send(data, (error) => {
          if (!error) this.#written(); // else #end tells
        });
      });
    }
    if (socket.send(typeof data === 'string' ? data : data.slice())) return undefined;
    return this.#wait(true);
  }

  #wait(awaitsDrain: boolean, start?: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#write = { awaitsDrain, resolve, reject };
      start?.();
    });
  }

  #written(): void {
    this.#write?.resolve();
    this.#write = undefined;
  }

  #fail(error: unknown): void {
    this.#write?.reject(error);
    this.#write = undefined;
  }

  /** Messages that still come can be read. */
  #closeSink(): Promise<void> | undefined {
    const socket = this.#socket;
    if (socket.readyState === socket.CLOSED) return undefined;
    socket.close();
    return new Promise((resolve, reject) => {
      this.#closing = { resolve, reject };
    });
  }

  // The end.

  #outcome(info: CloseInfo): WebSocketError | null {
    if (this.#failure === undefined) {
      const { wasClean, error, code, reason } = info;
      const isClean = wasClean && error === null;
      const closeCode = error === null ? code : 1006;
      this.#failure = isClean
        ? null
        : connectionError('the WebSocket was not closed cleanly', closeCode, reason, error);
    }
    return this.#failure;
  }

  #end(info: CloseInfo): void {
    const failure = this.#outcome(info);
    const closing = this.#closing;
    if (closing === undefined) {
      this.#sink.error(failure ?? new DOMException('the WebSocket is closed', 'InvalidStateError'));
      this.#fail(failure ?? undefined);
    }
    this.#onEnd(info, failure);
    if (failure === null) closing?.resolve();
    else closing?.reject(failure);
  }
}

/** Bytes as they are, all else as text. */
function toMessage(chunk: unknown): string | Uint8Array {
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  if (types.isArrayBuffer(chunk)) return new Uint8Array(chunk);
  if (typeof chunk === 'symbol') throw new TypeError('cannot send a symbol');
  return String(chunk);
}

const fieldsOf = (reason: unknown): CloseFields =>
  reason instanceof WebSocketError ? reason : { closeCode: null, reason: '' };
