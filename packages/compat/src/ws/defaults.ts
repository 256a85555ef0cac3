import type { ClientOptions } from '@ws/client';
import type { ServerOptions } from '@ws/server';

/** Of both ends, in `ws` 8. */
const DEFAULTS = {
  allowSynchronousEvents: true,
  autoPong: true,
  closeTimeout: 30_000,
  maxBufferedChunks: 262_144,
  maxFragments: 16_384,
  maxPayload: 104_857_600,
  skipUTF8Validation: false,
} as const satisfies ServerOptions & ClientOptions;

/** A client does not wait for the server to end TCP. */
const OF_CLIENTS = { ...DEFAULTS, waitForTcpClose: false } as const satisfies ClientOptions;

const FLAGS = 'allowSynchronousEvents autoPong clientTracking followRedirects noServer skipUTF8Validation'.split(' ');

/** A server without our guards; each is there for who asks for it. */
export function serverOptions(given: ServerOptions): ServerOptions {
  if (typeof given !== 'object' || given === null) return given;
  return {
    ...DEFAULTS,
    origins: 'any',
    draft08: true,
    handshakeTimeout: false,
    heartbeat: false,
    maxHeaderCount: false,
    maxHeaderSize: false,
    maxPending: false,
    memoryLimit: false,
    messageTimeout: false,
    slowConsumer: false,
    ...loosely(given),
    perMessageDeflate: serverDeflate(given.perMessageDeflate),
  };
}

export function clientOptions(given: ClientOptions | null | undefined): ClientOptions {
  return { ...OF_CLIENTS, ...loosely(given ?? {}), perMessageDeflate: clientDeflate(given?.perMessageDeflate) };
}

type Deflate = ServerOptions['perMessageDeflate'] | null;
type DeflateOptions = Exclude<Deflate, boolean | null | undefined>;

/** Contexts are taken over where the client does not forbid it. */
export function serverDeflate(given: Deflate): DeflateOptions | false {
  return given
    ? { serverNoContextTakeover: 'as-offered', clientNoContextTakeover: false, ...atZlibLevel(given) }
    : false;
}

export function clientDeflate(given: Deflate): DeflateOptions | false {
  return given === false || given === null ? false : atZlibLevel(given ?? true);
}

/** 6, which is zlib's own. */
function atZlibLevel(given: true | DeflateOptions): DeflateOptions {
  const options = given === true ? {} : loosely(given);
  return { ...options, zlibDeflateOptions: { level: 6, ...options.zlibDeflateOptions } };
}

/** As `ws` reads options: null and undefined are left out, so that they hide no default, and a flag is whatever is true. */
function loosely<T extends object>(given: T): T {
  const entries = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, FLAGS.includes(name) ? Boolean(value) : value])) as T;
}
