// The second opinion on the handshake's grammars: RFC 9110 and 6455 as regular expressions and splits, which the packages must not use.
import { isIPv4, isIPv6 } from 'node:net';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
export const isToken = (text: string): boolean => TOKEN.test(text);

const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, '');
const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Values of a field, without the blanks around them. */
function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2)
    if (lower(headers[at]!) === name) values.push(trim(headers[at + 1]!));
  return values;
}

const includesToken = (values: readonly string[], token: string): boolean =>
  values.some((value) => value.split(',').some((element) => lower(trim(element)) === token));

export type Extensions = { name: string; parameters: [string, string | true][] }[];

/** @returns undefined for what is no list of extensions */
export function extensionsOf(value: string): Extensions | undefined {
  // Elements cannot hold a comma, but inside quotes, where what is quoted must be a token and has none either.
  const list: Extensions = [];
  for (const element of value.split(',').map(trim)) {
    if (element === '') continue;
    const [name = '', ...parameters] = element.split(';').map(trim);
    if (!isToken(name)) return undefined;
    const read: [string, string | true][] = [];
    for (const parameter of parameters) {
      const match = /^([^= \t]+)(?:[ \t]*=[ \t]*(.*))?$/s.exec(parameter);
      const [, key = '', given] = match ?? [];
      if (!isToken(key)) return undefined;
      const quoted = given === undefined ? null : /^"((?:[^"\\]|\\.)+)"$/s.exec(given);
      const text = quoted ? quoted[1]!.replace(/\\(.)/gs, '$1') : given;
      if (text !== undefined && !isToken(text)) return undefined;
      read.push([key, text ?? true]);
    }
    list.push({ name, parameters: read });
  }
  return list.length > 0 ? list : undefined;
}

/** @returns undefined for what is no list of distinct names */
export function subprotocolsOf(value: string): string[] | undefined {
  const names = value
    .split(',')
    .map(trim)
    .filter((name) => name !== '');
  return names.length > 0 && names.every(isToken) && new Set(names).size === names.length ? names : undefined;
}

/** `host [":" port]`, without what no real host uses. @returns name in lower case, and port */
function hostOf(text: string): { name: string; port: number | undefined } | undefined {
  const match = /^(\[[^\]]*\]|[A-Za-z0-9._~-]+)(?::(0|[1-9]\d{0,4})?)?$/.exec(text);
  if (!match) return undefined;
  const [, name = '', digits] = match;
  const isAddress = name.startsWith('[');
  if (isAddress ? !isIPv6(name.slice(1, -1)) || name.includes('%') : /^\.|\.\./.test(name)) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && port > 65_535) return undefined;
  return { name: lower(name), port };
}

export function isHostAllowed(host: string, allowed: readonly string[]): boolean {
  const actual = hostOf(host);
  if (!actual) return false;
  return allowed.some((entry) => {
    const expected = hostOf(entry.replace(/^\./, ''));
    if (!expected || (expected.port !== undefined && expected.port !== actual.port)) return false;
    if (actual.name === expected.name) return true;
    return entry.startsWith('.') && actual.name.endsWith(`.${expected.name}`) && !isIPv4(actual.name);
  });
}

