import type { OutgoingHttpHeaders } from 'node:http';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocket, type ClientOptions } from '@ws/client';

/** What a client end asks for. */
export interface ClientEnd {
  /** With the query. @default '/' */
  readonly path?: string | undefined;
  /** The name of the server. */
  readonly host: string;
  /** For the `Host` header, where it is not the default one. */
  readonly port?: number | undefined;
  /** Whether the stream is encrypted. @default as the stream says */
  readonly secure?: boolean | undefined;
  /** Added to the request. `Host` and `Origin` are sent as given, those of the handshake itself are left out. */
  readonly extraHeaders?: OutgoingHttpHeaders | null | undefined;
  /** Subprotocols, the best first. */
  readonly protocols?: readonly string[] | undefined;
}

/** A client of the core over a stream that somebody has made. */
export function dialOver(stream: Duplex, end: ClientEnd, options: ClientOptions): WebSocket {
  const { path = '/', host, port, secure = 'encrypted' in stream, extraHeaders, protocols } = end;
  const name = `${isIPv6(host) ? `[${host}]` : host}${port === undefined ? '' : `:${port}`}`;
  const given = { ...options, headers: extraHeaders ?? {}, createConnection: () => stream };
  return new WebSocket(`${secure ? 'wss' : 'ws'}://${name}${path}`, protocols, given);
}

interface Address extends ClientEnd {
  readonly secure: boolean;
  readonly port: number;
  readonly path: string;
}

const HAS_SCHEME = /^[a-z][a-z\d+.-]*:\/\//i;

/**
 * Reads `ws://host:port/path?query`; without a scheme it is `ws`.
 * @throws {Error} for another scheme; {SyntaxError} for what is no address, or has a fragment; {TypeError} for what is not text
 */
export function parseAddress(given: string | URL): Address {
  if (typeof given !== 'string' && !(given instanceof URL)) throw new TypeError('the URL is not a string');
  const text = String(given);
  const href = HAS_SCHEME.test(text) ? text : `ws://${text}`;
  if (!URL.canParse(href) || href.includes('#')) throw new SyntaxError(`no URL, or one with a fragment: ${text}`);
  const { protocol, hostname, port, pathname, search } = new URL(href);
  const secure = protocol === 'wss:';
  if (!secure && protocol !== 'ws:') throw new Error(`Invalid protocol ${protocol} expected ws: or wss:`);
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return { secure, host, port: port === '' ? (secure ? 443 : 80) : Number(port), path: `${pathname}${search}` };
}
