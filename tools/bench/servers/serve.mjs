// The servers that both libraries run, word for word.
import { createServer } from 'node:https';
import { answerParent } from './control.mjs';

/**
 * @typedef {object} ServedSocket what the two libraries' sockets have in common
 * @property {(event: 'message', listener: (this: ServedSocket, data: any, isBinary: boolean) => void) => unknown} on
 * @property {(data: any, options: { binary: boolean }) => unknown} send
 *
 * @typedef {object} ServingServer
 * @property {(event: 'connection' | 'listening', listener: (socket: ServedSocket) => void) => unknown} on
 * @property {() => unknown} address
 * @property {Iterable<Pick<ServedSocket, 'send'>>} clients
 *
 * @callback Broadcast
 * @param {ServingServer} server
 * @param {Buffer} document text
 * @param {ServedSocket} except gets none
 * @returns {void}
 *
 * @typedef {object} Task what the command line says, as JSON
 * @property {boolean} [broadcast] instead of an echo
 * @property {boolean} [loop] by an ordinary send to each
 * @property {import('@ws/testing').Certificate} [tls] wss
 * @property {false | Record<string, unknown>} perMessageDeflate
 */

/** @type {(this: ServedSocket, data: any, isBinary: boolean) => void} */
function echo(data, isBinary) {
  this.send(data, { binary: isBinary });
}

/**
 * A client, one at a time, sends documents, which are kept, and numbers: so many documents, going round, then go to all others.
 * @param {ServingServer} server @param {Broadcast} broadcast
 */
function broadcaster(server, broadcast) {
  /** @type {ServedSocket | undefined} */
  let sender;
  /** @type {Buffer[]} */
  let documents = [];
  let next = 0;
  /** @type {(this: ServedSocket, data: Buffer) => void} */
  return function receive(data) {
    if (this !== sender) {
      sender = this;
      documents = [];
      next = 0;
    }
    if (data[0] === 0x7b) {
      documents.push(Buffer.from(data));
      return;
    }
    for (let count = Number(data.toString()); count > 0; count--) {
      const document = documents[next++ % documents.length];
      if (document === undefined) throw new Error('a number before the documents');
      broadcast(server, document, this);
    }
  };
}

const TEXT = { binary: false };

/** @type {Broadcast} */
function sendEach(server, document, except) {
  for (const socket of server.clients) if (socket !== except) socket.send(document, TEXT);
}

/**
 * @param {new (options: any) => ServingServer} Server
 * @param {Broadcast} broadcast the library's own way
 */
export function serve(Server, broadcast = sendEach) {
  const task = /** @type {Task} */ (JSON.parse(process.argv[2] ?? '{"perMessageDeflate":false}'));
  const { perMessageDeflate, tls } = task;
  const options = { maxPayload: 100 * 1024 * 1024, perMessageDeflate };
  const secure = tls && createServer(tls);
  const server = new Server({ ...options, ...(secure ? { server: secure } : { host: '127.0.0.1', port: 0 }) });
  const listener = task.broadcast === true ? broadcaster(server, task.loop === true ? sendEach : broadcast) : echo;
  server.on('connection', (socket) => socket.on('message', listener));
  server.on('listening', () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    process.send?.({ port: address.port });
  });
  secure?.listen(0, '127.0.0.1');
  answerParent();
}
