// Bun's own server, which is native code. Bun runs this.
import { answerParent } from './control.mjs';
import { MOST_BYTES } from './listening.mjs';

/**
 * @typedef {{ send(data: string | Uint8Array): number }} Socket
 *
 * @typedef {object} Options
 * @property {number} port
 * @property {string} hostname
 * @property {(request: Request, server: { upgrade(request: Request): boolean }) => Response | undefined} fetch
 * @property {{ maxPayloadLength: number, backpressureLimit: number, message: (socket: Socket, data: string | Uint8Array) => void }} websocket
 */

/** @type {{ Bun: { serve(options: Options): { port: number } } }} */
const { Bun } = /** @type {any} */ (globalThis);

const { port } = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('', { status: 426 })),
  websocket: {
    maxPayloadLength: MOST_BYTES,
    backpressureLimit: MOST_BYTES,
    message: (socket, data) => void socket.send(data),
  },
});
process.send?.({ port });
answerParent();
