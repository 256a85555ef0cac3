export { WebSocket, type BinaryType, type CloseInfo, type RawData } from '@ws/connection';
export { ProtocolError, type ViolationCode } from '@ws/frame';
export { HandshakeError, type HandshakeErrorCode, type UpgradeOffer } from '@ws/handshake';
export type { HandleProtocols, OriginCheck, ResolvedServerOptions, ServerOptions } from './options.js';
export type { RefusalReason } from './refusal.js';
export { WebSocketServer, type WebSocketServerEvents } from './server.js';
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
