import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer, type AddressInfo, type ListenOptions, type Server as Listener, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { sharedTimers } from '@ws/connection';
import { formatResponse, refusalResponse } from '@ws/handshake';
import type { LimitRefusal } from './admission.js';
import { Descriptors } from './descriptors.js';
import { FirstRequests } from './first-request.js';
import type { ResolvedServerOptions } from './options.js';
import type { Pending, Silent } from './pending.js';
import { answer, answerPlainRequest } from './plain-request.js';
import { answerAndClose, ignoreError, serializeRefusal, type Refusal, type RefusalReason } from './refusal.js';
import { isTaken, takeOver } from './upgrade-routing.js';

const REQUEST_TIMEOUT = formatResponse(refusalResponse(408, { body: 'the request did not arrive in time' }));
const BAD_REQUEST = formatResponse(refusalResponse(400, { body: 'this is not HTTP' }));
const HEADER_TOO_LARGE = formatResponse(refusalResponse(431, { body: 'the request head is too large' }));

/** While so few wait, even who cannot be let in may ask first: only with a request there is something to tell the operator. */
const CROWD = 64;
/** Who waits in it costs us nothing, and who finds it full gets no answer at all; the system may have a lower limit. */
const BACKLOG = 4096;
/** So many that were turned away at the door may take their time to read why and to leave; the others are cut. */
const MOST_LEAVING = 1024;
const MOST_LEAVING_IF_SHORT = 2;

/** Under this name each socket without a request has what there is of it: tables of all of them would take more. */
const kSilent = Symbol('silent');
type Newcomer = Socket & { [kSilent]?: Silent | undefined };

/** What an own port needs of its server. */
export interface OwnPortHost {
  readonly options: Pick<ResolvedServerOptions, 'handshakeTimeout' | 'maxHeaderSize' | 'maxHeaderCount'>;
  readonly pending: Pending;
  /** Asked for each TCP connection, before a byte of it is read. @returns undefined: welcome */
  atDoor(socket: Socket): Refusal | undefined;
  /** A limit of the whole server. */
  refusal(reason: RefusalReason, body: string): Refusal;
  /** @returns undefined as long as the server takes connections */
  closing(): LimitRefusal | undefined;
  /** Hears of each refusal; `request` is undefined where there was none yet. */
  onRefused(reason: RefusalReason, error: unknown, request: IncomingMessage | undefined, socket: Duplex): void;
  onListening(): void;
  onError(error: Error): void;
  onAcceptPaused(error: NodeJS.ErrnoException): void;
  onAcceptResumed(): void;
  onClose(): void;
}

/**
 * The port of a WebSocket server with one of its own, where nobody but a WebSocket client has any business. It listens itself, so that who cannot
 * be let in is turned away before there is an HTTP parser for him; for the others there is one that reads what WebSocket clients send, and an http server that does not listen behind it.
 */
export class OwnPort {
  readonly httpServer: Server;
  readonly listener: Listener;
  readonly #host: OwnPortHost;
  readonly #firstRequests: FirstRequests;
  readonly #descriptors: Descriptors;
  /** Turned away, and not gone yet. */
  #leaving = 0;
  readonly #forget: (this: Socket) => void;

