import { isUtf8 } from 'node:buffer';
import { ProtocolError, Utf8Validator } from '@ws/frame';
import { toPayload } from './payload.js';

const EMPTY = Buffer.alloc(0);

/** The bytes of one message that is written by and by: strings to UTF-8, also where a character lies in two of them, and text that is checked. RFC 6455 §8.1 */
export class MessageBytes {
  readonly #wholeCharacters: boolean;
  #isText: boolean | undefined;
  #utf8: Utf8Validator | undefined;
  /** First bytes of a character that is to come out whole. */
  #tail = EMPTY;
  /** First half of a character that a string ended in. */
  #highSurrogate = '';

  /**
   * @param isText undefined: if the first chunk is a string
   * @param wholeCharacters text comes out in whole characters, so that it can end behind each part
   */
  constructor(isText: boolean | undefined, wholeCharacters: boolean) {
    this.#isText = isText;
    this.#wholeCharacters = wholeCharacters;
  }

  /** Known from the first chunk on; a message without one is text. */
  get isText(): boolean {
    return this.#isText ?? true;
  }

  /**
   * What can be sent with this chunk. `fin`: nothing follows.
   * @throws {ProtocolError} WS_ERR_INVALID_UTF8
   */
  take(chunk: string | Uint8Array, encoding: BufferEncoding, fin: boolean): Uint8Array {
    const isString = typeof chunk === 'string';
    const isText = isString && (encoding === 'utf8' || encoding === 'utf-8');
    this.#isText ??= isText;
    const bytes = isText
      ? this.#encode(chunk, fin)
      : this.#behindSurrogate(isString ? Buffer.from(chunk, encoding) : (toPayload(chunk) as Uint8Array));
    if (this.#isText) this.#check(bytes, fin);
    return this.#isText && this.#wholeCharacters ? this.#whole(bytes) : bytes;
  }

  #encode(text: string, fin: boolean): Uint8Array {
    const all = this.#highSurrogate + text;
    const isCut = !fin && isHighSurrogate(all.charCodeAt(all.length - 1));
    this.#highSurrogate = isCut ? all.slice(-1) : '';
    return Buffer.from(isCut ? all.slice(0, -1) : all);
  }

  /** Bytes follow: its other half will not come. */
  #behindSurrogate(bytes: Uint8Array): Uint8Array {
    if (this.#highSurrogate === '') return bytes;
    const half = Buffer.from(this.#highSurrogate);
    this.#highSurrogate = '';
    return Buffer.concat([half, bytes]);
  }

  #check(bytes: Uint8Array, fin: boolean): void {
    this.#utf8 ??= new Utf8Validator(isUtf8);
    if (!this.#utf8.push(bytes) || (fin && !this.#utf8.end())) throw new ProtocolError('WS_ERR_INVALID_UTF8');
  }

  #whole(fresh: Uint8Array): Uint8Array {
    const bytes = this.#tail.length === 0 ? fresh : Buffer.concat([this.#tail, fresh]);
    const end = bytes.length - unfinished(bytes);
    this.#tail = end === bytes.length ? EMPTY : Buffer.from(bytes.subarray(end));
    return bytes.subarray(0, end);
  }
}

/** How many bytes of a character stand at the end of valid text, without its rest. */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3; back++) {
    const byte = bytes.at(-back) ?? 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;
