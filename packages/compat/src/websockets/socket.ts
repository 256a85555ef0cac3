import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeClosePayload, Opcode, ProtocolError, type FrameHead } from '@ws/frame';
import { FrameDuplex, type FrameDuplexOptions } from '@ws/frame/stream';
import { WebSocket, WebSocketServer } from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import { ofConnection, ofFrames, type Arrival } from './arrivals.js';
import { ConnectionFrames, type Frames, type WriteCallback } from './connection-frames.js';
import { Forwarding } from '../forward.js';
import { WholeDuplex } from '../whole-read.js';
import type { Listener, Other, OtherName, SocketEvents } from './events.js';
import { outgoingHead, receivedHead, type WrittenHead } from './head.js';

/** `mask`: what is sent is masked, and what comes is not, as at a client's end. The others are those of `FrameDuplex`. */
export interface SocketOptions extends FrameDuplexOptions {
  /** Bytes up to which a message in one frame is no stream. @default 16_384 */
  readonly streamThreshold?: number | undefined;
}

/** The Server that a socket is of. */
export interface Owner {
  nextId: number;
  listenerCount(name: string): number;
  tell(socket: Socket, name: keyof SocketEvents, told: readonly unknown[]): void;
}

type Name = keyof SocketEvents;
type Chunk = Uint8Array | string | boolean | null | undefined;

const NOTHING = Buffer.alloc(0);
/** What a piece of a message that is collected costs beside its bytes. */
const PIECE = 128;
let count = 0;

