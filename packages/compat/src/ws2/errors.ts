/** What failed handshakes said, by the code that says it in the core. */
const TEXTS: ReadonlyMap<unknown, string> = new Map([
  ['WS_ERR_INVALID_ACCEPT', 'invalid server key'],
  ['WS_ERR_UNEXPECTED_SUBPROTOCOL', 'server sent a subprotocol even though none requested'],
  ['WS_ERR_MISSING_SUBPROTOCOL', 'server sent no subprotocol even though requested'],
  ['WS_ERR_INVALID_SUBPROTOCOL', 'server responded with an invalid protocol'],
  ['WS_ERR_INVALID_DEFLATE_PARAMETERS', 'invalid extension parameter'],
  ['WS_ERR_INVALID_EXTENSIONS', 'invalid extension parameter'],
  ['WS_ERR_UNEXPECTED_EXTENSION', 'invalid extension parameter'],
]);

/** An error with the text of its time; `code` is the core's, and where that had an error of its own it is the `cause`. */
export function errorOf(text: string, code: string, cause?: unknown): Error {
  return Object.assign(new Error(text, cause === undefined ? {} : { cause }), { code });
}

/** The error of a handshake, in the words of its time where there were any. */
export function handshakeError(error: Error & { code?: unknown }): Error {
  const text = TEXTS.get(error.code);
  return text === undefined ? error : errorOf(text, String(error.code), error);
}

/** For what needs an open connection. */
export const notOpened = (): Error => errorOf('not opened', 'WS_ERR_CLOSED');
