import type { Agent, ClientRequest, OutgoingHttpHeaders } from 'node:http';
import type { RequestOptions } from 'node:https';
import { isIP, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ConnectionOptions } from '@ws/connection';
import type { PerMessageDeflateOptions } from '@ws/deflate/node';
import type { HeaderList } from '@ws/handshake';
import { hasControl } from './address.js';
import { clientExtensions, type ClientExtensions } from './extensions.js';
import { headerList } from './headers.js';
import type { WebSocket } from './websocket.js';

/** What http.request would take and a handshake decides itself, and what has another type here. */
type Ours =
  | keyof ConnectionOptions
  | '_defaultAgent'
  | 'agent'
  | 'auth'
  | 'createConnection'
  | 'defaultPort'
  | 'headers'
  | 'host'
  | 'hostname'
  | 'method'
  | 'path'
  | 'port'
  | 'protocol'
  | 'setHost'
  | 'signal';

type SocketOptions = Pick<
  TcpNetConnectOpts,
  'autoSelectFamily' | 'autoSelectFamilyAttemptTimeout' | 'keepAlive' | 'keepAliveInitialDelay' | 'noDelay'
>;

/** What a `createConnection` is told; `net.connect` and `tls.connect` take it as it is. */
export type CreateConnectionOptions = Omit<RequestOptions, 'host' | 'path' | 'port'> & {
  readonly host: string;
  readonly port: number;
  /** Of a Unix socket. */
  readonly path?: string | undefined;
};

/** Makes the stream that the request is written to; returns it, or gives it to the callback later. */
export type CreateConnection = (
  options: CreateConnectionOptions,
  callback: (error?: Error | null, stream?: Duplex) => void,
) => Duplex | null | undefined;

/** Options of `new WebSocket(address, protocols, options)`; every other option of `http.request`, `https.request` and `tls.connect` is passed on. */
export interface ClientOptions extends ConnectionOptions, Omit<RequestOptions, Ours>, SocketOptions {
  /** For http: or https:, as the address. An agent's pooled connection is used for the handshake and then leaves the pool. @default none, a connection of its own */
  readonly agent?: Agent | false | undefined;
  /** `user:password` for Basic authentication; credentials in the address go before it. RFC 7617 */
  readonly auth?: string | null | undefined;
  /** As for `http.request`: makes the stream itself. Has no effect beside `agent`. */
  readonly createConnection?: CreateConnection | undefined;
  /** Called with each request that is ready to be sent, redirects included; must call `request.end()`, now or later. */
  readonly finishRequest?: ((request: ClientRequest, websocket: WebSocket) => void) | undefined;
  /** Follow 301, 302, 303, 307 and 308. @default false */
  readonly followRedirects?: boolean | undefined;
  /** Ms from sending a request to its 101, anew after each redirect; 0 or false: none. @default 0 */
  readonly handshakeTimeout?: number | false | undefined;
  /** Added to the request. The headers of the handshake itself are left out; `Host` and `Origin` are sent as given. */
  readonly headers?: OutgoingHttpHeaders | HeaderList | Iterable<readonly [string, string]> | undefined;
  /** The `Host` header; where to connect is said by the address alone. */
  readonly host?: string | undefined;
  /** Redirects followed before the connection fails. @default 10 */
  readonly maxRedirects?: number | undefined;
  /** The `Origin` header (version 8: `Sec-WebSocket-Origin`). */
  readonly origin?: string | undefined;
  /** Offer compression to the server, RFC 7692; an object says how. @default true */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /** `Sec-WebSocket-Version`. @default 13 */
  readonly protocolVersion?: 13 | 8 | undefined;
  /** Ends the attempt while CONNECTING; of no effect from `'open'` on, as with `http.request`. */
  readonly signal?: AbortSignal | undefined;
}

/** The options with their defaults, checked and copied. */
export interface ClientSettings {
  readonly connection: ConnectionOptions;
  readonly agent: Agent | false | undefined;
  readonly createConnection: CreateConnection | undefined;
  readonly credentials: Uint8Array | undefined;
  readonly extensions: ClientExtensions;
  readonly finishRequest: ((request: ClientRequest, websocket: WebSocket) => void) | undefined;
  readonly followRedirects: boolean;
  /** 0: none. */
  readonly handshakeTimeoutMs: number;
  readonly headers: HeaderList;
  readonly maxRedirects: number;
  readonly origin: string | undefined;
  readonly protocolVersion: 13 | 8;
  readonly servername: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** All the rest, for `http.request` and what it calls. */
  readonly request: RequestOptions;
}

