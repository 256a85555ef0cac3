import { request as httpRequest, type ClientRequest } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as connectTcp, isIP } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Address } from './address.js';
import type { HeaderFields } from './headers.js';
import type { ClientSettings, CreateConnection, CreateConnectionOptions } from './options.js';

/**
 * Starts one handshake request, not sent yet. Its connection is its own, unless the caller brought an agent or makes
 * it himself.
 * @param servername as the option; the host name of the address where left out
 * @throws whatever Node has against the options
 */
export function openRequest(
  address: Address,
  settings: ClientSettings,
  headers: HeaderFields,
  servername: string | undefined,
): ClientRequest {
  const connector = new Connector(address.secure, settings.createConnection);
  const { agent } = settings;
  const options: RequestOptions = {
    ...settings.request,
    ...(address.secure && { servername: servername ?? serverName(address) }),
    ...(address.socketPath !== undefined && { socketPath: address.socketPath }),
    ...(agent !== undefined && { agent }),
    createConnection: connector.create,
    headers,
    host: address.host,
    method: 'GET',
    path: address.target,
    port: address.port || '0', // 0 would be taken for "the default"
    protocol: address.secure ? 'https:' : 'http:',
  };
  const request = (address.secure ? httpsRequest : httpRequest)(options);
  request.maxHeadersCount = 0; // none is dropped unseen: maxHeaderSize is limit enough
  if (connector.refusal !== undefined) {
    request.on('error', () => {});
    request.destroy();
    throw connector.refusal;
  }
  return request;
}

/** RFC 6066 §3: host names only. Given in every case, so that no layer below derives it from the `Host` header. */
function serverName({ host }: Address): string {
  return isIP(host) === 0 ? host : '';
}

/** The `createConnection` of one request. */
class Connector {
  /** What Node threw against the options: `http.request` keeps it for an `'error'` event, our caller gets it at the call. */
  refusal: Error | undefined;
  readonly #secure: boolean;
  readonly #custom: CreateConnection | undefined;

  constructor(secure: boolean, custom: CreateConnection | undefined) {
    this.#secure = secure;
    this.#custom = custom;
  }

  /** `path` is the request's for http, and a Unix socket's for net and tls. */
  readonly create: NonNullable<RequestOptions['createConnection']> = (options, callback) => {
    const target = { ...options, path: options.socketPath } as CreateConnectionOptions;
    if (this.#custom !== undefined) {
      const stream = this.#custom(target, (error, late) => callback(error ?? notAStream(late), late as Duplex));
      const error = stream ? notAStream(stream) : null;
      if (error) throw error;
      return stream;
    }
    try {
      return this.#secure ? connectTls(target) : connectTcp(target);
    } catch (error) {
      this.refusal = error as Error;
      throw error;
    }
  };
}

function notAStream(value: Partial<Duplex> | null | undefined): Error | null {
  const usable = typeof value?.on === 'function' && typeof value.write === 'function';
  return usable ? null : new TypeError('createConnection gave something that is not a stream');
}
