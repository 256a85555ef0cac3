import { isUtf8 } from 'node:buffer';
import { Writable } from 'node:stream';
import { isControl, Opcode } from '@ws/frame';
import {
  refuseUpgrade,
  WebSocketServer,
  type AnyHttpServer,
  type RefusalReason,
  type ServerOptions as CoreOptions,
} from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import { takeSources } from '../endless.js';
import { BroadcastParts, END } from './broadcast-parts.js';
import type { WriteCallback } from './carrier.js';
import type { Listener, Other, OtherName, ServerEvents } from './events.js';
import { outgoingHead, type WrittenHead } from './head.js';
import { closeIdle } from './idle.js';
import { bytesOf, chooseFor, onChoice, Socket, type Owner } from './socket.js';

type Ours =
  'port' | 'host' | 'backlog' | 'server' | 'noServer' | 'path' | 'idleTimeout' | 'incoming' | 'clientTracking';

/** Those of the core's server are taken too, where none of these means the same. */
export interface ServerOptions extends Omit<CoreOptions, Ours> {
  /** Its path is the one that is served. @default 'ws://localhost:3000' */
  readonly url?: string | undefined;
  /** ms without a byte in either direction, up to a quarter more; 0: for ever. @default 600_000 */
  readonly timeout?: number | undefined;
  /** Beyond it, 503. @default 10 */
  readonly maxConnections?: number | undefined;
}

const FIXED = { noServer: true, unservedPath: 404, clientTracking: true, idleTimeout: 0 } as const;
/** Reasons that are no failed handshake: the request may be for others, or there is no room. */
// prettier-ignore
const NO_FAILURE: ReadonlySet<RefusalReason> = new Set(['path', 'maxConnections', 'maxConnectionsPerAddress', 'maxPending', 'memoryLimit', 'rateLimit', 'acceptPaused', 'closing']);

/** A socket that is not read to its end keeps its place behind the end of its connection: what waits in it is memory. */
class PlaceKeeper extends WebSocketServer {
  readonly #isFull: () => boolean;

  constructor(options: CoreOptions, isFull: () => boolean) {
    super(options);
    this.#isFull = isFull;
  }

  override handleUpgrade(...call: Parameters<WebSocketServer['handleUpgrade']>): void {
    if (this.#isFull()) refuseUpgrade(call[1], 503, { headers: { 'Retry-After': '1' } });
    else super.handleUpgrade(...call);
  }
}

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
  /** What is written. */
  readonly #parts: BroadcastParts;

  /** @throws {TypeError | RangeError} naming the option that is not what it has to be */
  constructor(options: ServerOptions = {}) {
    super({ emitClose: false, autoDestroy: false, captureRejections: true } as object);
    const { url = 'ws://localhost:3000', timeout = 600_000, maxConnections = 10, ...rest } = options;
    const streamThreshold = (rest.streamThreshold ?? 16_384) || Infinity;
    if (typeof url !== 'string') throw new TypeError(`url is ${typeof url}, expected a string`);
    this.url = new URL(url, 'ws://localhost');
    this.timeout = timeout;
    this.maxConnections = maxConnections;
    const ours = { ...FIXED, path: this.url.pathname, maxConnections };
    // A ping of ours and its answer would be bytes as well: who is silent would never be.
    const given = { maxPayload: 104_857_600, heartbeat: timeout === 0 && {}, ...rest, ...ours };
    const isFull = (): boolean => this.sockets.length >= maxConnections && this.core.clients.size < maxConnections;
    this.core = new PlaceKeeper(given, isFull);
    closeIdle(this.core, timeout);
    const owner: Owner = {
      nextId: 0,
      closeTimeout: rest.closeTimeout === Infinity ? 0 : Number(rest.closeTimeout ?? 30_000),
      listenerCount: (name) => this.listenerCount(name),
      tell: (socket, name, [first, ...others]) => {
        if (name === 'close') this.sockets.splice(this.sockets.indexOf(socket), 1);
        this.emit(name, ...(first === undefined ? [socket] : [first, socket, ...others]));
      },
    };
    this.#parts = new BroadcastParts(this.core, (error) => this.emit('error', error));
    this.core.on('connection', (webSocket) => {
      const socket = new Socket(webSocket, { raw: rest.autoPong === false, streamThreshold }, owner);
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
    onChoice(this, () => this.sockets.forEach((socket) => chooseFor(socket)));
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
    const { opcode = this.#parts.open ?? Opcode.Text, fin = true } = outgoingHead(head, 0);
    const bytes = bytesOf(message);
    if (isControl(opcode)) for (const socket of this.sockets) socket.writeHead({ opcode }).write(bytes);
    else if (opcode !== Opcode.Binary && !isUtf8(bytes)) throw new TypeError('text is not valid UTF-8');
    else if (!fin || this.#parts.open !== undefined) super.write(this.#parts.chunkOf(bytes, opcode, fin));
    else this.core.broadcast(bytes, { binary: opcode === Opcode.Binary });
    return this;
  }

  /** A part of a message to all, binary unless a broadcast has begun it; an empty one ends it. */
  override write(chunk: unknown, callback?: WriteCallback): boolean;
  override write(chunk: unknown, encoding: BufferEncoding, callback?: WriteCallback): boolean;
  override write(...args: unknown[]): boolean {
    if ((args[0] as Buffer | null)?.length === 0) this.#parts.open = undefined;
    return super.write(...(args as [unknown, BufferEncoding, WriteCallback]));
  }

  /** Ends the message that is being written, if there is one, and nothing else. */
  override end(callback?: () => void): this;
  override end(chunk: unknown, callback?: () => void): this;
  override end(chunk: unknown, encoding: BufferEncoding, callback?: () => void): this;
  override end(chunk?: unknown, ...rest: unknown[]): this {
    const callback = [chunk, ...rest].find((arg): arg is () => void => typeof arg === 'function');
    if (chunk !== undefined && chunk !== null && chunk !== callback) this.write(chunk, rest[0] as BufferEncoding);
    this.write(END, () => callback?.());
    return this;
  }

  /** Does nothing: what is wrong with a source is nothing to the others. */
  override destroy(): this {
    return this;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    this.#parts.write(chunk, callback);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.core[Symbol.asyncDispose]();
  }

  static {
    forgivePeers(this);
  }
}

export interface Server {
  on<Of extends keyof ServerEvents>(name: Of, listener: Listener<ServerEvents, Of>): this;
  on<Of extends string | symbol>(name: OtherName<Of, ServerEvents>, listener: Other): this;
  once<Of extends keyof ServerEvents>(name: Of, listener: Listener<ServerEvents, Of>): this;
  once<Of extends string | symbol>(name: OtherName<Of, ServerEvents>, listener: Other): this;
}
