import { WebSocket } from './callable.js';

export { Server } from './callable.js';
export type { ServerEvents } from './server.js';
export type {
  ClientInfo,
  ControlOptions,
  DeflateOptions,
  EventTypes,
  Flags,
  HandleProtocolsOption,
  Sendable,
  SendFragment,
  SendOptions,
  ServerOptions,
  StreamCallback,
  Upgraded,
  VerifyClientOption,
  WebSocketEvents,
  WebSocketOptions,
} from './types.js';
export { WebSocket, WebSocket as default, WebSocket as 'module.exports' };
