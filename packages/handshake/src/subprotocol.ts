import { HandshakeError, quote } from './errors.js';
import { isList } from './header-list.js';
import { assertList } from './list.js';
import { isToken, splitList } from './token.js';

/** Nobody speaks more; each that is kept costs ten times the bytes that it came in. */
const MOST_NAMES = 64;

/**
 * The names in a `Sec-WebSocket-Protocol` of a request, in the client's order: `1#token`, each name once, 64 at most. RFC 6455 §4.1 item 10.
 * @throws {HandshakeError} WS_ERR_INVALID_SUBPROTOCOL
 */
export function parseSubprotocols(value: string): string[] {
  const names = new Set<string>();
  for (const name of splitList(value)) {
    if (!isToken(name)) throw new HandshakeError('WS_ERR_INVALID_SUBPROTOCOL', `${quote(name)} is not a token`);
    if (names.has(name)) throw new HandshakeError('WS_ERR_INVALID_SUBPROTOCOL', `${quote(name)} is repeated`);
    if (names.size === MOST_NAMES)
      throw new HandshakeError('WS_ERR_INVALID_SUBPROTOCOL', `there are more than ${MOST_NAMES}`);
    names.add(name);
  }
  if (names.size === 0) throw new HandshakeError('WS_ERR_INVALID_SUBPROTOCOL', 'the list is empty');
  return [...names];
}

/**
 * Checks the subprotocols that a client is told to ask for, as `new WebSocket` of the WHATWG standard does.
 * @throws {SyntaxError} for a name that is not a token, or one that comes twice
 * @throws {TypeError} for anything but a list
 */
export function assertSubprotocols(protocols: readonly string[]): void {
  if (!isList(protocols)) throw new TypeError('protocols must be a list of strings');
  const names = new Set<string>();
  for (const name of protocols) {
    if (!isToken(name)) throw new SyntaxError(`protocols: element ${names.size} is not a valid subprotocol`);
    if (names.has(name)) throw new SyntaxError(`protocols: ${name} is repeated`);
    names.add(name);
  }
}

/** The first name of one side's list that the other side has too: the client's list decides unless told otherwise. */
export function selectSubprotocol(
  requested: readonly string[],
  supported: readonly string[],
  preference: 'client' | 'server' = 'client',
): string | undefined {
  assertList(requested, 'requested is not a list of names');
  assertList(supported, 'supported is not a list of names');
  const [deciding, other] = preference === 'server' ? [supported, requested] : [requested, supported];
  const known = new Set(other);
  return deciding.find((name) => known.has(name));
}
