import { isDigit, parseIpv4, parseIpv6, parseNumber } from './ip-address.js';
import { assertList } from './list.js';

/** What a `Host` header names. */
export interface Host {
  /** In lower case; an IPv6 address with its brackets. */
  readonly name: string;
  /** `undefined`: the default port of whatever scheme it is. */
  readonly port: number | undefined;
}

const COLON = 0x3a;
const BRACKET = 0x5b;

/** unreserved of RFC 3986 §2.3. */
function isNameCode(code: number): boolean {
  const lower = code | 0x20;
  if ((lower >= 0x61 && lower <= 0x7a) || isDigit(code)) return true;
  return code === 0x2d || code === 0x2e || code === 0x5f || code === 0x7e; // - . _ ~
}

const isHexDigit = (code: number): boolean => isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);

const consistsOf = (text: string, test: (code: number) => boolean): boolean => {
  for (let at = 0; at < text.length; at++) if (!test(text.charCodeAt(at))) return false;
  return text !== '';
};

/**
 * Reads `host [":" port]`, RFC 9110 §7.2, without the parts of the grammar that no real host uses and attacks do: percent-encoding,
 * sub-delims (a comma would be two hosts), empty labels but for the root's, IPvFuture, zones, ports over 65535 or with leading zeros.
 * @returns `undefined` for anything else
 */
export function parseHost(text: string): Host | undefined {
  let end = 0;
  if (text.charCodeAt(0) === BRACKET) {
    end = text.indexOf(']') + 1;
    if (end === 0 || parseIpv6(text.slice(1, end - 1)) === undefined) return undefined;
  } else {
    while (end < text.length && isNameCode(text.charCodeAt(end))) end++;
    if (end === 0 || text.startsWith('.') || text.slice(0, end).includes('..')) return undefined;
  }
  const name = text.slice(0, end).toLowerCase();
  if (end === text.length) return { name, port: undefined };
  if (text.charCodeAt(end) !== COLON) return undefined;
  if (end + 1 === text.length) return { name, port: undefined }; // RFC 3986 §3.2.3: the port may be empty
  const port = parseNumber(text.slice(end + 1), 65535);
  return port === undefined ? undefined : { name, port };
}

/**
 * Whether a browser could have written this name. It writes an IPv4 address as four decimals only, and takes every name whose last
 * label is a number (`2130706433`, `0x7f.1`, `127.1`, `0177.0.0.1`) for such an address: WHATWG URL, "ends in a number".
 */
export function isCanonicalName(name: string): boolean {
  const labels = name.split('.');
  if (labels.at(-1) === '' && labels.length > 1) labels.pop();
  const last = labels.at(-1)!;
  const hexadecimal = last.startsWith('0x') && (last.length === 2 || consistsOf(last.slice(2), isHexDigit));
  return (!hexadecimal && !consistsOf(last, isDigit)) || parseIpv4(name) !== undefined;
}

/** Whether two hosts are the same, `defaultPort` standing in on a side without a port. */
export function isSameHost(one: Host, other: Host, defaultPort: number): boolean {
  return one.name === other.name && (one.port ?? defaultPort) === (other.port ?? defaultPort);
}

/** Whether `entry` can stand in the list of {@link checkHost}. */
export const isHostEntry = (entry: string): boolean =>
  typeof entry === 'string' && parseHost(entry.startsWith('.') ? entry.slice(1) : entry) !== undefined;

/**
 * Whether the `Host` header of a request is one of ours: the defence against DNS rebinding, where a hostile name resolves to this
 * machine. An entry is a host (`localhost`, `[::1]`; any port), a host with the port that must be there too (`localhost:8080`), or a
 * domain with a leading dot (`.example.com`: itself and every name below). A missing or malformed `Host` is never one of ours.
 */
export function checkHost(host: string | undefined, allowed: readonly string[]): boolean {
  assertList(allowed, 'allowed is not a list of hosts');
  const actual = host === undefined ? undefined : parseHost(host);
  if (actual === undefined) return false;
  for (const entry of allowed) {
    const isDomain = entry.startsWith('.');
    const expected = parseHost(isDomain ? entry.slice(1) : entry);
    if (expected === undefined || (expected.port !== undefined && expected.port !== actual.port)) continue;
    if (actual.name === expected.name) return true;
    if (isDomain && actual.name.endsWith(`.${expected.name}`) && parseIpv4(actual.name) === undefined) return true;
  }
  return false;
}
