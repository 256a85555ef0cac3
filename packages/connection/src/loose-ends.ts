import { MessageError, type CloseInfo } from './protocol/index.js';

/** A message that is being written. */
interface Unfinished {
  /** Bytes that are not with the connection yet. */
  readonly bufferedAmount: number;
  /** The connection is gone. */
  destroy(error: Error): unknown;
}

/** What a socket has in its last moments, and hardly one has before: messages that are being written, bytes that came too late, and whoever waits for its end. */
export class LooseEnds {
  #unfinished: Set<Unfinished> | undefined;
  #lateBytes = 0;
  #info: CloseInfo | undefined;
  #closed: Promise<CloseInfo> | undefined;
  #resolve: ((info: CloseInfo) => void) | undefined;

  /** Bytes given to be sent that no connection has. WHATWG: what came too late counts for ever. */
  get bufferedAmount(): number {
    let bytes = this.#lateBytes;
    if (this.#unfinished) for (const message of this.#unfinished) bytes += message.bufferedAmount;
    return bytes;
  }

  /** A message is being written. */
  get isWriting(): boolean {
    return this.#unfinished !== undefined && this.#unfinished.size > 0;
  }

  refused(byteLength: number): void {
    this.#lateBytes += byteLength;
  }

  add(message: Unfinished): void {
    (this.#unfinished ??= new Set()).add(message);
  }

  delete(message: Unfinished): void {
    this.#unfinished?.delete(message);
  }

  get closed(): Promise<CloseInfo> {
    this.#closed ??= new Promise((resolve) => {
      if (this.#info) resolve(this.#info);
      else this.#resolve = resolve;
    });
    return this.#closed;
  }

  finish(info: CloseInfo): void {
    for (const message of this.#unfinished ?? [])
      message.destroy(new MessageError('WS_ERR_CLOSED', '', info.error ?? undefined));
    this.#info = info;
    this.#resolve?.(info);
  }
}
