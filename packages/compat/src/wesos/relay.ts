import { Writable } from 'node:stream';
import type { WebSocketServer } from '@ws/server';
import { Forwarding } from '../forward.js';
import { Incoming } from './incoming.js';

const relays = new WeakMap<object, Relay>();

/**
 * Sends each message that is written to all sockets of a server. Those of different senders do not wait for each other's ends, and never mix. While nobody
 * takes what was sent, writing waits. Its sources' ends are not its own.
 */
export class Relay extends Writable {
  readonly #server: WebSocketServer;
  readonly #forwarding: Forwarding;
  readonly #failed: (error: Error) => void;

  /** Of a pipe's target, if it is a Server. */
  static of(target: object): Relay | undefined {
    return relays.get(target);
  }

  constructor(owner: object, server: WebSocketServer, failed: (error: Error) => void) {
    super({ objectMode: true, autoDestroy: false });
    this.#server = server;
    this.#forwarding = Forwarding.of(server);
    this.#failed = failed;
    this.setMaxListeners(0); // a socket each
    relays.set(owner, this);
  }

  override _write(item: Incoming | string | Uint8Array, _encoding: BufferEncoding, next: () => void): void {
    this.#forwarding.whenRoom(() => {
      if (item instanceof Incoming) this.#forward(item);
      else this.#forwarding.sent(this.#server.broadcast(item));
      next();
    });
  }

  override end(): this {
    return this;
  }

  #forward(incoming: Incoming): void {
    if (incoming.destroyed) return; // cut before its turn, or read by somebody else
    const broadcast = this.#forwarding.begin(incoming.header?.opcode !== 2, incoming.webSocket);
    broadcast.on('error', (error) => {
      incoming.destroy();
      this.#failed(error);
    });
    incoming.pipe(broadcast); // which breaks off with it
  }
}
