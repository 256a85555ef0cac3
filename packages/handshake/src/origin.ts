import { isCanonicalName, isSameHost, parseHost, type Host } from './host.js';
import { isDigit } from './ip-address.js';
import { assertList } from './list.js';

/** Who may connect from a browser: pages of this very host, anybody, or the listed origins. */
export type OriginRule = 'same' | 'any' | readonly string[];

interface Origin {
  readonly scheme: string;
  readonly host: Host;
}

/** Default ports of the schemes that pages are loaded by. */
const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** The port of a scheme; 0 for one without a default (`chrome-extension:`), which is then the same on both sides. */
const defaultPort = (scheme: string): number => (scheme === 'http' ? HTTP_PORT : scheme === 'https' ? HTTPS_PORT : 0);

/**
 * `scheme "://" host [":" port]`, RFC 6454 §7.1, as a browser writes it. No path, not even `/`, no userinfo, no odd spelling of an
 * address, no `null`.
 */
function parseOrigin(text: string): Origin | undefined {
  const colon = text.indexOf('://');
  const scheme = text.slice(0, Math.max(colon, 0));
  const host = parseHost(text.slice(colon + 3));
  if (!isScheme(scheme) || host === undefined || text.endsWith(':') || !isCanonicalName(host.name)) return undefined;
  return { scheme: scheme.toLowerCase(), host };
}

/** RFC 3986 §3.1. */
function isScheme(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const isLetter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    const isOther = isDigit(code) || code === 0x2b || code === 0x2d || code === 0x2e; // + - .
    if (!isLetter && (at === 0 || !isOther)) return false;
  }
  return text !== '';
}

/** Whether `text` is a whole origin, as an entry of a list of origins must be. */
export const isOrigin = (text: string): boolean => typeof text === 'string' && parseOrigin(text) !== undefined;

/**
 * Whether a handshake with these `Origin` and `Host` headers may go on. RFC 6455 §10.2.
 *
 * - No `Origin`: not a browser, accepted under every rule.
 * - `'same'`: an http or https origin whose host and port are those of `Host`, in any case. A side without a port takes the default
 *   port of the *origin's* scheme, so that this holds behind a proxy that ends TLS.
 * - A list: whole origins (`https://app.example.com`), compared after lower-casing and filling in default ports. An entry that is none
 *   never matches; see {@link isOrigin}.
 */
export function checkOrigin(origin: string | undefined, host: string | undefined, rule: OriginRule): boolean {
  if (rule !== 'any' && rule !== 'same') assertList(rule, "rule is neither 'same' nor 'any' nor a list of origins");
  if (origin === undefined || rule === 'any') return true;
  const actual = parseOrigin(origin);
  if (actual === undefined) return false;
  const port = defaultPort(actual.scheme);
  if (rule === 'same') {
    const own = host === undefined ? undefined : parseHost(host);
    return port !== 0 && own !== undefined && isSameHost(actual.host, own, port);
  }
  for (const entry of rule) {
    const expected = parseOrigin(entry);
    if (expected?.scheme === actual.scheme && isSameHost(actual.host, expected.host, port)) return true;
  }
  return false;
}
