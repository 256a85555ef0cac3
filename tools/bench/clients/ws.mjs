import { once } from 'node:events';
import { WebSocket } from 'ws';
import { runClient } from './measured.mjs';

await runClient(async (address, received) => {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  socket.on('message', (data) => received(/** @type {Buffer} */ (data)));
  await once(socket, 'open');
  return socket;
});
