// Wires the parts together: one http server, two WebSocket servers on it, the room, the bot; and takes them apart again.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from '@ws/server';
import { startBot } from './bot.mjs';
import { serveEcho } from './echo.mjs';
import { Room } from './room.mjs';
import { loadPage } from './page.mjs';

/**
 * @typedef {object} DemoOptions
 * @property {number | undefined} [port] 0, the default: a free one
 * @property {string | undefined} [host] where to listen; by default only this machine can reach the demo
 * @property {((line: string) => void) | undefined} [log] gets a line for what should not happen
 *
 * @typedef {object} Demo
 * @property {string} url of the page
 * @property {() => Promise<void>} close ends every WebSocket with 1001 and stops listening; bounded in time
 */

/** Largest chat message on the wire: 1000 characters, each of them escaped as JSON allows, and what surrounds them. */
const MAX_CHAT_PAYLOAD = 8 * 1024;
/** Largest message the load panel may send. */
const MAX_ECHO_PAYLOAD = 1024 * 1024;
/** How long a peer may take to answer our close frame at the end. */
const CLOSE_GRACE_MS = 1_500;

/**
 * @param {DemoOptions} [options]
 * @returns {Promise<Demo>}
 */
export async function openDemo({ port = 0, host = '127.0.0.1', log = () => {} } = {}) {
  const http = createServer(await loadPage(new URL('public/', import.meta.url)));
  /** @type {Set<import('node:net').Socket>} */
  const tcpSockets = new Set();
  http.on('connection', (socket) => {
    tcpSockets.add(socket);
    socket.once('close', () => tcpSockets.delete(socket));
  });
  http.listen(port, host);
  await once(http, 'listening');
  const address = http.address();
  if (address === null || typeof address === 'string') throw new Error('the http server has no port');

  const chat = new WebSocketServer({ server: http, path: '/chat', maxPayload: MAX_CHAT_PAYLOAD });
  const echo = new WebSocketServer({ server: http, path: '/echo', maxPayload: MAX_ECHO_PAYLOAD });
  for (const server of [chat, echo])
    server.on('error', (/** @type {Error} */ error) => log(`server: ${error.message}`));

  const botKey = randomUUID();
  const room = new Room({ botKey });
  chat.on('connection', (socket) => room.admit(socket));
  serveEcho(echo);
  const bot = startBot({ url: `ws://${authority(host, address.port)}/chat`, botKey, log });

  /** @type {Promise<void> | undefined} */
  let closed;
  return { url: `http://${authority(host, address.port)}/`, close: () => (closed ??= close()) };

  async function close() {
    bot.stop();
    const servers = [chat, echo];
    const ends = [http, ...servers].map((server) => new Promise((resolve) => server.close(resolve)));
    for (const server of servers) {
      for (const socket of server.clients) socket.close(1001, 'the server is going away');
    }
    http.closeIdleConnections();
    const deadline = setTimeout(() => {
      for (const socket of tcpSockets) socket.destroy();
    }, CLOSE_GRACE_MS);
    await Promise.all(ends);
    clearTimeout(deadline);
  }
}

/**
 * @param {string} host as given to `listen`
 * @param {number} port
 * @returns {string} what stands for it in a URL
 */
function authority(host, port) {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return `${name.includes(':') ? `[${name}]` : name}:${port}`;
}
