import { Duplex } from 'node:stream';
import type { Role } from './core-options.js';
import type { ConnectionOptions } from './options.js';
import type { Extension } from './protocol/index.js';
import type { SocketOptions } from './socket-options.js';
import { WebSocket } from './websocket.js';

/** Options for both ends of a pair. */
export interface PairOptions extends ConnectionOptions, Pick<SocketOptions, 'protocol'> {
  /** Makes the extensions of one end. @default none */
  readonly extensions?: ((role: Role) => readonly Extension[]) | undefined;
}

/** One end of a byte stream in memory: what is written to it is read from its peer, which sets the pace. */
class MemoryStream extends Duplex {
  peer: MemoryStream | undefined;
  #taken: (() => void) | undefined;

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: () => void): void {
    const copy = Buffer.from(chunk); // what the reader gets is his own
    process.nextTick(() => {
      const { peer } = this;
      if (peer === undefined || peer.destroyed) return callback();
      if (peer.push(copy)) callback();
      else peer.#taken = callback;
    });
  }

  override _final(callback: () => void): void {
    process.nextTick(() => this.peer?.push(null));
    callback();
  }

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    callback(error);
    const taken = this.#taken;
    this.#taken = undefined;
    taken?.();
    const { peer } = this;
    if (peer && !peer.destroyed && !this.writableFinished) process.nextTick(() => peer.destroy());
  }
}

/** Two WebSockets connected in memory, no network, no handshake; both are open. For tests and for talk within a process. */
export function createPair({ extensions, ...options }: PairOptions = {}): { client: WebSocket; server: WebSocket } {
  const [near, far] = [new MemoryStream(), new MemoryStream()];
  near.peer = far;
  far.peer = near;
  return {
    client: WebSocket.from(near, { ...options, role: 'client', extensions: extensions?.('client') }),
    server: WebSocket.from(far, {
      ...options,
      role: 'server',
      extensions: extensions?.('server'),
      generateMask: undefined,
    }),
  };
}
