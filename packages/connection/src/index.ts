export { checkConnectionOptions, type ConnectionOptions, type IncomingMode, type SlowConsumer } from './options.js';
export type { GuardOptions, Heartbeat, RateLimit, RateOptions } from './guard-options.js';
export type { CloseEvent, ErrorEvent, Event, EventListener, EventType, MessageEvent } from './event-target.js';
export { ClosedError } from './closed-error.js';
export { Incoming } from './incoming.js';
export type { LimitOptions, Limits } from './limits.js';
export type { MessageContent } from './message-content.js';
export { MemoryBudget } from './memory-budget.js';
export { MessageWriter, type MessageWriterOptions, type WriteCallback } from './message-writer.js';
export { Outgoing, type OutgoingOptions } from './outgoing.js';
export type { MessageIterator } from './message-iterator.js';
export type { MessageStream } from './message-stream.js';
export { isPeerFault, listenerRejected } from './peer-fault.js';
export { PreparedMessage } from './prepared-message.js';
export { createPair, type PairOptions } from './pair.js';
export { GuardError, MessageError, type FaultCode, type GuardCode } from './protocol/index.js';
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
export { channels } from './channels.js';
export { kClosed, kEnd } from './ending.js';
export { Meter, type Histogram } from './meter.js';
export type { Claim, Keeper } from './memory-account.js';
export { kObserver, kPlace, kStats, type Observer } from './observer.js';
export { kPace } from './pace.js';
export { kJoin, type Share, type SharedWay } from './shared-way.js';
export { lendFirstRead } from './reading.js';
export { makeReplaceable } from './replaceable.js';
export { WheelEntry, WheelTimer } from './timer-wheel.js';
export { sharedTimers } from './timers.js';
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
export type { Outcome } from './slow-recipient.js';
export type { FromOptions, SocketOptions } from './socket-options.js';
export { WebSocket } from './websocket.js';
