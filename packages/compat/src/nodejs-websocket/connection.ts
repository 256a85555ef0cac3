import { EventEmitter } from 'node:events';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { OpeningError } from '@ws/client';
import { checkConnectionOptions, type WebSocket } from '@ws/connection';
import { forgivePeers } from '../async-listeners.js';
import { dialOver, type ClientEnd } from './client-end.js';
import { closePayload } from './frame.js';
import { handshakeError } from './handshake-error.js';
import { InStream } from './in-stream.js';
import { OutStream } from './out-stream.js';
import { kAccept, kOpen, type Child } from './parent.js';
import type { Server } from './server.js';

/** Called once, when the data is with the operating system, or with an error. What is no function is ignored. */
export type SendCallback = ((error?: Error | null) => void) | number;

export interface ConnectionEvents {
  /** The handshake is done. */
  connect: [];
  /** Either side has begun to close it, or it is lost. Once. */
  close: [code: number, reason: string];
  /** What was asked of it is not possible, or it did not come about. */
  error: [error: Error];
  text: [text: string];
  binary: [message: InStream];
  pong: [data: string];
}

const [CONNECTING, OPEN, CLOSING, CLOSED] = [0, 1, 2, 3] as const;
const STATES = { CONNECTING: { value: 0 }, OPEN: { value: 1 }, CLOSING: { value: 2 }, CLOSED: { value: 3 } };
/** Also what a peer's leaving brings about, which an async listener may reject with. */
const notOpen = (): Error =>
  Object.assign(new Error("You can't write to a non-open connection"), { code: 'WS_ERR_CLOSED' });
const TEXT_WAITS = "You can't send a text frame until you finish sending binary frames";
const BINARY_WAITS = "You can't send more binary frames until you finish sending the previous binary frames";
const NO_DATA = 'data should be either a string or a Buffer instance';

/** Those that are open: the limit of what they receive is one for all. */
const openOnes = new Set<Connection>();
let maxBufferLength = 2_097_152;

/** Either end of a connection, with the API of `nodejs-websocket`. */
export class Connection extends EventEmitter<ConnectionEvents> implements Child {
  declare static readonly CONNECTING: typeof CONNECTING;
  declare static readonly OPEN: typeof OPEN;
  declare static readonly CLOSING: typeof CLOSING;
  declare static readonly CLOSED: typeof CLOSED;
  declare readonly CONNECTING: typeof CONNECTING;
  declare readonly OPEN: typeof OPEN;
  declare readonly CLOSING: typeof CLOSING;
  declare readonly CLOSED: typeof CLOSED;

  /** Bytes that `beginBinary` collects before it sends a frame. */
  static binaryFragmentation = 524_288;

  /** Bytes of the longest message that is taken; beyond it, 1009. For all connections, also those that are open. */
  static get maxBufferLength(): number {
    return maxBufferLength;
  }
  static set maxBufferLength(bytes: number) {
    checkConnectionOptions({ maxPayload: bytes });
    maxBufferLength = bytes;
    openOnes.forEach(({ webSocket }) => webSocket?.limits.update({ maxPayload: bytes }));
  }

  /** The stream underneath. */
  readonly socket: Socket;
  /** Whose connection it is; null for a client's. */
  readonly server: Server | null = null;
  /** What the request asks for, with its query. */
  path: string | null = null;
  /** Of a client. */
  readonly host: string | null = null;
  readonly extraHeaders: OutgoingHttpHeaders | null = null;
  /** What the client asks for. */
  protocols: string[] = [];
  /** Those of the request, of the response for a client; names in lower case. */
  headers: IncomingHttpHeaders = {};
  /** What was agreed on. */
  protocol: string | undefined;
  /** The binary message that is being sent. */
  outStream: OutStream | null = null;
  #readyState: 0 | 1 | 2 | 3 = CONNECTING;
  #webSocket: WebSocket | undefined;

