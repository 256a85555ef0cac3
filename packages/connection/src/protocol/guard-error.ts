import type { Failure } from './extension.js';

/** Every reason for which we end a connection that has broken no rule of the protocol. */
const GUARDS = {
  WS_ERR_HEARTBEAT_TIMEOUT: { closeCode: 1006, message: 'nothing came in answer to a ping' },
  WS_ERR_IDLE_TIMEOUT: { closeCode: 1001, message: 'no message for too long' },
  WS_ERR_MAX_LIFETIME: { closeCode: 1001, message: 'the connection has lived long enough' },
  WS_ERR_MESSAGE_TIMEOUT: { closeCode: 1008, message: 'a message was not finished in time' },
  WS_ERR_PROGRESS_RATE: { closeCode: 1008, message: 'a message came too slowly' },
  WS_ERR_RATE_LIMIT: { closeCode: 1008, message: 'too much in too short a time' },
  WS_ERR_MEMORY_LIMIT: { closeCode: 1013, message: 'memory is short' },
} as const satisfies Record<string, { closeCode: number; message: string }>;

export type GuardCode = keyof typeof GUARDS;

/** The connection was ended for what it costs. Branch on `code`, never on the text. */
export class GuardError extends Error implements Failure {
  override readonly name = 'GuardError';
  readonly code: GuardCode;
  /** Status code of the Close frame; 1006 for none, where TCP is cut. RFC 6455 §7.4 */
  readonly closeCode: number;

  constructor(code: GuardCode, detail = '') {
    const { closeCode, message } = GUARDS[code];
    super(`${message}${detail && `: ${detail}`}`);
    this.code = code;
    this.closeCode = closeCode;
  }
}
