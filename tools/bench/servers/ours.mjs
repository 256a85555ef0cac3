import { serve } from './serve.mjs';
import { ours } from './which.mjs';

/** @type {typeof import('@ws/server')} */
const { WebSocketServer } = await import(ours('server'));

serve(WebSocketServer, (server, document, except) => {
  /** @type {any} */ (server).broadcast(document, { binary: false, except });
});
