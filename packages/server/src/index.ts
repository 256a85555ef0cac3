export {
  ClosedError,
  GuardError,
  isPeerFault,
  Incoming,
  MemoryBudget,
  MessageError,
  Meter,
  Outgoing,
  PreparedMessage,
  WebSocket,
  createWebSocketStream,
  type BinaryType,
  type BufferLike,
  type CloseEvent,
  type CloseFrame,
  type CloseInfo,
  type ConnectionOptions,
  type ErrorEvent,
  type Event,
  type EventListener,
  type EventType,
  type Extension,
  type Failure,
  type FaultCode,
  type FrameRecord,
  type FromOptions,
  type GuardCode,
  type GuardOptions,
  type Heartbeat,
  type Histogram,
  type IncomingMode,
  type Initiator,
  type LimitOptions,
  type Limits,
  type Message,
  type MessageContent,
  type MessageEvent,
  type MessageIterator,
  type MessageStream,
  type Outcome,
  type OutgoingOptions,
  type RateLimit,
  type RateOptions,
  type RawData,
  type SendCallback,
  type SendOptions,
  type SlowConsumer,
  type SlowInfo,
  type SocketOptions,
  type SocketStats,
  type WebSocketEvents,
} from '@ws/connection';
export { DeflateError, type DeflateErrorCode } from '@ws/deflate';
export type { PerMessageDeflateOptions } from '@ws/deflate/node';
export { ProtocolError, type ViolationCode } from '@ws/frame';
export {
  HandshakeError,
  type ExtensionOffer,
  type HandshakeErrorCode,
  type HeaderList,
  type TrustedProxies,
  type UpgradeOffer,
  type UpgradeRequest,
} from '@ws/handshake';
export type { BroadcastOptions, BroadcastReport } from './broadcast.js';
export type { BroadcastStream, BroadcastStreamOptions } from './broadcast-stream.js';
export type { WebSocketServerEvents } from './events.js';
export type { MessageSink, MessageSinkEvents } from './message-sink.js';
export type { ServerMetrics } from './metrics.js';
export type {
  HandleProtocols,
  HandleProtocolsAnswer,
  OriginCheck,
  ProtocolRefusal,
  ResolvedServerOptions,
  ServerOptions,
  ServerRateLimit,
} from './options.js';
export { upgradeRequired } from './plain-request.js';
export type { RecipientOptions } from './recipients.js';
export { refuseUpgrade, type RefusalReason, type UpgradeRefusal } from './refusal.js';
export { WebSocketServer } from './server.js';
export type { ShutdownOptions, ShutdownReport } from './shutdown.js';
export type { SlowOptions } from './slow-rule.js';
export type { AnyHttpServer } from './upgrade-routing.js';
export type { AcceptedUpgrade, UpgradeCallback } from './upgrade-host.js';
export type {
  VerifyClient,
  VerifyClientAnswer,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync,
  VerifyClientInfo,
  VerifyClientReply,
  VerifyClientResult,
} from './verify-client.js';
