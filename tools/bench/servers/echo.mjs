// The echo server that both libraries run, word for word.
import { answerParent } from './control.mjs';

/**
 * @typedef {object} EchoSocket what the two libraries' sockets have in common
 * @property {(event: 'message', listener: (this: EchoSocket, data: any, isBinary: boolean) => void) => unknown} on
 * @property {(data: any, options: { binary: boolean }) => unknown} send
 *
 * @typedef {object} EchoServer
 * @property {(event: 'connection' | 'listening', listener: (socket: EchoSocket) => void) => unknown} on
 * @property {() => unknown} address
 */

/** @type {(this: EchoSocket, data: any, isBinary: boolean) => void} */
function echo(data, isBinary) {
  this.send(data, { binary: isBinary });
}

/** @param {new (options: any) => EchoServer} Server */
export function serveEcho(Server) {
  const server = new Server({ host: '127.0.0.1', port: 0, maxPayload: 100 * 1024 * 1024, perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('message', echo));
  server.on('listening', () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    process.send?.({ port: address.port });
  });
  answerParent();
}
