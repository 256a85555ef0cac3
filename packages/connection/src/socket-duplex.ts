import { Duplex, type DuplexOptions } from 'node:stream';
import { kClosed } from './ending.js';
import { MessageError } from './protocol/index.js';
import { Incoming } from './incoming.js';
import { ignore, MessageInbox } from './message-inbox.js';
import { kPace } from './pace.js';
import type { Message } from './types.js';
import type { WebSocket } from './websocket.js';

type Callback = (error?: Error | null) => void;
type Chunk = Buffer | string;

/** What this stream does itself; all other options are the caller's. */
const OWN = {
  objectMode: false,
  writableObjectMode: false,
  autoDestroy: false, // `for await` would destroy it at the end of what comes in, with an error
  emitClose: true,
  construct: undefined,
  read: undefined,
  write: undefined,
  writev: undefined,
  final: undefined,
  destroy: undefined,
} as const;

/**
 * A socket as a Duplex, as in ws 8: each chunk that is written is one binary message, with `decodeStrings: false` a string is one text message; each message that
 * comes is a chunk, with `readableObjectMode` text is a string. Writing waits for the connection. `end()` closes the socket, `'end'` is the end of the connection, however it
 * came; `destroy()` terminates the socket, and an `'error'` of the socket destroys the stream. Unread data stops reading from the socket; the callback of `write` comes when the data is with the operating system. Once the connection is
 * open, an error that nobody listens for is not thrown.
 * @param options of Duplex; `objectMode`, `writableObjectMode`, `autoDestroy`, `emitClose` and methods have no effect
 * @throws {TypeError} for what is not a WebSocket of this library
 */
export function createWebSocketStream(socket: WebSocket, options?: DuplexOptions): Duplex {
  if (typeof socket !== 'object' || socket === null || !(kPace in socket)) {
    throw new TypeError('createWebSocketStream takes a WebSocket of this library');
  }
  return new SocketDuplex(socket, options);
}

class SocketDuplex extends Duplex {
  readonly #socket: WebSocket;
  readonly #inbox: MessageInbox;
  #isAsked = false;
  /** The streamed message whose bytes are given at the moment. */
  #incoming: Incoming | undefined;
  /** A write or end that waits for the connection. */
  #onOpen: (() => void) | undefined;
  #onGivenUp: Callback | undefined;
  #socketError: Error | undefined;

  constructor(socket: WebSocket, options: DuplexOptions | undefined) {
    super({ ...options, ...OWN });
    this.#socket = socket;
    this.#inbox = new MessageInbox(socket, () => this.#serve(), this.readableObjectMode);
    socket.on('error', this.#onError);
    if (socket.readyState === socket.CONNECTING) socket.once('open', this.#tolerate);
    else this.#tolerate();
    this.once('end', () => this.writableFinished && this.destroy());
    this.once('finish', () => this.readableEnded && this.destroy());
  }

  override _read(): void {
    this.#isAsked = true;
    if (this.#incoming) this.#incoming.resume();
    else this.#serve();
  }

  override read(size?: number): unknown {
    const chunk: unknown = super.read(size);
    this.#count();
    return chunk;
  }

  override _write(chunk: Chunk, _encoding: BufferEncoding, callback: Callback): void {
    this._writev([{ chunk }], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Chunk }[], callback: Callback): void {
    this.#whenOpen(callback, () => {
      let failure: Error | undefined;
      let left = chunks.length;
      const sent = (error?: Error | null): void => {
        failure ??= error ?? undefined;
        if (--left > 0) return;
        if (failure) this.destroy(failure);
        callback(failure);
      };
      for (const { chunk } of chunks) this.#socket.send(chunk, sent);
    });
  }

  override _final(callback: Callback): void {
    this.#whenOpen(callback, () => {
      this.#socket.close();
      callback();
    });
  }

  override _destroy(error: Error | null, callback: Callback): void {
    const socket = this.#socket;
    this.#inbox.release();
    this.#incoming?.discard();
    if (this.#socketError === undefined) socket.terminate(); // else it ends by itself, a Close frame perhaps being under way
    const finish = (): void => {
      socket.off('error', this.#onError);
      callback(error ?? this.#socketError ?? null);
    };
    if (socket.readyState === socket.CLOSED) finish();
    else socket.once('close', finish);
    socket.off('open', this.#tolerate);
    if (this.#onOpen) socket.off('open', this.#onOpen);
    this.#onGivenUp?.(new MessageError('WS_ERR_CLOSED', '', error ?? undefined));
  }

  /** From here on an error is of the peer's making: nobody has to listen. */
  readonly #tolerate = (): void => void this.on('error', ignore);

  readonly #onError = (error: Error): void => {
    this.#socketError ??= error;
    this.destroy(error);
  };

  #whenOpen(callback: Callback, proceed: () => void): void {
    const socket = this.#socket;
    if (socket.readyState !== socket.CONNECTING) return proceed();
    this.#onGivenUp = callback;
    this.#onOpen = () => {
      this.#onOpen = this.#onGivenUp = undefined;
      proceed();
    };
    socket.once('open', this.#onOpen);
  }

  #serve(): void {
    while (this.#isAsked && !this.#incoming) {
      const message = this.#inbox.take();
      if (message !== undefined) this.#give(message);
      else if (this.#inbox.end !== undefined) this.#push(null);
      else return;
    }
  }

  #give(message: Message): void {
    if (this.readableObjectMode) return this.#push(message);
    if (message instanceof Incoming) return this.#stream(message);
    for (const part of Array.isArray(message) ? message : [message]) {
      const bytes = part instanceof ArrayBuffer ? Buffer.from(part) : part;
      if (bytes.length > 0) this.#push(bytes);
    }
  }

  #stream(message: Incoming): void {
    this.#incoming = message;
    message.on('data', (bytes: Buffer) => {
      this.#push(bytes);
      if (!this.#isAsked) message.pause();
    });
    message.on('close', () => {
      this.#incoming = undefined;
      const { errored } = message;
      if (errored) void this.#socket[kClosed].then(() => this.destroy(errored));
      else this.#serve();
    });
  }

  /** What was taken from the socket and not from here. */
  #count(): void {
    const { readableLength, readableObjectMode } = this;
    this.#inbox.handed(readableObjectMode ? readableLength * this.#inbox.lastCost : readableLength);
  }

  #push(chunk: Message | null): void {
    this.#isAsked = false; // until it asks again, which it may do at once; not at all where a decoder has kept the bytes
    if (this.push(chunk)) this.#isAsked = true;
    this.#count();
  }
}
