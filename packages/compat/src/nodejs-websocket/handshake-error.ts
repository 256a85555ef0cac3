import type { OpeningError } from '@ws/client';

/** What the old library says of an answer with which it does not connect; its programs look for these texts. */
const TEXTS: Readonly<Record<string, string>> = {
  WS_ERR_INVALID_UPGRADE: 'invalid Upgrade or Connection header',
  WS_ERR_INVALID_CONNECTION: 'invalid Upgrade or Connection header',
  WS_ERR_INVALID_ACCEPT: 'hash mismatch',
  WS_ERR_MISSING_SUBPROTOCOL: 'no protocol was negotiated',
  WS_ERR_INVALID_SUBPROTOCOL: 'no protocol was negotiated',
  WS_ERR_UNEXPECTED_SUBPROTOCOL: 'no protocol negotiation was expected',
};

/** As it is, where it is the network's, or TLS's. */
export function handshakeError(cause: OpeningError): Error {
  const { code = '', response } = cause;
  if (response === undefined && !code.startsWith('HPE_')) return cause;
  const message = code === 'HPE_HEADER_OVERFLOW' ? 'Handshake is too big' : `Invalid handshake: ${textOf(cause)}`;
  return Object.assign(new Error(message, { cause }), { code });
}

function textOf({ code = '', message, response }: OpeningError): string {
  if (response?.statusCode !== 101) return 'invalid first line format';
  if (response.rawHeaders.length === 0) return 'too short';
  if (['upgrade', 'connection', 'sec-websocket-accept'].some((name) => response.headers[name] === undefined))
    return 'missing required headers';
  return TEXTS[code] ?? message;
}