/** Why a request is no opening handshake, in the order in which it is looked at; or what it asks for. */
export function requestOf(
  request: {
    readonly method: string;
    readonly target: string;
    readonly httpVersion: string;
    readonly headers: readonly string[];
  },
  draft08: boolean,
): object | undefined {
  const { method, target, httpVersion, headers } = request;
  const one = (name: string): string | undefined => {
    const values = valuesOf(headers, name);
    return values.length === 1 ? values[0] : undefined;
  };
  const host = one('host');
  const parsed = host === undefined ? undefined : hostOf(host);
  if (method !== 'GET' || !/^1\.[1-9]$/.test(httpVersion) || host === undefined || parsed === undefined)
    return undefined;
  if (
    !includesToken(valuesOf(headers, 'upgrade'), 'websocket') ||
    !includesToken(valuesOf(headers, 'connection'), 'upgrade')
  )
    return undefined;
  const path = pathOf(target, parsed);
  const version = one('sec-websocket-version');
  const key = one('sec-websocket-key');
  if (path === undefined || key === undefined || !/^[A-Za-z0-9+/]{22}==$/.test(key)) return undefined;
  if (version !== '13' && !(draft08 && version === '8')) return undefined;
  if (
    valuesOf(headers, 'transfer-encoding').length > 0 ||
    valuesOf(headers, 'content-length').some((length) => length !== '0')
  )
    return undefined;
  const origins = [
    ...valuesOf(headers, 'origin'),
    ...(version === '8' ? valuesOf(headers, 'sec-websocket-origin') : []),
  ];
  if (valuesOf(headers, 'origin').length > 1 || new Set(origins).size > 1) return undefined;
  if (version === '8' && valuesOf(headers, 'sec-websocket-origin').length > 1) return undefined;
  const wanted = valuesOf(headers, 'sec-websocket-protocol');
  const offered = valuesOf(headers, 'sec-websocket-extensions');
  const protocols = wanted.length === 0 ? [] : subprotocolsOf(wanted.join(','));
  const extensions = offered.length === 0 ? [] : extensionsOf(offered.join(','));
  if (protocols === undefined || extensions === undefined) return undefined;
  return { version: Number(version), key, host, origin: origins[0], path, protocols, extensions };
}

function pathOf(target: string, host: { name: string; port: number | undefined }): string | undefined {
  if (!/^[\x21\x22\x24-\x7e]+$/.test(target)) return undefined; // visible, no fragment
  const match = /^(?:(https?):\/\/([^/?]*))?([/?].*)?$/is.exec(target);
  if (!match) return undefined;
  const [, scheme, authority = '', rest = ''] = match;
  if (scheme === undefined) return rest.startsWith('/') ? (rest.split('?')[0] ?? '') : undefined;
  const named = hostOf(authority);
  const defaultPort = lower(scheme) === 'http' ? 80 : 443;
  if (!named || named.name !== host.name || (named.port ?? defaultPort) !== (host.port ?? defaultPort))
    return undefined;
  return rest.split('?')[0] || '/';
}

/** @returns undefined for an answer that does not open the connection */
export function responseOf(
  { status, headers }: { readonly status: number; readonly headers: readonly string[] },
  accept: string,
  protocols: readonly string[],
  offered: readonly string[],
): object | undefined {
  if (status !== 101 || lower(valuesOf(headers, 'upgrade').join(', ')) !== 'websocket') return undefined;
  if (!includesToken(valuesOf(headers, 'connection'), 'upgrade')) return undefined;
  if (valuesOf(headers, 'sec-websocket-accept').join('|') !== accept) return undefined;
  const used = valuesOf(headers, 'sec-websocket-extensions');
  const extensions = used.length === 0 ? [] : extensionsOf(used.join(','));
  if (!extensions || extensions.some(({ name }) => !offered.includes(name))) return undefined;
  if (new Set(extensions.map(({ name }) => name)).size !== extensions.length) return undefined;
  const chosen = valuesOf(headers, 'sec-websocket-protocol');
  if (protocols.length === 0 ? chosen.length > 0 : chosen.length !== 1 || !protocols.includes(chosen[0]!))
    return undefined;
  return { protocol: chosen[0] ?? '', extensions };
}

/** A head as it would be read from a wire: nothing between its lines may have become another line. */
export function linesOf(text: string): { start: string; headers: [string, string][]; body: string } | undefined {
  const end = text.indexOf('\r\n\r\n');
  const lines = text.slice(0, end).split('\r\n');
  const [start = '', ...fields] = lines;
  if (end === -1 || lines.some((line) => /[\r\n\0]|[^\t\x20-\x7e\x80-\xff]/.test(line))) return undefined;
  const headers = fields.map((line): [string, string] => [
    line.slice(0, line.indexOf(':')),
    line.slice(line.indexOf(':') + 2),
  ]);
  return { start, headers, body: text.slice(end + 4) };
}
