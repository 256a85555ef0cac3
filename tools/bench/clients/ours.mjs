import { once } from 'node:events';
import { ours } from '../servers/which.mjs';
import { runClient } from './measured.mjs';

/** @type {typeof import('@ws/client')} */
const { WebSocket } = await import(ours('client'));

await runClient(async (address, received) => {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  socket.on('message', (data) => received(/** @type {Buffer} */ (data)));
  await once(socket, 'open');
  return socket;
});
