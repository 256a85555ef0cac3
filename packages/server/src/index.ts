export {
  ClosedError,
  Incoming,
  MessageError,
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
  type Failure,
  type FaultCode,
  type FrameRecord,
  type FromOptions,
  type IncomingMode,
  type Initiator,
  type Message,
  type MessageEvent,
  type MessageIterator,
  type RawData,
  type SendCallback,
  type SendOptions,
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
  type UpgradeOffer,
} from '@ws/handshake';
export type { WebSocketServerEvents } from './events.js';
export type { HandleProtocols, OriginCheck, ResolvedServerOptions, ServerOptions } from './options.js';
export type { RefusalReason } from './refusal.js';
export { WebSocketServer } from './server.js';
export type { AnyHttpServer } from './upgrade-routing.js';
export type { AcceptedUpgrade, UpgradeCallback } from './upgrade.js';
export type {
  VerifyClient,
  VerifyClientAnswer,
  VerifyClientCallbackAsync,
  VerifyClientCallbackSync,
  VerifyClientInfo,
  VerifyClientReply,
  VerifyClientResult,
} from './verify-client.js';
