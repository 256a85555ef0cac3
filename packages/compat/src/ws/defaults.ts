import type { ClientOptions } from '@ws/client';
import type { ServerOptions } from '@ws/server';

type PerMessageDeflate = ServerOptions['perMessageDeflate'];

/** What `ws` 8 does where nothing is said. Each guard of ours is still there for who asks for it. */
export const SERVER_DEFAULTS = {
  origins: 'any',
  maxPayload: 104_857_600,
  maxHeaderCount: false,
  maxHeaderSize: false,
  maxPending: false,
  handshakeTimeout: false,
  draft08: true,
  slowConsumer: false,
  heartbeat: false,
  messageTimeout: false,
  memoryLimit: false,
} as const satisfies ServerOptions;

/** Contexts are taken over where the client does not forbid it, and zlib's own level is used. */
export function serverDeflate(given: PerMessageDeflate | null): PerMessageDeflate {
  if (!given) return false;
  return { serverNoContextTakeover: 'as-offered', clientNoContextTakeover: false, ...zlibLevel(given) };
}

export function clientDeflate(given: ClientOptions['perMessageDeflate'] | null): ClientOptions['perMessageDeflate'] {
  return given === false || given === null ? false : zlibLevel(given ?? true);
}

function zlibLevel(given: NonNullable<PerMessageDeflate>): Exclude<PerMessageDeflate, boolean | undefined> {
  const options = typeof given === 'object' ? withoutUndefined(given) : {};
  return { ...options, zlibDeflateOptions: { level: 6, ...options.zlibDeflateOptions } };
}

/** As if it had been left out: it would hide a default. */
export function withoutUndefined<T extends object>(given: T): T {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null)) as T;
}
