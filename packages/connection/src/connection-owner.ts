import type { FrameHead } from '@ws/frame';
import type { Duplex } from 'node:stream';
import type { HeldConnection } from './incoming-flow.js';
import type { ConnectionSettings } from './options.js';
import type { CloseInfo, MessageHead, MessageSink, ProtocolHandlers } from './protocol/index.js';
import type { SlowInfo } from './types.js';

/** Who is told what happens on a connection. */
export interface ConnectionOwner extends Omit<
  ProtocolHandlers,
  'incoming' | 'frame' | 'ready' | 'turnUsed' | 'deadline'
> {
  /** A message begins, while `Protocol.streams` is set: as `ProtocolHandlers.incoming`. */
  incoming(head: MessageHead, connection: HeldConnection): MessageSink | undefined;
  /** Somebody wants to be told of frames. */
  readonly hearsFrames: boolean;
  frame(head: FrameHead): void;
  /** `send` returns false, for the first time since there was room. */
  full(): void;
  /** There is room again. */
  drain(): void;
  /** The peer is behind, and is not any more. */
  slow(info: SlowInfo): void;
  recovered(info: SlowInfo): void;
  /** Another one, made in its place, would do the same. */
  readonly isQuiet: boolean;
  streamClosed(stream: Duplex): void;
  /** Last, once, when the stream is gone and all that came has been given. */
  close(info: CloseInfo): void;
}

/** What has a connection. */
export interface Subject {
  readonly [kSettings]: ConnectionSettings;
  /** It knows of something that the connection's parts are in use for. */
  readonly [kIsBusy]: boolean;
  /** Makes one. */
  [kOwner](): ConnectionOwner;
}
export const kIsBusy = Symbol('is busy');
export const kSettings = Symbol('settings');
export const kOwner = Symbol('owner');
