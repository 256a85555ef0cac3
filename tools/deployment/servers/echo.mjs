// An echo on a port, behind TLS or on a Unix socket, as the argument says.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { WebSocketServer } from '@ws/server';
import { answerParent } from '../../bench/servers/control.mjs';

/**
 * @typedef {object} Task
 * @property {string} [unix] path of a socket, instead of a port
 * @property {{ key: string, cert: string, ciphers?: string }} [tls]
 * @property {Record<string, unknown>} [options]
 */

const { unix, tls, options = {} } = /** @type {Task} */ (JSON.parse(process.argv[2] ?? '{}'));

const http = tls ? createTlsServer({ ...tls, sessionTimeout: 300 }) : unix ? createServer() : undefined;
const shared = { maxPayload: 100 * 1024 * 1024, trustProxy: 1, ...options };
const server = new WebSocketServer(http ? { server: http, ...shared } : { port: 0, host: '127.0.0.1', ...shared });
server.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

function tell() {
  const address = (http ?? server).address();
  process.send?.({ port: typeof address === 'object' ? address?.port : 0 });
}
if (http === undefined) server.on('listening', tell);
else if (unix) http.listen(unix, tell);
else http.listen(0, '127.0.0.1', tell);
answerParent();