/** Node's timers take 31 bits of ms. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** @throws {TypeError | RangeError} naming the option */
export function clientSettings(options: ClientOptions): ClientSettings {
  const {
    // the connection's, which it checks itself
    allowSynchronousEvents,
    autoPong,
    closeTimeout,
    fragmentSize,
    generateMask,
    heartbeat,
    highWaterMark,
    idleTimeout,
    incoming,
    Incoming,
    maxBufferedChunks,
    maxDeclaredFrame,
    maxFragments,
    maxLifetime,
    maxPayload,
    memoryLimit,
    messageTimeout,
    meter,
    minProgressRate,
    rateLimit,
    skipUTF8Validation,
    slowConsumer,
    streamThreshold,
    strictLength,
    waitForTcpClose,
    // the handshake's
    agent,
    auth,
    createConnection,
    finishRequest,
    followRedirects = false,
    handshakeTimeout = 0,
    headers,
    host,
    maxRedirects = 10,
    origin,
    perMessageDeflate = true,
    protocolVersion = 13,
    servername,
    signal,
    ...rest
  } = options;
  if (protocolVersion !== 13 && protocolVersion !== 8) {
    throw new RangeError(`Unsupported protocol version: ${String(protocolVersion)} (protocolVersion: 8 or 13)`);
  }
  if (typeof followRedirects !== 'boolean') throw wrongType('followRedirects', followRedirects, 'a boolean');
  for (const [name, value] of Object.entries({ createConnection, finishRequest })) checkFunction(name, value);
  for (const [name, value] of Object.entries({ host, origin, servername })) checkString(name, value);
  if (signal !== undefined && !isAbortSignal(signal)) throw wrongType('signal', signal, 'an AbortSignal');
  const limits = { maxBufferedChunks, maxFragments, maxPayload, memoryLimit };
  const receiving = {
    allowSynchronousEvents,
    incoming,
    Incoming,
    skipUTF8Validation,
    streamThreshold,
    strictLength,
    ...limits,
  };
  const pace = { closeTimeout, highWaterMark, slowConsumer, waitForTcpClose };
  const sending = { autoPong, fragmentSize, generateMask, maxDeclaredFrame, ...pace };
  const guards = { heartbeat, idleTimeout, maxLifetime, messageTimeout, minProgressRate, rateLimit, meter };
  const connection = { ...receiving, ...sending, ...guards } satisfies Record<keyof ConnectionOptions, unknown>; // all of them
  return {
    connection,
    agent,
    createConnection,
    credentials: basicCredentials(auth),
    extensions: clientExtensions(perMessageDeflate),
    finishRequest,
    followRedirects,
    handshakeTimeoutMs: handshakeTimeout === false ? 0 : checkMs('handshakeTimeout', handshakeTimeout),
    headers: headerList(headers, host),
    maxRedirects: checkCount('maxRedirects', maxRedirects),
    origin: origin === '' ? undefined : origin,
    protocolVersion,
    servername,
    signal,
    request: requestOptions(rest),
  };
}

/** Drops what would change the request behind the handshake's back, and checks what Node would check too late or without a name. */
function requestOptions(rest: object): RequestOptions {
  // Without what is undefined: it would hide Node's defaults, that of checkServerIdentity among them.
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  const options = Object.fromEntries(given) as RequestOptions & { onread?: unknown };
  delete options._defaultAgent;
  delete options.hostname;
  delete options.onread;
  const { checkServerIdentity, family, localAddress, lookup, socketPath, timeout } = options;
  for (const [name, value] of Object.entries({ checkServerIdentity, lookup })) checkFunction(name, value);
  for (const [name, value] of Object.entries({ localAddress, socketPath })) checkString(name, value);
  if (socketPath?.includes('\0')) throw new TypeError('socketPath contains NUL');
  if (localAddress !== undefined && isIP(localAddress) === 0) {
    throw new TypeError(`localAddress is ${show(localAddress)}, expected an IP address`);
  }
  if (family !== undefined && family !== 0 && family !== 4 && family !== 6) {
    throw new RangeError(`family is ${show(family)}, expected 0, 4 or 6`);
  }
  if (timeout !== undefined) checkMs('timeout', timeout);
  return options;
}

function basicCredentials(auth: unknown): Uint8Array | undefined {
  if (auth === undefined || auth === null) return undefined;
  if (typeof auth !== 'string') throw wrongType('auth', auth, 'a string');
  const credentials = Buffer.from(auth);
  if (hasControl(credentials)) throw new TypeError('auth contains a control character');
  return credentials;
}

function checkMs(name: string, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(name, value, 'a number of ms');
  if (value >= 0 && value <= MAX_TIMEOUT_MS) return value;
  throw new RangeError(`${name} is ${value}, expected 0 to ${MAX_TIMEOUT_MS} ms`);
}

function checkCount(name: string, value: unknown): number {
  if (typeof value !== 'number') throw wrongType(name, value, 'a non-negative integer');
  if (value === Infinity || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new RangeError(`${name} is ${value}, expected a non-negative integer`);
}

function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw wrongType(name, value, 'a function');
}

function checkString(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'string') throw wrongType(name, value, 'a string');
}

/** Not `instanceof`: a polyfill, or a signal of another realm, is as good. */
function isAbortSignal(value: unknown): value is AbortSignal {
  return typeof value === 'object' && value !== null && 'aborted' in value && 'addEventListener' in value;
}

const show = (value: unknown): string => (typeof value === 'string' ? JSON.stringify(value) : String(value));

const wrongType = (name: string, value: unknown, expected: string): TypeError =>
  new TypeError(`${name} is ${show(value)}, expected ${expected}`);
