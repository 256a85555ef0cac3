import { WebSocketServer as Server, type ServerOptions } from '@ws/server';
import { SERVER_DEFAULTS, serverDeflate, withoutUndefined } from './defaults.js';
import { WebSocket } from './websocket.js';

/** As in `ws` 8: with none of our guards, unless they are asked for. */
export class WebSocketServer extends Server {
  constructor(options: ServerOptions, callback?: () => void) {
    super(asInWs(options), callback);
  }
}

function asInWs(options: ServerOptions): ServerOptions {
  if (typeof options !== 'object' || options === null) return options;
  return {
    ...SERVER_DEFAULTS,
    WebSocket,
    ...withoutUndefined(options),
    perMessageDeflate: serverDeflate(options.perMessageDeflate),
  };
}
