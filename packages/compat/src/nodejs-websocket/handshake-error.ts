import type { IncomingMessage } from 'node:http';

/** What the old library says of an answer with which it does not connect; its programs look for these texts. */
const TEXTS: Readonly<Record<string, string>> = {
  WS_ERR_INVALID_UPGRADE: 'invalid Upgrade or Connection header',
  WS_ERR_INVALID_CONNECTION: 'invalid Upgrade or Connection header',
  WS_ERR_INVALID_ACCEPT: 'hash mismatch',
  WS_ERR_MISSING_SUBPROTOCOL: 'no protocol was negotiated',
  WS_ERR_INVALID_SUBPROTOCOL: 'no protocol was negotiated',
  WS_ERR_UNEXPECTED_SUBPROTOCOL: 'no protocol negotiation was expected',
};

/** @param response the answer, as far as there is one */
export function handshakeError(cause: Error & { code?: string }, response: IncomingMessage | undefined): Error {
  const { code = '' } = cause;
  if (response === undefined && !code.startsWith('HPE_')) return cause; // it is the network's, or TLS's
  const isTooBig = code === 'HPE_HEADER_OVERFLOW';
  const message = isTooBig ? 'Handshake is too big' : `Invalid handshake: ${textOf(cause, code, response)}`;
  return Object.assign(new Error(message, { cause }), { code });
}

function textOf(error: Error, code: string, response: IncomingMessage | undefined): string {
  if (response?.statusCode !== 101) return 'invalid first line format';
  if (response.rawHeaders.length === 0) return 'too short';
  if (['upgrade', 'connection', 'sec-websocket-accept'].some((name) => response.headers[name] === undefined))
    return 'missing required headers';
  return TEXTS[code] ?? error.message;
}
