import type { OutgoingHttpHeaders } from 'node:http';
import { connect as connectTcp, isIP, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls';
import { parseAddress } from './client-end.js';
import { Connection } from './connection.js';
import { Server, type ServerOptions } from './server.js';

type OnConnection = (connection: Connection) => void;
type OnConnect = (this: Connection) => void;

/** Those of `net.connect` or `tls.connect`; host and port are those of the address. */
export interface ConnectOptions
  extends Partial<Omit<TcpNetConnectOpts, 'host' | 'port'>>, Omit<TlsOptions, keyof TcpNetConnectOpts> {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  /** Added to the request. */
  readonly extraHeaders?: OutgoingHttpHeaders | undefined;
  /** Subprotocols, the best first: the server must choose one of them. */
  readonly protocols?: readonly string[] | undefined;
}

/** @param callback listens to `'connection'` */
export function createServer(callback?: OnConnection): Server;
export function createServer(options?: ServerOptions | null, callback?: OnConnection): Server;
export function createServer(first?: ServerOptions | OnConnection | null, callback?: OnConnection): Server {
  const secure = typeof first === 'object' && Boolean(first?.secure);
  return new Server(secure, first as ServerOptions, callback); // which may be the callback there too
}

/**
 * A client; it is connecting when this returns.
 * @param callback listens to `'connect'`
 * @throws {Error} for an address that is no `ws:` or `wss:`; {SyntaxError} for one that is none; {TypeError} for headers that cannot be sent
 */
export function connect(address: string | URL, callback?: OnConnect): Connection;
export function connect(address: string | URL, options?: ConnectOptions | null, callback?: OnConnect): Connection;
export function connect(
  address: string | URL,
  second?: ConnectOptions | OnConnect | null,
  third?: OnConnect,
): Connection {
  const [options, callback] = typeof second === 'function' ? [undefined, second] : [second, third];
  const { extraHeaders, protocols, ...rest } = options ?? {};
  const target = parseAddress(address);
  const { secure, host, port } = target;
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = secure ? connectTls({ ...servername, ...rest, host, port }) : connectTcp({ ...rest, host, port });
  try {
    return new Connection(socket, { ...target, extraHeaders, protocols }, callback);
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Bytes that `beginBinary` collects before it sends a frame, from the next message on. @default 524_288 */
export const setBinaryFragmentation = (bytes: number): void => void (Connection.binaryFragmentation = bytes);

/** Bytes of the longest message that is taken, at once for all connections. @default 2_097_152 */
export const setMaxBufferLength = (bytes: number): void => void (Connection.maxBufferLength = bytes);
