import { assertHeaders, isFieldValue, type HeaderList } from './header-list.js';
import { isTargetText } from './target.js';
import { isToken } from './token.js';
import type { UpgradeRequest } from './request.js';
import type { UpgradeResponse } from './response.js';

function formatHead(startLine: string, headers: HeaderList): string {
  assertHeaders(headers);
  let text = `${startLine}\r\n`;
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${text}\r\n`;
}

/**
 * The request as HTTP/1.1 text, to be written as latin1.
 * @throws {TypeError} for anything that would not stay inside its place in the head
 */
export function formatRequest(request: UpgradeRequest): string {
  const { method, target, headers } = request;
  if (!isToken(method)) throw new TypeError('method is not a token');
  if (!isTargetText(target)) throw new TypeError('target has characters that no request line may have');
  return formatHead(`${method} ${target} HTTP/1.1`, headers);
}

/**
 * The response as HTTP/1.1 text, to be written as latin1: one character is one byte, so that the body's UTF-8 comes out right. Nothing
 * that a caller puts into reason or headers can end a line.
 * @throws {TypeError} for CR, LF, NUL, another control or a character beyond latin1 in reason or headers, or a name that is no token
 * @throws {RangeError} for a status that is not a final one or 101
 */
export function formatResponse(response: UpgradeResponse): string {
  const { status, reason, headers, body = '' } = response;
  if (status !== 101) assertStatus(status, 200);
  if (!isFieldValue(reason)) throw new TypeError('reason has characters that no status line may have');
  return formatHead(`HTTP/1.1 ${status} ${reason}`, headers) + utf8Octets(body);
}

export function assertStatus(status: number, least: number): void {
  if (Number.isInteger(status) && status >= least && status <= 599) return;
  throw new RangeError(`status is ${status}, expected an integer from ${least} to 599`);
}

/** The UTF-8 form of `text`, one character per octet; an unpaired surrogate becomes U+FFFD. */
export function utf8Octets(text: string): string {
  let octets = '';
  for (const char of text) {
    const scalar = char.codePointAt(0)!;
    const code = scalar >= 0xd800 && scalar <= 0xdfff ? 0xfffd : scalar;
    if (code < 0x80) octets += char;
    else if (code < 0x800) octets += String.fromCharCode(0xc0 | (code >> 6), tail(code, 0));
    else if (code < 0x10000) octets += String.fromCharCode(0xe0 | (code >> 12), tail(code, 6), tail(code, 0));
    else octets += String.fromCharCode(0xf0 | (code >> 18), tail(code, 12), tail(code, 6), tail(code, 0));
  }
  return octets;
}

const tail = (code: number, shift: number): number => 0x80 | ((code >> shift) & 0x3f);
