// What programs for nodejs-websocket are like: the same for that library and for the adapter.
import { answerParent } from './control.mjs';
import { MOST_BYTES } from './listening.mjs';

/** @param {typeof import('nodejs-websocket').default} websocket */
export function serve(websocket) {
  websocket.setMaxBufferLength(MOST_BYTES);
  const server = websocket.createServer((connection) => {
    connection.on('error', () => undefined); // a client that goes without goodbye
    connection.on('text', (text) => connection.sendText(text));
    connection.on('binary', (stream) => {
      /** @type {Buffer[]} */
      const chunks = [];
      stream.on('readable', () => {
        for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk);
      });
      stream.on('end', () =>
        connection.sendBinary(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)),
      );
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = /** @type {import('node:net').AddressInfo} */ (server.socket.address());
    process.send?.({ port });
  });
  answerParent();
}
