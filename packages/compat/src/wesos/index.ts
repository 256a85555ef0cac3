export { Incoming, type IncomingHeader, type IncomingOptions } from './incoming.js';
export { Outgoing, type OutgoingHeader } from './outgoing.js';
export { createServer, Server, type OpenListener, type ServerEvents, type ServerOptions } from './server.js';
export { Socket, type SocketEvents, type SocketOptions } from './socket.js';
