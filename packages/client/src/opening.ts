import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { channels, type Extension, type Initiator } from '@ws/connection';
import { checkUpgradeResponse, HandshakeError } from '@ws/handshake';
import { resolveLocation, type Address } from './address.js';
import { openRequest } from './connect.js';
import { abortError, answered, ConnectError } from './errors.js';
import { requestHeaders } from './headers.js';
import type { ClientSettings } from './options.js';
import { carriedOver, isRedirect, type ForOneHost } from './redirect.js';
import type { WebSocket } from './websocket.js';

/** What the caller of the constructor asked for. */
export interface Plan {
  readonly address: Address;
  readonly protocols: readonly string[];
  readonly settings: ClientSettings;
}

/** What the server agreed to. */
export interface Agreed {
  readonly protocol: string;
  readonly extensions: readonly Extension[];
}

/** How it ends: one of the last two, once. */
export interface OpeningResult {
  /** Redirected: the address is another now. */
  moved(href: string): void;
  accepted(socket: Duplex, head: Buffer, agreed: Agreed): void;
  /** `null`: somebody has taken the response, which is no error then. */
  failed(error: Error | null, initiator: Initiator): void;
}

/** The opening handshake of one WebSocket, from its first request over all redirects to the 101. RFC 6455 §4.1. */
export class Opening {
  readonly #websocket: WebSocket;
  readonly #settings: ClientSettings;
  readonly #protocols: readonly string[];
  readonly #result: OpeningResult;
  #address: Address;
  #given: ForOneHost;
  #key = '';
  #redirects = 0;
  #timer: NodeJS.Timeout | undefined;
  /** The request under way. Whatever an earlier one still reports has no effect. */
  #request: ClientRequest | undefined;

  constructor(websocket: WebSocket, { address, protocols, settings }: Plan, result: OpeningResult) {
    this.#websocket = websocket;
    this.#settings = settings;
    this.#protocols = protocols;
    this.#result = result;
    this.#address = address;
    const { headers, servername } = settings;
    this.#given = { headers, credentials: address.credentials ?? settings.credentials, servername };
  }

  /** @throws for options that no request can be made of, before anything is sent */
  start(): void {
    const { signal } = this.#settings;
    if (signal?.aborted === true) {
      requestHeaders(this.#address, this.#settings, this.#protocols, this.#given); // bad options throw in any case
      this.#onAbort();
      return;
    }
    signal?.addEventListener('abort', this.#onAbort);
    try {
      this.#send(this.#open());
    } catch (error) {
      this.cancel();
      throw error;
    }
  }

  /** Cuts the request; nothing is reported. */
  cancel(): void {
    const request = this.#request;
    this.#end();
    request?.destroy();
  }

  /** The request is no longer ours. Its `'error'` listener stays: it may still have something to say. */
  #end(): void {
    this.#request = undefined;
    clearTimeout(this.#timer);
    this.#settings.signal?.removeEventListener('abort', this.#onAbort);
  }

  #fail(error: Error | null, initiator: Initiator = 'transport'): void {
    this.cancel();
    this.#result.failed(error, initiator);
  }

  readonly #onAbort = (): void => {
    const { signal } = this.#settings;
    if (signal !== undefined) this.#fail(abortError(signal), 'local');
  };

