import type { Readable } from 'node:stream';
import type { ReceivedHead } from './head.js';
import type { Socket } from './socket.js';

/** Of a `'pong'`: sent by us, in answer to a ping, or received. */
export interface PongInfo {
  readonly direction: 'sent' | 'received';
  /** The payload as it came. */
  readonly data: Buffer;
}

interface StreamEvents {
  data: [chunk: Buffer];
  drain: [];
  end: [];
  finish: [];
  pipe: [source: Readable];
  readable: [];
}

/** What listeners of a Socket get. */
export interface SocketEvents extends StreamEvents {
  /** A header has come, of any frame; its payload follows. */
  head: [head: ReceivedHead];
  /** The last payload of a message can be read. */
  done: [];
  /** A whole message: text is a string. */
  message: [message: string | Buffer];
  ping: [payload: Buffer];
  pong: [payload: string, info: PongInfo];
  /** A message begins that is in fragments or long: its bytes can be read. */
  'stream:start': [];
  'stream:end': [];
  'stream:stop': [];
  /** Code and reason of the peer's Close frame; 1005 if it has no code, 1006 if there was none. */
  close: [code: number, reason: string];
  error: [error: Error];
}

/** Of a socket, as its Server tells them. */
type WithSocket<Told extends unknown[]> = Told extends [infer First, ...infer Rest]
  ? [told: First, socket: Socket, ...Rest]
  : [socket: Socket];
type OfSockets = Omit<SocketEvents, 'error' | keyof StreamEvents>;

/** What listeners of a Server get. */
export type ServerEvents = StreamEvents & { [Name in keyof OfSockets]: WithSocket<OfSockets[Name]> } & {
  open: [socket: Socket];
  /** What a peer did, with its socket; or a handshake that failed. */
  error: [error: Error, socket?: Socket];
};

/** What listens knows what it gets. */
export type Listener<Events, Name extends keyof Events> = (
  ...told: Events[Name] extends unknown[] ? Events[Name] : never
) => void;
/** Of events that are not these nothing is known. */
export type OtherName<Name extends string | symbol, Events> = Name extends keyof Events ? never : Name;
export type Other = (...told: never[]) => void;
