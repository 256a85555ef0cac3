/** Every way a peer can break the framing rules. Each row has a test vector. */
export const VIOLATIONS = {
  WS_ERR_INVALID_OPCODE: { closeCode: 1002, section: '5.2', message: 'reserved opcode' },
  WS_ERR_UNEXPECTED_RSV_1: { closeCode: 1002, section: '5.2', message: 'RSV1 is set and no extension owns it' },
  WS_ERR_UNEXPECTED_RSV_2_3: {
    closeCode: 1002,
    section: '5.2',
    message: 'RSV2 or RSV3 is set and no extension owns it',
  },
  WS_ERR_EXPECTED_FIN: { closeCode: 1002, section: '5.5', message: 'fragmented control frame' },
  WS_ERR_EXPECTED_MASK: { closeCode: 1002, section: '5.1', message: 'frame from a client is not masked' },
  WS_ERR_UNEXPECTED_MASK: { closeCode: 1002, section: '5.1', message: 'frame from a server is masked' },
  WS_ERR_INVALID_CONTROL_PAYLOAD_LENGTH: { closeCode: 1002, section: '5.5', message: 'invalid control payload length' },
  WS_ERR_NON_MINIMAL_LENGTH: { closeCode: 1002, section: '5.2', message: 'payload length is not in its shortest form' },
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: {
    closeCode: 1009,
    section: '5.2',
    message: 'payload length exceeds 2^53 - 1',
  },
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: { closeCode: 1009, section: '10.4', message: 'payload exceeds the limit' },
  WS_ERR_TOO_MANY_BUFFERED_PARTS: { closeCode: 1008, section: '10.4', message: 'too many fragments or chunks' },
  WS_ERR_INVALID_UTF8: { closeCode: 1007, section: '8.1', message: 'text is not valid UTF-8' },
  WS_ERR_INVALID_CLOSE_CODE: { closeCode: 1002, section: '7.4', message: 'close code may not travel' },
} as const satisfies Record<string, { closeCode: number; section: string; message: string }>;

export type ViolationCode = keyof typeof VIOLATIONS;

/** The peer broke the protocol. Our caller's mistakes are TypeError and RangeError instead. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  /** What was broken; stable, unlike `message`. */
  readonly code: ViolationCode;
  /** Status code for the Close frame that fails the connection. RFC 6455 §7.1.7. */
  readonly closeCode: number;

  /** @param detail the value seen and the limit; never payload */
  constructor(code: ViolationCode, detail = '') {
    const { closeCode, section, message } = VIOLATIONS[code];
    super(`${message}${detail && `: ${detail}`} (RFC 6455 §${section})`);
    this.code = code;
    this.closeCode = closeCode;
  }
}
