import { isControl, Opcode, ProtocolError, type FrameHead } from '../index.js';
import { StreamError } from './errors.js';
import type { Frame } from './frame-cursor.js';

/** One message of {@link FrameDuplex.messages}. */
export interface FrameMessage {
  /** Of its first frame. */
  readonly head: FrameHead;
  /**
   * That of all its frames as it arrives, once; what is left of it is skipped when the next message is asked for. It fails with WS_ERR_INCOMPLETE_MESSAGE
   * where the message has no end, if only because a Close frame came in the middle of it.
   */
  readonly payload: AsyncIterableIterator<Buffer>;
  /**
   * All of it. Over `maxFramePayload`, small pieces charged with 128 bytes more each, the duplex fails with WS_ERR_UNSUPPORTED_MESSAGE_LENGTH (1009), and so does this.
   * Rejects as {@link payload}; with WS_ERR_ABORTED_MESSAGE if the next message is asked for, or the loop left, before all of it is there; with a TypeError if it is being read already.
   */
  buffer(): Promise<Buffer>;
}

/** What it takes to keep one more piece of payload, in bytes beside its own. */
export const PIECE = 128;

/** The messages in frames; control frames are skipped. RFC 6455 §5.4 @param tooLong ends the duplex with the error */
export function messagesOf(
  frames: AsyncGenerator<Frame, void, undefined>,
  most: number,
  tooLong: (error: ProtocolError) => void,
): AsyncGenerator<FrameMessage, void> {
  /** First frame of the message whose payload may be read. */
  let current: Frame | undefined;

  async function* each(): AsyncGenerator<FrameMessage, void> {
    for await (const frame of frames) {
      const { opcode } = frame.head;
      if (isControl(opcode) || opcode === Opcode.Continuation) continue; // the rest of a message that nobody has read
      current = frame;
      yield messageOf(frame);
      current = undefined;
    }
  }

  function messageOf(first: Frame): FrameMessage {
    const isCurrent = (): boolean => current === first;
    let isBegun = false;
    let isWhole = false;

    async function* payloadOf(): AsyncGenerator<Buffer, void> {
      isBegun = true;
      let frame = first;
      while (isCurrent()) {
        const { opcode, fin } = frame.head;
        if (!isControl(opcode)) yield* frame.payload;
        isWhole = !isControl(opcode) && fin && isCurrent();
        if (isWhole || !isCurrent()) return;
        const next = await frames.next();
        if (!next.done) frame = next.value;
        else if (isCurrent()) throw new StreamError('WS_ERR_INCOMPLETE_MESSAGE');
      }
    }

    const payload = payloadOf();
    const buffer = async (): Promise<Buffer> => {
      if (isBegun) throw new TypeError('this message is being read, or has been');
      const whole = await collect(payload);
      if (!isWhole) throw new StreamError('WS_ERR_ABORTED_MESSAGE');
      return whole;
    };
    return { head: first.head, payload, buffer };
  }

  async function collect(payload: AsyncIterable<Buffer>): Promise<Buffer> {
    const pieces: Buffer[] = [];
    let byteLength = 0;
    for await (const piece of payload) {
      pieces.push(piece);
      byteLength += piece.length;
      if (byteLength + PIECE * (pieces.length - 1) <= most) continue;
      const error = new ProtocolError('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', `limit ${most}`);
      tooLong(error);
      throw error;
    }
    return Buffer.concat(pieces, byteLength);
  }

  const messages = each();
  const leave = messages.return.bind(messages);
  messages.return = async (value) => {
    current = undefined;
    await frames.return();
    return leave(value);
  };
  return messages;
}
