import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { ignoreError, ignoreErrors, type Refusal } from './refusal.js';

export type AnyHttpServer = HttpServer | HttpsServer;

/** A WebSocket server as the router sees it. */
export interface UpgradeTarget {
  /** ms; 0 for none */
  readonly handshakeTimeoutMs: number;
  /** The answer where nobody serves the path, and no foreign listener is there to be asked. */
  readonly unservedPath: 400 | 404;
  shouldHandle(request: IncomingMessage): boolean | PromiseLike<boolean>;
  /** Takes the request; `handled` is what `shouldHandle` said. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer, handled: true | PromiseLike<boolean>): void;
  refuse(request: IncomingMessage, socket: Duplex, refusal: Refusal): void;
}

const NOBODY_TOOK_IT: Refusal = { reason: 'path', status: 404, body: 'nobody here serves this path' };

const routers = new WeakMap<AnyHttpServer, UpgradeRouter>();
/** Marks sockets that came to a `handleUpgrade`, also for another copy of this package. */
const TAKEN: unique symbol = Symbol.for('@ws/server.taken');
type Taken = Duplex & { [TAKEN]?: true };
const watches = new WeakMap<Duplex, ForeignWatch>();

export function unserved(status: 400 | 404): Refusal {
  return { reason: 'path', status, body: 'no WebSocket server here serves this path' };
}

/** Lets `target` have its share of the upgrade requests of `httpServer`. */
export function route(httpServer: AnyHttpServer, target: UpgradeTarget): void {
  let router = routers.get(httpServer);
  if (!router) routers.set(httpServer, (router = new UpgradeRouter(httpServer)));
  router.add(target);
}

export function unroute(httpServer: AnyHttpServer, target: UpgradeTarget): void {
  const router = routers.get(httpServer);
  if (router?.remove(target)) routers.delete(httpServer);
}

/** Marks a socket as a WebSocket server's. @throws {Error} if it already is */
export function takeOver(socket: Duplex): void {
  if (isTaken(socket)) {
    throw new Error(
      'handleUpgrade was called twice with the same socket; does another server handle the same request?',
    );
  }
  (socket as Taken)[TAKEN] = true;
  watches.get(socket)?.end();
}

/** Whether it is a WebSocket server's: no request behind the one it came with is for anybody. */
export function isTaken(socket: Duplex): boolean {
  return TAKEN in socket;
}

/** The one `'upgrade'` listener that all WebSocket servers on an http server share. */
class UpgradeRouter {
  readonly #httpServer: AnyHttpServer;
  readonly #targets = new Set<UpgradeTarget>();

  constructor(httpServer: AnyHttpServer) {
    this.#httpServer = httpServer;
  }

  add(target: UpgradeTarget): void {
    // In front of the others, so that what they do to a socket can be told from what came with it.
    if (this.#targets.size === 0) this.#httpServer.prependListener('upgrade', this.#onUpgrade);
    this.#targets.add(target);
  }

  /** @returns whether nothing is left to route */
  remove(target: UpgradeTarget): boolean {
    this.#targets.delete(target);
    if (this.#targets.size > 0) return false;
    this.#httpServer.off('upgrade', this.#onUpgrade);
    return true;
  }

  readonly #onUpgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if (isTaken(socket)) return;
    ignoreErrors(socket);
    for (const target of this.#targets) {
      let handled: boolean | PromiseLike<boolean>;
      try {
        handled = target.shouldHandle(request);
      } catch (error) {
        return target.refuse(request, socket, { reason: 'path', status: 500, error });
      }
      if (handled) return target.take(request, socket, head, handled);
    }
    const [first] = this.#targets;
    if (!first) return;
    if (this.#httpServer.listenerCount('upgrade') === 1) first.refuse(request, socket, unserved(first.unservedPath));
    else {
      const refuse = (): void => first.refuse(request, socket, NOBODY_TOOK_IT);
      watches.set(socket, new ForeignWatch(socket, longestTimeout(this.#targets), refuse));
    }
  };
}

/** 0 if one of them waits for ever. */
function longestTimeout(targets: ReadonlySet<UpgradeTarget>): number {
  const timeouts = Array.from(targets, (target) => target.handshakeTimeoutMs);
  return timeouts.includes(0) ? 0 : Math.max(...timeouts);
}

/** Leaves a socket to other listeners, and refuses it when they have let `handshakeTimeout` pass without touching it. */
class ForeignWatch {
  readonly #socket: Duplex;
  readonly #refuse: () => void;
  readonly #before: string;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(socket: Duplex, timeoutMs: number, refuse: () => void) {
    this.#socket = socket;
    this.#refuse = refuse;
    socket.once('close', this.end);
    this.#before = traces(socket);
    this.#timer = timeoutMs > 0 ? setTimeout(() => this.#timeOut(), timeoutMs) : undefined;
  }

  readonly end = (): void => {
    clearTimeout(this.#timer);
    this.#socket.off('close', this.end);
    watches.delete(this.#socket);
  };

  #timeOut(): void {
    const untouched = traces(this.#socket) === this.#before;
    this.end();
    if (untouched) this.#refuse();
    else this.#socket.off('error', ignoreError);
  }
}

/**
 * What can be seen of a socket from outside. Whoever takes one over listens to it, reads it, writes to it or destroys
 * it, and each of these shows here.
 */
function traces(socket: Duplex): string {
  const { destroyed, writable, writableLength, readableFlowing } = socket;
  const written = 'bytesWritten' in socket ? socket.bytesWritten : 0;
  const listeners = socket.eventNames().map((name) => `${String(name)} ${socket.listenerCount(name)}`);
  return [destroyed, writable, writableLength, readableFlowing, written, ...listeners].join();
}
