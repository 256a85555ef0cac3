import { generateKey, isKey } from './accept-key.js';
import { HandshakeError, quote } from './errors.js';
import { formatExtensions, parseExtensions, type ExtensionOffer } from './extensions.js';
import {
  assertHeaders,
  fieldValues,
  isFieldValue,
  listsInclude,
  withoutFields,
  type HeaderList,
  NOT_A_LIST,
} from './header-list.js';
import { assertList } from './list.js';
import { parseHost, type Host } from './host.js';
import { isDigit } from './ip-address.js';
import { assertSubprotocols, parseSubprotocols } from './subprotocol.js';
import { isOriginForm, readPath } from './target.js';

/** The head of a request that may be an opening handshake. RFC 6455 §4.1. */
export interface UpgradeRequest {
  readonly method: string;
  readonly target: string;
  /** `1.1`, as in Node's `IncomingMessage.httpVersion`. */
  readonly httpVersion: string;
  readonly headers: HeaderList;
  /** `:protocol` of an extended CONNECT, RFC 8441 §4. Room for later: CONNECT is refused as any other method. */
  readonly protocol?: string | undefined;
}

const CRLF_LENGTH = 2;

/** What a client asks for, in a request that keeps the rules. */
export interface UpgradeOffer {
  readonly version: 13 | 8;
  readonly key: string;
  /** The `Host` header as it was sent. */
  readonly host: string | undefined;
  /** The `Origin` header as it was sent; `undefined` if this is not a browser. Nothing about it has been checked: see `checkOrigin`. */
  readonly origin: string | undefined;
  /** The request target without its query, as it was sent. */
  readonly path: string;
  /** In the client's order, each once; empty if the client did not ask. */
  readonly protocols: readonly string[];
  readonly extensions: readonly ExtensionOffer[];
}

export type RequestDecision =
  | { readonly accepted: true; readonly offer: UpgradeOffer }
  | { readonly accepted: false; readonly error: HandshakeError };

export interface CheckRequestOptions {
  /** Also take version 8, the last draft that was spoken widely. @default false */
  readonly draft08?: boolean | undefined;
  /** Most bytes of the request line and the headers. @default no limit */
  readonly maxHeaderSize?: number | undefined;
  /** @default no limit */
  readonly maxHeaderCount?: number | undefined;
}

/**
 * Decides whether a request is an opening handshake that a server may accept. RFC 6455 §4.2.1. Never throws for what the peer sent;
 * looks at nothing that a server decides for itself (path, origin, host names, limits).
 *
 * A repeated `Host`, key, version or `Origin` is refused; the headers that are lists may come in several lines. So is a request with
 * a body: its bytes would be read as frames.
 */
export function checkUpgradeRequest(request: UpgradeRequest, options: CheckRequestOptions = {}): RequestDecision {
  try {
    return { accepted: true, offer: readOffer(request, options) };
  } catch (error) {
    if (error instanceof HandshakeError) return { accepted: false, error };
    throw error;
  }
}

function readOffer(request: UpgradeRequest, options: CheckRequestOptions): UpgradeOffer {
  const { method, httpVersion, headers } = request;
  const { draft08 = false, maxHeaderSize = Infinity, maxHeaderCount = Infinity } = options;
  assertList(headers, NOT_A_LIST);
  refuseLargeHead(request, maxHeaderSize, maxHeaderCount);
  if (method !== 'GET') throw new HandshakeError('WS_ERR_INVALID_METHOD', quote(method)); // §4.2.1 item 1
  if (!isHttp11(httpVersion)) throw new HandshakeError('WS_ERR_INVALID_HTTP_VERSION', quote(httpVersion));
  const upgrade = fieldValues(headers, 'upgrade'); // item 3
  if (upgrade.length === 0) throw new HandshakeError('WS_ERR_UPGRADE_REQUIRED');
  if (!listsInclude(upgrade, 'websocket'))
    throw new HandshakeError('WS_ERR_INVALID_UPGRADE', quote(upgrade.join(', ')));
  const connection = fieldValues(headers, 'connection'); // item 4
  if (!listsInclude(connection, 'upgrade'))
    throw new HandshakeError('WS_ERR_INVALID_CONNECTION', quote(connection.join(', ')));

  const [host, parsedHost] = readHost(headers); // item 2
  const path = readPath(request.target, parsedHost);
  refuseBody(headers);
  const version = readVersion(headers, draft08); // item 6, before the key: older drafts have other keys
  const key = readKey(headers); // item 5
  const origin = readOrigin(headers, version); // item 7
  const protocols = fieldValues(headers, 'sec-websocket-protocol'); // item 8
  const extensions = fieldValues(headers, 'sec-websocket-extensions'); // item 9
  return {
    version,
    key,
    host,
    origin,
    path,
    protocols: protocols.length === 0 ? [] : parseSubprotocols(protocols.join(',')),
    extensions: extensions.length === 0 ? [] : parseExtensions(extensions.join(',')),
  };
}

