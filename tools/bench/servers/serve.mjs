// The servers that both libraries run, word for word.
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
 * @typedef {object} Task what the command line says, as JSON
 * @property {boolean} [broadcast] instead of an echo
 * @property {boolean} [loop] without a prepared message
 * @property {false | Record<string, unknown>} perMessageDeflate
 */

/** @type {(this: ServedSocket, data: any, isBinary: boolean) => void} */
function echo(data, isBinary) {
  this.send(data, { binary: isBinary });
}

/**
 * A client, one at a time, sends documents, which are kept, and numbers: so many documents, going round, then go to all others.
 * @param {ServingServer} server
 * @param {(document: Buffer) => (socket: Pick<ServedSocket, 'send'>) => void} prepare what sends this document
 */
function broadcaster(server, prepare) {
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
      const send = prepare(document);
      for (const socket of server.clients) if (socket !== this) send(socket);
    }
  };
}

const TEXT = { binary: false };
/** @type {(document: Buffer) => (socket: Pick<ServedSocket, 'send'>) => void} */
const sendEach = (document) => (socket) => socket.send(document, TEXT);

/**
 * @param {new (options: any) => ServingServer} Server
 * @param {(document: Buffer) => (socket: Pick<ServedSocket, 'send'>) => void} prepare the library's own way to broadcast
 */
export function serve(Server, prepare = sendEach) {
  const task = /** @type {Task} */ (JSON.parse(process.argv[2] ?? '{"perMessageDeflate":false}'));
  const { perMessageDeflate } = task;
  const server = new Server({ host: '127.0.0.1', port: 0, maxPayload: 100 * 1024 * 1024, perMessageDeflate });
  const listener = task.broadcast === true ? broadcaster(server, task.loop === true ? sendEach : prepare) : echo;
  server.on('connection', (socket) => socket.on('message', listener));
  server.on('listening', () => {
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    process.send?.({ port: address.port });
  });
  answerParent();
}
