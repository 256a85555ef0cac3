import { createWebSocketStream } from '@ws/client';
import { Sender } from './sender.js';
import { WebSocketServer } from './server.js';
import { WebSocket } from './websocket.js';

Object.assign(WebSocket, { createWebSocketStream, Sender, Server: WebSocketServer, WebSocket, WebSocketServer });

export { createWebSocketStream, Sender, WebSocketServer as Server, WebSocket, WebSocketServer };
export { WebSocket as default, WebSocket as 'module.exports' };
