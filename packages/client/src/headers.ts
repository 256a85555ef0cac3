import { upgradeRequest, type HeaderList } from '@ws/handshake';
import type { Address } from './address.js';
import type { ClientSettings } from './options.js';
import type { ForOneHost } from './redirect.js';

/**
 * The caller's headers as a list of our own, values as text. Whether they can be sent is checked by `upgradeRequest`.
 * @param host the `host` option: a `Host` header unless there is one
 * @throws {TypeError} naming `headers`
 */
export function headerList(headers: unknown, host: string | undefined): HeaderList {
  const list: string[] = [];
  for (const [name, value] of entries(headers)) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (one === undefined || one === null) continue;
      const text = textOf(one);
      if (text === undefined) throw new TypeError(`headers: the value of ${String(name)} is no text and has none`);
      list.push(String(name), text);
    }
  }
  if (host !== undefined && !list.some((name, i) => i % 2 === 0 && name.toLowerCase() === 'host'))
    list.push('Host', host);
  return list;
}

/** As `http.request` takes them: numbers, flags, a URL; not what would be sent as `[object Object]`. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value !== 'object') return undefined;
  const text = (value as { toString(): string }).toString();
  return text === '[object Object]' ? undefined : text;
}

function entries(headers: unknown): Iterable<readonly [unknown, unknown]> {
  if (headers === undefined || headers === null) return [];
  if (typeof headers !== 'object') throw new TypeError(`headers is ${typeof headers}, expected an object`);
  if (!(Symbol.iterator in headers)) return Object.entries(headers);
  const items = [...(headers as Iterable<unknown>)];
  if (items.every(Array.isArray)) return items as [unknown, unknown][]; // Map, Headers, list of pairs
  if (items.length % 2 !== 0) throw new TypeError('headers: a name without a value');
  return items.flatMap((name, i) => (i % 2 === 0 ? [[name, items[i + 1]] as const] : []));
}

/** As `http.request` takes them: a field that comes several times is an array. */
export type HeaderFields = Record<string, string | string[]>;

/**
 * The headers of one handshake request, and the key that its answer must prove to have seen.
 * @throws {TypeError} for a header, host or origin that would break the request; {SyntaxError} for a subprotocol
 */
export function requestHeaders(
  address: Address,
  settings: ClientSettings,
  protocols: readonly string[],
  given: ForOneHost,
): { readonly key: string; readonly fields: HeaderFields } {
  const { key, headers } = upgradeRequest({
    host: address.authority,
    target: address.target,
    version: settings.protocolVersion,
    origin: settings.origin,
    protocols,
    extensions: settings.extensions.offers,
    headers: given.headers,
  });
  // Without a prototype: whatever name a caller chooses is a field and nothing else.
  const fields = Object.create(null) as HeaderFields;
  const spellings = new Map<string, string>();
  headers.forEach((name, i) => {
    if (i % 2 !== 0) return;
    const value = headers[i + 1] ?? '';
    const spelling = spellings.get(name.toLowerCase());
    if (spelling !== undefined) {
      fields[spelling] = [fields[spelling] ?? '', value].flat();
      return;
    }
    spellings.set(name.toLowerCase(), name);
    fields[name] = value;
  });
  if (given.credentials !== undefined && !spellings.has('authorization')) {
    fields['Authorization'] = `Basic ${Buffer.from(given.credentials).toString('base64')}`;
  }
  return { key, fields };
}
