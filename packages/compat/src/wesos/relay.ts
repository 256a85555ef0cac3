import { Writable } from 'node:stream';
import type { BroadcastReport, WebSocket, WebSocketServer } from '@ws/server';
import { Incoming } from './incoming.js';

/** A message of so many bytes goes on when it is complete, or not at all; a longer one while it comes in. */
const WHOLE_UP_TO = 1_048_576;

const relays = new WeakMap<object, Relay>();

/**
 * Sends each message that is written to all sockets of a server. Those of different senders do not wait for each other's ends, and never mix. While nobody
 * takes what was sent, writing waits. Its sources' ends are not its own.
 */
export class Relay extends Writable {
  readonly #server: WebSocketServer;
  readonly #failed: (error: Error) => void;
  /** All have more to take than they should. */
  #isBehind = false;
  #held: (() => void) | undefined;

  /** Of a pipe's target, if it is a Server. */
  static of(target: object): Relay | undefined {
    return relays.get(target);
  }

  constructor(owner: object, server: WebSocketServer, failed: (error: Error) => void) {
    super({ objectMode: true, autoDestroy: false });
    this.#server = server;
    this.#failed = failed;
    this.setMaxListeners(0); // a socket each
    relays.set(owner, this);
  }

  joins(socket: WebSocket): void {
    socket.on('drain', this.#goOn).on('close', this.#goOn);
  }

  override _write(item: Incoming | string | Uint8Array, _encoding: BufferEncoding, next: () => void): void {
    this.#held = () => {
      if (item instanceof Incoming) this.#forward(item);
      else this.#sent(this.#server.broadcast(item));
      next();
    };
    if (!this.#isBehind) this.#goOn();
  }

  override end(): this {
    return this;
  }

  #forward(incoming: Incoming): void {
    if (incoming.destroyed) return; // cut before its turn, or read by somebody else
    const [binary, from] = [incoming.header?.opcode === 2, incoming.webSocket];
    const broadcast = this.#server.createBroadcast({ binary, forward: WHOLE_UP_TO, from });
    broadcast.on('sent', (report: BroadcastReport) => this.#sent(report));
    broadcast.on('error', (error) => {
      incoming.destroy();
      this.#failed(error);
    });
    incoming.pipe(broadcast); // which breaks off with it
  }

  #sent({ sent, queued }: BroadcastReport): void {
    this.#isBehind = sent === 0 && queued > 0;
  }

  readonly #goOn = (): void => {
    const held = this.#held;
    this.#isBehind = false;
    this.#held = undefined;
    held?.();
  };
}
