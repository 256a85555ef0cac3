export { ConnectError, type ConnectErrorCode } from './errors.js';
export type { ClientOptions, CreateConnection } from './options.js';
export { WebSocket } from './websocket.js';
