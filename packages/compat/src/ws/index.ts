import { createWebSocketStream } from '@ws/client';
import { extension, subprotocol } from './header-values.js';
import { PerMessageDeflate } from './permessage-deflate.js';
import { Receiver } from './receiver.js';
import { Sender } from './sender.js';
import { WebSocketServer } from './server.js';
import { WebSocket } from './websocket.js';

const { CONNECTING, OPEN, CLOSING, CLOSED } = WebSocket;

const ends = { Server: WebSocketServer, WebSocket, WebSocketServer };
const parts = { createWebSocketStream, extension, PerMessageDeflate, Receiver, Sender, subprotocol };
// All of them its own, for `import * as`, which copies no others where TypeScript compiles it.
Object.assign(WebSocket, { CONNECTING, OPEN, CLOSING, CLOSED }, ends, parts);

export { createWebSocketStream, extension, PerMessageDeflate, Receiver, Sender, subprotocol };
export { WebSocketServer, WebSocketServer as Server, WebSocket };
export type * from './types.js';
export { WebSocket as default, WebSocket as 'module.exports' };
