import { Server } from './server.js';
import { Socket } from './socket.js';

export type { PongInfo, ServerEvents, SocketEvents } from './events.js';
export type { ReceivedHead, WrittenHead } from './head.js';
export type { ServerOptions } from './server.js';
export type { SocketOptions } from './receiving.js';
export { Server, Socket };

/** For `import websockets from`, as of a CommonJS module. */
export default { Server, Socket };
