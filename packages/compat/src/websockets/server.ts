import { isUtf8 } from 'node:buffer';
import type { Socket as NetSocket } from 'node:net';
import { Writable } from 'node:stream';
import { isControl, Opcode } from '@ws/frame';
import {
  WebSocketServer,
  type AnyHttpServer,
  type BroadcastStream,
  type RefusalReason,
  type ServerOptions as CoreOptions,
  type WebSocket,
} from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import { takeSources } from '../endless.js';
import type { WriteCallback } from './message-frames.js';
import type { Listener, Other, OtherName, ServerEvents } from './events.js';
import { outgoingHead, type WrittenHead } from './head.js';
import type { Owner } from './receiving.js';
import { bytesOf, Socket } from './socket.js';

type Ours =
  'port' | 'host' | 'backlog' | 'server' | 'noServer' | 'path' | 'idleTimeout' | 'incoming' | 'clientTracking';

/** Those of the core's server are taken too, where none of these means the same. */
export interface ServerOptions extends Omit<CoreOptions, Ours> {
  /** Its path is the one that is served. @default 'ws://localhost:3000' */
  readonly url?: string | undefined;
  /** ms without a byte in either direction; 0: for ever. @default 600_000 */
  readonly timeout?: number | undefined;
  /** Beyond it, 503. @default 10 */
  readonly maxConnections?: number | undefined;
}

/** What waits is counted in parts; 'close' and 'error' tell of its sockets. */
const STREAM = { objectMode: true, highWaterMark: 1, emitClose: false, autoDestroy: false, captureRejections: true };
const FIXED = { noServer: true, unservedPath: 404, clientTracking: true, idleTimeout: 0 } as const;
/** Reasons that are no failed handshake: the request may be for others, or there is no room. */
// prettier-ignore
const NO_FAILURE: ReadonlySet<RefusalReason> = new Set(['path', 'maxConnections', 'maxConnectionsPerAddress', 'maxPending', 'memoryLimit', 'rateLimit', 'acceptPaused', 'closing']);

/** A part of a message to all. */
interface Part {
  readonly bytes: Uint8Array;
  readonly opcode: Opcode;
  /** It is the last of its message. */
  readonly fin: boolean;
}

/** Ends the message that is open, and is nothing where there is none. */
const END: Part = { bytes: Buffer.alloc(0), opcode: Opcode.Binary, fin: true };
/** Bytes of one message that may wait for those who are behind, while others wait for the next one. */
const MOST_WAITING = 16_777_216;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Many sockets: what is written goes to all of them, and an empty chunk ends the message. It has no end and cannot be destroyed: `core` closes. */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- its listeners have types, and that is all
export class Server extends Writable {
  /** The core's server, for what is not here. */
  readonly core: WebSocketServer;
  /** The open connections. */
  readonly sockets: Socket[] = [];
  readonly url: URL;
  readonly timeout: number;
  readonly maxConnections: number;
  /** A server never masks. RFC 6455 §5.1 */
  readonly mask = false;
  /** The message that is being sent. */
  #message: BroadcastStream | undefined;
  /** Somebody has come since the message began, which is not for him. */
  #isOvertaken = false;
  /** What comes behind the part in hand is not kept from who is new, though those for whom that is may be behind. */
  #goOn = (): void => {};
  /** Of the message that `broadcast` has begun, and not ended. */
  #open: Opcode | undefined;

  /** @throws {TypeError | RangeError} naming the option that is not what it has to be */
  constructor(options: ServerOptions = {}) {
    super(STREAM);
    const { url = 'ws://localhost:3000', timeout = 600_000, maxConnections = 10, ...rest } = options;
    const { streamThreshold = 16_384, closeTimeout = 30_000 } = rest;
    const lateMs = closeTimeout === Infinity ? 0 : Number(closeTimeout);
    if (typeof url !== 'string') throw new TypeError(`url is ${typeof url}, expected a string`);
    if (!(Number.isFinite(timeout) && timeout >= 0 && timeout <= MAX_TIMEOUT_MS))
      throw new RangeError(`timeout is ${timeout}, expected 0 to ${MAX_TIMEOUT_MS} ms`);
    this.url = new URL(url, 'ws://localhost');
    this.timeout = timeout;
    this.maxConnections = maxConnections;
    const ours = { ...FIXED, path: this.url.pathname, maxConnections };
    // A ping of ours and its answer would be bytes as well: who is silent would never be.
    const given = { maxPayload: 104_857_600, heartbeat: timeout === 0 && {}, ...rest, ...ours };
    this.core = new WebSocketServer(given);
    const owner: Owner = {
      nextId: 0,
      listenerCount: (name) => this.listenerCount(name),
      tell: (socket, name, [first, ...others]) => {
        if (name === 'close') this.sockets.splice(this.sockets.indexOf(socket), 1);
        this.emit(name, ...(first === undefined ? [socket] : [first, socket, ...others]));
      },
    };
    const joined = (): void => {
      this.#isOvertaken = true;
      this.#goOn();
    };
    this.core.on('connection', (webSocket) => {
      process.nextTick(joined);
      const socket = new Socket(
        webSocket,
        { raw: rest.autoPong === false, streamThreshold: streamThreshold || Infinity },
        owner,
      );
      (webSocket.duplex as Partial<NetSocket> | undefined)?.setTimeout?.(timeout, () => webSocket.close(1001));
      // What is not read to its end is memory: it has its time, and its place is given to who is alive.
      webSocket.once('close', () => {
        const late = lateMs > 0 ? setTimeout(() => socket.destroy(), lateMs).unref() : undefined;
        socket.once('close', () => clearTimeout(late));
      });
      if (maxConnections && this.sockets.length >= maxConnections)
        this.sockets.find((one) => !one.destroyed && !this.core.clients.has(one.core as WebSocket))?.destroy();
      this.sockets.push(socket);
      this.emit('open', socket);
    });
    this.core.on('refused', (reason, _request, error) => {
      if (NO_FAILURE.has(reason)) return;
      this.emit('error', error instanceof Error ? error : new Error(`a handshake was refused: ${reason}`));
    });
    this.core.on('error', (error) => {
      if (this.listenerCount('error') === 1) throw error; // of the http server: no peer's doing
      this.emit('error', error);
    });
    this.on('error', () => {}); // so that none is thrown for want of a listener
    takeSources(this);
  }

