import { finished, Readable, Writable } from 'node:stream';
import { Incoming, PreparedMessage, type BufferLike, type WebSocket } from '@ws/connection';
import type { BroadcastReport } from './broadcast.js';
import { raise } from './uncaught.js';

/** The server, as the sink sees it. */
export interface Broadcasting {
  readonly clients: Iterable<WebSocket>;
  broadcast(data: BufferLike | PreparedMessage): BroadcastReport;
  /** Destroyed with WS_ERR_STALLED when nothing comes for too long while it `isAwaited`. */
  createBroadcast(options: { readonly binary: boolean | undefined }, isAwaited: () => boolean): Writable;
  /** Called when another client has come, while the sink waits for one to have room. */
  joined: (() => void) | undefined;
}

/** Events of `server.messages` and what their listeners get. */
export interface MessageSinkEvents {
  /** A message could not be sent to its end, or a source broke off; `item` is what was written, or the source. */
  failed: [error: Error, item: unknown];
  close: [];
  drain: [];
  error: [error: Error];
  finish: [];
  pipe: [source: Readable];
  unpipe: [source: Readable];
}

type Parts = AsyncIterable<unknown> | Iterable<unknown>;
type Callback = (error?: Error | null) => void;

/** What `end(callback)` writes, so that the callback comes behind what was written before. */
const NOTHING = Symbol('nothing');

/**
 * Each item that is written is one message to all clients, in the order written: a string is text; bytes, a Blob and lists of bytes are binary; a
 * {@link PreparedMessage} is what it says; an {@link Incoming} is forwarded as it comes, and any other stream or iterable of strings or bytes too.
 *
 * It cannot be ended nor destroyed, so that the end of one source means nothing to the others: `end(item)` writes the item. What fails is told by
 * `'failed'(error, item)`, and the sink goes on: an `Incoming` that is cut (WS_ERR_INCOMPLETE_MESSAGE), an item that
 * gives nothing for 10 s while others wait (WS_ERR_STALLED), or a source piped here that breaks off.
 */
export class MessageSink extends Writable {
  readonly #server: Broadcasting;

  /** Made by the server. */
  constructor(server: Broadcasting) {
    super({ objectMode: true, autoDestroy: false });
    this.#server = server;
    this.setMaxListeners(0); // a client each
    this.on('pipe', this.#follow);
  }

  override on<Name extends keyof MessageSinkEvents>(
    name: Name,
    listener: (...args: MessageSinkEvents[Name]) => void,
  ): this;
  override on(...args: Parameters<Writable['on']>): this;
  override on(...args: Parameters<Writable['on']>): this {
    return super.on(...args);
  }

  override once<Name extends keyof MessageSinkEvents>(
    name: Name,
    listener: (...args: MessageSinkEvents[Name]) => void,
  ): this;
  override once(...args: Parameters<Writable['once']>): this;
  override once(...args: Parameters<Writable['once']>): this {
    return super.once(...args);
  }

  /** @throws {TypeError} for what cannot be sent */
  override write(item: unknown, callback?: (error: Error | null | undefined) => void): boolean;
  override write(
    item: unknown,
    encoding: BufferEncoding,
    callback?: (error: Error | null | undefined) => void,
  ): boolean;
  override write(item: unknown, ...rest: unknown[]): boolean {
    return super.write(checked(item), ...(rest as [BufferEncoding]));
  }

  /** Writes what is given, and ends nothing. */
  override end(callback?: () => void): this;
  override end(item: unknown, callback?: () => void): this;
  override end(item: unknown, encoding: BufferEncoding, callback?: () => void): this;
  override end(...args: unknown[]): this {
    const callback = args.find((arg): arg is () => void => typeof arg === 'function');
    const [item] = args;
    const isNone = item === undefined || item === null || item === callback;
    super.write(isNone ? NOTHING : checked(item), () => callback?.());
    return this;
  }

  /** Does nothing. */
  override destroy(): this {
    return this;
  }

  override _write(item: unknown, _encoding: BufferEncoding, callback: Callback): void {
    if (item === NOTHING) return callback();
    const parts = partsOf(item);
    if (parts) this.#forward(parts, item, callback);
    else this.#send(item as BufferLike | PreparedMessage, callback);
  }

  #send(message: BufferLike | PreparedMessage, callback: Callback): void {
    const { sent, queued } = this.#server.broadcast(message);
    if (sent > 0 || queued === 0) callback();
    else whenOneHasRoom(this.#server, callback);
  }

  #forward(parts: Readable, item: unknown, callback: Callback): void {
    const binary = item instanceof Incoming ? item.isBinary : item instanceof Blob ? true : undefined;
    const server = this.#server;
    const broadcast = server.createBroadcast({ binary }, () => this.writableLength > 1);
    const goOn = (): void => {
      if (isOver) return;
      isOver = true;
      server.joined = undefined;
      parts.off('data', goOnIfStuck);
      callback();
    };
    // It has its place among the messages of those who are behind, and the next one is not kept from who is new.
    const goOnIfStuck = (): void => {
      if (broadcast.writableLength > 0) goOn();
    };
    let isOver = false;
    server.joined = () => {
      server.joined = undefined; // whoever else comes
      if (broadcast.writableLength > 0) goOn();
      else parts.on('data', goOnIfStuck);
    };
    broadcast.once('finish', goOn);
    broadcast.once('error', (error) => {
      parts.destroy();
      this.#failed(error, item);
      goOn();
    });
    parts.pipe(broadcast); // which breaks off with them; `pipeline` takes twice as long for a short message
  }

