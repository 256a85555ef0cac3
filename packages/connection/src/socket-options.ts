import type { IncomingMessage } from 'node:http';
import type { Role } from './core-options.js';
import type { ConnectionOptions } from './options.js';
import type { Extension } from './protocol/index.js';

/** What came out of the handshake. */
export interface SocketOptions {
  /** Our end: a server's frames go unmasked, a client's masked. RFC 6455 §5.1 */
  readonly role: Role;
  /** The agreed subprotocol. @default '' */
  readonly protocol?: string | undefined;
  /** What the client asked for, in its order. @default [] */
  readonly requestedProtocols?: readonly string[] | undefined;
  /** The agreed extensions, in the order agreed. @default [] */
  readonly extensions?: readonly Extension[] | undefined;
  /** For who listens on `ws:open`: the request of the handshake. It is not kept. */
  readonly request?: IncomingMessage | undefined;
  /** Where the peer is, if that is not the address of the stream. */
  readonly remoteAddress?: string | undefined;
  /** What the connection is held to if the constructor was given no options at all, as by a subclass that does not pass them on. */
  readonly options?: ConnectionOptions | undefined;
}

/** For `WebSocket.from`. */
export interface FromOptions extends Omit<SocketOptions, 'options'>, ConnectionOptions {
  /** Bytes that came behind the handshake. */
  readonly head?: Uint8Array | undefined;
}

/** What is kept of it: of nearly all, nothing, which they share. */
export interface Agreed {
  readonly protocol: string;
  readonly requestedProtocols: readonly string[];
  /** Names, separated by commas. */
  readonly extensions: string;
  readonly remoteAddress: string | undefined;
}

export const NOTHING_AGREED: Agreed = {
  protocol: '',
  requestedProtocols: Object.freeze([]) as readonly string[],
  extensions: '',
  remoteAddress: undefined,
};

export function agreedBy({
  protocol = '',
  requestedProtocols = [],
  extensions = [],
  remoteAddress,
}: SocketOptions): Agreed {
  const isNothing = protocol === '' && requestedProtocols.length === 0 && extensions.length === 0;
  if (isNothing && remoteAddress === undefined) return NOTHING_AGREED;
  return { protocol, requestedProtocols, extensions: extensions.map(({ name }) => name).join(), remoteAddress };
}

/** A part of a text may keep all of it in memory: what V8 does with long names; for each, what there is beside its bytes. */
const NAME_BYTES = 64;

/** What names take in memory. */
export const sizeOf = (names: readonly string[]): number =>
  names.reduce((sum, { length }) => sum + length + NAME_BYTES, 0);
