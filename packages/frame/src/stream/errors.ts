/** How a stream of frames comes to nothing that is no offence against the protocol. */
const FAULTS = {
  WS_ERR_INCOMPLETE_MESSAGE: 'the source, or a Close frame, ended it inside a message',
  WS_ERR_ABORTED_MESSAGE: 'the rest of the message was skipped',
  WS_ERR_CLOSED: 'a Close frame was sent, nothing may follow it',
  WS_ERR_DECLARED_LENGTH: 'the frame has fewer bytes than were declared',
} as const satisfies Record<string, string>;

export type StreamErrorCode = keyof typeof FAULTS;

/** Branch on `code`, never on the text. What the peer did wrong is a `ProtocolError` instead. */
export class StreamError extends Error {
  override readonly name = 'StreamError';
  readonly code: StreamErrorCode;

  constructor(code: StreamErrorCode, detail = '') {
    super(`${FAULTS[code]}${detail && `: ${detail}`}`);
    this.code = code;
  }
}
