import type { FrameHead } from '@ws/frame';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Incoming } from './incoming.js';
import type { SlowConsumer } from './options.js';
import type { CloseInfo } from './protocol/index.js';

/** The form in which binary messages are given: see `WebSocket.binaryType`. */
export type BinaryType = 'nodebuffer' | 'arraybuffer' | 'fragments' | 'blob';

/**
 * A message as `'message'` gives it: text is always a Buffer of UTF-8. As in the types that people know from `ws`, without
 * the Blob that `binaryType: 'blob'` gives: who sets that knows what to expect.
 */
export type RawData = Buffer | ArrayBuffer | Buffer[];

/** A message as iteration gives it: text as a string, binary as `binaryType` says, or a stream where the option `incoming` makes it one. */
export type Message = string | RawData | Incoming;

/** What `ping`, `pong` and `send` take beside Blobs. Numbers are sent as text; a list of buffers, as `binaryType: 'fragments'` gives it, as one payload. */
export type BufferLike =
  | string
  | number
  | ArrayBufferView
  | ArrayBuffer
  | SharedArrayBuffer
  | readonly number[]
  | readonly Uint8Array[]
  | { valueOf(): ArrayBuffer | SharedArrayBuffer | Uint8Array | readonly number[] | string }
  | { [Symbol.toPrimitive](hint: string): string };

export interface SendOptions {
  /** Send as binary, or as text. @default false for strings and numbers, true for all else */
  readonly binary?: boolean | undefined;
  /** Let extensions compress. @default up to the extension */
  readonly compress?: boolean | undefined;
  /** The last fragment of the message; with false the next `send` continues it. @default true */
  readonly fin?: boolean | undefined;
  /** With the policy `'conflate'`, a message takes the place of one with the same key that is still waiting. */
  readonly key?: unknown;
  /** For this message, in place of the connection's. */
  readonly slowConsumer?: SlowConsumer | false | undefined;
  /** As in ws 8; the role decides, so it changes nothing. */
  readonly mask?: boolean | undefined;
}

/** How far behind a recipient is. */
export interface SlowInfo {
  /** Bytes that it has not taken. */
  readonly bufferedAmount: number;
  /** Messages left out for it since it became slow. */
  readonly dropped: number;
  /** ms since it became slow. */
  readonly ms: number;
}

/** What went over the wire since the handshake. */
export interface SocketStats {
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly messagesReceived: number;
  readonly messagesSent: number;
}

/** Arguments of each event. */
export interface WebSocketEvents {
  open: [];
  message: [data: RawData, isBinary: boolean];
  /** A message begins: see the option `incoming`. */
  incoming: [message: Incoming];
  /** The header of any frame that comes in, before its message is told of. While somebody listens, small fragments are parsed one by one. */
  frame: [head: FrameHead];
  ping: [data: Buffer];
  pong: [data: Buffer];
  drain: [];
  /** The peer takes messages more slowly than they are sent, and has caught up again: see `slowConsumer`. */
  slow: [info: SlowInfo];
  recovered: [info: SlowInfo];
  closing: [code: number, reason: string, initiator: 'local' | 'remote'];
  close: [code: number, reason: Buffer, info: CloseInfo];
  error: [error: Error];
  /** Clients. */
  upgrade: [response: IncomingMessage];
  redirect: [url: string, request: ClientRequest];
  'unexpected-response': [request: ClientRequest, response: IncomingMessage];
}
