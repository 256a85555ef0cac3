const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'; // RFC 4648 §4

const IN_ALPHABET = new Uint8Array(128);
for (const char of ALPHABET) IN_ALPHABET[char.charCodeAt(0)] = 1;

export const isBase64Code = (code: number): boolean => code < 128 && IN_ALPHABET[code] === 1;

const CODES = Array.from(ALPHABET, (char) => char.charCodeAt(0));
const PADDING = 0x3d;

/** Base64 with padding, of a few bytes. RFC 4648 §4. */
export function encodeBase64(bytes: Uint8Array): string {
  const codes: number[] = []; // one string in the end: to append characters is an object for each
  for (let at = 0; at < bytes.length; at += 3) {
    const left = bytes.length - at;
    const group = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    codes.push(CODES[group >> 18]!, CODES[(group >> 12) & 63]!);
    codes.push(left > 1 ? CODES[(group >> 6) & 63]! : PADDING, left > 2 ? CODES[group & 63]! : PADDING);
  }
  return String.fromCharCode(...codes);
}
