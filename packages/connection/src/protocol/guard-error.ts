import type { Initiator } from './close-info.js';
import type { Failure } from './extension.js';

/** Every reason for which we end a connection that has broken no rule of the protocol. */
const GUARDS = {
  WS_ERR_HEARTBEAT_TIMEOUT: { closeCode: 1006, initiator: 'timeout', message: 'nothing came in answer to a ping' },
  WS_ERR_IDLE_TIMEOUT: { closeCode: 1001, initiator: 'timeout', message: 'no message for too long' },
  WS_ERR_MAX_LIFETIME: { closeCode: 1001, initiator: 'limit', message: 'the connection has lived long enough' },
  WS_ERR_MESSAGE_TIMEOUT: { closeCode: 1008, initiator: 'timeout', message: 'a message was not finished in time' },
  WS_ERR_PROGRESS_RATE: { closeCode: 1008, initiator: 'timeout', message: 'a message came too slowly' },
  WS_ERR_RATE_LIMIT: { closeCode: 1008, initiator: 'limit', message: 'too much in too short a time' },
  WS_ERR_MEMORY_LIMIT: { closeCode: 1013, initiator: 'limit', message: 'memory is short' },
} as const satisfies Record<string, { closeCode: number; initiator: Initiator; message: string }>;

export type GuardCode = keyof typeof GUARDS;

/** The connection was ended for what it costs. Branch on `code`, never on the text. */
export class GuardError extends Error implements Failure {
  override readonly name = 'GuardError';
  readonly code: GuardCode;
  /** Status code of the Close frame; 1006 for none, where TCP is cut. RFC 6455 §7.4 */
  readonly closeCode: number;
  /** As `CloseInfo` has it. */
  readonly initiator: Initiator;

  constructor(code: GuardCode, detail = '') {
    const { closeCode, initiator, message } = GUARDS[code];
    super(`${message}${detail && `: ${detail}`}`);
    this.code = code;
    this.closeCode = closeCode;
    this.initiator = initiator;
  }
}

/** Who ends a connection that is failed for `error`: RFC 6455 §7.4.1 has codes for what was wrong, and for what was too much. */
export function initiatorOf(error: Failure): Initiator {
  if (error instanceof GuardError) return error.initiator;
  switch (error.closeCode) {
    case 1002:
    case 1003:
    case 1007:
    case 1010:
      return 'protocol';
    case 1008:
    case 1009:
    case 1013:
      return 'limit';
    default:
      return 'local';
  }
}
