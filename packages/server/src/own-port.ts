import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { ListenOptions, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkUpgradeRequest, formatResponse, HandshakeError, refusalResponse } from '@ws/handshake';
import { answerAndClose, type RefusalReason } from './refusal.js';

const REQUEST_TIMEOUT = formatResponse(refusalResponse(408, { body: 'the request did not arrive in time' }));
const BAD_REQUEST = formatResponse(refusalResponse(400, { body: 'this is not HTTP' }));
const HEADER_TOO_LARGE = formatResponse(refusalResponse(431, { body: 'the request head is too large' }));

/** Hears of each refusal, after its answer. */
export type OnRefused = (reason: RefusalReason, error: unknown, request: IncomingMessage | undefined) => void;

/** The http server of a WebSocket server with a port of its own, where nobody but a WebSocket client has any business. */
export class OwnPort {
  readonly httpServer: Server;
  readonly #handshakeTimeoutMs: number;
  /** Connections that have not come to an upgrade request yet. */
  readonly #waiting = new Map<Socket, NodeJS.Timeout | undefined>();
  readonly #forget: (this: Socket) => void;

  /**
   * @param handshakeTimeoutMs 0 for none
   * @param onRefused hears of the requests that are no upgrade, and of who did not come to a request
   */
  constructor(handshakeTimeoutMs: number, onRefused: OnRefused) {
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.httpServer = createServer((request, response) =>
      onRefused('handshake', answerPlainRequest(request, response), request),
    );
    if (handshakeTimeoutMs > 0) {
      // Ours is the stricter clock; node's would only cut short a longer handshakeTimeout.
      this.httpServer.headersTimeout = 0;
      this.httpServer.requestTimeout = 0;
    }
    this.httpServer.on('connection', (socket: Socket) => this.#track(socket));
    this.httpServer.on('clientError', answerClientError);
    const release = (socket: Socket): void => this.release(socket);
    this.#forget = function () {
      release(this);
    };
  }

  /** Hands the connection over: from here on somebody else looks after it. */
  release(socket: Duplex): void {
    const tracked = socket as Socket;
    if (!this.#waiting.has(tracked)) return;
    clearTimeout(this.#waiting.get(tracked));
    this.#waiting.delete(tracked);
    tracked.off('close', this.#forget);
  }

  listen(options: ListenOptions): void {
    this.httpServer.listen(options);
  }

  /** No new connections; those that are no WebSockets yet are cut. */
  close(): void {
    this.httpServer.close();
    for (const socket of this.#waiting.keys()) socket.destroySoon();
  }

  #track(socket: Socket): void {
    const timeoutMs = this.#handshakeTimeoutMs;
    this.#waiting.set(socket, timeoutMs > 0 ? setTimeout(() => this.#timeOut(socket), timeoutMs) : undefined);
    socket.on('close', this.#forget);
  }

  /** What has arrived while we were busy is read first: the lateness is ours, and closing with unread bytes would reset the connection. */
  #timeOut(socket: Socket): void {
    setImmediate(() => {
      if (this.#waiting.has(socket)) cut(socket);
    });
  }
}

/** A peer that began a request is told what it did wrong; one that said nothing is not. */
function cut(socket: Socket): void {
  if (socket.writable && socket.bytesRead > 0 && socket.bytesWritten === 0) {
    socket.end(REQUEST_TIMEOUT);
    socket.destroySoon();
  } else {
    socket.destroy();
  }
}

/** 426; a request that tried to be an upgrade is told what it lacks. */
function answerPlainRequest(request: IncomingMessage, response: ServerResponse): HandshakeError {
  const error = whyNoUpgrade(request);
  const { status, reason, headers, body } = refusalResponse(error.status, {
    body: error.message,
    headers: error.headers,
  });
  response.writeHead(status, reason, [...headers]).end(body);
  return error;
}

function whyNoUpgrade({ method = '', url = '', httpVersion, headers, rawHeaders }: IncomingMessage): HandshakeError {
  if (headers.upgrade !== undefined) {
    const decision = checkUpgradeRequest({ method, target: url, httpVersion, headers: rawHeaders });
    if (!decision.accepted) return decision.error;
  }
  return new HandshakeError('WS_ERR_UPGRADE_REQUIRED');
}

/** Bytes that are no HTTP, or too many of them. */
function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (socket.writableEnded) return; // More of the same, behind our answer.
  if (error.code === 'ECONNRESET') socket.destroy();
  else answerAndClose(socket, error.code === 'HPE_HEADER_OVERFLOW' ? HEADER_TOO_LARGE : BAD_REQUEST);
}
