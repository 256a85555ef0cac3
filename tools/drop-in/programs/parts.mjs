// What the scenarios share.
import { on, once } from 'node:events';

/** Listens on a free port of the loopback interface. @param {import('node:http').Server} server */
export async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port;
}

/** @param {import('node:http').Server} server */
export async function stop(server) {
  server.closeAllConnections();
  if (server.listening) await new Promise((resolve) => server.close(resolve));
}

/** Resolves with what a socket of `ws` told when it closed. @param {any} socket */
export function closeOf(socket) {
  return new Promise((/** @type {(close: string) => void} */ resolve) =>
    socket.once('close', (/** @type {number} */ code, /** @type {Buffer} */ reason) =>
      resolve(`${code} ${String(reason)}`.trimEnd()),
    ),
  );
}

/** Resolves with how an attempt to connect failed: error, then close. @param {any} socket */
export async function refusalOf(socket) {
  const errors = /** @type {string[]} */ ([]);
  socket.on('error', (/** @type {Error} */ error) => errors.push(error.message));
  const close = await closeOf(socket);
  return [...errors, close];
}

/** Reads the messages of a socket of `ws` one by one, as text or as a list of bytes. @param {any} socket */
export function readerOf(socket) {
  const messages = on(socket, 'message');
  return async () => {
    const [data, isBinary] = (await messages.next()).value;
    return isBinary ? [...data] : String(data);
  };
}

/** A promise and what fulfils it. @returns {{ promise: Promise<any>, resolve: (value?: any) => void }} */
export function deferred() {
  let resolve = /** @type {(value?: any) => void} */ (() => undefined);
  const promise = new Promise((fulfil) => (resolve = fulfil));
  return { promise, resolve };
}
