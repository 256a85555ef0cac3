import { WebSocket } from 'undici';
import { runClient } from './measured.mjs';

await runClient(async (address, received) => {
  const socket = new WebSocket(address);
  socket.binaryType = 'arraybuffer';
  socket.addEventListener('message', ({ data }) => received(data));
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', ({ error }) => reject(error));
  });
  return { send: (data) => socket.send(data) };
});
