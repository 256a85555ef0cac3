import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { Opcode, type FrameHead } from '@ws/frame';
import { FrameDuplex, type FrameDuplexOptions, type FrameMessage } from '@ws/frame/stream';
import { ClosedError, Incoming, WebSocket, WebSocketServer } from '@ws/server';
import { Forwarding } from '../forward.js';
import { WholeDuplex } from '../whole-read.js';
import type { SocketEvents } from './events.js';
import { receivedHead } from './head.js';
import type { Socket } from './socket.js';

/** `mask`: what is sent is masked, and what comes is not, as at a client's end. The others are those of `FrameDuplex`. */
export interface SocketOptions extends FrameDuplexOptions {
  /** Bytes up to which a message in one frame is no stream. @default 16_384 */
  readonly streamThreshold?: number | undefined;
}

/** The Server of a socket, as one that is told too. */
export interface Owner {
  nextId: number;
  listenerCount(name: string): number;
  tell(socket: Socket, name: keyof SocketEvents, told: readonly unknown[]): void;
}

/** A message that is coming in. */
interface Arrival {
  /** Of its first frame. */
  readonly head: Pick<FrameHead, 'opcode' | 'fin' | 'payloadLength'>;
  readonly payload: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** All of it, up to what the core allows. */
  buffer(): Promise<Buffer>;
}

type Name = keyof SocketEvents;

/**
 * What comes in on a Socket, and who is told of it: its listeners, and those of its Server.
 *
 * Messages come one after the other. Each is told of whole, where somebody listens for that; else it goes to the Server that the Socket is piped to, or to
 * who reads. A long one is a stream where somebody listens for those: it goes to the Server or the reader in any case.
 */
export abstract class Receiving extends WholeDuplex {
  /** What it stands on, for what is not here. It tells of pings, pongs, errors and its end in the same words whichever it is. */
  readonly core: FrameDuplex | WebSocket;
  readonly #owner: Owner;
  readonly #streamThreshold: number;
  /** What it stands on has ended: as 'close' has it. */
  readonly #ended: Promise<SocketEvents['close']>;
  #lastError: Error | undefined;
  /** That it is piped to. */
  #target: WebSocketServer | undefined;
  /** What waits for the reader goes on: there is room, all is read, or nothing will be read any more. */
  #proceed = (): void => {};

