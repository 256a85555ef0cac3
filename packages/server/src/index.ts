export { WebSocket, type BinaryType, type CloseInfo, type RawData } from '@ws/connection';
export { ProtocolError, type ViolationCode } from '@ws/frame';
export { HandshakeError, type HandshakeErrorCode, type UpgradeOffer } from '@ws/handshake';
export type { WebSocketServerEvents } from './events.js';
export type { HandleProtocols, OriginCheck, ResolvedServerOptions, ServerOptions } from './options.js';
export type { RefusalReason } from './refusal.js';
export { WebSocketServer } from './server.js';
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
