import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import {
  MemoryBudget,
  WebSocket,
  type ConnectionOptions,
  type Heartbeat,
  type Meter,
  type RateLimit,
  type RateOptions,
  type SlowConsumer,
} from '@ws/connection';
import type { PerMessageDeflateOptions } from '@ws/deflate/node';
import type { TrustedProxies } from '@ws/handshake';
import { defaultMemoryLimit } from './memory-limit.js';
import { checkOptions } from './option-rules.js';
import type { VerifyClient, VerifyClientResult } from './verify-client.js';

/** Decides over one `Origin` header. Not asked when there is none: that is no browser. */
export type OriginCheck = (origin: string, request: IncomingMessage) => boolean | Promise<boolean>;

/** What `handleProtocols` refuses a client with, instead of going on without a subprotocol. `code` is 400 if it is left out. */
export interface ProtocolRefusal extends Pick<VerifyClientResult, 'code' | 'reason' | 'headers'> {
  readonly accept: false;
}

export type HandleProtocolsAnswer = string | false | ProtocolRefusal | undefined;

/** Chooses one of the subprotocols that the client offered; `false`, `''` or nothing: none of them. */
export type HandleProtocols = (
  protocols: Set<string>,
  request: IncomingMessage,
) => HandleProtocolsAnswer | Promise<HandleProtocolsAnswer>;

