import type { CloseInfo } from './protocol/index.js';

/** The connection ended otherwise than with 1000, 1001 or an empty Close frame, while somebody was reading messages. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError';
  readonly code = 'WS_ERR_CLOSED';
  /** How it ended; its `error` is also the `cause`. */
  readonly info: CloseInfo;

  constructor(info: CloseInfo) {
    super(
      `the connection was closed: ${info.code}${info.reason && ` ${info.reason}`}`,
      info.error === null ? undefined : { cause: info.error },
    );
    this.info = info;
  }
}
