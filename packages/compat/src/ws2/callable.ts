import { callable, type Callable } from '../callable.js';
import { Server as ServerClass } from './server.js';
import { WebSocket as WebSocketClass } from './websocket.js';

interface ServerConstructor extends Callable<typeof ServerClass> {}
interface WebSocketConstructor extends Callable<typeof WebSocketClass> {
  readonly Server: ServerConstructor;
  readonly WebSocket: WebSocketConstructor;
}

export type Server = ServerClass;
export const Server: ServerConstructor = callable(ServerClass);

export type WebSocket = WebSocketClass;
export const WebSocket = callable(WebSocketClass) as WebSocketConstructor;

Object.assign(WebSocket, { Server, WebSocket });
