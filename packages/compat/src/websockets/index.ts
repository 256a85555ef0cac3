export type { PongInfo, ServerEvents, SocketEvents } from './events.js';
export type { ReceivedHead, WrittenHead } from './head.js';
export { Server, type ServerOptions } from './server.js';
export { Socket, type SocketOptions } from './socket.js';
