const PERCENT = '%';
const LONGEST_IPV6 = 45;

export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;

/** A decimal number in its shortest form, up to `max`. */
export function parseNumber(text: string, max: number): number | undefined {
  if (text.length === 0 || text.length > 5 || (text.length > 1 && text.startsWith('0'))) return undefined;
  let number = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return undefined;
    number = number * 10 + code - 0x30;
  }
  return number <= max ? number : undefined;
}

/** Four decimal octets, each in its shortest form. @returns the two groups of 16 bits that they are */
export function parseIpv4(text: string): readonly [number, number] | undefined {
  if (text.length > 15) return undefined;
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let address = 0;
  for (const octet of octets) {
    const number = parseNumber(octet, 255);
    if (number === undefined) return undefined;
    address = address * 256 + number;
  }
  return [Math.floor(address / 0x10000), address % 0x10000];
}

/** RFC 3986 §3.2.2, IPv6address, without brackets or zone. @returns its eight groups of 16 bits */
export function parseIpv6(text: string): readonly number[] | undefined {
  if (text.length > LONGEST_IPV6) return undefined;
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = parseGroups(text, true);
    return groups?.length === 8 ? groups : undefined;
  }
  if (text.includes('::', gap + 1)) return undefined;
  const before = parseGroups(text.slice(0, gap), false);
  const behind = parseGroups(text.slice(gap + 2), true);
  if (before === undefined || behind === undefined || before.length + behind.length > 7) return undefined;
  return [...before, ...new Array<number>(8 - before.length - behind.length).fill(0), ...behind];
}

function parseGroups(text: string, dottedTail: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const tail = dottedTail ? parseIpv4(parts.at(-1)!) : undefined;
  if (tail) parts.pop();
  const groups: number[] = [];
  for (const part of parts) {
    const group = parseHexadecimal(part);
    if (group === undefined) return undefined;
    groups.push(group);
  }
  return tail ? [...groups, ...tail] : groups;
}

/** One to four digits. */
function parseHexadecimal(text: string): number | undefined {
  if (text.length === 0 || text.length > 4) return undefined;
  let number = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const letter = (code | 0x20) - 0x61;
    if (isDigit(code)) number = number * 16 + code - 0x30;
    else if (letter >= 0 && letter < 6) number = number * 16 + letter + 10;
    else return undefined;
  }
  return number;
}

/** Prefixes of IPv6 addresses in whose last 32 bits there is an IPv4 one: mapped (RFC 4291 §2.5.5.2) and translated (RFC 6052 §2.1). */
const IPV4_INSIDE = ['0,0,0,0,0,65535', '100,65435,0,0,0,0'];

/** The address as text in one form: IPv4 as four decimals, also inside IPv6; `undefined` for what is none. A zone is left out. */
export function plainAddress(text: string): string | undefined {
  if (!text.includes(':')) return parseIpv4(text) && text;
  const zone = text.indexOf(PERCENT);
  const address = zone < 0 ? text : text.slice(0, zone);
  const groups = parseIpv6(address);
  return groups && (ipv4Inside(groups) ?? address.toLowerCase());
}

function ipv4Inside(groups: readonly number[]): string | undefined {
  if (!IPV4_INSIDE.includes(groups.slice(0, 6).join())) return undefined;
  const [high, low] = [groups[6]!, groups[7]!];
  return `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`;
}

/**
 * What one client is told by, for limits per address: an IPv4 address, also inside an IPv6 one; of other IPv6 addresses the first 64 bits, for
 * who has one of them has all that begin with these. Text that is no address stands for itself.
 */
export function addressKey(address: string): string {
  const plain = plainAddress(address);
  if (plain === undefined || !plain.includes(':')) return plain ?? address;
  const prefix = parseIpv6(plain)!
    .slice(0, 4)
    .map((group) => group.toString(16));
  return `${prefix.join(':')}::/64`;
}
