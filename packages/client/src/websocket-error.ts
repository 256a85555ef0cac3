/** Code and reason of a Close frame, as in browsers. */
export interface WebSocketCloseInfo {
  /** 1000, or 3000 to 4999. @default none; 1000 where there is a reason */
  readonly closeCode?: number | undefined;
  /** At most 123 bytes of UTF-8. @default '' */
  readonly reason?: string | undefined;
}

/** The same, filled in. */
export interface CloseFields {
  /** Null: an empty Close frame. */
  readonly closeCode: number | null;
  readonly reason: string;
}

/** Sets what the constructor would refuse. */
let describe: (error: WebSocketError, closeCode: number | null, reason: string) => void;

/**
 * How a `WebSocketStream` ends that does not end cleanly; made by you and given to `writable.abort()` or `readable.cancel()`, the code and
 * reason to close with. A DOMException, as in browsers, so that its `code` is 0: what went wrong, with a `code` of its own, is the `cause`.
 */
export class WebSocketError extends DOMException implements CloseFields {
  declare readonly cause?: unknown;
  #closeCode: number | null;
  #reason: string;

  /** @throws {DOMException} InvalidAccessError for another code, SyntaxError for a longer reason */
  constructor(message = '', init: WebSocketCloseInfo = {}) {
    const { closeCode, reason } = checkCloseInfo(init);
    super(message, 'WebSocketError');
    this.#closeCode = closeCode;
    this.#reason = reason;
  }

  /** Null: none. */
  get closeCode(): number | null {
    return this.#closeCode;
  }
  get reason(): string {
    return this.#reason;
  }
  get [Symbol.toStringTag](): string {
    return 'WebSocketError';
  }

  static {
    describe = (error, closeCode, reason) => {
      error.#closeCode = closeCode;
      error.#reason = reason;
    };
  }
}

/** Of a connection: with any code, and with what caused it. */
export function connectionError(
  message: string,
  closeCode: number | null,
  reason: string,
  cause: Error | null,
): WebSocketError {
  const error = new WebSocketError(message);
  describe(error, closeCode, reason);
  if (cause !== null) Object.defineProperty(error, 'cause', { value: cause, configurable: true, writable: true });
  return error;
}

/**
 * Code and reason as they are sent.
 * @throws {TypeError} for what is no object; {DOMException} InvalidAccessError for a code that pages may not send, SyntaxError for a reason that does not fit
 */
export function checkCloseInfo(info: WebSocketCloseInfo | null | undefined): CloseFields {
  if (info !== undefined && typeof info !== 'object')
    throw new TypeError(`close info is ${typeof info}, expected an object`);
  const reason = Buffer.from([info?.reason].join('')).toString(); // as text; a lone surrogate becomes U+FFFD
  const given: unknown = info?.closeCode;
  const closeCode = given === undefined ? (reason === '' ? null : 1000) : Math.round(Number(given));
  if (closeCode !== null && closeCode !== 1000 && !(closeCode >= 3000 && closeCode <= 4999)) {
    throw new DOMException(`closeCode is ${closeCode}, expected 1000 or 3000 to 4999`, 'InvalidAccessError');
  }
  const length = Buffer.byteLength(reason);
  if (length > 123) throw new DOMException(`the reason is ${length} bytes, expected at most 123`, 'SyntaxError');
  return { closeCode, reason };
}