  constructor(host: OwnPortHost) {
    this.#host = host;
    const { maxHeaderSize, maxHeaderCount } = host.options;
    const size = Math.min(maxHeaderSize || Infinity, Number.MAX_SAFE_INTEGER);
    this.httpServer = createHttpServer({ maxHeaderSize: size }, (request, response) =>
      this.#onRequest(request, response),
    );
    this.httpServer.maxHeadersCount = maxHeaderCount && maxHeaderCount + 1; // one more, so that it is seen
    this.httpServer.on('clientError', this.#onClientError);
    this.#firstRequests = new FirstRequests(this.httpServer, { size, count: maxHeaderCount || Infinity });
    this.listener = createServer({ allowHalfOpen: true, noDelay: true }, this.#onConnection);
    this.listener.on('listening', () => host.onListening());
    this.listener.on('error', (error) => host.onError(error));
    this.listener.on('close', () => {
      this.#descriptors.stop();
      host.onClose();
    });
    this.#descriptors = new Descriptors({
      paused: (error) => host.onAcceptPaused(error),
      resumed: () => host.onAcceptResumed(),
    });
    host.pending.evict = (silent) => this.#evict(silent);
    host.pending.timeOut = (socket) => this.#cut(socket, 'handshakeTimeout');
    const release = (socket: Socket): void => this.release(socket);
    this.#forget = function () {
      release(this);
    };
  }

  /** The connection has come to a request: from here on somebody else looks after it. */
  release(socket: Duplex): void {
    const silent = (socket as Newcomer)[kSilent];
    if (silent === undefined) return;
    this.#host.pending.deleteSilent(silent);
    this.#letGo(silent);
  }

  listen(options: ListenOptions): void {
    this.#descriptors.start();
    this.listener.listen({ ...options, backlog: options.backlog ?? BACKLOG });
  }

  address(): AddressInfo | string | null {
    return this.listener.address();
  }

  /** No new connections; those that are no WebSockets yet are cut. */
  close(): void {
    this.listener.close();
    for (const socket of this.#host.pending.silent) socket.destroySoon();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    if (isTaken(socket)) return; // behind our answer, which said that it is the last one
    takeOver(socket);
    socket.on('error', ignoreError); // if an upgrade is behind it, nobody else listens
    const closing = this.#host.closing();
    if (closing) answer(response, closing);
    const error = closing ? undefined : answerPlainRequest(request, response);
    this.#host.onRefused(closing?.reason ?? 'handshake', error, request, socket);
  }

  readonly #onConnection = (socket: Socket): void => {
    const { pending } = this.#host;
    this.#descriptors.accepted();
    const refusal = this.#descriptors.isShort
      ? this.#host.refusal('acceptPaused', 'the server cannot take more connections at the moment')
      : pending.size < CROWD
        ? undefined
        : this.#host.atDoor(socket);
    if (refusal) return this.#turnAway(socket, refusal);
    const silent = pending.addSilent(socket);
    if (!silent) return this.#turnAway(socket, this.#host.refusal('maxPending', 'too many clients are waiting'));
    (socket as Newcomer)[kSilent] = silent;
    const { handshakeTimeout } = this.#host.options;
    // What has arrived while we were busy is read before the time is up: the lateness is ours.
    if (handshakeTimeout > 0) sharedTimers.schedule(silent, handshakeTimeout);
    socket.on('close', this.#forget);
    this.#firstRequests.expect(socket);
  };

  #turnAway(socket: Socket, refusal: Refusal): void {
    const { text } = serializeRefusal(refusal);
    this.#host.onRefused(refusal.reason, undefined, undefined, socket);
    if (this.#leaving < (this.#descriptors.isShort ? MOST_LEAVING_IF_SHORT : MOST_LEAVING)) {
      this.#leaving++;
      socket.once('close', () => this.#leaving--);
      answerAndClose(socket, text);
    } else {
      socket.on('error', ignoreError);
      socket.end(text, 'latin1');
      socket.destroySoon();
    }
  }

  #evict(silent: Silent): void {
    this.#letGo(silent);
    this.#cut(silent.socket, 'maxPending');
  }

  #letGo(silent: Silent): void {
    const socket: Newcomer = silent.socket;
    socket[kSilent] = undefined;
    sharedTimers.cancel(silent);
    socket.off('close', this.#forget);
  }

  /** A peer that began a request is told what it did wrong; one that said nothing is not. */
  #cut(socket: Socket, reason: RefusalReason): void {
    if (socket.bytesWritten > 0) return void socket.destroy(); // it was answered, and has not gone
    this.#host.onRefused(reason, undefined, undefined, socket);
    if (socket.writable && socket.bytesRead > 0) {
      socket.end(REQUEST_TIMEOUT);
      socket.destroySoon();
    } else {
      socket.destroy();
    }
  }

  /** Bytes that are no HTTP, or too many of them. */
  readonly #onClientError = (error: NodeJS.ErrnoException, socket: Duplex): void => {
    if (socket.writableEnded || isTaken(socket)) return; // More of the same, behind our answer.
    if (error.code === 'ECONNRESET') return void socket.destroy();
    const isTooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    answerAndClose(socket, isTooLarge ? HEADER_TOO_LARGE : BAD_REQUEST);
    this.#host.onRefused(isTooLarge ? 'maxHeaderSize' : 'handshake', error, undefined, socket);
  };
}
