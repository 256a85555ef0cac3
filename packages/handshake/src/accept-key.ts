import { encodeBase64, isBase64Code } from './base64.js';
import { sha1 } from './sha1.js';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'; // RFC 6455 §1.3
const KEY_BYTES = 16;
const KEY_CHARS = 24;

/** A fresh `Sec-WebSocket-Key`: 16 bytes from Web Crypto, in base64. RFC 6455 §4.1. */
export function generateKey(): string {
  return encodeBase64(crypto.getRandomValues(new Uint8Array(KEY_BYTES)));
}

/** A key of the usual length with the GUID behind it: shared, for one call ends before another begins. */
const usual = new Uint8Array(KEY_CHARS + GUID.length);
writeLatin1(usual, KEY_CHARS, GUID);

/**
 * The `Sec-WebSocket-Accept` that answers `key`, which is taken as the text it is, never decoded. RFC 6455 §4.2.2 item 5.4.
 * @throws {TypeError} for a key with characters beyond latin1
 */
export function acceptFor(key: string): string {
  if (key.length === KEY_CHARS) {
    writeLatin1(usual, 0, key);
    return encodeBase64(sha1(usual));
  }
  const text = key + GUID;
  const bytes = new Uint8Array(text.length);
  writeLatin1(bytes, 0, text);
  return encodeBase64(sha1(bytes));
}

function writeLatin1(bytes: Uint8Array, from: number, text: string): void {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0xff) throw new TypeError('key has characters beyond latin1');
    bytes[from + at] = code;
  }
}

/**
 * Whether `text` decodes to 16 bytes: 22 characters of base64 and `==`. The four bits of the 22nd that no byte uses may be anything
 * (RFC 4648 §3.5 leaves that to the decoder; clients that fill them exist, and we never decode).
 */
export function isKey(text: string): boolean {
  if (typeof text !== 'string' || text.length !== KEY_CHARS || !text.endsWith('==')) return false;
  for (let at = 0; at < KEY_CHARS - 2; at++) {
    if (!isBase64Code(text.charCodeAt(at))) return false;
  }
  return true;
}