  /**
   * A connection over a stream on which nothing has been said: with a Server its end, else a client's.
   * @param callback listens to `'connect'`
   * @throws {TypeError | SyntaxError} for what no request can be made of
   */
  constructor(socket: Duplex, parentOrOptions: Server | ClientEnd, callback?: (this: Connection) => void) {
    super({ captureRejections: true });
    if (callback) this.once('connect', callback);
    this.socket = socket as Socket;
    if (kAccept in parentOrOptions) {
      this.server = parentOrOptions;
      socket.once('close', () => this.#webSocket ?? this.#end(CLOSED, 1006, ''));
      parentOrOptions[kAccept](this);
    } else {
      const { path = '/', host, extraHeaders = null, protocols = [] } = parentOrOptions;
      Object.assign(this, { path, host, extraHeaders, protocols: [...protocols] });
      this.#dial(parentOrOptions);
    }
  }

  /** The core's connection, once there is one: what this class lacks, `webSocket.limits` for example, is there. */
  get webSocket(): WebSocket | undefined {
    return this.#readyState === CONNECTING ? undefined : this.#webSocket;
  }

  get readyState(): 0 | 1 | 2 | 3 {
    return this.#readyState;
  }

  /**
   * @returns false where the peer does not take as fast as is sent; undefined where it cannot be sent, which is an `'error'`
   * @throws {TypeError} for what is no text
   */
  sendText(text: string, callback?: SendCallback): boolean | undefined {
    return this.#send(text, false, callback);
  }

  /** As {@link sendText}, for bytes alone. They must not be changed before the callback. */
  sendBinary(data: ArrayBufferView, callback?: SendCallback): boolean | undefined {
    return this.#send(data, true, callback);
  }

  /** @throws {TypeError} for what is neither a string nor a Buffer */
  send(data: string | Buffer, callback?: SendCallback): boolean | undefined {
    if (typeof data === 'string') return this.sendText(data, callback);
    if (!Buffer.isBuffer(data)) throw new TypeError(NO_DATA);
    return this.sendBinary(data, callback);
  }

  /** Begins a binary message. @returns undefined where none can begin, which is an `'error'` */
  beginBinary(): OutStream | undefined {
    const error = this.#obstacle(BINARY_WAITS);
    if (error) return void this.emit('error', error);
    this.outStream = new OutStream(this, Connection.binaryFragmentation);
    return this.outStream;
  }

  /** More than 125 bytes are an `'error'`. */
  sendPing(data?: string | Uint8Array | null): void {
    const payload = data || '';
    if (this.#readyState !== OPEN) this.emit('error', notOpen());
    else if (Buffer.byteLength(payload) > 125) this.emit('error', new RangeError('a ping has at most 125 bytes'));
    else this.#webSocket!.ping(payload);
  }

  /**
   * Starts the closing handshake, and tells `'close'` at once. A message of `beginBinary` that has no end yet is given up. While connecting or closing it ends the socket.
   * @throws {RangeError} for a code that may not travel, or a reason over 123 bytes, before anything is done
   */
  close(code?: number | null, reason = ''): void {
    const given = code === 1005 ? undefined : (code ?? undefined);
    closePayload(given, reason);
    const [state, webSocket] = [this.#readyState, this.#webSocket];
    if (state === CLOSED) return;
    if (state === OPEN) {
      webSocket!.close(given, reason); // tells of it
      if (this.outStream?.writableEnded === false) this.outStream.destroy();
    } else if (webSocket === undefined) this.socket.end();
    else if (state === CONNECTING) webSocket.terminate();
    else setImmediate(() => webSocket.bufferedAmount <= this.socket.writableLength && this.socket.end()); // else the closing handshake has a time limit of its own
    this.#end(state === OPEN ? CLOSING : CLOSED, given ?? 1005, given === undefined ? '' : reason);
  }

  [kOpen](webSocket: WebSocket): void {
    if (this.#readyState !== CONNECTING) return webSocket.terminate(); // its user has closed it meanwhile
    if (this.server) this.#attach(webSocket);
    this.#readyState = OPEN;
    this.protocol = webSocket.protocol || undefined;
    openOnes.add(this);
    if (webSocket.limits.maxPayload !== maxBufferLength) webSocket.limits.update({ maxPayload: maxBufferLength });
    this.emit('connect');
  }

  #dial(end: ClientEnd): void {
    const ours = {
      perMessageDeflate: false,
      incoming: 'binary',
      Incoming: InStream,
      maxPayload: maxBufferLength,
    } as const;
    const webSocket = dialOver(this.socket, end, ours).on('error', (error) => this.#failed(error));
    webSocket.on('upgrade', ({ headers }) => (this.headers = headers)).on('open', () => this[kOpen](webSocket));
    this.#attach(webSocket);
  }

  #attach(webSocket: WebSocket): void {
    this.#webSocket = webSocket;
    webSocket.on('message', (data) => this.#readyState === OPEN && this.emit('text', (data as Buffer).toString()));
    webSocket.on('incoming', (message) => {
      if (this.#readyState !== OPEN || !this.emit('binary', message as InStream)) message.discard();
    });
    webSocket.on('pong', (data) => this.emit('pong', data.toString()));
    webSocket.on('closing', (code, reason, initiator) =>
      this.#end(initiator === 'remote' ? CLOSED : CLOSING, code, reason),
    );
    webSocket.on('close', (_code, _reason, { error }) => {
      openOnes.delete(this);
      if (this.#readyState === OPEN && error && this.listenerCount('error') > 0) this.emit('error', error);
      this.#end(CLOSED, 1006, '');
    });
  }

  /** It did not come about. Where nobody here has given it up, and the peer has not just hung up, it is an error. */
  #failed(error: OpeningError & { syscall?: string }): void {
    const hasHungUp = error.code === 'ECONNRESET' && error.syscall === undefined;
    if (this.#readyState === CONNECTING && !hasHungUp) this.emit('error', handshakeError(error));
  }

  /** It closes, or is gone: told the first time. */
  #end(state: typeof CLOSING | typeof CLOSED, code: number, reason: string): void {
    const before = this.#readyState;
    this.#readyState = before === CLOSED ? CLOSED : state;
    if (before <= OPEN) this.emit('close', code, reason);
  }

  #send(data: string | ArrayBufferView, binary: boolean, callback?: SendCallback): boolean | undefined {
    const done = typeof callback === 'function' ? callback : undefined;
    const error = this.#obstacle(binary ? BINARY_WAITS : TEXT_WAITS);
    if (!error) {
      if (!ArrayBuffer.isView(data) && (binary || typeof data !== 'string')) throw new TypeError(NO_DATA);
      return this.#webSocket!.send(data, { binary }, done);
    }
    if (done) process.nextTick(done, error);
    return void this.emit('error', error);
  }

  #obstacle(waits: string): Error | undefined {
    if (this.#readyState !== OPEN) return notOpen();
    return this.outStream ? new Error(waits) : undefined;
  }

  static {
    forgivePeers(this);
    [this, this.prototype].forEach((target) => Object.defineProperties(target, STATES));
  }
}
