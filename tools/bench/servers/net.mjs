// The floor: node's TCP layer, or TLS, giving back every chunk as it came, no protocol at all.
import net from 'node:net';
import tls from 'node:tls';
import { listen } from './listening.mjs';

/** @type {(this: net.Socket, chunk: Buffer) => void} */
function echo(chunk) {
  this.write(chunk);
}

/** @param {net.Socket} socket */
function serve(socket) {
  socket.on('data', echo);
  socket.on('error', () => socket.destroy());
}

const { tls: certificate } = /** @type {import('./serve.mjs').Task} */ (JSON.parse(process.argv[2] ?? '{}'));
const options = { noDelay: true };
listen(certificate ? tls.createServer({ ...options, ...certificate }, serve) : net.createServer(options, serve));
