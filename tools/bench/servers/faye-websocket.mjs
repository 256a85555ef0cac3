import { createServer } from 'node:http';
import WebSocket from 'faye-websocket';
import { listen, MOST_BYTES } from './listening.mjs';

const server = createServer();
server.on('upgrade', (request, socket, head) => {
  if (!WebSocket.isWebSocket(request)) return void socket.destroy();
  const connection = new WebSocket(request, socket, head, [], { maxLength: MOST_BYTES });
  connection.on('message', ({ data }) => connection.send(data));
});
listen(server);
