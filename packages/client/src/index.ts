export type {
  BinaryType,
  BufferLike,
  CloseEvent,
  CloseFrame,
  CloseInfo,
  ConnectionOptions,
  ErrorEvent,
  Event,
  EventListener,
  EventType,
  Failure,
  FrameRecord,
  FromOptions,
  Initiator,
  MessageEvent,
  RawData,
  SendCallback,
  SendOptions,
  SocketOptions,
  WebSocketEvents,
} from '@ws/connection';
export { ProtocolError, type ViolationCode } from '@ws/frame';
export { HandshakeError, type HandshakeErrorCode, type HeaderList } from '@ws/handshake';
export { ConnectError, type ConnectErrorCode } from './errors.js';
export type { ClientOptions, CreateConnection, CreateConnectionOptions } from './options.js';
export { WebSocket } from './websocket.js';