/** Options of `WebSocketServer`: those of `ws` 8, and ours. Exactly one of `port`, `server` and `noServer` is given. */
export interface ServerOptions<Data = unknown> {
  /** Listen on this port, on an http server of our own; 0 takes a free one. */
  readonly port?: number | undefined;
  /** Where to listen. @default every address */
  readonly host?: string | undefined;
  /** Length of the queue of connections that the system has not handed over yet; the system has a limit of its own. @default 4096 */
  readonly backlog?: number | undefined;
  /** Take the upgrade requests of this http or https server; it stays its owner's to start and to close. */
  readonly server?: HttpServer | HttpsServer | undefined;
  /** No server at all: requests come through `handleUpgrade` or `attach`. */
  readonly noServer?: boolean | undefined;
  /** Serve this path only; the query does not count. @default every path */
  readonly path?: string | undefined;
  /** The status for a path that no WebSocket server here serves; of several on one http server the first one's. @default 400, as in `ws` */
  readonly unservedPath?: 400 | 404 | undefined;
  /** Keep the open connections in `clients`. @default true */
  readonly clientTracking?: boolean | undefined;
  /** Admission of one client; forms and answers are described with `VerifyClient`. */
  readonly verifyClient?: VerifyClient<Data> | undefined;
  /** Which `Origin` headers are accepted. A request without one comes from no browser and is. @default 'same' */
  readonly origins?: 'same' | 'any' | false | readonly string[] | OriginCheck | undefined;
  /** Chooses the subprotocol; wins over `protocols`. An answer that was not offered: 500. `{ accept: false }` refuses the client. */
  readonly handleProtocols?: HandleProtocols | undefined;
  /** Subprotocols this server speaks. @default the first one that the client offers, whatever it is */
  readonly protocols?: readonly string[] | undefined;
  /** Whose order decides between several common subprotocols. @default 'client' */
  readonly protocolPreference?: 'client' | 'server' | undefined;
  /** Refuse (400) a client with which no subprotocol is agreed. @default false */
  readonly requireProtocol?: boolean | undefined;
  /** ms for the request to arrive on an own port, and again for user code to decide over it. @default 10_000 */
  readonly handshakeTimeout?: number | false | undefined;
  /** Most connections, with the handshakes that user code decides over; beyond it, 503. @default false */
  readonly maxConnections?: number | false | undefined;
  /** Most connections of one client address, an IPv6 one by its first 64 bits; beyond it, 429. @default false */
  readonly maxConnectionsPerAddress?: number | false | undefined;
  /**
   * Most that are on the way to a connection: TCP connections of an own port without a request yet, and handshakes that wait for user code.
   * Beyond it the one that has been silent longest makes room (408), or else the new one gets 503. @default 1024
   */
  readonly maxPending?: number | false | undefined;
  /**
   * The proxies in front of us whose `X-Forwarded-For` is believed: how many they are, or whether `address` is one of them. The client address
   * that comes out is `socket.remoteAddress`, and what limits per address count. @default false
   */
  readonly trustProxy?: TrustedProxies | false | undefined;
  /** Whom a `Host` header may name: `localhost` (any port), `localhost:8080`, `.example.com` (the domain and all below it); others get 403. @default false, anybody */
  readonly allowedHosts?: readonly string[] | false | undefined;
  /** Most bytes of request line and headers; beyond it, 431. @default 16_384 */
  readonly maxHeaderSize?: number | false | undefined;
  /** Most headers of a request; beyond it, 431. @default 256 */
  readonly maxHeaderCount?: number | false | undefined;
  /** Also accept protocol version 8, the last draft before RFC 6455. @default false */
  readonly draft08?: boolean | undefined;
  /** Agree to compression with clients that offer it, RFC 7692; an object says how. @default false */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /** The class of the connections, a subclass of ours. */
  readonly WebSocket?: typeof WebSocket<Data> | undefined;
  /** Largest message accepted, in bytes; beyond it, 1009. @default 1_048_576 */
  readonly maxPayload?: number | false | undefined;
  /** Most frames in one message; beyond it, 1008. @default 131_072 */
  readonly maxFragments?: number | false | undefined;
  /** Most chunks that one frame may arrive in; beyond it, 1008. @default 262_144 */
  readonly maxBufferedChunks?: number | false | undefined;
  /** Several messages of one chunk are emitted in one go. @default true */
  readonly allowSynchronousEvents?: boolean | undefined;
  /** Answer pings. @default true */
  readonly autoPong?: boolean | undefined;
  /** ms that a closing peer has to finish, before TCP is cut. @default 30_000 */
  readonly closeTimeout?: number | false | undefined;
  /** Do not check that text is UTF-8. @default false */
  readonly skipUTF8Validation?: boolean | undefined;
  /** Refuse payload lengths that are not in their shortest form. @default true */
  readonly strictLength?: boolean | undefined;
  /** Unsent bytes from which `send` returns false, and received bytes from which reading stops until they are taken. @default 65_536 */
  readonly highWaterMark?: number | false | undefined;
  /** Give messages whole, or as streams: see `ConnectionOptions`. @default 'buffer' */
  readonly incoming?: ConnectionOptions['incoming'];
  /** The class of the streams that `'incoming'` gives, a subclass of ours. */
  readonly Incoming?: ConnectionOptions['Incoming'];
  /** With `incoming: 'auto'`, bytes up to which an unfragmented message is given whole. @default 16_384 */
  readonly streamThreshold?: number | false | undefined;
  /** Most payload bytes in one frame that is sent. @default never split */
  readonly fragmentSize?: number | false | undefined;
  /** Longest `length` for which `createOutgoing` sends one frame. @default 1_048_576 */
  readonly maxDeclaredFrame?: number | false | undefined;
  /** What becomes of a client that takes messages more slowly than they are sent. @default { limit: 16_777_216, policy: 'close' } */
  readonly slowConsumer?: SlowConsumer | false | undefined;
  /** Notice a peer that is gone: ms of silence after which a ping is sent, and ms for any byte to come. @default { interval: 30_000, timeout: 30_000 } */
  readonly heartbeat?: Heartbeat | false | undefined;
  /** ms without a message in either direction; then 1001. @default false */
  readonly idleTimeout?: number | false | undefined;
  /** ms after which a connection is closed with 1001, at a moment between 90 and 100 % of it. @default false */
  readonly maxLifetime?: number | false | undefined;
  /** ms for one message to arrive; beyond it, 1008. @default 120_000 */
  readonly messageTimeout?: number | false | undefined;
  /** Bytes a second that an unfinished message has to make; below it, 1008. @default false */
  readonly minProgressRate?: number | false | undefined;
  /**
   * Bytes that all connections may hold in memory together, or a budget shared with others: see {@link MemoryBudget}. Beyond it they stop reading, handshakes
   * get 503, and the newest of the largest holders 1013. @default a quarter of what the process may use
   */
  readonly memoryLimit?: MemoryBudget | number | false | undefined;
  /** How much may come how fast: of one connection, and handshakes of one address. @default false */
  readonly rateLimit?: ServerRateLimit | false | undefined;
}

export interface ServerRateLimit extends RateLimit {
  /** Handshakes of one client address; over it, 429. */
  readonly handshakes?: Omit<RateOptions, 'exceeded'> | false | undefined;
}

/** `ServerOptions` after the check: whatever has a default is filled in, and a guard that is off is 0. */
export interface ResolvedServerOptions<Data = unknown> extends Omit<
  ServerOptions<Data>,
  'handleProtocols' | 'verifyClient'
> {
  /** These two may be set at any time. */
  handleProtocols: HandleProtocols | undefined;
  verifyClient: VerifyClient<Data> | undefined;
  readonly noServer: boolean;
  readonly unservedPath: 400 | 404;
  readonly clientTracking: boolean;
  readonly origins: 'same' | 'any' | readonly string[] | OriginCheck;
  readonly protocolPreference: 'client' | 'server';
  readonly requireProtocol: boolean;
  readonly handshakeTimeout: number;
  readonly maxPending: number;
  readonly trustProxy: TrustedProxies | false;
  readonly maxHeaderSize: number;
  readonly maxHeaderCount: number;
  readonly draft08: boolean;
  readonly perMessageDeflate: boolean | PerMessageDeflateOptions;
  readonly WebSocket: typeof WebSocket<Data>;
  readonly maxPayload: number | false;
  readonly slowConsumer: SlowConsumer | false;
  readonly heartbeat: Heartbeat | false;
  readonly messageTimeout: number | false;
  readonly memoryLimit: MemoryBudget | false;
}

