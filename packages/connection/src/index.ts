export type { ConnectionOptions, IncomingMode, SlowConsumer } from './options.js';
export type { CloseEvent, ErrorEvent, Event, EventListener, EventType, MessageEvent } from './event-target.js';
export { ClosedError, MessageError, type FaultCode } from './errors.js';
export { Incoming } from './incoming.js';
export type { MessageIterator } from './message-iterator.js';
export { PreparedMessage } from './prepared-message.js';
export { createPair, type PairOptions } from './pair.js';
export type {
  CloseFrame,
  CloseInfo,
  Extension,
  Failure,
  Flow,
  FrameRecord,
  IncomingPiece,
  Initiator,
  OutgoingFragment,
  SendCallback,
} from './protocol/index.js';
export { createWebSocketStream } from './socket-duplex.js';
export type {
  BinaryType,
  BufferLike,
  Message,
  RawData,
  SendOptions,
  SlowInfo,
  SocketStats,
  WebSocketEvents,
} from './types.js';
export { WebSocket, type FromOptions, type SocketOptions } from './websocket.js';
