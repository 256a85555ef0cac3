import type { FrameHead, Opcode } from '@ws/frame';
import type { Failure } from './extension.js';
import type { MessageHead, MessageSink } from './message-sink.js';

/** What comes out; `frame` tells of each frame before anything is made of it. `hold` and `release` enclose the time in which an extension works on a piece: no frame may come in between. */
export interface AssemblerEvents {
  frame(head: FrameHead): void;
  /** As `frame`, of a continuation; and whether so many may be told of with no chance to stop between them. */
  continuation(fin: boolean, payloadLength: number): void;
  mayContinue(frames: number): boolean;
  /** An extension made so many bytes, at once. */
  decoded(byteLength: number): void;
  /** A message begins that does not lie whole in its chunk, or not in one frame; so many bytes of it have come. */
  begins(): void;
  piece(byteLength: number): void;
  message(data: Uint8Array | Uint8Array[], isText: boolean): void;
  /** A message begins: who wants it as it comes? Asked while `streams` is set. Nothing that the answer's methods throw comes back. */
  incoming(head: MessageHead): MessageSink | undefined;
  give(sink: MessageSink, piece: Uint8Array): void;
  /** `byteLength`: what it was given. */
  ended(sink: MessageSink, byteLength: number): void;
  aborted(sink: MessageSink, error: Failure | null): void;
  control(opcode: Opcode, payload: Uint8Array): void;
  hold(): void;
  release(): void;
  /** Something was thrown, or failed, later than the call that caused it. */
  caught(error: unknown): void;
}
