import { Readable } from 'node:stream';
import { Opcode, type FrameHead } from '@ws/frame';
import { MessageError } from './protocol/index.js';
import type { Intake } from './incoming-flow.js';
import type { MessageHead } from './protocol/index.js';
import { MessageBuffer } from './protocol/message-buffer.js';

/**
 * One message as it comes in: a Readable of its bytes, given by the event `'incoming'` after the header of its first frame and before its
 * payload. What is not read holds up this connection and no other. Read it, or `discard()` it: a message left alone stops the connection.
 *
 * If the connection ends before the message, the stream is destroyed with {@link MessageError} WS_ERR_INCOMPLETE_MESSAGE, whose `cause` is what
 * broke it; if the message itself is an offence (WS_ERR_INVALID_UTF8, WS_ERR_UNSUPPORTED_MESSAGE_LENGTH, …), with that error. An `'error'` that nobody listens for is not thrown.
 */
export class Incoming extends Readable {
  /** Binary, else text; the bytes of text are checked as UTF-8 before they are given. */
  readonly isBinary: boolean;
  /** The header of the message's first frame. RFC 6455 §5.2 */
  readonly header: FrameHead;
  /** An extension decodes it. */
  readonly compressed: boolean;
  /** Bytes of the message, where its first header tells: it is in one frame, and not compressed. */
  readonly length: number | undefined;
  readonly #intake: Intake | undefined;

  /** Made by the connection, as one of the class that the option `Incoming` names. Without arguments, for tests: an empty binary message, to `push` to. */
  constructor({ isText, header, isEncoded, length }: MessageHead = BY_HAND, intake?: Intake) {
    super({ highWaterMark: intake?.highWaterMark });
    this.isBinary = !isText;
    this.header = header;
    this.compressed = isEncoded;
    this.length = length;
    this.#intake = intake;
    intake?.fill(this);
    this.on('error', ignore);
  }

  /** The whole message as text: UTF-8, also where it came as binary; a byte order mark is kept. Rejects as {@link buffer}. */
  async text(): Promise<string> {
    return (await this.buffer()).toString();
  }

  /** The whole message as JSON says it. Rejects as {@link buffer}, and with a SyntaxError of `code` WS_ERR_INVALID_JSON, which is the peer's doing: see `isPeerFault`. */
  async json(): Promise<unknown> {
    const text = await this.text();
    try {
      // oxlint-disable-next-line no-restricted-properties -- the user asks for it, and gets what it gives
      return JSON.parse(text) as unknown;
    } catch (error) {
      throw Object.assign(error as SyntaxError, { code: 'WS_ERR_INVALID_JSON', closeCode: 1007 });
    }
  }

  /**
   * The whole message. Memory follows what has come, at most eightfold.
   * Rejects with what destroys the stream, with WS_ERR_ABORTED_MESSAGE if it is discarded; with a TypeError if a part of it has been read already.
   */
  buffer(): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.errored) throw this.errored;
      if (this.destroyed && !this.readableEnded) throw new MessageError('WS_ERR_ABORTED_MESSAGE', 'it was discarded');
      if (this.readableDidRead || this.readableEnded || this.listenerCount('data') > 0)
        throw new TypeError('this message is being read, or has been');
      const whole = new MessageBuffer((byteLength) => Buffer.allocUnsafeSlow(byteLength));
      if (this.length !== undefined) whole.expect(this.length, true);
      this.on('data', (chunk: Buffer | string) => {
        whole.append(typeof chunk === 'string' ? Buffer.from(chunk, this.readableEncoding ?? 'utf8') : chunk);
      });
      this.once('end', () => resolve(whole.takeWhole() as Buffer));
      this.once('error', reject);
      this.once('close', () => {
        if (!this.readableEnded) reject(new MessageError('WS_ERR_ABORTED_MESSAGE', 'it was discarded'));
      });
    });
  }

  /** Drops the message: what is unread of it, and what still comes. The connection goes on. As `destroy()`. */
  discard(): this {
    return this.destroy();
  }

  override [Symbol.asyncIterator](): NodeJS.AsyncIterator<Buffer> {
    return super[Symbol.asyncIterator]() as NodeJS.AsyncIterator<Buffer>;
  }

  override read(size?: number): Buffer | string | null {
    const chunk = super.read(size) as Buffer | string | null;
    this.#intake?.wasRead(size, chunk === null);
    return chunk;
  }

  override _read(): void {
    // What comes is pushed; what is unread is counted.
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    this.#intake?.drop();
    callback(error);
  }
}

const BY_HAND: MessageHead = {
  isText: false,
  header: { fin: false, rsv: 0, opcode: Opcode.Binary, maskingKey: undefined, payloadLength: 0 },
  isEncoded: false,
  length: undefined,
};
const ignore = (): void => undefined;
