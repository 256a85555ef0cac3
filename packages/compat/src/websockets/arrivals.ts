import { isControl, Opcode } from '@ws/frame';
import type { Frame, FrameDuplex } from '@ws/frame/stream';
import { Incoming, type WebSocket } from '@ws/server';

/** A message that is coming in. */
export interface Arrival {
  readonly isText: boolean;
  /** In fragments, or longer than `streamThreshold`. */
  readonly isLong: boolean;
  readonly payload: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** The messages of a byte stream. */
export async function* ofFrames(duplex: FrameDuplex, threshold: number): AsyncGenerator<Arrival> {
  const frames = duplex.frames();
  for await (const frame of frames) {
    const { opcode, fin, payloadLength } = frame.head;
    const isLong = !fin || payloadLength > threshold;
    if (!isControl(opcode)) yield { isText: opcode === Opcode.Text, isLong, payload: payloadOf(frame, frames) };
  }
}

/** Of all frames of a message: control frames may lie between them. */
async function* payloadOf(first: Frame, frames: AsyncIterableIterator<Frame>): AsyncGenerator<Uint8Array> {
  for (let frame = first; ;) {
    if (!isControl(frame.head.opcode)) yield* frame.payload;
    if (!isControl(frame.head.opcode) && frame.head.fin) return;
    const next = await frames.next();
    if (next.done) return;
    frame = next.value;
  }
}

/** Those of a connection. */
export async function* ofConnection(webSocket: WebSocket): AsyncGenerator<Arrival> {
  for await (const message of webSocket) {
    if (message instanceof Incoming) yield { isText: !message.isBinary, isLong: true, payload: message };
    else yield { isText: typeof message === 'string', isLong: false, payload: [Buffer.from(message as string)] };
  }
}
