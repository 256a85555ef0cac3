import { kClosed, kEnd, type CloseInfo, type WebSocket } from '@ws/connection';
import { encodeClosePayload } from '@ws/frame';
import { checkShutdownOptions } from './option-rules.js';
import { finiteMs } from './options.js';
import { scattered } from './scatter.js';
import { guarded } from './uncaught.js';

export interface ShutdownOptions {
  /** Status code of the Close frames. @default 1001 */
  readonly code?: number | undefined;
  /** @default '' */
  readonly reason?: string | undefined;
  /** Ms from the last of our Close frames for the clients to take what is queued and to answer; then they are cut. 0 or `false`: for ever. @default 30_000 */
  readonly timeout?: number | false | undefined;
  /** Ms over which the closing is spread, each client at a moment of its own, so that they do not all come back at once. @default 0 */
  readonly spread?: number | undefined;
  /** Cuts those that are left, at once. */
  readonly signal?: AbortSignal | undefined;
}

export interface ShutdownReport {
  /** Connections whose client answered our Close frame, or had sent its own. */
  readonly closed: number;
  /** The others. */
  readonly cut: number;
  /** Of all of them, what was given to `send` and not to the operating system. */
  readonly bytesUnsent: number;
  /** How long it took. */
  readonly ms: number;
}

/** Closes connections: spread over a time, their queues first, and in the end by force. */
export class Shutdown {
  readonly #options: ShutdownOptions;
  readonly #startMs = performance.now();
  /** In the order in which they are closed, and when, ms from the start. */
  #schedule: ReturnType<typeof scattered<WebSocket>> = [];
  #next = 0;
  readonly #left = new Set<WebSocket>();
  #timer: NodeJS.Timeout | undefined;
  #done: (() => void) | undefined;
  #closed = 0;
  #cut = 0;
  #bytesUnsent = 0;

  /** @throws {TypeError | RangeError} naming the option */
  constructor(options: ShutdownOptions) {
    checkShutdownOptions(options);
    encodeClosePayload(options.code ?? 1001, options.reason ?? '');
    this.#options = options;
  }

  /** Resolves when all of them are gone. No others may come meanwhile. */
  async end(sockets: Iterable<WebSocket>): Promise<ShutdownReport> {
    const { signal, spread = 0 } = this.#options;
    for (const socket of sockets) {
      this.#left.add(socket);
      void socket[kClosed].then((info) => this.#gone(socket, info));
    }
    this.#schedule = scattered([...this.#left], spread);
    const isDone = new Promise<void>((resolve) => (this.#done = resolve));
    signal?.addEventListener('abort', this.#cutAll);
    this.#closeNext();
    if (signal?.aborted === true) this.#cutAll();
    if (this.#left.size > 0) await isDone;
    signal?.removeEventListener('abort', this.#cutAll);
    clearTimeout(this.#timer);
    const ms = Math.round(performance.now() - this.#startMs);
    return { closed: this.#closed, cut: this.#cut, bytesUnsent: this.#bytesUnsent, ms };
  }

  /** Closes those whose moment has come, and waits for that of the next. */
  #closeNext(): void {
    const { code = 1001, reason = '', timeout = 30_000 } = this.#options;
    const elapsedMs = performance.now() - this.#startMs;
    let next = this.#schedule[this.#next];
    while (next !== undefined && next.atMs <= elapsedMs) {
      end(next.item, code, reason);
      next = this.#schedule[++this.#next];
    }
    if (next !== undefined) this.#timer = setTimeout(() => this.#closeNext(), next.atMs - elapsedMs);
    else if (finiteMs(timeout) && this.#left.size > 0) this.#timer = setTimeout(this.#cutAll, finiteMs(timeout));
  }

  readonly #cutAll = (): void => {
    clearTimeout(this.#timer);
    const { code = 1001, reason = '' } = this.#options;
    for (const { item } of this.#schedule.slice(this.#next)) end(item, code, reason); // so that it says why
    for (const socket of this.#left) socket.terminate();
  };

  #gone(socket: WebSocket, { received, bytesUnsent }: CloseInfo): void {
    if (received === null) this.#cut++;
    else this.#closed++;
    this.#bytesUnsent += bytesUnsent;
    this.#left.delete(socket);
    if (this.#left.size === 0) this.#done?.();
  }
}

/** Whatever its listeners do, the others have their turn. */
function end(socket: WebSocket, code: number, reason: string): void {
  guarded(() => socket[kEnd](code, reason, 'shutdown'));
}