/**
 * Frames of a byte stream, read and written as a Duplex, and the messages in them; or messages of a connection of the core, in the same words.
 * What a peer does is an `'error'` where somebody listens, and never thrown.
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- its listeners have types, and that is all
export class Socket extends WholeDuplex {
  readonly id: number;
  /** What it stands on, for what is not here. */
  readonly core: FrameDuplex | WebSocket;
  readonly #frames: Frames;
  readonly #owner: Owner | undefined;
  readonly #options: SocketOptions;
  /** Of a Server that it is piped to. */
  #server: WebSocketServer | undefined;
  /** Waits for room, and for all to be read. */
  #proceed: (() => void) | undefined;
  #emptied: (() => void) | undefined;
  #lastError: unknown;
  #close = { code: 1006, reason: '' };

  /**
   * @param source a byte stream on which the handshake is done, or a WebSocket of the core
   * @param owner given by a Server
   * @throws {TypeError | RangeError} for a source that is neither or has a Socket already, and for a bad option
   */
  constructor(source: Duplex | WebSocket, options: SocketOptions = {}, owner?: Owner) {
    const own = { emitClose: false, captureRejections: true, readableHighWaterMark: options.highWaterMark ?? 65_536 };
    super(own);
    const { streamThreshold = 16_384, ...rest } = options;
    const core = (this.core = source instanceof WebSocket ? source : new FrameDuplex(source, rest));
    this.id = owner ? owner.nextId++ : count++;
    this.#owner = owner;
    this.#options = options;
    this.#frames = core instanceof WebSocket ? new ConnectionFrames(core) : core;
    const isOver = this.#read(core instanceof WebSocket ? ofConnection(core) : ofFrames(core, streamThreshold));
    this.#listen(core, isOver);
    onChoice(this, () => this.choose());
    this.choose();
  }

  /** Says what the next message is like, or with a control opcode the next control frame; it holds until that has ended. */
  writeHead(head: WrittenHead): this {
    this.#frames.writeHead(outgoingHead(head, this.#options.allowedRsv ?? 0));
    return this;
  }

  /**
   * Sends a frame that does not end the message, unless the head has `fin`. Nothing happens for what is no chunk: null, undefined, true, false.
   * @returns false if the writer should wait for 'drain'
   * @throws {RangeError} more than the `length` of the head, nothing of it is sent; {TypeError} for what cannot be sent
   */
  override write(chunk: Chunk, callback?: WriteCallback): boolean;
  override write(chunk: Chunk, encoding?: BufferEncoding, callback?: WriteCallback): boolean;
  override write(chunk: Chunk, encoding?: BufferEncoding | WriteCallback, callback?: WriteCallback): boolean {
    if (typeof encoding === 'function') return this.write(chunk, undefined, encoding);
    if (!isNothing(chunk)) return this.#frames.write(bytesOf(chunk, encoding), callback);
    if (callback) process.nextTick(callback);
    return true;
  }

  /** Sends the frame that ends the message, or is all of it; an empty one without a chunk. As {@link write}. */
  writeEnd(chunk?: Uint8Array | string | null, encoding?: BufferEncoding): boolean {
    return this.#frames.writeEnd(bytesOf(chunk ?? NOTHING, encoding));
  }

  override end(callback?: () => void): this;
  override end(chunk: Chunk, callback?: () => void): this;
  override end(chunk: Chunk, encoding?: BufferEncoding, callback?: () => void): this;
  override end(chunk?: unknown, ...rest: unknown[]): this {
    if (typeof chunk === 'function') return super.end(chunk as () => void);
    if (!isNothing(chunk)) this.writeEnd(chunk as string, rest[0] as BufferEncoding);
    return super.end(rest.find((arg): arg is () => void => typeof arg === 'function'));
  }

  /** Sends a message: a string as text, bytes as binary. Too late, it does nothing. @throws {TypeError} for anything else */
  send(message: string | Uint8Array): this {
    const bytes = bytesOf(message);
    const binary = typeof message !== 'string';
    if (this.core instanceof WebSocket) this.core.send(bytes, { binary }, () => {});
    else this.core.writeHead({ opcode: binary ? Opcode.Binary : Opcode.Text }).writeEnd(bytes);
    return this;
  }

  /** @throws {RangeError} over 125 bytes */
  ping(message: string | Uint8Array = NOTHING): this {
    this.#frames.writeHead({ opcode: Opcode.Ping }).write(bytesOf(message));
    return this;
  }

  /** Begins the closing handshake; a reason alone goes with 1000. @throws {TypeError | RangeError} for a code or reason that cannot be sent */
  close(code?: number | string, reason?: string): this {
    const payload = typeof code === 'string' ? encodeClosePayload(1000, code) : encodeClosePayload(code, reason);
    this.#frames.writeHead({ opcode: Opcode.Close }).write(payload);
    return this;
  }

  /** To a Server, one at a time, each message goes as a message of its own, and the end of this socket is nothing to it. */
  override pipe<To extends NodeJS.WritableStream>(destination: To, options?: { end?: boolean }): To {
    const core = coreOf(destination);
    if (core === undefined) return super.pipe(destination, options);
    this.#server = core;
    return destination;
  }

  override unpipe(destination?: NodeJS.WritableStream): this {
    if (destination === undefined || coreOf(destination) === this.#server) this.#server = undefined;
    return super.unpipe(destination);
  }

  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null;
    if (this.readableLength === 0) this.#emptied?.();
    return chunk;
  }

  /** Without a 'readable' for the end, at which there is nothing to read. */
  override emit(...args: Parameters<Duplex['emit']>): boolean {
    if (args[0] !== 'readable' || this.readableLength > 0) return super.emit(...args);
    this.read(0);
    return false;
  }

  override _read(): void {
    this.#proceed?.();
  }

  override _final(callback: () => void): void {
    if (this.core instanceof FrameDuplex && this.core.destroyed) callback();
    else this.#frames.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#proceed?.();
    this.#emptied?.();
    this.#frames.destroy();
    callback(error);
    process.nextTick(() => super.emit('close', this.#close.code, this.#close.reason));
  }

  /** Somebody listens for what a connection has to be asked for, or has ceased to. */
  choose(): void {
    if (this.core instanceof FrameDuplex) return;
    this.core.incoming = this.#isHeard('stream:start') ? 'auto' : 'buffer';
    this.core.off('frame', this.#head);
    if (this.#isHeard('head')) this.core.on('frame', this.#head);
  }

  /** Streams do not always say that a listener has gone. */
  readonly #head = (head: FrameHead): void =>
    this.#isHeard('head') ? this.#tell('head', receivedHead(head)) : this.choose();

  #isHeard(name: Name): boolean {
    return this.listenerCount(name) > 0 || (this.#owner !== undefined && this.#owner.listenerCount(name) > 0);
  }

  #tell<Of extends Name>(name: Of, ...told: SocketEvents[Of]): void {
    guarded(() => super.emit(name, ...told));
    guarded(() => this.#owner?.tell(this, name, told));
  }

  /** @param isOver whether all messages came to their end, when none comes any more */
  #listen(core: EventEmitter, isOver: Promise<boolean>): void {
    this.on('error', () => {}); // so that none is thrown for want of a listener
    core.on('head', this.#head); // of a byte stream
    core.on('ping', (data: Buffer) => {
      this.#tell('ping', data);
      if (!this.#options.raw) this.#tell('pong', String(data), { direction: 'sent', data });
    });
    core.on('pong', (data: Buffer) => this.#tell('pong', String(data), { direction: 'received', data }));
    core.on('drain', () => super.emit('drain'));
    core.on('error', (error: Error) => this.#failed(error));
    core.on('close', (code: number, reason: Buffer | string) => {
      this.#close = { code, reason: String(reason) };
      void isOver.then((isWhole) => {
        guarded(() => this.#owner?.tell(this, 'close', [code, String(reason)]));
        if (isWhole) super.end();
        else this.destroy();
      });
    });
  }

  /** @returns whether they came to their end */
  async #read(arrivals: AsyncIterable<Arrival>): Promise<boolean> {
    try {
      for await (const arrival of arrivals) await this.#take(arrival);
    } catch {
      if (this.core instanceof FrameDuplex) return false; // 'error' and 'close' tell of it
    }
    if (this.#lastError !== undefined) return false;
    this.push(null);
    if (this.readableLength === 0) this.read(0); // 'end', though nobody may read
    return true;
  }

  /** One message, until the next one may come. */
  async #take(arrival: Arrival): Promise<void> {
    const isStream = arrival.isLong && this.#isHeard('stream:start');
    if (isStream) this.#tell('stream:start');
    if (isStream) await turn(); // for who reads after an `await`
    try {
      if (!isStream && this.#isHeard('message')) await this.#collect(arrival);
      else await this.#pass(arrival);
      if (isStream && this.readableLength > 0) await new Promise<void>((resolve) => (this.#emptied = resolve));
    } catch (error) {
      this.#failed(error as Error);
    }
    if (!isStream) return;
    this.#tell('stream:end');
    this.#tell('stream:stop');
  }

  async #collect({ isText, payload }: Arrival): Promise<void> {
    const parts: Uint8Array[] = [];
    let left = this.#options.maxFramePayload ?? 104_857_600;
    for await (const part of payload) {
      parts.push(part);
      if (left === false || this.core instanceof WebSocket || (left -= part.length + PIECE) > 0) continue;
      this.close(1009);
      throw new ProtocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH');
    }
    const message = Buffer.concat(parts);
    this.#tell('message', isText ? String(message) : message);
  }

  /** To the server that it is piped to, or else to who reads. A byte stream waits for its reader. */
  async #pass({ isText, payload }: Arrival): Promise<void> {
    const isRead = this.core instanceof FrameDuplex || this.listenerCount('readable') + this.listenerCount('data') > 0;
    if (this.#server) await Forwarding.of(this.#server).send(payload, isText, this.core);
    else
      for await (const chunk of payload)
        if (isRead && !this.#give(chunk)) await new Promise<void>((resolve) => (this.#proceed = resolve));
    await new Promise((resolve) => process.nextTick(resolve)); // 'readable' comes before
    this.#tell('done');
  }

  #give(chunk: Uint8Array): boolean {
    let hasRoom = true;
    guarded(() => (hasRoom = this.push(chunk)));
    return hasRoom || this.destroyed;
  }

  /** Once for each error, which may come as that of a message and of its connection. */
  #failed(error: Error): void {
    if (this.#lastError !== undefined && [error, error.cause].includes(this.#lastError)) return;
    this.#lastError = error;
    if (this.core instanceof WebSocket) this.#tell('error', error);
    else this.destroy(error);
  }

  static {
    forgivePeers(this);
  }
}

export interface Socket {
  on<Of extends Name>(name: Of, listener: Listener<SocketEvents, Of>): this;
  on<Of extends string | symbol>(name: OtherName<Of, SocketEvents>, listener: Other): this;
  once<Of extends Name>(name: Of, listener: Listener<SocketEvents, Of>): this;
  once<Of extends string | symbol>(name: OtherName<Of, SocketEvents>, listener: Other): this;
}

/** Calls back when listeners for what a connection has to be asked for have come or gone. */
export function onChoice(emitter: EventEmitter, choose: () => void): void {
  const changed = (name: string | symbol): void => {
    if (name === 'stream:start' || name === 'head') process.nextTick(choose);
  };
  emitter.on('newListener', changed).on('removeListener', changed);
}

/** Of a Server. */
const coreOf = (target: object): WebSocketServer | undefined =>
  'core' in target && target.core instanceof WebSocketServer ? target.core : undefined;

const isNothing = (chunk: unknown): chunk is boolean | null | undefined =>
  chunk === null || chunk === undefined || typeof chunk === 'boolean';

/** What a listener throws is its own, and comes up by itself. */
function guarded(act: () => unknown): void {
  try {
    act();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}

/** @throws {TypeError} for what cannot be sent */
export function bytesOf(chunk: unknown, encoding?: BufferEncoding): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`${typeof chunk} cannot be sent, expected a string or bytes`);
}
