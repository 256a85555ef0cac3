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
/** What this machine calls itself: a page of another name that leads here is not ours, whatever DNS says. */
const OWN_NAMES = ['127.0.0.1', 'localhost', '[::1]'];
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

  const allowedHosts = host === '127.0.0.1' ? OWN_NAMES : undefined; // elsewhere, nobody knows what it is called
  const options = { server: http, allowedHosts };
  const chat = new WebSocketServer({ ...options, path: '/chat', maxPayload: MAX_CHAT_PAYLOAD });
  const echo = new WebSocketServer({ ...options, path: '/echo', maxPayload: MAX_ECHO_PAYLOAD });
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
    const isClosed = new Promise((resolve) => http.close(resolve));
    http.closeIdleConnections();
    const goodbye = { reason: 'the server is going away', timeout: CLOSE_GRACE_MS };
    const deadline = setTimeout(() => {
      for (const socket of tcpSockets) socket.destroy();
    }, CLOSE_GRACE_MS);
    await Promise.all([isClosed, chat.shutdown(goodbye), echo.shutdown(goodbye)]);
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
