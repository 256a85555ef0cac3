import type { HeaderList } from '@ws/handshake';
import type { Address } from './address.js';

/** RFC 9110 §15.4: the statuses that ask for the same request elsewhere. 303 fits, our method being GET. */
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Headers meant for one host alone. `Host` is among them: it named the first. */
const BOUND_TO_HOST: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'cookie2',
  'proxy-authorization',
  'host',
]);

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status);
}

/**
 * Whether credentials for `from` may go to `to`: the same host name and port, or the same Unix socket, and no
 * step from TLS to plain text. The default ports of ws: and wss: count as one, so that the usual redirect from
 * `ws://host` to `wss://host` keeps them.
 */
export function keepsCredentials(from: Address, to: Address): boolean {
  const sameHost = from.socketPath === to.socketPath && from.authority === to.authority;
  return sameHost && (to.secure || !from.secure);
}

/** What a caller gave for the host he named, and no other. */
export interface ForOneHost {
  readonly headers: HeaderList;
  /** Basic authentication: of the address or of the `auth` option. */
  readonly credentials: Uint8Array | undefined;
  readonly servername: string | undefined;
}

/** What of `given` goes along on a redirect. What was dropped once stays so, even if a later redirect leads back. */
export function carriedOver(given: ForOneHost, from: Address, to: Address): ForOneHost {
  const { headers, credentials, servername } = given;
  if (keepsCredentials(from, to)) return { headers, credentials: to.credentials ?? credentials, servername };
  const isBound = (name: string): boolean => BOUND_TO_HOST.has(name.toLowerCase());
  return {
    headers: headers.filter((_, i) => !isBound(headers[i - (i % 2)] ?? '')),
    credentials: to.credentials,
    servername: undefined,
  };
}
