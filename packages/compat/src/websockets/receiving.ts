import type { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { Opcode, type FrameHead } from '@ws/frame';
import { WebSocket, type WebSocketServer } from '@ws/server';
import { Forwarding } from '../forward.js';
import type { Arrival, Carrier } from './carrier.js';
import { ConnectionCarrier } from './connection-carrier.js';
import type { SocketEvents } from './events.js';
import { receivedHead } from './head.js';
import type { Owner, Socket, SocketOptions } from './socket.js';
import { StreamCarrier } from './stream-carrier.js';

type Name = keyof SocketEvents;

/**
 * What comes in on a Socket, and who is told of it: its listeners, and those of its Server.
 *
 * Messages come one after the other. Each is told of whole, where somebody listens for that; else it goes to the Server that the Socket is piped to, or to
 * who reads. A long one is a stream where somebody listens for those: it goes to the Server or the reader in any case.
 */
export class Receiving {
  readonly socket: Socket;
  readonly carrier: Carrier;
  /** That the Socket is piped to. */
  target: WebSocketServer | undefined;
  readonly #owner: Owner | undefined;
  readonly #streamThreshold: number;
  #lastError: Error | undefined;
  /** What waits for the reader goes on: there is room, all is read, or nothing will be read any more. */
  proceed = (): void => {};

  /** @throws {TypeError | RangeError} as the Socket */
  constructor(socket: Socket, source: Duplex | WebSocket, options: SocketOptions, owner: Owner | undefined) {
    this.socket = socket;
    this.#owner = owner;
    this.#streamThreshold = options.streamThreshold ?? 16_384;
    this.carrier = source instanceof WebSocket ? new ConnectionCarrier(source) : new StreamCarrier(source, options);
    const core: NodeJS.EventEmitter = this.carrier.core;
    core.on('head', this.#head); // of a byte stream
    core.on('ping', (data: Buffer) => {
      this.tell('ping', data);
      if (!options.raw) this.tell('pong', String(data), { direction: 'sent', data });
    });
    core.on('drain', () => socket.emit('drain'));
    core.on('error', (error: Error) => this.failed(error));
    core.on('pong', (data: Buffer) => this.tell('pong', String(data), { direction: 'received', data }));
  }

  isHeard(name: Name): boolean {
    return this.socket.listenerCount(name) > 0 || (this.#owner !== undefined && this.#owner.listenerCount(name) > 0);
  }

  tell<Of extends Name>(name: Of, ...told: SocketEvents[Of]): void {
    guarded(() => this.socket.emit(name, ...told));
    this.tellOwner(name, told);
  }

  tellOwner(name: Name, told: readonly unknown[]): void {
    guarded(() => this.#owner?.tell(this.socket, name, told));
  }

  /** Asks a connection, which does not tell of all by itself, for what is heard. Streams do not always say that a listener has gone: so again, when something comes that nobody hears. */
  choose(): void {
    const core: NodeJS.EventEmitter = this.carrier.core;
    this.carrier.streams = this.isHeard('stream:start');
    core.off('frame', this.#head);
    if (this.isHeard('head')) core.on('frame', this.#head);
  }

  readonly #head = (head: FrameHead): void =>
    this.isHeard('head') ? this.tell('head', receivedHead(head)) : this.choose();

  /** Once for each error, which may come as that of a message and of the core. */
  failed(error: Error): void {
    if (this.#lastError !== undefined && [error, error.cause].includes(this.#lastError)) return;
    this.#lastError = error;
    if (this.carrier.endsByErrors) this.socket.destroy(error);
    else this.tell('error', error);
  }

  /** @returns whether all messages came to their end, when none comes any more */
  async all(): Promise<boolean> {
    try {
      for await (const message of this.carrier.messages()) {
        if (this.socket.destroyed) break;
        await this.#take(message);
      }
    } catch {
      if (this.carrier.endsByErrors) return false; // 'error' and 'close' tell of it
    }
    if (this.#lastError !== undefined) return false;
    this.socket.push(null);
    if (this.socket.readableLength === 0) this.socket.read(0); // 'end', though nobody may read
    return true;
  }

  /** Until the next one may come. */
  async #take(message: Arrival): Promise<void> {
    const { fin, payloadLength } = message.head;
    const isLong = !fin || payloadLength > this.#streamThreshold;
    const isStream = isLong && this.isHeard('stream:start');
    if (isLong && !isStream) this.choose();
    try {
      if (isStream) await this.#stream(message);
      else if (this.isHeard('message')) this.tell('message', await contentOf(message));
      else await this.#pass(message);
    } catch (error) {
      this.failed(error as Error);
    }
    if (!isStream) return;
    this.tell('stream:end');
    this.tell('stream:stop');
  }

  async #stream(message: Arrival): Promise<void> {
    this.tell('stream:start');
    await turn(); // for who reads after an `await`
    await this.#pass(message);
    while (this.socket.readableLength > 0 && !this.socket.destroyed) await this.#pause();
  }

  async #pass({ head, payload }: Arrival): Promise<void> {
    const { carrier, socket, target } = this;
    const isRead = carrier.waitsForReader || socket.listenerCount('readable') + socket.listenerCount('data') > 0;
    if (target) await Forwarding.of(target).send(payload, head.opcode === Opcode.Text, carrier.core);
    else for await (const chunk of payload) if (isRead && !this.#give(chunk)) await this.#pause();
    await new Promise((resolve) => process.nextTick(resolve)); // 'readable' comes before
    this.tell('done');
  }

  /** @returns whether there is room for more */
  #give(chunk: Uint8Array): boolean {
    let hasRoom = true;
    guarded(() => (hasRoom = this.socket.push(chunk)));
    return hasRoom || this.socket.destroyed;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => (this.proceed = resolve));
  }
}

async function contentOf({ head, buffer }: Arrival): Promise<string | Buffer> {
  const bytes = await buffer();
  return head.opcode === Opcode.Text ? String(bytes) : bytes;
}

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
