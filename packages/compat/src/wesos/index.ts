import { Incoming } from './incoming.js';
import { Outgoing } from './outgoing.js';
import { createServer, Server } from './server.js';
import { Socket } from './socket.js';

export type { IncomingHeader, IncomingOptions } from './incoming.js';
export type { OutgoingHeader } from './outgoing.js';
export type { OpenListener, ServerEvents, ServerOptions } from './server.js';
export type { SocketEvents, SocketOptions } from './socket.js';
export { createServer, Incoming, Outgoing, Server, Socket };

/** For `import wesos from`, as of a CommonJS module. */
const main = { createServer, Incoming, Outgoing, Server, Socket };
export default main;
