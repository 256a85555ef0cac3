import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocket as Client, type ClientOptions, type Outgoing } from '@ws/client';
import { WebSocket as Core, type SendCallback } from '@ws/connection';
import { parseSubprotocols } from '@ws/handshake';
import { forgivePeers } from '../async-listeners.js';
import { coreDeflate, defined, thresholdOf } from './deflate.js';
import { errorOf, handshakeError, notOpened } from './errors.js';
import { feed } from './message-stream.js';
import { SocketEvents } from './socket-events.js';
import type {
  ControlOptions,
  Flags,
  Sendable,
  SendOptions,
  StreamCallback,
  Upgraded,
  WebSocketOptions,
} from './types.js';

const { CONNECTING, OPEN, CLOSING, CLOSED } = Core;

/**
 * The class of `ws` 1 and 2: a client by address, a server's end by what an upgrade gave. It stands in front of a socket of the core, and its listeners
 * get the arguments of its time; none of them is a listener of that socket.
 */
export class WebSocket extends SocketEvents {
  static readonly CONNECTING = CONNECTING;
  static readonly OPEN = OPEN;
  static readonly CLOSING = CLOSING;
  static readonly CLOSED = CLOSED;
  declare readonly CONNECTING: typeof CONNECTING;
  declare readonly OPEN: typeof OPEN;
  declare readonly CLOSING: typeof CLOSING;
  declare readonly CLOSED: typeof CLOSED;

  declare readonly readyState: 0 | 1 | 2 | 3;
  declare readonly bytesReceived: number;
  declare readonly bufferedAmount: number;
  declare readonly protocol: string;
  /** Names, separated by commas. */
  declare readonly extensions: string;
  /** The request of the handshake; of a server's sockets, undefined on clients. */
  readonly upgradeReq!: IncomingMessage;
  /** The address, as it was given; of a client. */
  readonly url: string | undefined;
  readonly protocolVersion: number;
  readonly #core: Core;
  /** Bytes from which on a message in fragments is compressed. */
  readonly #threshold: number;
  #binaryType: 'nodebuffer' | 'arraybuffer' = 'nodebuffer';
  /** The message of the newest `stream`. */
  #stream: Outgoing | undefined;

  /**
   * @param address of the server; or an upgrade that was answered; or a socket of the core, for programs that move step by step
   * @throws {Error} for an address that is none; {TypeError | RangeError | SyntaxError} for an option or a protocol
   */
  constructor(
    address: string | Upgraded | Core,
    protocols?: string | readonly string[] | WebSocketOptions | null,
    options?: WebSocketOptions | null,
  ) {
    super({ captureRejections: true });
    const [names, given] = isOptions(protocols) ? [undefined, protocols] : [protocols, options];
    const settings = defined(given ?? {});
    this.#threshold = thresholdOf(settings.perMessageDeflate);
    if (typeof address === 'string') {
      this.url = address;
      this.#core = connect(address, names, settings);
      this.#core.on('unexpected-response', (request, response) => {
        if (this.emit('unexpected-response', request, response)) return;
        request.destroy();
        const text = `unexpected server response (${response.statusCode})`;
        this.emit('error', errorOf(text, 'WS_ERR_UNEXPECTED_STATUS'));
      });
    } else if (Array.isArray(address)) {
      const [request, stream, head] = address as unknown as Upgraded;
      const { protocol, maxPayload } = settings;
      this.upgradeReq = request;
      this.#core = Core.from(stream, { role: 'server', head: head ?? undefined, protocol: protocol ?? '', maxPayload });
    } else {
      if (typeof (address as Core | undefined)?.on !== 'function') throw errorOf('invalid url', 'WS_ERR_INVALID_URL');
      this.upgradeReq = settings.upgradeReq as IncomingMessage;
      this.#core = address as Core;
    }
    const request: IncomingMessage | undefined = this.upgradeReq;
    this.protocolVersion = settings.protocolVersion ?? (request?.headers['sec-websocket-version'] === '8' ? 8 : 13);
    passOn(this.#core, this, request !== undefined);
  }

  /** The stream underneath, as programs reach for it: for addresses and certificates. null before it is there. */
  get _socket(): Socket | TLSSocket | null {
    return (this.#core.duplex as Socket | undefined) ?? null;
  }

  /** What `onmessage` and its kind get of binary messages. @throws {SyntaxError} for another value */
  override get binaryType(): 'nodebuffer' | 'arraybuffer' {
    return this.#binaryType;
  }
  override set binaryType(type: 'nodebuffer' | 'arraybuffer') {
    if (type !== 'nodebuffer' && type !== 'arraybuffer')
      throw new SyntaxError(`unsupported binaryType: it must be 'nodebuffer' or 'arraybuffer'`);
    this.#binaryType = type;
  }

  /** @throws {Error} if it is not open, and there is no callback to be told */
  send(data?: Sendable, callback?: SendCallback): void;
  send(data: Sendable, options: SendOptions | null | undefined, callback?: SendCallback): void;
  send(data?: Sendable, options?: SendOptions | SendCallback | null, callback?: SendCallback): void {
    if (typeof options === 'function') return this.send(data, undefined, options);
    if (this.readyState !== OPEN) {
      if (typeof callback !== 'function') throw notOpened();
      return process.nextTick(callback, notOpened());
    }
    const payload = data || '';
    const { binary, compress, fin } = options ?? {};
    const bytes = typeof payload === 'object' ? (payload as Uint8Array) : String(payload);
    const isShort = fin === false && Buffer.byteLength(bytes) < this.#threshold; // the first fragment decides for all
    this.#core.send(payload as string, { binary, compress: isShort ? false : compress, fin }, callback);
  }

  /** @throws {Error} if it is not open, unless `dontFailWhenClosed`; {RangeError} above 125 bytes */
  ping(data?: Sendable, _options?: ControlOptions | boolean | null, dontFailWhenClosed?: boolean): void {
    if (isOpenFor(this, dontFailWhenClosed)) this.#core.ping((data || '') as string);
  }

  /** As {@link ping}. */
  pong(data?: Sendable, _options?: ControlOptions | boolean | null, dontFailWhenClosed?: boolean): void {
    if (isOpenFor(this, dontFailWhenClosed)) this.#core.pong((data || '') as string);
  }

  /** Sends one message in fragments: `callback` is given a function that sends the next one, until one is final. Streams go one after the other. */
  stream(callback: StreamCallback): void;
  stream(options: ControlOptions | null | undefined, callback: StreamCallback): void;
  stream(options: ControlOptions | StreamCallback | null | undefined, callback?: StreamCallback): void {
    if (typeof options === 'function') return this.stream(undefined, options);
    if (typeof callback !== 'function') throw new TypeError('callback must be provided');
    if (this.readyState !== OPEN) return process.nextTick(callback, notOpened());
    const previous = this.#stream;
    const message = this.#core.createOutgoing({ binary: options?.binary });
    this.#stream = message;
    if (previous?.closed === false) previous.once('close', () => feed(message, callback));
    else feed(message, callback);
  }

  /** Closes, with 1000 unless told otherwise; what no Close frame may have is an `'error'`, and it stays open; thrown where nobody listens. */
  close(code?: number | null, data?: string | Uint8Array | null): void {
    try {
      this.#core.close(code ?? 1000, data);
    } catch (error) {
      if (this.listenerCount('error') === 0) throw error;
      this.emit('error', error as Error);
    }
  }

  terminate(): void {
    this.#core.terminate();
  }

  /** @throws {Error} unless it is open */
  pause(): void {
    if (isOpenFor(this)) this.#core.pause();
  }

  /** @throws {Error} unless it is open */
  resume(): void {
    if (isOpenFor(this)) this.#core.resume();
  }

  static {
    forgivePeers(this);
    for (const [name, value] of Object.entries({ CONNECTING, OPEN, CLOSING, CLOSED }))
      Object.defineProperty(this.prototype, name, { value, enumerable: true });
    for (const name of ['readyState', 'bytesReceived', 'bufferedAmount', 'protocol', 'extensions'] as const) {
      const get = function (this: WebSocket): unknown {
        return this.#core[name];
      };
      Object.defineProperty(this.prototype, name, { get, configurable: true, enumerable: true });
    }
  }
}

