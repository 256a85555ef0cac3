import { fieldValues, type HeaderList } from './header-list.js';
import { parseNumber, plainAddress } from './ip-address.js';
import { splitList } from './token.js';

/**
 * Which of the proxies in front of a server are its own: the number of them, or a function that says whether `address` is one, `hop` being 0 for
 * who has connected, 1 for the one before it and so on.
 */
export type TrustedProxies = number | ((address: string, hop: number) => boolean);

/** More proxies than these nobody has. */
const MOST_HOPS = 32;

/**
 * The address of a client behind proxies: from the right, the first in `X-Forwarded-For` that is not one of ours, for what stands to the left of
 * it anybody may have written. Where all are ours, the leftmost; an entry that is no address ends the search before it.
 * @param remoteAddress who has connected; undefined on a Unix socket, which is asked for as ''
 * @returns without port, brackets and zone, an IPv4 address inside IPv6 as IPv4
 */
export function clientAddress(
  remoteAddress: string | undefined,
  headers: HeaderList,
  trusted: TrustedProxies,
): string | undefined {
  const isTrusted = typeof trusted === 'number' ? (_: string, hop: number): boolean => hop < trusted : trusted;
  let address = remoteAddress === undefined ? undefined : (plainAddress(remoteAddress) ?? remoteAddress);
  const lines = fieldValues(headers, 'x-forwarded-for');
  let hop = 0;
  for (let line = lines.length - 1; line >= 0; line--) {
    const entries = splitList(lines[line]!);
    for (let at = entries.length - 1; at >= 0; at--) {
      if (hop === MOST_HOPS || !isTrusted(address ?? '', hop++)) return address;
      const before = addressOf(entries[at]!);
      if (before === undefined) return address;
      address = before;
    }
  }
  return address;
}

/** Some proxies add the port, and brackets then. */
function addressOf(entry: string): string | undefined {
  if (entry.startsWith('[')) {
    const end = entry.indexOf(']');
    const rest = entry.slice(end + 1);
    return end < 0 || (rest !== '' && !isPort(rest)) ? undefined : plainAddress(entry.slice(1, end));
  }
  const colon = entry.indexOf(':');
  if (colon >= 0 && colon === entry.lastIndexOf(':'))
    return isPort(entry.slice(colon)) ? plainAddress(entry.slice(0, colon)) : undefined;
  return plainAddress(entry);
}

const isPort = (text: string): boolean => text.startsWith(':') && parseNumber(text.slice(1), 65535) !== undefined;
