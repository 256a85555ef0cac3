import type { HeaderList } from './header-list.js';

const OUR_VERSION: HeaderList = ['Sec-WebSocket-Version', '13'];
const SWITCH_TO_US: HeaderList = ['Upgrade', 'websocket', ...OUR_VERSION];
const NONE: HeaderList = [];

/**
 * Every way a peer can break the opening handshake. `status` and `headers` are the answer a server gives; 0 marks what only a client
 * can meet. Each row has a test vector.
 */
export const FAULTS = {
  WS_ERR_INVALID_METHOD: {
    status: 405,
    headers: ['Allow', 'GET'],
    section: 'RFC 6455 §4.2.1',
    message: 'request method is not GET',
  },
  WS_ERR_INVALID_HTTP_VERSION: {
    status: 400,
    headers: NONE,
    section: 'RFC 6455 §4.2.1',
    message: 'HTTP version is not 1.1 or a later 1.x',
  },
  WS_ERR_UPGRADE_REQUIRED: {
    status: 426,
    headers: SWITCH_TO_US,
    section: 'RFC 6455 §4.2.1',
    message: 'not a WebSocket handshake, Upgrade header is missing',
  },
  WS_ERR_HEADER_TOO_LARGE: {
    status: 431,
    headers: NONE,
    section: 'RFC 6585 §5',
    message: 'request line and headers are too large',
  },
  WS_ERR_TOO_MANY_HEADERS: {
    status: 431,
    headers: NONE,
    section: 'RFC 6585 §5',
    message: 'too many headers',
  },
  WS_ERR_INVALID_UPGRADE: {
    status: 400,
    headers: NONE,
    section: 'RFC 6455 §4.1, §4.2.1',
    message: 'Upgrade header does not ask for websocket',
  },
  WS_ERR_INVALID_CONNECTION: {
    status: 400,
    headers: NONE,
    section: 'RFC 6455 §4.1, §4.2.1',
    message: 'Connection header does not contain upgrade',
  },
  WS_ERR_INVALID_HOST: {
    status: 400,
    headers: NONE,
    section: 'RFC 9112 §3.2',
    message: 'Host header is missing, repeated or malformed',
  },
  WS_ERR_INVALID_TARGET: {
    status: 400,
    headers: NONE,
    section: 'RFC 9112 §3.2',
    message: 'request target is malformed or names another host',
  },
  WS_ERR_UNEXPECTED_BODY: {
    status: 400,
    headers: NONE,
    section: 'RFC 9110 §9.3.1',
    message: 'request announces a body',
  },
  WS_ERR_INVALID_VERSION: {
    status: 400,
    headers: OUR_VERSION,
    section: 'RFC 6455 §4.2.1',
    message: 'Sec-WebSocket-Version header is missing, repeated or malformed',
  },
  WS_ERR_UNSUPPORTED_VERSION: {
    status: 426,
    headers: SWITCH_TO_US,
    section: 'RFC 6455 §4.4',
    message: 'protocol version is not supported',
  },
  WS_ERR_INVALID_KEY: {
    status: 400,
    headers: NONE,
    section: 'RFC 6455 §4.2.1',
    message: 'Sec-WebSocket-Key header is not one base64 value of 16 bytes',
  },
  WS_ERR_INVALID_ORIGIN: {
    status: 400,
    headers: NONE,
    section: 'RFC 6454 §7.3',
    message: 'Origin header is repeated, or there are two that differ',
  },
  WS_ERR_INVALID_SUBPROTOCOL: {
    status: 400,
    headers: NONE,
    section: 'RFC 6455 §11.3.4',
    message: 'Sec-WebSocket-Protocol header is not valid',
  },
  WS_ERR_INVALID_EXTENSIONS: {
    status: 400,
    headers: NONE,
    section: 'RFC 6455 §9.1',
    message: 'Sec-WebSocket-Extensions header is not valid',
  },
  WS_ERR_UNEXPECTED_STATUS: {
    status: 0,
    headers: NONE,
    section: 'RFC 6455 §4.1',
    message: 'server did not switch protocols',
  },
  WS_ERR_INVALID_ACCEPT: {
    status: 0,
    headers: NONE,
    section: 'RFC 6455 §4.1',
    message: 'Sec-WebSocket-Accept header does not belong to our key',
  },
  WS_ERR_UNEXPECTED_SUBPROTOCOL: {
    status: 0,
    headers: NONE,
    section: 'RFC 6455 §4.1',
    message: 'server chose a subprotocol, but none was requested',
  },
  WS_ERR_MISSING_SUBPROTOCOL: {
    status: 0,
    headers: NONE,
    section: 'RFC 6455 §4.1',
    message: 'server chose none of the requested subprotocols',
  },
  WS_ERR_UNEXPECTED_EXTENSION: {
    status: 0,
    headers: NONE,
    section: 'RFC 6455 §4.1',
    message: 'server uses an extension that was not offered',
  },
} as const satisfies Record<string, { status: number; headers: HeaderList; section: string; message: string }>;

/** Stable names of the faults; callers branch on these, never on the text. */
export type HandshakeErrorCode = keyof typeof FAULTS;

const BRAND = Symbol.for('@ws/handshake.HandshakeError');

/** The peer broke the opening handshake. Our caller's mistakes are TypeError, RangeError and SyntaxError instead. */
export class HandshakeError extends Error {
  override readonly name = 'HandshakeError';
  readonly code: HandshakeErrorCode;
  /** The HTTP status that a server answers with; 0 where a client found the fault. */
  readonly status: number;
  /** What that answer must carry besides, such as `Sec-WebSocket-Version: 13`. */
  readonly headers: HeaderList;
  /** The part of the message that is about this very peer; '' where there is nothing to add. */
  readonly detail: string;

  constructor(
    code: HandshakeErrorCode,
    detail = '',
    answer: { readonly status?: number; readonly headers?: HeaderList } = {},
  ) {
    const { status, headers, section, message } = FAULTS[code];
    super(`${message}${detail && `: ${detail}`} (${section})`);
    this.code = code;
    this.status = answer.status ?? status;
    this.headers = answer.headers ?? headers;
    this.detail = detail;
  }

  get [BRAND](): true {
    return true;
  }

  /** Holds between two loaded copies of this package as well. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this !== HandshakeError) return Function.prototype[Symbol.hasInstance].call(this, value);
    return typeof value === 'object' && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  }
}

const LONGEST_QUOTE = 40;

/** A peer's text for an error message: printable ASCII alone, and not much of it. */
export function quote(text: string): string {
  let shown = '';
  for (let at = 0; at < text.length && at < LONGEST_QUOTE; at++) {
    const code = text.charCodeAt(at);
    shown += code >= 0x20 && code <= 0x7e ? text[at] : '?';
  }
  return `"${shown}"${text.length > LONGEST_QUOTE ? '...' : ''}`;
}
