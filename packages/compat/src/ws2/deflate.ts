import type { CoreDeflate, DeflateOptions } from './types.js';

/** What is left out follows the client. */
const OF_SERVERS: CoreDeflate = { serverNoContextTakeover: 'as-offered', clientNoContextTakeover: false };

/** On unless it is `false`; the threshold holds for every message. */
export function coreDeflate(given: boolean | DeflateOptions, role: 'server' | 'client'): false | CoreDeflate {
  if (given === false) return false;
  const { memLevel, ...rest } = typeof given === 'object' ? defined(given) : ({} as DeflateOptions);
  const zlibDeflateOptions = { ...rest.zlibDeflateOptions, ...(memLevel !== undefined && { memLevel }) };
  return { thresholdMode: 'always', ...(role === 'server' && OF_SERVERS), ...rest, zlibDeflateOptions };
}

/** Bytes from which on a message is compressed. */
export function thresholdOf(given: boolean | DeflateOptions | null | undefined): number {
  return (typeof given === 'object' ? given?.threshold : undefined) ?? 1024;
}

/** What is undefined or null was left out. */
export function defined<Options extends object>(given: Options): Options {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => (value ?? undefined) !== undefined)) as Options;
}
