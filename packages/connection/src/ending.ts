import type { CloseInfo } from './protocol/index.js';

/** Closes a connection for another reason than the user's: a member of every WebSocket, for the packages of this library. As `close`, with the initiator and the error that `CloseInfo` names. */
export const kEnd = Symbol.for('@ws/connection.end');

/** The end of a socket, and whoever waits for it. */
export class End {
  #info: CloseInfo | undefined;
  #closed: Promise<CloseInfo> | undefined;
  #resolve: ((info: CloseInfo) => void) | undefined;

  get closed(): Promise<CloseInfo> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#info) resolve(this.#info);
      else this.#resolve = resolve;
    });
    return this.#closed;
  }

  finish(info: CloseInfo): void {
    this.#info = info;
    this.#resolve?.(info);
  }
}
