import { isUtf8 } from 'node:buffer';
import { ProtocolError } from '@ws/frame';

const EMPTY = Buffer.alloc(0);

/** The bytes of one message that is written by and by. Text comes out in whole characters, so that it can end behind each part. RFC 6455 §8.1 */
export class MessageBytes {
  #isText: boolean | undefined;
  /** First bytes of a character. */
  #tail = EMPTY;
  /** First half of a character that a string ended in. */
  #highSurrogate = '';

  /** @param isText undefined: if the first chunk is a string */
  constructor(isText: boolean | undefined) {
    this.#isText = isText;
  }

  /** Known from the first chunk on. */
  get isText(): boolean {
    return this.#isText ?? true;
  }

  /**
   * What can be sent with this chunk, in memory that nobody else has. `fin`: nothing follows.
   * @throws {ProtocolError} WS_ERR_INVALID_UTF8
   */
  take(chunk: string | Uint8Array, encoding: BufferEncoding, fin: boolean): Buffer {
    const isText = typeof chunk === 'string' && (encoding === 'utf8' || encoding === 'utf-8');
    this.#isText ??= isText;
    const before = isText ? this.#tail : Buffer.concat([this.#tail, this.#takeSurrogate()]);
    const own = isText ? this.#encode(chunk, fin) : copy(chunk, encoding);
    const bytes = before.length === 0 ? own : Buffer.concat([before, own]);
    return this.#isText ? this.#wholeCharacters(bytes, fin) : bytes;
  }

  #encode(text: string, fin: boolean): Buffer {
    const all = this.#highSurrogate + text;
    const isCut = !fin && isHighSurrogate(all.charCodeAt(all.length - 1));
    this.#highSurrogate = isCut ? all.slice(-1) : '';
    return Buffer.from(isCut ? all.slice(0, -1) : all);
  }

  /** Bytes follow: its other half will not come. */
  #takeSurrogate(): Buffer {
    const bytes = Buffer.from(this.#highSurrogate);
    this.#highSurrogate = '';
    return bytes;
  }

  #wholeCharacters(bytes: Buffer, fin: boolean): Buffer {
    const end = fin ? bytes.length : bytes.length - unfinished(bytes);
    const whole = bytes.subarray(0, end);
    if (!isUtf8(whole)) throw new ProtocolError('WS_ERR_INVALID_UTF8');
    this.#tail = Buffer.from(bytes.subarray(end));
    return whole;
  }
}

const copy = (chunk: string | Uint8Array, encoding: BufferEncoding): Buffer =>
  typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk);

/** How many bytes of a character stand at the end, without its rest. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