/** What happens to the core's socket, in the words of its face. */
function passOn(core: Core, face: WebSocket, masked: boolean): void {
  const ofBytes = (): Flags => ({ masked, binary: true });
  core.on('open', () => face.emit('open'));
  core.on('message', (data, isBinary) => {
    if (isBinary) face.emit('message', data as Buffer, ofBytes());
    else if (face.listenerCount('message') > 0) face.emit('message', (data as Buffer).toString(), { masked } as Flags);
  });
  core.on('ping', (data) => face.emit('ping', data, ofBytes()));
  core.on('pong', (data) => face.emit('pong', data, ofBytes()));
  let told: Error | null = null;
  const tell = (error: Error & { code?: unknown }): void => {
    told = error;
    const isFailedConnect = core.duplex === undefined && error.code !== 'WS_ERR_ABORTED';
    if (isFailedConnect || face.listenerCount('error') > 0) face.emit('error', handshakeError(error));
  };
  core.on('error', tell);
  core.on('close', (code, reason, { error, initiator }) => {
    if (error && error !== told && initiator === 'transport') tell(error); // of the stream: the core has it here alone
    face.emit('close', code === 1005 ? 1000 : code, String(reason));
  });
}

/** @throws {Error} if it is not, unless `dontFail` */
function isOpenFor(socket: WebSocket, dontFail = false): boolean {
  const isOpen = socket.readyState === OPEN;
  if (!isOpen && !dontFail) throw notOpened();
  return isOpen;
}

function isOptions(argument: unknown): argument is WebSocketOptions {
  return typeof argument === 'object' && argument !== null && !Array.isArray(argument);
}

function connect(address: string, names: string | readonly string[] | null | undefined, given: WebSocketOptions): Core {
  const { protocol = [names ?? []].flat().join(), perMessageDeflate, upgradeReq: _ofServers, ...rest } = given;
  const deflate = coreDeflate(perMessageDeflate ?? true, 'client');
  const options = { waitForTcpClose: false, ...rest, perMessageDeflate: deflate } as ClientOptions;
  try {
    return new Client(address, protocol ? parseSubprotocols(protocol) : [], options);
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'WS_ERR_INVALID_URL') throw error;
    throw errorOf('invalid url', 'WS_ERR_INVALID_URL', error);
  }
}
