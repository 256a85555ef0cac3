import { kPlace, type WebSocket } from '@ws/connection';

/**
 * The connections of a server that are not gone, in no order: each knows its place, so that it can leave at once. A Set takes four times the memory; and its
 * tables, which V8 makes anew as sockets come and go, keep each other and what was in them alive for several collections of garbage.
 */
export class OpenSockets<Data> implements Iterable<WebSocket<Data>> {
  readonly #all: WebSocket<Data>[] = [];
  #shown: Set<WebSocket<Data>> | undefined;

  get size(): number {
    return this.#all.length;
  }

  /** For users, and theirs to change. Made when somebody asks for it: it takes memory for each of its members, and time for each that comes or goes. */
  get shown(): Set<WebSocket<Data>> {
    return (this.#shown ??= new Set(this.#all));
  }

  add(socket: WebSocket<Data>): void {
    socket[kPlace] = this.#all.push(socket) - 1;
    this.#shown?.add(socket);
  }

  /** Does nothing if it is none of them. */
  delete(socket: WebSocket<Data>): void {
    this.#shown?.delete(socket);
    const place = socket[kPlace];
    if (this.#all[place] !== socket) return;
    socket[kPlace] = -1;
    const last = this.#all.pop()!;
    if (last === socket) return;
    this.#all[place] = last;
    last[kPlace] = place;
  }

  /** Those of this moment, whoever leaves meanwhile. */
  [Symbol.iterator](): Iterator<WebSocket<Data>> {
    return this.#all.slice().values();
  }
}