  /** Takes the upgrade requests of an http or https server that are for its path, and leaves the others alone; 404 where nobody takes one. */
  listen(server: AnyHttpServer): this {
    this.core.attach(server);
    return this;
  }

  /**
   * Sends a message, or a control frame, to all; without a head it is text. With `fin: false` it is the first part of one: the next broadcasts go on with
   * it, until one without that ends it, or an empty chunk of `write`.
   * @throws {TypeError} for text that is no UTF-8, and for what cannot be sent; nothing is
   */
  broadcast(message: string | Uint8Array): this;
  broadcast(head: WrittenHead, message: string | Uint8Array): this;
  broadcast(...args: [string | Uint8Array] | [WrittenHead, string | Uint8Array]): this {
    const [head, message] = args.length === 1 ? [{}, args[0]] : args;
    const { opcode = this.#open ?? Opcode.Text, fin = true } = outgoingHead(head, 0);
    const bytes = bytesOf(message);
    if (isControl(opcode)) for (const socket of this.sockets) socket.writeHead({ opcode }).write(bytes);
    else if (opcode !== Opcode.Binary && !isUtf8(bytes)) throw new TypeError('text is not valid UTF-8');
    else if (fin && this.#open === undefined) this.core.broadcast(bytes, { binary: opcode === Opcode.Binary });
    else {
      this.#open = fin ? undefined : opcode;
      super.write({ bytes: Buffer.from(bytes), opcode, fin } satisfies Part);
    }
    return this;
  }

  /** A part of a message to all, binary unless a broadcast has begun it; an empty one ends it. */
  override write(chunk: unknown, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    if (typeof encoding === 'function') return this.write(chunk, 'utf8', encoding);
    const bytes = bytesOf(chunk, encoding);
    const fin = bytes.length === 0;
    if (fin) this.#open = undefined;
    return super.write({ bytes, opcode: Opcode.Binary, fin } satisfies Part, callback);
  }

  /** Ends the message that is being written, if there is one, and nothing else. */
  override end(callback?: () => void): this;
  override end(chunk: unknown, callback?: () => void): this;
  override end(chunk: unknown, encoding: BufferEncoding, callback?: () => void): this;
  override end(chunk?: unknown, ...rest: unknown[]): this {
    const callback = [chunk, ...rest].find((arg): arg is () => void => typeof arg === 'function');
    if (chunk !== undefined && chunk !== null && chunk !== callback) this.write(chunk, rest[0] as BufferEncoding);
    super.write(END, () => callback?.());
    return this;
  }

  /** Does nothing: what is wrong with a source is nothing to the others. */
  override destroy(): this {
    return this;
  }

  /** One after the other: the next part after the callback. */
  override _write(part: Part, _encoding: BufferEncoding, callback: () => void): void {
    const { bytes, opcode, fin } = part;
    if (part === END && !this.#message) return callback();
    const message = (this.#message ??= this.#begin(opcode === Opcode.Binary));
    let isCalled = false;
    const proceed = (): void => {
      if (!isCalled) process.nextTick(callback);
      isCalled = true;
    };
    this.#goOn = () => {
      if (message.writableLength <= MOST_WAITING) proceed();
    };
    if (fin) this.#message = undefined;
    if (fin) message.end(bytes, proceed);
    else message.write(bytes, proceed);
    if (this.#isOvertaken) this.#goOn();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.core[Symbol.asyncDispose]();
  }

  #begin(binary: boolean): BroadcastStream {
    const message = this.core.createBroadcast({ binary });
    this.#isOvertaken = false;
    return message.once('error', (error) => {
      if (this.#message === message) this.#message = this.#open = undefined;
      this.emit('error', error);
    });
  }
}

forgivePeers(Server);

export interface Server {
  on<Of extends keyof ServerEvents>(name: Of, listener: Listener<ServerEvents, Of>): this;
  on<Of extends string | symbol>(name: OtherName<Of, ServerEvents>, listener: Other): this;
  once<Of extends keyof ServerEvents>(name: Of, listener: Listener<ServerEvents, Of>): this;
  once<Of extends string | symbol>(name: OtherName<Of, ServerEvents>, listener: Other): this;
}