function refuseLargeHead({ method, target, headers }: UpgradeRequest, maxSize: number, maxCount: number): void {
  const count = headers.length >> 1;
  if (count > maxCount) throw new HandshakeError('WS_ERR_TOO_MANY_HEADERS', `${count}, limit ${maxCount}`);
  if (maxSize === Infinity) return;
  let size = method.length + target.length + 2 * ' '.length + 'HTTP/1.1'.length + 2 * CRLF_LENGTH;
  for (let at = 0; at < headers.length; at++) size += headers[at]!.length + 2; // ': ' behind a name, CRLF behind a value
  if (size > maxSize) throw new HandshakeError('WS_ERR_HEADER_TOO_LARGE', `${size} bytes, limit ${maxSize}`);
}

/** HTTP/1.1 or a later minor version; HTTP/2 has no upgrade (RFC 9113 §8.6). */
function isHttp11(httpVersion: string): boolean {
  return (
    httpVersion.length === 3 &&
    httpVersion.startsWith('1.') &&
    isDigit(httpVersion.charCodeAt(2)) &&
    httpVersion !== '1.0'
  );
}

function readHost(headers: HeaderList): [text: string, parsed: Host] {
  const hosts = fieldValues(headers, 'host');
  const parsed = hosts.length === 1 ? parseHost(hosts[0]!) : undefined;
  if (parsed === undefined)
    throw new HandshakeError('WS_ERR_INVALID_HOST', hosts.length === 0 ? '' : quote(hosts.join(', ')));
  return [hosts[0]!, parsed];
}

/** A GET with content has no meaning (RFC 9110 §9.3.1), and what follows this head must be frames. `Content-Length: 0` is no body. */
function refuseBody(headers: HeaderList): void {
  if (fieldValues(headers, 'transfer-encoding').length > 0)
    throw new HandshakeError('WS_ERR_UNEXPECTED_BODY', 'Transfer-Encoding');
  for (const length of fieldValues(headers, 'content-length')) {
    if (length !== '0') throw new HandshakeError('WS_ERR_UNEXPECTED_BODY', `Content-Length ${quote(length)}`);
  }
}

/** A number that is not ours: 426, so that the client can try another. No number, two, or something else: 400. §4.4. */
function readVersion(headers: HeaderList, draft08: boolean): 13 | 8 {
  const versions = fieldValues(headers, 'sec-websocket-version');
  const version = versions[0];
  const spoken = draft08 ? '13, 8' : '13';
  if (version === undefined || versions.length > 1 || !isNumber(version)) {
    const detail = version === undefined ? '' : quote(versions.join(', '));
    throw new HandshakeError('WS_ERR_INVALID_VERSION', detail, { headers: ['Sec-WebSocket-Version', spoken] });
  }
  if (version === '13') return 13;
  if (version === '8' && draft08) return 8;
  throw new HandshakeError('WS_ERR_UNSUPPORTED_VERSION', `${quote(version)}, expected ${spoken}`, {
    headers: ['Upgrade', 'websocket', 'Sec-WebSocket-Version', spoken],
  });
}

function isNumber(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (!isDigit(text.charCodeAt(at))) return false;
  return text !== '';
}

