import { callable, type Callable } from './function-class.js';
import { Server as ServerClass } from './server.js';
import type * as Types from './types.js';
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
/** For `import WebSocket = require(…)`, which has this name alone. */
export declare namespace WebSocket {
  export type Server = ServerClass;
  export type ServerOptions = Types.ServerOptions;
  export type WebSocketOptions = Types.WebSocketOptions;
  export type Flags = Types.Flags;
}

Object.assign(WebSocket, { Server, WebSocket });
