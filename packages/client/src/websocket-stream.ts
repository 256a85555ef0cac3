import type { ReadableStream, WritableStream } from 'node:stream/web';
import { isErrorLike } from './errors.js';
import type { ClientOptions } from './options.js';
import { SocketStreams } from './socket-streams.js';
import { checkCloseInfo, connectionError, type WebSocketCloseInfo } from './websocket-error.js';
import { WebSocket } from './websocket.js';

/** Options of `new WebSocketStream(url, options)`: those of browsers, and those of our `WebSocket`. */
export interface WebSocketStreamOptions extends Omit<ClientOptions, 'incoming' | 'Incoming' | 'streamThreshold'> {
  /** Subprotocols, of which the server chooses one. @default none */
  readonly protocols?: string | Iterable<string> | undefined;
}

/** What `opened` resolves to. */
export interface WebSocketOpenInfo {
  /** Whole messages: text as strings, binary as bytes with a buffer of their own. */
  readonly readable: ReadableStream<string | Uint8Array>;
  /** A chunk is a message: bytes go as binary, all else as text. */
  readonly writable: WritableStream<string | ArrayBuffer | ArrayBufferView>;
  /** Names of the agreed extensions, separated by commas. */
  readonly extensions: string;
  /** The agreed subprotocol, or `''`. */
  readonly protocol: string;
}

/**
 * A WebSocket as a pair of WHATWG streams, after the draft that Chromium follows. While nobody reads, nothing is taken from the network beyond `highWaterMark`
 * bytes, and the server feels it; `write` waits while the server does not take what was sent.
 *
 * The promises may be left alone: that one of them rejects is no unhandled rejection.
 */
export class WebSocketStream {
  /** The address, normalised. */
  readonly url: string;
  /** Rejects with a `WebSocketError` whose `cause` is what went wrong; after the signal was aborted, with its reason, or an AbortError where that is no error. */
  readonly opened: Promise<WebSocketOpenInfo>;
  /** The peer's close code, 1005 where it gave none, and reason. Rejects with a `WebSocketError` where the connection did not end cleanly, or as {@link opened}. */
  readonly closed: Promise<Required<WebSocketCloseInfo>>;
  readonly #socket: WebSocket;
  #streams: SocketStreams | undefined;

  /**
   * @throws {SyntaxError} for an address that is none or has a fragment, a subprotocol that is no token or comes twice
   * @throws {TypeError | RangeError} for an option, naming it
   */
  constructor(url: string | URL, options: WebSocketStreamOptions = {}) {
    if (typeof options !== 'object') throw new TypeError(`options is ${typeof options}, expected an object`);
    const { protocols = [], ...rest } = options ?? {};
    const list = typeof protocols === 'string' ? [protocols] : [...protocols];
    const socket = new WebSocket(url, list, { ...rest, incoming: 'buffer' });
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.url = socket.url;

    let open!: (info: WebSocketOpenInfo) => void;
    let failOpening!: (error: Error) => void;
    this.opened = new Promise((resolve, reject) => ([open, failOpening] = [resolve, reject]));
    let close!: (info: Required<WebSocketCloseInfo>) => void;
    let failClosing!: (error: Error) => void;
    this.closed = new Promise((resolve, reject) => ([close, failClosing] = [resolve, reject]));
    for (const promise of [this.opened, this.closed]) promise.catch(() => undefined);

    socket.on('error', () => undefined); // 'close' follows and tells
    socket.once('open', () => {
      const streams = new SocketStreams(socket, ({ code, reason }, failure) => {
        if (failure) failClosing(failure);
        else close({ closeCode: code, reason });
      });
      this.#streams = streams;
      const { readable, writable } = streams;
      open({ readable, writable, extensions: socket.extensions, protocol: socket.protocol });
    });
    socket.once('close', (_code, _reason, { error }) => {
      if (this.#streams) return;
      const aborted = error === null ? undefined : abortReason(error, rest.signal);
      failOpening(aborted ?? connectionError('the WebSocket could not be opened', null, '', error));
      failClosing(aborted ?? connectionError('the WebSocket could not be opened', 1006, '', error));
    });
  }

  /**
   * Starts the closing handshake, behind what was written; what was not read is dropped. While connecting it gives that up. Does nothing once it is closing.
   * @throws {DOMException} InvalidAccessError for a code other than 1000 and 3000 to 4999, SyntaxError for a reason over 123 bytes; {TypeError} for what is no object
   */
  close(closeInfo: WebSocketCloseInfo = {}): void {
    const fields = checkCloseInfo(closeInfo);
    if (this.#streams) this.#streams.close(fields);
    else this.#socket.close(fields.closeCode, fields.reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed.catch(() => undefined);
  }

  get [Symbol.toStringTag](): string {
    return 'WebSocketStream';
  }
}

/** The signal's reason where that is an error. @returns undefined for what is not the signal's doing */
function abortReason(error: Error, signal: AbortSignal | undefined): Error | undefined {
  if (signal?.aborted !== true || (error !== signal.reason && error.name !== 'AbortError')) return undefined;
  return isErrorLike(signal.reason) ? signal.reason : error;
}
