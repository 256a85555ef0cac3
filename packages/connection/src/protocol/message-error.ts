/** Every way in which a message comes to nothing that is no offence against the protocol. */
const FAULTS = {
  WS_ERR_INCOMPLETE_MESSAGE: 'the connection ended before the message did',
  WS_ERR_CLOSED: 'the connection was closed before this was sent',
  WS_ERR_DROPPED: 'dropped: the recipient is too slow',
  WS_ERR_DECLARED_LENGTH: 'the message does not have the length that was declared',
  WS_ERR_ABORTED_MESSAGE: 'the message was given up before its end',
  WS_ERR_SLOW_CONSUMER: 'the recipient is too slow',
  WS_ERR_STALLED: 'nothing came for too long, while others waited',
} as const satisfies Record<string, string>;

export type FaultCode = keyof typeof FAULTS;

/** A message, or a part of one, that could not be sent or received to its end. Branch on `code`, never on the text. */
export class MessageError extends Error {
  override readonly name = 'MessageError';
  readonly code: FaultCode;

  constructor(code: FaultCode, detail = '', cause?: unknown) {
    super(`${FAULTS[code]}${detail && `: ${detail}`}`, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
