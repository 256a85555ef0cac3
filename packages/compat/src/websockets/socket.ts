import type { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import { encodeClosePayload, Opcode } from '@ws/frame';
import type { FrameDuplex, FrameDuplexOptions } from '@ws/frame/stream';
import { WebSocketServer, type WebSocket } from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import { WholeDuplex } from '../whole-read.js';
import type { Carrier, WriteCallback } from './carrier.js';
import type { Listener, Other, OtherName, SocketEvents } from './events.js';
import { outgoingHead, type WrittenHead } from './head.js';
import { Receiving } from './receiving.js';

/** `mask`: what is sent is masked, and what comes is not, as at a client's end. The others are those of `FrameDuplex`. */
export interface SocketOptions extends FrameDuplexOptions {
  /** Bytes up to which a message in one frame is no stream. @default 16_384 */
  readonly streamThreshold?: number | undefined;
}

/** What a socket has of its Server. */
export interface Owner {
  nextId: number;
  /** ms that its readers have behind the end of the connection; 0: for ever. */
  readonly closeTimeout: number;
  listenerCount(name: string): number;
  tell(socket: Socket, name: keyof SocketEvents, told: readonly unknown[]): void;
}

/** Asks the connection of a Socket for what is listened for by now. */
export let chooseFor: (socket: Socket) => void;

type Name = keyof SocketEvents;
type Chunk = Uint8Array | string | boolean | null | undefined;

const NOTHING = Buffer.alloc(0);
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
  readonly #carrier: Carrier;
  readonly #receiving: Receiving;
  readonly #allowedRsv: number;
  /** As 'close' has it; what it stands on has ended then. */
  #close: SocketEvents['close'] | undefined;
  #isOver = false;

  /**
   * @param source a byte stream on which the handshake is done, or a WebSocket of the core
   * @param owner given by a Server
   * @throws {TypeError | RangeError} for a source that is neither or has a Socket already, and for a bad option
   */
  constructor(source: Duplex | WebSocket, options: SocketOptions = {}, owner?: Owner) {
    const { highWaterMark = 65_536, allowedRsv = 0 } = options;
    super({ emitClose: false, captureRejections: true, readableHighWaterMark: highWaterMark } as object);
    this.#receiving = new Receiving(this, source, options, owner);
    this.#carrier = this.#receiving.carrier;
    this.core = this.#carrier.core;
    this.id = owner ? owner.nextId++ : count++;
    this.#allowedRsv = allowedRsv;
    this.on('error', () => {}); // so that none is thrown for want of a listener
    onChoice(this, () => chooseFor(this));
    chooseFor(this);
    const isOver = this.#receiving.all();
    const core: EventEmitter = this.core;
    core.on('close', (code: number, reason: Buffer | string) => {
      this.#close = [code, String(reason)];
      const late = owner?.closeTimeout ? setTimeout(() => this.#over(false), owner.closeTimeout).unref() : undefined;
      void isOver.then((isWhole) => {
        clearTimeout(late);
        this.#over(isWhole);
      });
    });
  }

  /** Says what the next message is like, or with a control opcode the next control frame; it holds until that has ended. */
  writeHead(head: WrittenHead): this {
    this.#carrier.writeHead(outgoingHead(head, this.#allowedRsv));
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
    if (!isNothing(chunk)) return this.#carrier.write(bytesOf(chunk, encoding), callback);
    if (callback) process.nextTick(callback);
    return true;
  }

  /** Sends the frame that ends the message, or is all of it; an empty one without a chunk. As {@link write}. */
  writeEnd(chunk?: Uint8Array | string | null, encoding?: BufferEncoding): boolean {
    return this.#carrier.writeEnd(bytesOf(chunk ?? NOTHING, encoding));
  }

  override end(callback?: () => void): this;
  override end(chunk: Chunk, callback?: () => void): this;
  override end(chunk: Chunk, encoding?: BufferEncoding, callback?: () => void): this;
  override end(chunk?: unknown, ...rest: unknown[]): this {
    const callback = [chunk, ...rest].find((arg): arg is () => void => typeof arg === 'function');
    if (chunk !== callback && !isNothing(chunk)) this.writeEnd(chunk as string, rest[0] as BufferEncoding);
    return super.end(callback);
  }

  /** Sends a message: a string as text, bytes as binary. Too late, it does nothing. @throws {TypeError} for anything else */
  send(message: string | Uint8Array): this {
    this.#carrier.send(bytesOf(message), typeof message !== 'string');
    return this;
  }

  /** @throws {RangeError} over 125 bytes */
  ping(message: string | Uint8Array = NOTHING): this {
    this.#carrier.writeHead({ opcode: Opcode.Ping }).write(bytesOf(message));
    return this;
  }

  /** Begins the closing handshake; a reason alone goes with 1000. @throws {TypeError | RangeError} for a code or reason that cannot be sent */
  close(code?: number | string, reason?: string): this {
    const payload = typeof code === 'string' ? encodeClosePayload(1000, code) : encodeClosePayload(code, reason);
    this.#carrier.writeHead({ opcode: Opcode.Close }).write(payload);
    return this;
  }

  /** To a Server, one at a time, each message goes as a message of its own, and the end of this socket is nothing to it. */
  override pipe<To extends NodeJS.WritableStream>(destination: To, options?: { end?: boolean }): To {
    const server = coreOf(destination);
    if (server === undefined) return super.pipe(destination, options);
    this.#receiving.target = server;
    return destination;
  }

  override unpipe(destination?: NodeJS.WritableStream): this {
    if (destination === undefined || coreOf(destination) === this.#receiving.target) this.#receiving.target = undefined;
    return super.unpipe(destination);
  }

  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null;
    if (this.readableLength === 0) this.#receiving.proceed();
    return chunk;
  }

  /** Without a 'readable' for the end, at which there is nothing to read. */
  override emit(...args: Parameters<Duplex['emit']>): boolean {
    if (args[0] !== 'readable' || this.readableLength > 0) return super.emit(...args);
    this.read(0);
    return false;
  }

  override _read(): void {
    this.#receiving.proceed();
  }

  override _final(callback: () => void): void {
    if (this.#close) callback();
    else this.#carrier.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.unpipe(); // who does not read would keep all this alive
    this.#receiving.proceed();
    this.#carrier.destroy();
    callback(error);
    process.nextTick(() => super.emit('close', ...(this.#close ?? [1006, ''])));
  }

  /** Who is late is over, whoever its messages wait for. */
  #over(isWhole: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiving.tellOwner('close', this.#close ?? []);
    if (isWhole) super.end();
    else this.destroy();
  }

  static {
    forgivePeers(this);
    chooseFor = (socket) => socket.#receiving.choose();
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

/** @throws {TypeError} for what cannot be sent */
export function bytesOf(chunk: unknown, encoding?: BufferEncoding): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`${typeof chunk} cannot be sent, expected a string or bytes`);
}
