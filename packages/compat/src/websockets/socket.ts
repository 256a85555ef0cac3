import type { Duplex } from 'node:stream';
import { encodeClosePayload, Opcode } from '@ws/frame';
import { FrameDuplex } from '@ws/frame/stream';
import type { WebSocket } from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import type { Listener, Other, OtherName, SocketEvents } from './events.js';
import { outgoingHead, type WrittenHead } from './head.js';
import { MessageFrames, type WriteCallback } from './message-frames.js';
import { Receiving, type Owner, type SocketOptions } from './receiving.js';

type Name = keyof SocketEvents;
type Chunk = Uint8Array | string | boolean | null | undefined;

const NOTHING = Buffer.alloc(0);
/** Of sockets over byte streams. */
const NOBODY: Owner = { nextId: 0, listenerCount: () => 0, tell: () => {} };

/**
 * Frames of a byte stream, read and written as a Duplex, and the messages in them; or messages of a connection of the core, in the same words.
 * What a peer does is an `'error'` where somebody listens, and never thrown.
 */
// oxlint-disable-next-line typescript/no-unsafe-declaration-merging -- its listeners have types, and that is all
export class Socket extends Receiving {
  readonly id: number;
  readonly #frames: FrameDuplex | MessageFrames;
  readonly #allowedRsv: number;

  /**
   * @param source a byte stream on which the handshake is done, or a WebSocket of the core
   * @param owner given by a Server
   * @throws {TypeError | RangeError} for a source that is neither or has a Socket already, and for a bad option
   */
  constructor(source: Duplex | WebSocket, options: SocketOptions = {}, owner = NOBODY) {
    super(source, options, owner);
    this.id = owner.nextId++;
    this.#frames = this.core instanceof FrameDuplex ? this.core : new MessageFrames(this.core);
    this.#allowedRsv = options.allowedRsv ?? 0;
  }

  /** Says what the next message is like, or with a control opcode the next control frame; it holds until that has ended. */
  writeHead(head: WrittenHead): this {
    this.#frames.writeHead(outgoingHead(head, this.#allowedRsv));
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
    const callback = [chunk, ...rest].find((arg): arg is () => void => typeof arg === 'function');
    if (chunk !== callback && !isNothing(chunk)) this.writeEnd(chunk as string, rest[0] as BufferEncoding);
    return super.end(callback);
  }

  /** Sends a message: a string as text, bytes as binary. Too late, it does nothing. @throws {TypeError} for anything else */
  send(message: string | Uint8Array): this {
    const opcode = typeof message === 'string' ? Opcode.Text : Opcode.Binary;
    if (this.core instanceof FrameDuplex) this.core.writeHead({ opcode }).writeEnd(bytesOf(message));
    else this.core.send(bytesOf(message), { binary: opcode === Opcode.Binary });
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

  override _final(callback: () => void): void {
    this.#frames.end(() => callback());
  }
}

forgivePeers(Socket);

export interface Socket {
  on<Of extends Name>(name: Of, listener: Listener<SocketEvents, Of>): this;
  on<Of extends string | symbol>(name: OtherName<Of, SocketEvents>, listener: Other): this;
  once<Of extends Name>(name: Of, listener: Listener<SocketEvents, Of>): this;
  once<Of extends string | symbol>(name: OtherName<Of, SocketEvents>, listener: Other): this;
}

const isNothing = (chunk: unknown): chunk is boolean | null | undefined =>
  chunk === null || chunk === undefined || typeof chunk === 'boolean';

/** @throws {TypeError} for what cannot be sent */
export function bytesOf(chunk: unknown, encoding?: BufferEncoding): Uint8Array {
  if (typeof chunk === 'string') return Buffer.from(chunk, encoding);
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  throw new TypeError(`${typeof chunk} cannot be sent, expected a string or bytes`);
}