/**
 * Checks what the caller gave and fills in the defaults. `null` counts as left out, as in `ws`.
 * @throws {TypeError | RangeError} naming the option
 */
export function resolveOptions<Data>(given: ServerOptions<Data>): ResolvedServerOptions<Data> {
  const options: ServerOptions<Data> = withoutNull(given);
  checkOptions(options);
  const { port, server, noServer = false } = options;
  if (Number(port !== undefined) + Number(server !== undefined) + Number(noServer) !== 1) {
    throw new TypeError('exactly one of the options "port", "server" and "noServer" must be given');
  }
  return settled({
    ...options,
    noServer,
    unservedPath: options.unservedPath ?? 400,
    clientTracking: options.clientTracking ?? true,
    handleProtocols: options.handleProtocols,
    verifyClient: options.verifyClient,
    origins: options.origins === undefined ? 'same' : options.origins === false ? 'any' : options.origins,
    protocolPreference: options.protocolPreference ?? 'client',
    requireProtocol: options.requireProtocol ?? false,
    handshakeTimeout: finiteMs(options.handshakeTimeout ?? 10_000),
    maxPending: (options.maxPending ?? 1024) || 0,
    trustProxy: options.trustProxy || false,
    maxHeaderSize: (options.maxHeaderSize ?? 16_384) || 0,
    maxHeaderCount: (options.maxHeaderCount ?? 256) || 0,
    draft08: options.draft08 ?? false,
    perMessageDeflate: options.perMessageDeflate ?? false,
    WebSocket: options.WebSocket ?? WebSocket<Data>,
    maxPayload: options.maxPayload ?? 1_048_576,
    slowConsumer: options.slowConsumer ?? SLOW_CONSUMER,
    heartbeat: options.heartbeat ?? HEARTBEAT,
    messageTimeout: options.messageTimeout ?? 120_000,
    memoryLimit: memoryBudget(options.memoryLimit),
  });
}

/** Asked anew at each handshake. */
const LIVE = ['handleProtocols', 'verifyClient'] as const;

/** Nothing of it can be changed but what is read at each handshake: programs for `ws` set that later, and it is checked then. */
function settled<Data>(options: ResolvedServerOptions<Data>): ResolvedServerOptions<Data> {
  for (const name of LIVE) {
    let value: unknown = options[name];
    const set = (given: unknown): void => {
      const next = given ?? undefined;
      checkOptions({ [name]: next });
      value = next;
    };
    Object.defineProperty(options, name, { enumerable: true, get: () => value, set });
  }
  return Object.freeze(options);
}

/** 0: for ever. */
export const finiteMs = (given: number | false): number => (given === Infinity ? 0 : given || 0);

/** So much may wait for one client: see `slowConsumer`. */
const SLOW_CONSUMER: SlowConsumer = Object.freeze({ limit: 16_777_216, policy: 'close' });

function memoryBudget(given: ServerOptions['memoryLimit']): MemoryBudget | false {
  if (given instanceof MemoryBudget) return given;
  const limit = given ?? defaultMemoryLimit();
  return limit === 0 || limit === false || limit === Infinity ? false : new MemoryBudget(limit);
}

const HEARTBEAT: Heartbeat = Object.freeze({ interval: 30_000, timeout: 30_000 });

const CONNECTION_OPTIONS = [
  'allowSynchronousEvents',
  'autoPong',
  'closeTimeout',
  'fragmentSize',
  'heartbeat',
  'highWaterMark',
  'idleTimeout',
  'incoming',
  'Incoming',
  'maxBufferedChunks',
  'maxDeclaredFrame',
  'maxFragments',
  'maxLifetime',
  'maxPayload',
  'memoryLimit',
  'messageTimeout',
  'minProgressRate',
  'rateLimit',
  'skipUTF8Validation',
  'slowConsumer',
  'streamThreshold',
  'strictLength',
] as const;

/** What every connection of one server is made with; made once and shared. */
export function connectionOptions<Data>(options: ResolvedServerOptions<Data>, meter: Meter): ConnectionOptions {
  const entries = CONNECTION_OPTIONS.map((name) => [name, options[name]] as const);
  const given: ConnectionOptions = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  return Object.freeze({ ...given, ...(options.rateLimit && { rateLimit: ofConnection(options.rateLimit) }), meter });
}

function ofConnection({ handshakes: _ofServer, ...rest }: ServerRateLimit): RateLimit {
  return rest;
}

function withoutNull<T extends object>(given: T): T {
  if (typeof given !== 'object' || given === null) {
    throw new TypeError('exactly one of the options "port", "server" and "noServer" must be given');
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null)) as T;
}
