import type { ResponseCase } from './case.js';

// The good response that all rows about our client change in one place or another, and what may come of it.

type Lines = Readonly<Record<string, string | readonly string[] | null>>;

const BASE: Lines = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': '{accept}' };

export const SWITCHING = 'HTTP/1.1 101 Switching Protocols';

/** The good response with some headers replaced, repeated (a list), left out (null) or added. */
export function response(changes: Lines = {}, line = SWITCHING): string {
  const headers = Object.entries({ ...BASE, ...changes }).flatMap(([name, value]) =>
    [value ?? []].flat().map((v) => `${name}: ${v}`),
  );
  return [line, ...headers, '', ''].join('\r\n');
}

export const opens = (protocol = ''): ResponseCase['expect'] => ({ kind: 'open', protocol });
/** Open, and permessage-deflate is in use with the parameters of this answer. */
export const opensWith = (deflate: string): ResponseCase['expect'] => ({ kind: 'open', protocol: '', deflate });
export const fails = (...codes: string[]): ResponseCase['expect'] => ({ kind: 'error', codes });
/** The code is that of Node's socket or HTTP parser. */
export const FAILS_SOMEHOW: ResponseCase['expect'] = { kind: 'error', codes: 'any' };
