// Lexical rules shared by every header here. All of them are one pass over the text.

const COMMA = 0x2c;

/** One octet per code: 1 where the character is a tchar. RFC 9110 §5.6.2. */
const TCHAR = new Uint8Array(128);
for (const char of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TCHAR[char.charCodeAt(0)] = 1;
}

/** Whether a token may hold this character. */
export const isTokenCode = (code: number): boolean => code >= 0 && code < 128 && TCHAR[code] === 1;

/** Optional whitespace (OWS) is spaces and tabs. RFC 9110 §5.6.3. */
export const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

/** Whether `text` is a token: header and subprotocol names, extension names and values. RFC 9110 §5.6.2. */
export function isToken(text: string): boolean {
  if (typeof text !== 'string') return false;
  for (let at = 0; at < text.length; at++) {
    if (!isTokenCode(text.charCodeAt(at))) return false;
  }
  return text.length > 0;
}

/** `text` from `from` to `to` without the blanks around it. */
export function trimBlanks(text: string, from = 0, to = text.length): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** ASCII case-insensitive match, RFC 6455 §2.2; `lower` is in lower case. The Kelvin sign is not a `k` here. */
export function equalsIgnoringCase(text: string, lower: string): boolean {
  if (text.length !== lower.length) return false;
  for (let at = 0; at < lower.length; at++) {
    const code = text.charCodeAt(at);
    if ((code >= 0x41 && code <= 0x5a ? code + 0x20 : code) !== lower.charCodeAt(at)) return false;
  }
  return true;
}

/** The elements of a comma-separated list without quoted strings; empty ones do not count. RFC 9110 §5.6.1.2. */
export function splitList(list: string): string[] {
  const elements: string[] = [];
  let from = 0;
  for (let at = 0; at <= list.length; at++) {
    if (at < list.length && list.charCodeAt(at) !== COMMA) continue;
    const element = trimBlanks(list, from, at);
    if (element !== '') elements.push(element);
    from = at + 1;
  }
  return elements;
}