  /** @throws {TypeError | RangeError} as the Socket */
  constructor(source: Duplex | WebSocket, options: SocketOptions, owner: Owner) {
    const { highWaterMark = 65_536, streamThreshold = 16_384, raw } = options;
    super({ emitClose: false, captureRejections: true, readableHighWaterMark: highWaterMark } as object);
    this.#owner = owner;
    this.#streamThreshold = streamThreshold;
    this.core = source instanceof WebSocket ? source : new FrameDuplex(source, options);
    this.on('error', () => {}); // so that none is thrown for want of a listener
    const core: NodeJS.EventEmitter = this.core;
    core.on('head', this.#head).on('frame', this.#head); // of a byte stream, of a connection
    core.on('ping', (data: Buffer) => {
      this.#tell('ping', data);
      if (!raw) this.#tell('pong', String(data), { direction: 'sent', data });
    });
    core.on('pong', (data: Buffer) => this.#tell('pong', String(data), { direction: 'received', data }));
    core.on('drain', () => this.emit('drain'));
    core.on('error', (error: Error) => this.#failed(error));
    this.#ended = new Promise((resolve) => {
      core.on('close', (code: number, reason: Buffer | string) => resolve([code, String(reason)]));
    });
    void this.#receive();
  }

  /** To a Server, one at a time, each message goes as a message of its own, and the end of this socket is nothing to it. */
  override pipe<To extends NodeJS.WritableStream>(destination: To, options?: { end?: boolean }): To {
    const server = coreOf(destination);
    if (server === undefined) return super.pipe(destination, options);
    this.#target = server;
    return destination;
  }

  override unpipe(destination?: NodeJS.WritableStream): this {
    if (destination === undefined || coreOf(destination) === this.#target) this.#target = undefined;
    return super.unpipe(destination);
  }

  override read(size?: number): Buffer | null {
    const chunk = super.read(size) as Buffer | null;
    if (this.readableLength === 0) this.#proceed();
    return chunk;
  }

  /** Without a 'readable' for the end, at which there is nothing to read. */
  override emit(...args: Parameters<Duplex['emit']>): boolean {
    if (args[0] !== 'readable' || this.readableLength > 0) return super.emit(...args);
    this.read(0);
    return false;
  }

  override _read(): void {
    this.#proceed();
  }

  override _destroy(cause: Error | null, callback: (error: Error | null) => void): void {
    this.unpipe(); // who does not read would keep all this alive
    this.#proceed();
    if (this.core instanceof FrameDuplex) this.core.destroy();
    else if (this.core.readyState === this.core.OPEN) this.core.terminate(); // the closing handshake, where there is one, goes on
    callback(cause);
    void this.#ended.then((close) => process.nextTick(() => this.#tell('close', ...close))); // an 'error' comes before
  }

  #isHeard(name: Name): boolean {
    return this.listenerCount(name) + this.#owner.listenerCount(name) > 0;
  }

  #tell<Of extends Name>(name: Of, ...told: SocketEvents[Of]): void {
    guarded(() => this.emit(name, ...told));
    guarded(() => this.#owner.tell(this as unknown as Socket, name, told));
  }

  /** A connection is told, before each message, whether somebody wants streams. */
  readonly #head = (head: FrameHead): void => {
    if (this.core instanceof WebSocket) this.core.incoming = this.#isHeard('stream:start') ? 'auto' : 'buffer';
    if (this.#isHeard('head')) this.#tell('head', receivedHead(head));
  };

  /** Once for each error, which may come as that of a message and of the core. */
  #failed(error: Error): void {
    if (this.#lastError !== undefined && [error, error.cause].includes(this.#lastError)) return;
    this.#lastError = error;
    if (this.core instanceof FrameDuplex) this.destroy(error);
    else this.#tell('error', error);
  }

  async #receive(): Promise<void> {
    let isWhole = true;
    try {
      for await (const message of messagesOf(this.core)) {
        if (this.destroyed) break;
        await this.#take(message);
      }
    } catch (error) {
      isWhole = error instanceof ClosedError; // any end of a connection, which 'close' tells
      if (!isWhole) await turn(); // 'error' comes before
    }
    if (!isWhole || this.#lastError !== undefined || this.destroyed) return void this.destroy();
    guarded(() => this.push(null));
    if (this.readableLength === 0) guarded(() => this.read(0)); // 'end', though nobody may read
    await this.#ended;
    super.end();
  }

  /** Until the next one may come. */
  async #take(message: Arrival): Promise<void> {
    const { fin, payloadLength, opcode } = message.head;
    const isStream = (!fin || payloadLength > this.#streamThreshold) && this.#isHeard('stream:start');
    try {
      if (isStream) {
        this.#tell('stream:start');
        await turn(); // for who reads after an `await`
        await this.#pass(message);
        while (this.readableLength > 0 && !this.destroyed) await this.#pause();
      } else if (this.#isHeard('message')) {
        const bytes = await message.buffer();
        this.#tell('message', opcode === Opcode.Text ? String(bytes) : bytes);
      } else await this.#pass(message);
    } catch (error) {
      this.#failed(error as Error);
    }
    if (!isStream) return;
    this.#tell('stream:end');
    this.#tell('stream:stop');
  }

  /** On a byte stream a message waits for its reader; on a connection one that nobody reads is dropped. */
  async #pass({ head, payload }: Arrival): Promise<void> {
    const isRead = this.core instanceof FrameDuplex || this.listenerCount('readable') + this.listenerCount('data') > 0;
    if (this.#target) await Forwarding.of(this.#target).send(payload, head.opcode === Opcode.Text, this.core);
    else
      for await (const chunk of payload) if (isRead && guarded(() => this.push(chunk)) === false) await this.#pause();
    await new Promise((resolve) => process.nextTick(resolve)); // 'readable' comes before
    this.#tell('done');
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => (this.destroyed ? resolve() : (this.#proceed = resolve)));
  }
}

/** Of a Server. */
const coreOf = (target: object): WebSocketServer | undefined =>
  'core' in target && target.core instanceof WebSocketServer ? target.core : undefined;

const messagesOf = (core: FrameDuplex | WebSocket): AsyncIterable<FrameMessage | Arrival> =>
  core instanceof FrameDuplex ? core.messages() : arrivalsOf(core);

async function* arrivalsOf(webSocket: WebSocket): AsyncGenerator<Arrival> {
  for await (const message of webSocket) {
    if (message instanceof Incoming) yield { head: message.header, payload: message, buffer: () => message.buffer() };
    else {
      const bytes = Buffer.from(message as string);
      const opcode = typeof message === 'string' ? Opcode.Text : Opcode.Binary;
      const head = { opcode, fin: true, payloadLength: bytes.length };
      yield { head, payload: [bytes], buffer: () => Promise.resolve(bytes) };
    }
  }
}

/** What a listener throws is its own, and comes up by itself. */
function guarded<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return undefined;
  }
}
