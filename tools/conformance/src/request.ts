import type { HeaderRules } from './case.js';
import type { RequestRow } from './table.js';

// The good request that all rows about our server change in one place or another, and what may come back.

export const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

export type Lines = Readonly<Record<string, string | readonly string[] | null>>;

const BASE: Lines = {
  Host: 'example.com',
  Upgrade: 'websocket',
  Connection: 'Upgrade',
  'Sec-WebSocket-Key': KEY,
  'Sec-WebSocket-Version': '13',
};

/** The good request with some headers replaced, repeated (a list), left out (null) or added. */
export function request(changes: Lines = {}, line = 'GET / HTTP/1.1'): string {
  const headers = Object.entries({ ...BASE, ...changes }).flatMap(([name, value]) =>
    [value ?? []].flat().map((v) => `${name}: ${v}`),
  );
  return [line, ...headers, '', ''].join('\r\n');
}

export const opens = (headers: HeaderRules = {}): RequestRow['expect'] => ({ status: [101], headers });
export const refused = (status: number | readonly number[], headers: HeaderRules = {}): RequestRow['expect'] => ({
  status: [status].flat(),
  headers,
});
/** An answer may come, TCP must end. */
export const ENDS: RequestRow['expect'] = { status: [] };

export const VERSION = { 'sec-websocket-version': '13' };
