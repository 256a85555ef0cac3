import { isUtf8 } from 'node:buffer';
import { ProtocolError, Utf8Validator } from '@ws/frame';

const EMPTY = Buffer.alloc(0);

/** The bytes of one message that is written by and by. Text comes out in whole characters, so that it can end behind each part. RFC 6455 §8.1 */
export class MessageBytes {
  #isText: boolean | undefined;
  #utf8: Utf8Validator | undefined;
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
    const own = isText ? this.#encode(chunk, fin) : this.#behindSurrogate(copy(chunk, encoding));
    return this.#isText ? this.#wholeCharacters(own, fin) : own;
  }

  #encode(text: string, fin: boolean): Buffer {
    const all = this.#highSurrogate + text;
    const isCut = !fin && isHighSurrogate(all.charCodeAt(all.length - 1));
    this.#highSurrogate = isCut ? all.slice(-1) : '';
    return Buffer.from(isCut ? all.slice(0, -1) : all);
  }

  /** Bytes follow: its other half will not come. */
  #behindSurrogate(bytes: Buffer): Buffer {
    if (this.#highSurrogate === '') return bytes;
    const half = Buffer.from(this.#highSurrogate);
    this.#highSurrogate = '';
    return Buffer.concat([half, bytes]);
  }

  #wholeCharacters(fresh: Buffer, fin: boolean): Buffer {
    this.#utf8 ??= new Utf8Validator(isUtf8);
    if (!this.#utf8.push(fresh) || (fin && !this.#utf8.end())) throw new ProtocolError('WS_ERR_INVALID_UTF8');
    const bytes = this.#tail.length === 0 ? fresh : Buffer.concat([this.#tail, fresh]);
    const end = bytes.length - unfinished(bytes);
    this.#tail = Buffer.from(bytes.subarray(end));
    return bytes.subarray(0, end);
  }
}

const copy = (chunk: string | Uint8Array, encoding: BufferEncoding): Buffer =>
  typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk);

/** How many bytes of a character stand at the end of valid text, without its rest. */
function unfinished(bytes: Buffer): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes.at(-back) ?? 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