  /** A source that has ended or broken off is let go: it cannot end the sink, and would hang on it for ever. */
  readonly #follow = (source: Readable): void => {
    const stop = finished(source, { writable: false }, (error) => {
      source.unpipe(this);
      if (error) this.#failed(error, source);
    });
    const unpiped = (other: Readable): void => {
      if (other !== source) return;
      this.off('unpipe', unpiped);
      stop();
    };
    this.on('unpipe', unpiped);
  };

  #failed(error: Error, item: unknown): void {
    try {
      this.emit('failed', error, item);
    } catch (thrown) {
      raise(thrown);
    }
  }
}

/** @throws {TypeError} for what cannot be sent */
function checked(item: unknown): unknown {
  if (item === null || item === undefined) throw new TypeError(`a message is ${String(item)}`);
  if (item instanceof PreparedMessage || isParts(item)) return item;
  return typeof item === 'string' || ArrayBuffer.isView(item) ? item : new PreparedMessage(item as BufferLike);
}

/** Lists of bytes are not parts: they are sent whole. */
function isParts(item: unknown): item is Blob | Parts {
  if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) return false;
  if (Array.isArray(item)) return item.some((part) => typeof part === 'string');
  return item instanceof Blob || Symbol.asyncIterator in item || Symbol.iterator in item;
}

function partsOf(item: unknown): Readable | undefined {
  if (item instanceof Incoming) return item;
  if (item instanceof PreparedMessage || !isParts(item)) return undefined;
  return Readable.from(chunks(item instanceof Blob ? item.stream() : item));
}

/** Checked here, so that what is no chunk is a failure of this item alone. */
async function* chunks(parts: Parts): AsyncGenerator<string | Uint8Array> {
  for await (const part of parts) {
    if (typeof part !== 'string' && !(part instanceof Uint8Array))
      throw new TypeError(`a part of a message is ${typeof part}, expected a string or bytes`);
    yield part;
  }
}

/** Everybody is behind: goes on with the first that is not any more, or that is new. */
function whenOneHasRoom(server: Broadcasting, proceed: () => void): void {
  const waiting = new Set(Array.from(server.clients).filter((socket) => socket.readyState === socket.OPEN));
  if (waiting.size === 0) return proceed();
  const stop = (): void => {
    server.joined = undefined;
    for (const socket of waiting) socket.off('drain', stop).off('close', gone);
    waiting.clear();
    proceed();
  };
  function gone(this: WebSocket): void {
    this.off('drain', stop);
    waiting.delete(this);
    if (waiting.size === 0) stop();
  }
  for (const socket of waiting) socket.once('drain', stop).once('close', gone);
  server.joined = stop;
}
