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
export { HandshakeError, type HandshakeErrorCode, type HeaderList } from '@ws/handshake';
export { ConnectError, type ConnectErrorCode } from './errors.js';
export type { ClientOptions, CreateConnection, CreateConnectionOptions } from './options.js';
export { WebSocketError, type WebSocketCloseInfo } from './websocket-error.js';
export { WebSocketStream, type WebSocketOpenInfo, type WebSocketStreamOptions } from './websocket-stream.js';
export { WebSocket } from './websocket.js';
