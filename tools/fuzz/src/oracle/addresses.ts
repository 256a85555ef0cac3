// The second opinion on addresses behind proxies: everything in one list, from the right; addresses are judged by Node and spelled by the
// URL parser of the WHATWG standard.
import { isIPv4, isIPv6 } from 'node:net';

const MOST_HOPS = 32;

/** The eight groups of an IPv6 address, in hexadecimal without zeros in front. */
function groupsOf(address: string): string[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1);
  const [before = '', behind] = canonical.split('::');
  const split = (text: string): string[] => (text === '' ? [] : text.split(':'));
  if (behind === undefined) return split(canonical);
  const missing = 8 - split(before).length - split(behind).length;
  return [...split(before), ...Array.from<string>({ length: missing }).fill('0'), ...split(behind)];
}

/** @returns undefined for what is no address */
function plain(text: string): string | undefined {
  if (!text.includes(':')) return isIPv4(text) ? text : undefined;
  const address = text.replace(/%.*$/s, '');
  if (!isIPv6(address)) return undefined;
  const groups = groupsOf(address);
  if (!['0,0,0,0,0,ffff', '64,ff9b,0,0,0,0'].includes(groups.slice(0, 6).join())) return address.toLowerCase();
  return groups
    .slice(6)
    .flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 255])
    .join('.');
}

function entryAddress(entry: string): string | undefined {
  const port = /^(?:0|[1-9]\d{0,4})$/;
  const match = /^(?:\[(.*?)\]|([^:]*))(?::(.*))?$/s.exec(entry);
  const isBare = !entry.startsWith('[') && entry.split(':').length > 2;
  if (isBare || !match) return isBare ? plain(entry) : undefined;
  const [, inBrackets, name, digits] = match;
  if (digits !== undefined && (!port.test(digits) || Number(digits) > 65_535)) return undefined;
  return plain(inBrackets ?? name ?? '');
}

export function naiveClient(remote: string | undefined, values: readonly string[], hops: number): string | undefined {
  const entries = values
    .flatMap((value) => value.split(','))
    .map((entry) => entry.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((entry) => entry !== '')
    .reverse();
  let address = remote === undefined ? undefined : (plain(remote) ?? remote);
  for (const [hop, entry] of entries.entries()) {
    const before = hop < Math.min(hops, MOST_HOPS) ? entryAddress(entry) : undefined;
    if (before === undefined) break;
    address = before;
  }
  return address;
}

export function naiveKey(address: string): string {
  const known = plain(address);
  if (known === undefined) return address;
  return known.includes(':') ? `${groupsOf(known).slice(0, 4).join(':')}::/64` : known;
}
