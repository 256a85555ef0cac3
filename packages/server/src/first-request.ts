import { IncomingMessage, type Server } from 'node:http';
import { Socket } from 'node:net';
import { lendFirstRead } from '@ws/connection';
import { readRequestHead, type HeadLimits, type RequestHead } from './request-head.js';

/** What Node's own parser calls, in every version so far. */
interface HeaderLines {
  _addHeaderLines(headers: string[], count: number): void;
}

const NO_BYTES = Buffer.alloc(0);

/**
 * The first bytes of the connections of a port for WebSockets. Nearly always they are one plain request, and then reading it here is a tenth of what a
 * handshake costs; whatever else comes goes to the http server, which then is where it would have been without this.
 */
export class FirstRequests {
  readonly #canMake: boolean;
  readonly #httpServer: Server;
  readonly #limits: HeadLimits;
  /** Reads a socket into memory of the process; false where that cannot be. */
  readonly #lend: (socket: Socket) => boolean;
  readonly #onData: (this: Socket, chunk: Buffer) => void;
  readonly #onError: (this: Socket, error: Error) => void;

  /** @param canMake whether requests can be made here at all */
  constructor(httpServer: Server, limits: HeadLimits, canMake = canMakeRequests()) {
    this.#canMake = canMake;
    this.#httpServer = httpServer;
    this.#limits = limits;
    // Shared by all sockets, which are their `this`.
    this.#lend = lendFirstRead((socket, bytes) => this.#receive(socket, bytes, true));
    const receive = (socket: Socket, chunk: Buffer): void => this.#receive(socket, chunk, false);
    this.#onData = function (chunk) {
      receive(this, chunk);
    };
    this.#onError = function (error) {
      httpServer.emit('clientError', error, this);
    };
  }

  /** A connection that has not said anything. */
  expect(socket: Socket): void {
    if (!this.#canMake) return void this.#httpServer.emit('connection', socket);
    socket.on('error', this.#onError);
    socket.on('end', endIt);
    if (!this.#lend(socket)) socket.on('data', this.#onData);
  }

  #receive(socket: Socket, chunk: Buffer, isLent: boolean): void {
    if (!isLent) socket.off('data', this.#onData);
    socket.off('end', endIt);
    socket.off('error', this.#onError);
    // Without a listener Node's server has no upgrades, and makes a plain request of this.
    const head = this.#httpServer.listenerCount('upgrade') > 0 ? readRequestHead(chunk, this.#limits) : undefined;
    if (head === undefined) return this.#handOver(socket, isLent ? Buffer.from(chunk) : chunk);
    letGo(socket);
    this.#httpServer.emit('upgrade', makeRequest(socket, head), socket, NO_BYTES);
  }

  /** As if nobody had read it. */
  #handOver(socket: Socket, chunk: Buffer): void {
    socket.pause();
    socket.unshift(chunk);
    this.#httpServer.emit('connection', socket);
    socket.resume();
  }
}

/** Who only ends says nothing more. */
function endIt(this: Socket): void {
  this.end();
}

/** Flows when somebody listens, as behind an upgrade of Node's server. */
function letGo(socket: { readableFlowing: boolean | null }): void {
  socket.readableFlowing = null;
}

/** The request as Node's server would have made it. */
function makeRequest(socket: Socket, { target, headers }: RequestHead): IncomingMessage {
  const request = new IncomingMessage(socket) as IncomingMessage & HeaderLines & { upgrade: boolean | null };
  request.httpVersionMajor = 1;
  request.httpVersionMinor = 1;
  request.httpVersion = '1.1';
  request.url = target;
  request.method = 'GET';
  request.upgrade = true;
  request._addHeaderLines(headers, headers.length);
  request.complete = true;
  request.push(null);
  return request;
}

/** Whether Node's class takes headers in the way that its own server gives them. */
function canMakeRequests(): boolean {
  const given = ['Host', 'x', 'Cookie', 'a=1', 'cookie', 'b=2', 'X-A', '1', 'x-a', '2'];
  try {
    const { headers, headersDistinct, rawHeaders, url } = makeRequest(new Socket(), { target: '/?', headers: given });
    const isRead = headers.host === 'x' && headers.cookie === 'a=1; b=2' && headers['x-a'] === '1, 2';
    return isRead && headersDistinct['x-a']?.length === 2 && rawHeaders.length === given.length && url === '/?';
  } catch {
    return false;
  }
}
