export type { ConnectionOptions, IncomingMode, SlowConsumer } from './options.js';
export type { CloseEvent, ErrorEvent, Event, EventListener, EventType, MessageEvent } from './event-target.js';
export { Incoming } from './incoming.js';
export { MessageError, type FaultCode } from './errors.js';
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
export type { BinaryType, BufferLike, RawData, SendOptions, SlowInfo, SocketStats, WebSocketEvents } from './types.js';
export { WebSocket, type FromOptions, type SocketOptions } from './websocket.js';
