import { toPayload } from './payload.js';
import type { BufferLike, SendOptions } from './types.js';

/** Marks every copy of the class, so that `send` knows it where a bundler or a test runner loads two. */
const BRAND = Symbol.for('@ws/connection.PreparedMessage');

/**
 * One message for many connections: what extensions make of it (permessage-deflate its compressed form) is made once for
 * each set of agreed parameters, not once for each recipient. On a connection that is in the middle of a message in
 * fragments it waits for the end of that.
 *
 * `for (const client of server.clients) client.send(message)`
 */
export class PreparedMessage {
  /** Of its own: what was given may change. This must not: many connections have it in what they write. */
  readonly payload: Uint8Array;
  readonly isBinary: boolean;
  readonly compress: boolean | undefined;
  /** What extensions keep for all connections. */
  readonly results = new Map<unknown, unknown>();

  /** @throws {TypeError} for what cannot be sent */
  constructor(data: BufferLike, options: Pick<SendOptions, 'binary' | 'compress'> = {}) {
    const payload = toPayload(data);
    this.payload = typeof payload === 'string' ? Buffer.from(payload) : Buffer.from(payload);
    this.isBinary = options.binary ?? typeof payload !== 'string';
    this.compress = options.compress;
  }

  static [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && BRAND in value;
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }
}
