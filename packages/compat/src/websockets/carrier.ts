import type { FrameHead } from '@ws/frame';
import type { FrameDuplex, OutgoingHead } from '@ws/frame/stream';
import type { WebSocket } from '@ws/server';

export type WriteCallback = (error?: Error | null) => void;

/** A message that is coming in. */
export interface Arrival {
  /** Of its first frame. */
  readonly head: Pick<FrameHead, 'opcode' | 'fin' | 'payloadLength'>;
  readonly payload: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** All of it, up to what the core allows. */
  buffer(): Promise<Buffer>;
}

/** What a Socket stands on: a byte stream, or a connection of the core. */
export interface Carrier {
  /** It tells of pings, pongs, room to write, errors and its end, in the same words whichever it is. */
  readonly core: FrameDuplex | WebSocket;

  // Frames out, in the words of a FrameDuplex.
  writeHead(head: OutgoingHead): this;
  write(chunk: Uint8Array, callback?: WriteCallback): boolean;
  writeEnd(chunk: Uint8Array): boolean;
  /** A whole message. */
  send(message: Uint8Array, binary: boolean): void;
  /** Ends what is open, and then all. */
  end(callback: () => void): unknown;

  // Messages in, until none comes any more.
  messages(): AsyncIterable<Arrival>;
  /** Somebody wants streams: long messages are to be given as they come. */
  streams: boolean;
  /** A message waits for its reader; else, where there is none, it is dropped. */
  readonly waitsForReader: boolean;

  /** An error is its end; else the error is told of, and the core sees to the end. */
  readonly endsByErrors: boolean;
  destroy(): unknown;
}