function readKey(headers: HeaderList): string {
  const keys = fieldValues(headers, 'sec-websocket-key');
  if (keys.length === 1 && isKey(keys[0]!)) return keys[0]!;
  throw new HandshakeError('WS_ERR_INVALID_KEY', keys.length === 1 ? quote(keys[0]!) : `${keys.length} values`);
}

/**
 * Version 8 says `Sec-WebSocket-Origin`. A request that has both must have the same twice, and one that has `Origin` alone has an
 * origin: a check in front of us that reads the usual header cannot be walked around.
 */
function readOrigin(headers: HeaderList, version: 13 | 8): string | undefined {
  const origins = fieldValues(headers, 'origin');
  const draftOrigins = version === 8 ? fieldValues(headers, 'sec-websocket-origin') : [];
  const origin = draftOrigins[0] ?? origins[0];
  if (origins.length > 1 || draftOrigins.length > 1 || (origins.length === 1 && origins[0] !== origin)) {
    throw new HandshakeError('WS_ERR_INVALID_ORIGIN', quote([...origins, ...draftOrigins].join(', ')));
  }
  return origin;
}

export interface UpgradeRequestOptions {
  /** For the `Host` header: the port belongs to it where it is not the scheme's default. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
  /** @default a fresh one */
  readonly key?: string | undefined;
  /** @default 13 */
  readonly version?: 13 | 8 | undefined;
  readonly origin?: string | undefined;
  readonly protocols?: readonly string[] | undefined;
  readonly extensions?: readonly ExtensionOffer[] | undefined;
  /** Sent as they are, behind ours. `Host` and `Origin` replace ours; what makes the handshake one is left out. */
  readonly headers?: HeaderList | undefined;
}

/** What a caller's headers cannot change. */
const OURS_IN_REQUEST = [
  'upgrade',
  'connection',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'sec-websocket-accept',
  'content-length',
  'transfer-encoding',
];

/**
 * The opening handshake of a client. RFC 6455 §4.1.
 * @throws {SyntaxError} for a subprotocol that is not a token or comes twice
 * @throws {TypeError} for a host, target, key, origin, extension or header that cannot be sent as it is
 * @throws {RangeError} for a version other than 13 and 8
 */
export function upgradeRequest(options: UpgradeRequestOptions): UpgradeRequest & { readonly key: string } {
  const {
    host,
    target,
    key = generateKey(),
    version = 13,
    origin,
    protocols = [],
    extensions = [],
    headers = [],
  } = options;
  if (typeof host !== 'string' || parseHost(host) === undefined)
    throw new TypeError('host is not a host with or without a port');
  if (!isOriginForm(target)) throw new TypeError('target is not a path of visible ASCII characters without a fragment');
  if (!isKey(key)) throw new TypeError('key is not 16 bytes in base64');
  if (version !== 13 && version !== 8) throw new RangeError(`version is ${String(version)}, expected 13 or 8`);
  if (origin !== undefined && !isFieldValue(origin))
    throw new TypeError('origin has characters that no header may have');
  assertSubprotocols(protocols);
  assertHeaders(headers);
  const hosts = fieldValues(headers, 'host');
  const origins = fieldValues(headers, 'origin');
  if (hosts.length > 1 || origins.length > 1) throw new TypeError('headers: Host and Origin can be given once');

  const list = ['Host', hosts[0] ?? host, 'Upgrade', 'websocket', 'Connection', 'Upgrade'];
  list.push('Sec-WebSocket-Key', key, 'Sec-WebSocket-Version', String(version));
  const sentOrigin = origins[0] ?? origin;
  if (sentOrigin !== undefined) list.push(version === 8 ? 'Sec-WebSocket-Origin' : 'Origin', sentOrigin);
  if (protocols.length > 0) list.push('Sec-WebSocket-Protocol', protocols.join(', '));
  if (extensions.length > 0) list.push('Sec-WebSocket-Extensions', formatExtensions(extensions));
  list.push(...withoutFields(headers, ['host', 'origin', ...OURS_IN_REQUEST]));
  return { method: 'GET', target, httpVersion: '1.1', headers: list, key };
}
