import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket as Core } from '@ws/connection';
import {
  WebSocketServer,
  type HandleProtocols,
  type ServerOptions as CoreOptions,
  type VerifyClient,
} from '@ws/server';
import { forgivePeers } from '../async-listeners.js';
import { coreDeflate, defined } from './deflate.js';
import type { ClientInfo, HandleProtocolsOption, ServerOptions, VerifyClientOption } from './types.js';
import { WebSocket } from './websocket.js';

/** Arguments of each event; `'connection' + request.url` is one more, with the socket alone. */
export interface ServerEvents {
  connection: [socket: WebSocket, request: IncomingMessage];
  headers: [headers: string[], request: IncomingMessage];
  listening: [];
  error: [error: Error];
}

/** What the library of that time did where nothing was said. */
const DEFAULTS = {
  draft08: true,
  heartbeat: false,
  maxPayload: 104_857_600,
  memoryLimit: false,
  messageTimeout: false,
  origins: 'any',
  slowConsumer: false,
} as const satisfies CoreOptions;

const UNAUTHORIZED = { accept: false, code: 401 } as const;

/** The server of `ws` 1 and 2. It stands in front of one of `@ws/server`. */
export class Server extends EventEmitter<ServerEvents> {
  readonly options: ServerOptions;
  readonly path: string | null | undefined;
  /** The open connections; not there with `clientTracking: false`. */
  declare readonly clients: Set<WebSocket>;
  readonly #core: WebSocketServer;
  readonly #graceMs: number;

  /** @param callback listens to `'listening'`, with the option `port` */
  constructor(options?: ServerOptions | null, callback?: () => void) {
    super({ captureRejections: true });
    const { graceMs = 0, port, server, noServer, ...rest } = defined(options ?? {});
    if (!Number.isSafeInteger(graceMs) || graceMs! < 0)
      throw new RangeError(`graceMs is ${graceMs}, expected a non-negative integer`);
    this.#graceMs = graceMs!;
    this.options = { ...options };
    this.path = options?.path;
    const { perMessageDeflate, verifyClient, handleProtocols } = rest;
    const where = port !== undefined ? { port } : server !== undefined ? { server } : { noServer };
    this.#core = new WebSocketServer({
      ...DEFAULTS,
      ...(rest as CoreOptions),
      ...(where as CoreOptions),
      perMessageDeflate: coreDeflate(perMessageDeflate ?? true, 'server'),
      verifyClient: verifyClient ? coreVerifyClient(verifyClient) : undefined,
      handleProtocols: handleProtocols ? coreHandleProtocols(handleProtocols) : undefined,
    });
    this.#core.shouldHandle = (request) => this.shouldHandle(request);
    if (this.options.clientTracking !== false) this.clients = new Set();
    if (callback && port !== undefined) this.once('listening', callback);
    this.#core.on('listening', () => this.emit('listening'));
    this.#core.on('error', (error) => this.emit('error', error));
    this.#core.on('headers', (lines, request) => this.emit('headers', lines, request));
    this.#core.on('connection', (core, request) => {
      const socket = Server.#track(this, core, request);
      (this as EventEmitter).emit(`connection${request.url}`, socket);
      this.emit('connection', socket, request);
    });
  }

  /** Where its own port listens. */
  address(): AddressInfo | string | null {
    return this.#core.address();
  }

  /** Whether it takes the request: that of its path. To be overridden. */
  shouldHandle(request: IncomingMessage): boolean | Promise<boolean> {
    return WebSocketServer.prototype.shouldHandle.call(this.#core, request);
  }

  /** `callback` gets the open socket; who is refused has an answer, and it is not called. */
  handleUpgrade(
    request: IncomingMessage,
    socket: Duplex,
    upgradeHead: Uint8Array,
    callback: (socket: WebSocket, request: IncomingMessage) => void,
  ): void {
    this.#core.handleUpgrade(request, socket, upgradeHead, (core) =>
      callback(Server.#track(this, core, request), request),
    );
  }

  /** Stops listening on its own port, or to the http server, and ends all connections with 1001. @param callback is called when they are gone, with an error if it was closed before */
  close(callback?: (error?: Error) => void): void {
    const signal = this.#graceMs === 0 ? AbortSignal.abort() : undefined;
    void this.#core.shutdown({ code: 1001, timeout: this.#graceMs, signal });
    this.#core.close(callback);
  }

  // Not a method: a private method is a field of each instance.

  static #track(server: Server, core: Core, upgradeReq: IncomingMessage): WebSocket {
    const { clients, options } = server;
    const socket: WebSocket = new WebSocket(core, { upgradeReq, perMessageDeflate: options.perMessageDeflate });
    clients?.add(socket);
    core.prependListener('close', () => clients?.delete(socket));
    return socket;
  }

  static {
    forgivePeers(this);
  }
}

/** Whatever is true accepts. */
function coreVerifyClient(verify: VerifyClientOption): VerifyClient {
  if (verify.length === 2)
    return (info, reply) =>
      verify(info as ClientInfo, (result, code, name) => reply(Boolean(result), code, name)) as void;
  return (info) => judged((verify as (info: ClientInfo) => unknown)(info as ClientInfo), Boolean);
}

function coreHandleProtocols(handle: HandleProtocolsOption): HandleProtocols {
  type Answer = string | false | null | undefined;
  const judge = (answer: unknown) => (answer === false ? UNAUTHORIZED : ((answer as Answer) ?? undefined));
  if (handle.length !== 2) return (protocols) => judged((handle as (list: string[]) => unknown)([...protocols]), judge);
  return (protocols) =>
    new Promise((resolve, reject) => {
      const reply = (result: unknown, protocol?: string) => resolve(judge(Boolean(result) && protocol));
      Promise.resolve(handle([...protocols], reply)).catch(reject);
    });
}

/** Promises of that time are of many kinds; one that is taken for an answer would let everybody in. */
function judged<Verdict>(answer: unknown, judge: (answer: unknown) => Verdict): Verdict | Promise<Verdict> {
  const isLater = typeof (answer as Partial<PromiseLike<unknown>> | null | undefined)?.then === 'function';
  return isLater ? Promise.resolve(answer).then(judge) : judge(answer);
}
