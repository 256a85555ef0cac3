import { checkHost } from '@ws/handshake';
import { syntaxError } from './errors.js';

/** Where a WebSocket lives: RFC 6455 §3, and `ws+unix:/path/to.sock:/target?query` besides. */
export interface Address {
  /** The `url` of the WebSocket: normalised, its scheme one of ws, wss, ws+unix and wss+unix. */
  readonly href: string;
  readonly secure: boolean;
  /** Host name or IP address to connect to, IPv6 without brackets; `localhost` for a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** The `Host` header: brackets kept, no default port. */
  readonly authority: string;
  readonly socketPath: string | undefined;
  /** The request target: path and query. */
  readonly target: string;
  /** `user:password` from the URL, percent-decoded bytes. */
  readonly credentials: Uint8Array | undefined;
}

const SCHEMES: ReadonlyMap<string, { readonly secure: boolean; readonly unix: boolean; readonly rename?: string }> =
  new Map([
    ['ws:', { secure: false, unix: false }],
    ['wss:', { secure: true, unix: false }],
    ['http:', { secure: false, unix: false, rename: 'ws:' }],
    ['https:', { secure: true, unix: false, rename: 'wss:' }],
    ['ws+unix:', { secure: false, unix: true }],
    ['wss+unix:', { secure: true, unix: true }],
  ]);

/** @throws {SyntaxError} WS_ERR_INVALID_URL */
export function parseAddress(address: string | URL): Address {
  const url = parseUrl(String(address));
  const scheme = SCHEMES.get(url.protocol);
  if (scheme === undefined) {
    throw invalid(`The URL's protocol must be one of "ws:", "wss:", "http:", "https:", "ws+unix:" or "wss+unix:"`);
  }
  if (url.href.includes('#')) throw invalid('The URL contains a fragment identifier'); // §3, an empty one too
  if (scheme.rename !== undefined) url.protocol = scheme.rename;
  return scheme.unix ? unixAddress(url, scheme.secure) : networkAddress(url, scheme.secure);
}

/**
 * What the `Location` header of an answer from `from` names. RFC 9110 §10.2.2
 * @throws {SyntaxError} WS_ERR_INVALID_URL
 */
export function resolveLocation(location: string, from: Address): Address {
  if (from.socketPath === undefined || URL.canParse(location)) return parseAddress(parseUrl(location, from.href));
  // A relative one stays on its Unix socket and is resolved against the target there.
  const { host, pathname, search, hash } = parseUrl(location, `http://localhost${from.target}`);
  if (host !== 'localhost') throw invalid(`Invalid URL: ${location}`);
  const base = new URL(from.href);
  const [socket] = splitAtColon(base.pathname);
  return parseAddress(`${base.protocol}${socket}:${pathname}${search}${hash}`);
}

function networkAddress(url: URL, secure: boolean): Address {
  const { href, hostname, host } = url;
  // The URL parser takes names that no `Host` header may have, such as `a,b`.
  if (!checkHost(host, [host])) throw invalid(`The URL's host cannot be used: ${host}`);
  return {
    href,
    secure,
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    authority: host,
    socketPath: undefined,
    target: requestTarget(url.pathname + url.search),
    credentials: credentialsOf(url),
  };
}

function unixAddress(url: URL, secure: boolean): Address {
  if (url.host !== '') throw invalid('The URL of a Unix socket has no host: write ws+unix:/path/to.sock:/target');
  const [path, target] = splitAtColon(url.pathname);
  if (path === '') throw invalid("The URL's pathname is empty");
  const socketPath = percentDecode(path).toString();
  if (socketPath.includes('\0')) throw invalid('The path of the Unix socket contains NUL');
  return {
    href: url.href,
    secure,
    host: 'localhost',
    port: secure ? 443 : 80,
    authority: 'localhost',
    socketPath,
    target: requestTarget((target === '' ? '/' : target) + url.search),
    credentials: undefined,
  };
}

/** `/path/to.sock:/target` -> the two. A colon in the path of the socket is written `%3A`. */
function splitAtColon(pathname: string): [path: string, target: string] {
  const colon = pathname.indexOf(':');
  return colon === -1 ? [pathname, ''] : [pathname.slice(0, colon), pathname.slice(colon + 1)];
}

function parseUrl(text: string, base?: string): URL {
  try {
    return new URL(text, base);
  } catch {
    throw invalid(`Invalid URL: ${text}`);
  }
}

/** The URL parser leaves characters in that a request line must not have: those of an opaque path. */
function requestTarget(target: string): string {
  for (let i = 0; i < target.length; i++) {
    const unit = target.charCodeAt(i);
    if (unit <= 0x20 || unit >= 0x7f) throw invalid('The URL has a character that must be percent-encoded');
  }
  if (!target.startsWith('/')) throw invalid('The target of a Unix socket URL starts with "/"');
  return target;
}

function credentialsOf({ username, password }: URL): Uint8Array | undefined {
  if (username === '' && password === '') return undefined;
  const credentials = Buffer.concat([percentDecode(username), Buffer.from(':'), percentDecode(password)]);
  if (hasControl(credentials)) throw invalid('The credentials in the URL contain a control character');
  return credentials;
}

/** RFC 7617 §2: user-id and password have no control characters. */
export function hasControl(credentials: Uint8Array): boolean {
  return credentials.some((byte) => byte < 0x20 || byte === 0x7f);
}

/** As the URL standard has it: `%` and two hexadecimal digits is a byte, anything else stands for itself. */
function percentDecode(text: string): Buffer {
  const bytes = Buffer.from(text);
  let length = 0;
  for (let i = 0; i < bytes.length; i++, length++) {
    const high = bytes[i] === 0x25 ? hexValue(bytes[i + 1]) : -1;
    const low = high === -1 ? -1 : hexValue(bytes[i + 2]);
    bytes[length] = low === -1 ? (bytes[i] ?? 0) : high * 16 + low;
    if (low !== -1) i += 2;
  }
  return bytes.subarray(0, length);
}

function hexValue(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}

const invalid = (message: string): SyntaxError => syntaxError('WS_ERR_INVALID_URL', message);
