import { HandshakeError, quote } from './errors.js';
import { isSameHost, parseHost, type Host } from './host.js';
import { equalsIgnoringCase } from './token.js';

const SLASH = 0x2f;
const HASH = 0x23;
const QUESTION_MARK = 0x3f;

/** Whether a request line could hold `target` as it is: visible ASCII, no fragment (RFC 6455 §3). */
export function isTargetText(target: string): boolean {
  if (typeof target !== 'string') return false;
  for (let at = 0; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code <= 0x20 || code >= 0x7f || code === HASH) return false;
  }
  return target !== '';
}

/** Whether `target` is a path with or without a query. RFC 9112 §3.2.1, origin-form. */
export const isOriginForm = (target: string): boolean => isTargetText(target) && target.charCodeAt(0) === SLASH;

/**
 * The path of a request target. The absolute form (RFC 9112 §3.2.2) is taken only where it names the host of the request itself:
 * anything else is a request to some other server, made through us.
 * @throws {HandshakeError} WS_ERR_INVALID_TARGET
 */
export function readPath(target: string, host: Host): string {
  const start = isOriginForm(target) ? 0 : pathOfAbsoluteForm(target, host);
  if (start === undefined) throw new HandshakeError('WS_ERR_INVALID_TARGET', quote(target));
  const query = target.indexOf('?', start);
  return target.slice(start, query < 0 ? target.length : query) || '/';
}

/** Where the path begins behind our own http or https authority. */
function pathOfAbsoluteForm(target: string, host: Host): number | undefined {
  const colon = target.indexOf('://');
  if (colon < 0 || !isTargetText(target)) return undefined;
  const scheme = target.slice(0, colon);
  const isHttp = equalsIgnoringCase(scheme, 'http');
  if (!isHttp && !equalsIgnoringCase(scheme, 'https')) return undefined;
  let end = colon + 3;
  while (end < target.length && target.charCodeAt(end) !== SLASH && target.charCodeAt(end) !== QUESTION_MARK) end++;
  const named = parseHost(target.slice(colon + 3, end));
  return named !== undefined && isSameHost(named, host, isHttp ? 80 : 443) ? end : undefined;
}