  #open(): ClientRequest {
    const { key, fields } = requestHeaders(this.#address, this.#settings, this.#protocols, this.#given);
    const request = openRequest(this.#address, this.#settings, fields, this.#given.servername);
    this.#request = request;
    this.#key = key;
    this.#listen(request);
    if (channels.handshake.hasSubscribers)
      channels.handshake.publish({ role: 'client', socket: this.#websocket, request });
    const { handshakeTimeoutMs } = this.#settings;
    if (handshakeTimeoutMs > 0) this.#timer = setTimeout(this.#onTimeout, handshakeTimeoutMs);
    return request;
  }

  /** What has arrived while we were busy is read first: the lateness is ours. */
  readonly #onTimeout = (): void => {
    const request = this.#request;
    setImmediate(() => {
      if (request !== undefined && this.#request === request)
        this.#fail(new ConnectError('WS_ERR_HANDSHAKE_TIMEOUT'), 'timeout');
    });
  };

  #listen(request: ClientRequest): void {
    const isCurrent = (): boolean => this.#request === request;
    let taken: IncomingMessage | undefined;
    request.on('upgrade', (response, socket, head) => {
      if (isCurrent()) this.#websocket.emit('upgrade', response);
      if (isCurrent())
        this.#onUpgrade(response, socket, head); // a listener may have called close()
      else discard(socket);
    });
    request.on('response', (response) => {
      if (!isCurrent() || this.#follow(response)) return;
      if (this.#websocket.emit('unexpected-response', request, response)) taken = response;
      else this.#fail(answered(this.#unexpected(response), response));
    });
    request.on('timeout', () => {
      if (isCurrent()) this.#onTimeout();
    });
    request.on('error', (error) => {
      if (isCurrent() && taken === undefined) this.#fail(error);
    });
    request.on('close', () => {
      if (!isCurrent()) return;
      if (taken === undefined) this.#fail(new ConnectError('WS_ERR_REQUEST_CLOSED'));
      else if (taken.closed || taken.readableFlowing === null) this.#fail(null);
      else taken.once('close', () => isCurrent() && this.#fail(null)); // somebody is still reading it
    });
  }

  #send(request: ClientRequest): void {
    const { finishRequest } = this.#settings;
    if (finishRequest === undefined) request.end();
    else finishRequest(request, this.#websocket);
  }

  #onUpgrade(response: IncomingMessage, socket: Duplex, head: Buffer): void {
    let agreed: Agreed;
    try {
      agreed = this.#agree(response);
    } catch (error) {
      discard(socket);
      this.#fail(answered(error as Error, response));
      return;
    }
    this.#end();
    this.#result.accepted(socket, head, agreed);
  }

  /** @throws {HandshakeError | DeflateError} for a 101 that does not open the connection */
  #agree({ statusCode = 0, rawHeaders }: IncomingMessage): Agreed {
    const { extensions } = this.#settings;
    const decision = checkUpgradeResponse(
      { status: statusCode, headers: rawHeaders },
      { key: this.#key, protocols: this.#protocols, extensions: extensions.offers },
    );
    if (!decision.accepted) throw decision.error;
    return { protocol: decision.protocol, extensions: extensions.create(decision.extensions) };
  }

  /** @returns false if the response is not a redirect, or not to be followed */
  #follow({ statusCode = 0, headers: { location } }: IncomingMessage): boolean {
    const { followRedirects, maxRedirects } = this.#settings;
    if (!followRedirects || !isRedirect(statusCode) || !location) return false;
    if (this.#redirects++ >= maxRedirects) {
      this.#fail(new ConnectError('WS_ERR_TOO_MANY_REDIRECTS'));
      return true;
    }
    this.#request?.destroy();
    this.#request = undefined;
    clearTimeout(this.#timer);
    try {
      const to = resolveLocation(location, this.#address);
      this.#given = carriedOver(this.#given, this.#address, to);
      this.#address = to;
      this.#result.moved(to.href);
      const request = this.#open();
      this.#websocket.emit('redirect', to.href, request);
      if (this.#request === request) this.#send(request);
    } catch (error) {
      this.#fail(error as Error);
    }
    return true;
  }

  /** What is wrong with a response that did not switch protocols. */
  #unexpected({ statusCode = 0, rawHeaders }: IncomingMessage): HandshakeError {
    if (statusCode === 101) {
      const decision = checkUpgradeResponse({ status: 101, headers: rawHeaders }, { key: this.#key });
      if (!decision.accepted) return decision.error;
    }
    const error = new HandshakeError('WS_ERR_UNEXPECTED_STATUS', String(statusCode));
    error.message = `Unexpected server response: ${statusCode}`; // programs for ws 8 look for this text
    return error;
  }
}

/** A connection that was switched, and that nobody wants. */
function discard(socket: Duplex): void {
  socket.on('error', () => {});
  socket.destroy();
}
