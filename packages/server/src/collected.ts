import { kPace, MessageError, type Claim, type Keeper, type WebSocket } from '@ws/connection';
import type { BroadcastStream } from './broadcast-stream.js';

const known = new WeakMap<WebSocket, Collected>();

/** What broadcasts have collected of the messages that one connection sends: in `memoryLimit` it counts as that connection's. */
export class Collected implements Keeper {
  readonly #claim: Claim | undefined;
  readonly #bytes = new Map<BroadcastStream, number>();

  /** @returns undefined where nobody counts: there is no limit of memory, or the connection has neither sent nor got anything yet */
  static of(socket: WebSocket): Collected | undefined {
    const collected = known.get(socket) ?? new Collected(socket);
    if (collected.#claim === undefined) return undefined;
    known.set(socket, collected);
    return collected;
  }

  private constructor(socket: WebSocket) {
    this.#claim = socket[kPace].claim(this);
  }

  set(stream: BroadcastStream, bytes: number): void {
    this.#claim?.set(this.#claim.bytes + bytes - (this.#bytes.get(stream) ?? 0));
    if (bytes > 0) this.#bytes.set(stream, bytes);
    else this.#bytes.delete(stream);
  }

  /** The connection was ended for the memory it holds. */
  forget(): void {
    for (const stream of this.#bytes.keys()) stream.destroy(new MessageError('WS_ERR_ABORTED_MESSAGE'));
  }
}
