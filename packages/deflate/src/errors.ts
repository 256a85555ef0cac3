/** Every way in which a peer can break permessage-deflate, RFC 7692, or a limit of ours on it; and the one in which we can fail. */
const FAILURES = {
  WS_ERR_INVALID_DEFLATE_PARAMETERS: { closeCode: 1010, section: '7.1', message: 'parameters of permessage-deflate' },
  WS_ERR_INVALID_DEFLATE_DATA: { closeCode: 1007, section: '7.2.2', message: 'compressed data is corrupt' },
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: { closeCode: 1009, section: '8', message: 'message exceeds the limit inflated' },
  WS_ERR_DEFLATE_FAILED: { closeCode: 1011, section: '7.2.1', message: 'compressing failed' },
  WS_ERR_INFLATION_RATIO: { closeCode: 1009, section: '8', message: 'message inflates by more than maxRatio' },
} as const satisfies Record<string, { closeCode: number; section: string; message: string }>;

export type DeflateErrorCode = keyof typeof FAILURES;

/** The peer broke the rules of permessage-deflate, or compressing failed. Our caller's mistakes are TypeError and RangeError instead. */
export class DeflateError extends Error {
  override readonly name = 'DeflateError';
  readonly code: DeflateErrorCode;
  /** Status code for the Close frame. RFC 6455 §7.4 */
  readonly closeCode: number;

  /** @param cause what the backend said */
  constructor(code: DeflateErrorCode, detail = '', cause?: unknown) {
    const { closeCode, section, message } = FAILURES[code];
    super(`${message}${detail && `: ${detail}`} (RFC 7692 §${section})`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.closeCode = closeCode;
  }
}
