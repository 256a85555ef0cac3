// The floor: node's TCP layer giving back every chunk as it came, no protocol at all.
import net from 'node:net';
import { answerParent } from './control.mjs';

/** @type {(this: net.Socket, chunk: Buffer) => void} */
function echo(chunk) {
  this.write(chunk);
}

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('data', echo);
  socket.on('error', () => socket.destroy());
});
server.listen(0, '127.0.0.1', () => {
  const address = /** @type {net.AddressInfo} */ (server.address());
  process.send?.({ port: address.port });
});
answerParent();
